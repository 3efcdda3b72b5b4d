"""Provisioners written as templates, in `*.provisioners.yaml` files of the project."""

TEMPLATE = "template://"
"""How the uris of provisioners begin whose resources are only forgotten when they go."""
SUFFIX = ".provisioners.yaml"
"""What the names of files of template provisioners end with."""
