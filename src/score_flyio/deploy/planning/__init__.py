"""Desired and observed → the steps between them. Pure."""
