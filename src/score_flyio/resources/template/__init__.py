"""Provisioners written as templates, in `*.provisioners.yaml` files of the project."""

SUFFIX = ".provisioners.yaml"
"""What the names of files of template provisioners end with."""
