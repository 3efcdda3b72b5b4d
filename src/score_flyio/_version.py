"""The version, kept equal to `pyproject.toml` by a test; reading package metadata costs 30 ms."""

__version__ = "0.1.0"
