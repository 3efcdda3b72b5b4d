"""Builders: each turns a `Build` into an image, and pushes it."""
