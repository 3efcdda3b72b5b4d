"""The ways to provision a resource: a fixed answer, a command, an HTTP service."""
