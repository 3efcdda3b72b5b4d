"""One module a command; each offers it as `command`. `cli.table` lists them."""
