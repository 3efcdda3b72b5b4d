"""A step found, at the moment it was to act, that there is nothing to do."""

from __future__ import annotations


class Unchanged(Exception):
    """Raised by a step whose condition does not hold; what waits for its machine is skipped."""
