"""From an app as fly.toml describes it to machine configs and API requests.

Pure: local files come through a `FileSource`, ids and images from the caller. The rules are those
of flyctl, so that either tool can carry on from the other. What cannot be converted is raised as a
ConversionError, with its place and the way out.
"""
