"""The command line. The only part that imports asyncclick and writes to stdout and stderr."""
