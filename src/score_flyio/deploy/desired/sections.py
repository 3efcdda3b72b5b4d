"""Sections of a fly.toml that the Machines API has with the same names."""

from __future__ import annotations

from typing import TypeVar

from score_flyio.fly.codec import structure
from score_flyio.flytoml.write import to_json

T = TypeVar("T")


def of_section(section: object, type_: type[T], **other: object) -> T:
    """A section as the API has it, with the `other` members; zero values are left out of both."""
    return structure({**to_json(section), **other}, type_)
