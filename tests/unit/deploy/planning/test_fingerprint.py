"""What makes a plan stale."""

from __future__ import annotations

import re

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.model import ObservedApp
from tests.unit.deploy.planning.plans import changed, machine, planned, wanted


def volume(name: str, attached: str | None = None) -> models.Volume:
    return models.Volume(id=name, name="data", region="iad", attached_machine_id=attached)


def address(ip: str) -> models.IPAssignment:
    return models.IPAssignment(ip=ip)


SEEN = ObservedApp(
    name="web",
    app=models.App(name="web"),
    machines=(machine("m1", models.FlyMachineConfig()),),
    volumes=(volume("vol1", "m1"),),
    addresses=(address("2a09::1"), address("66.241.1.1")),
    secrets={"KEY": "d1", "OTHER": "d2"},
)


@pytest.mark.parametrize(
    "now",
    [
        evolve(SEEN, name="other"),
        evolve(SEEN, app=None),
        changed(SEEN, "m1", id="m2"),
        changed(SEEN, "m1", instance_id="m1-2"),
        changed(SEEN, "m1", state="stopped"),
        evolve(SEEN, machines=()),
        evolve(SEEN, volumes=(volume("vol2", "m1"),)),
        evolve(SEEN, volumes=(volume("vol1"),)),
        evolve(SEEN, addresses=SEEN.addresses[:1]),
        evolve(SEEN, addresses=(SEEN.addresses[0], address("66.241.1.2"))),
        evolve(SEEN, secrets={"KEY": "d1", "OTHER": "d3"}),
        evolve(SEEN, secrets={"KEY": "d1", "OTHER": "d2", "THIRD": "d3"}),
        evolve(SEEN, secrets={"KEY": "d1"}),
    ],
)
def test_a_plan_is_stale_once_anything_changed_that_it_was_made_from(now: ObservedApp) -> None:
    assert planned(wanted(), SEEN).fingerprint != planned(wanted(), now).fingerprint


def test_a_plan_is_not_stale_where_the_platform_only_tells_things_in_another_order() -> None:
    now = evolve(
        SEEN,
        addresses=tuple(reversed(SEEN.addresses)),
        secrets={"OTHER": "d2", "KEY": "d1"},
    )
    assert planned(wanted(), SEEN).fingerprint == planned(wanted(), now).fingerprint


def test_a_fingerprint_is_sixteen_hexadecimal_digits() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", planned(wanted(), SEEN).fingerprint)


def test_a_plan_tells_what_it_was_made_from_thing_by_thing() -> None:
    observed = evolve(SEEN, volumes=(*SEEN.volumes, volume("vol2")))
    assert planned(wanted(), observed).seen == {
        "app web": "",
        "machine m1": "m1-1",
        "volume vol1": "m1",
        "volume vol2": "",
        "address 2a09::1": "",
        "address 66.241.1.1": "",
        "secret KEY": "d1",
        "secret OTHER": "d2",
    }
    assert planned(wanted(), ObservedApp(name="web")).seen == {}
