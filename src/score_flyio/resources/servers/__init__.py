"""Servers on Fly machines, each type of them by a description: see `types/`.

Works over the Machines API alone. Names follow from the guid of the resource, so that a run that
was killed is carried on by the next one: it finds what was made instead of making it twice.
"""
