"""Where machines go for which nobody names a region."""

from __future__ import annotations

import pytest
from attrs import evolve

from score_flyio.deploy.planning.new_machine import Volumes
from score_flyio.deploy.step import CreateMachine
from tests.unit.deploy.planning.plans import planned, step, wanted


@pytest.mark.parametrize(
    ("named", "default", "expected"),
    [("iad", "fra", "iad"), (None, "fra", "fra"), (None, "", None)],
)
def test_a_machine_without_a_volume(named: str | None, default: str, expected: str | None) -> None:
    (made, *_) = (each for each in planned(wanted()).steps if isinstance(each, CreateMachine))
    made = evolve(made, request=evolve(made.request, region=named))
    volumes = Volumes(
        present=(), taken=set(), new=lambda _: pytest.fail("none"), default_region=default
    )
    (placed,) = volumes.give(made)
    assert isinstance(placed, CreateMachine)
    assert placed.request.region == expected


@pytest.mark.parametrize(
    ("named", "default", "expected"),
    [("iad", "fra", "iad"), (None, "fra", "fra"), (None, "", None)],
)
def test_the_machine_of_the_release_command(
    named: str | None, default: str, expected: str | None
) -> None:
    desired = wanted("[deploy]\nrelease_command = 'migrate'\n")
    desired = evolve(desired, spec=evolve(desired.spec, primary_region=named or ""))
    plan = planned(desired, default_region=default)
    assert step(plan, "release").request.region == expected
