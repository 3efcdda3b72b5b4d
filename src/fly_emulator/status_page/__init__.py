"""The status page: plain files, sent as they are."""
