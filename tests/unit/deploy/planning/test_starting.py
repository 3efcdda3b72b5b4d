"""Which machines at rest a deploy starts."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import STAGED
from score_flyio.deploy.model import ObservedApp
from tests.unit.deploy.planning.plans import (
    SERVICE,
    changed,
    ids,
    launched,
    marked,
    planned,
    updates,
    wanted,
)

RAW = "[[services]]\ninternal_port = 9\n[[services.ports]]\nport = 9\n"


def least(count: int, *, section: str = SERVICE) -> str:
    """Services of which so many machines are to run."""
    return section.replace("internal_port", f"min_machines_running = {count}\ninternal_port", 1)


def resting(text: str, *places: tuple[str, str]) -> ObservedApp:
    """The app with a machine for each region and state."""
    observed = launched(wanted(text, image="nginx:0"))
    example = observed.machines[0]
    machines = tuple(
        evolve(example, id=f"m{number}", region=region, state=state)
        for number, (region, state) in enumerate(places)
    )
    return evolve(observed, machines=machines)


def started(text: str, observed: ObservedApp, **options: Any) -> list[str]:
    """Ids of the machines at rest that the plan lets run."""
    rest = {m.id for m in observed.machines if m.state == "stopped"}
    found = updates(planned(wanted(text), observed, **options))
    return sorted(u.machine for u in found if u.machine in rest and not u.request.skip_launch)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", []),
        (SERVICE, []),
        (least(1), ["m0"]),
        (least(2), ["m0", "m2"]),
        (least(9), ["m0", "m2", "m3"]),
        (least(1) + least(2, section=RAW), ["m0", "m2"]),
        (least(2) + least(1, section=RAW), ["m0", "m2"]),
        (least(2, section=RAW), ["m0", "m2"]),
    ],
)
def test_as_many_as_the_services_want_in_the_primary_region(text: str, names: list[str]) -> None:
    rest = [("iad", "stopped"), ("ams", "stopped"), ("iad", "stopped"), ("iad", "stopped")]
    assert started(text, resting(text, *rest)) == names


@pytest.mark.parametrize(
    ("running", "names"),
    [
        ([], ["m0", "m1"]),
        (["iad"], ["m0"]),
        (["ams"], ["m0", "m1"]),
        (["iad", "iad"], []),
        (["iad", "iad", "iad", "iad"], []),
    ],
)
def test_those_that_run_there_count(running: list[str], names: list[str]) -> None:
    text = least(2)
    places = [("iad", "stopped"), ("iad", "stopped"), *((region, "started") for region in running)]
    assert started(text, resting(text, *places)) == names


@pytest.mark.parametrize(
    ("text", "options", "names"),
    [
        ("", {"start": True}, ["m1", "m2"]),
        (SERVICE, {"start": True}, ["m0", "m1", "m2"]),
        (SERVICE, {}, []),
        (least(2), {}, ["m0", "m1"]),
    ],
)
def test_a_standby_starts_where_it_stops_being_one(
    text: str, options: dict[str, Any], names: list[str]
) -> None:
    """Since its group serves from then on."""
    observed = resting("", ("iad", "stopped"), ("iad", "stopped"), ("iad", "stopped"))
    config = observed.machines[0].config or models.FlyMachineConfig()
    observed = changed(observed, "m0", config=evolve(config, standbys=["m1"]))
    assert started(text, observed, **options) == names


def test_a_machine_that_changes_in_nothing_else_is_started_and_waited_for() -> None:
    observed = changed(launched(wanted()), "create:app:1", state="stopped")
    assert planned(wanted(), observed).steps == ()
    assert ids(planned(wanted(), observed, start=True)) == [
        "hold",
        "start:create:app:1",
        "await:create:app:1",
    ]


@pytest.mark.parametrize(
    ("state", "start", "changes"),
    [("stopped", True, True), ("stopped", False, False), ("started", True, False)],
)
def test_one_that_is_started_loses_its_note_of_staged_secrets(
    state: Any, *, start: bool, changes: bool
) -> None:
    """It has them then."""
    observed = changed(launched(wanted()), "create:app:1", state=state)
    observed = marked(observed, "create:app:1", **{STAGED: "true"})
    assert bool(updates(planned(wanted(), observed, start=start))) is changes
