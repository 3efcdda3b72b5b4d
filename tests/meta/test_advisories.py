"""No declared lower bound lets in a version with a hole that is listed in advisories.toml."""

from __future__ import annotations

import re
import tomllib

import pytest

from tests.meta.source import ROOT
from tests.meta.test_dependencies import PROJECT, name_of

HOLES = tomllib.loads((ROOT / "tests/meta/advisories.toml").read_text())["hole"]
REQUIREMENTS = [
    *PROJECT["dependencies"],
    *(each for extra in PROJECT["optional-dependencies"].values() for each in extra),
]


def numbers(version: str) -> tuple[int, ...]:
    """A version such that `3.1` is below `3.1.6`, and `3` is as `3.0.0`."""
    parts = [int(part) for part in version.split(".")]
    return (*parts, *[0] * (4 - len(parts)))


def too_low(requirement: str, fixed: str) -> bool:
    """Whether a requirement admits versions below the one that closes a hole."""
    bound = re.search(r">=\s*([\d.]+)", requirement)
    return bound is None or numbers(bound[1]) < numbers(fixed)


@pytest.mark.parametrize("hole", HOLES, ids=lambda hole: hole["advisory"])
def test_no_lower_bound_has_a_known_hole(hole: dict[str, str]) -> None:
    named = [each for each in REQUIREMENTS if name_of(each) == hole["name"]]
    assert named, f"{hole['name']} is not declared any more: take {hole['advisory']} off the list"
    wrong = [each for each in named if too_low(each, hole["fixed"])]
    assert wrong == [], f"{hole['advisory']} is closed in {hole['name']} {hole['fixed']}"


@pytest.mark.parametrize(
    "requirement", ["h11", "h11>=0.14", "h11>=0.15.9", "h11[x]>=0.1; a == 'b'"]
)
def test_a_lower_bound_that_is_too_low_is_found(requirement: str) -> None:
    assert too_low(requirement, "0.16.0")
    assert not too_low("h11>=0.16", "0.16.0")
