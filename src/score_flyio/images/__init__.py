"""Container images: their names, registries, and how they are built and pushed."""
