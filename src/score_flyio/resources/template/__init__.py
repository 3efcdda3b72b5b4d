"""Provisioners written as templates, in `*.provisioners.yaml` files of the project."""
