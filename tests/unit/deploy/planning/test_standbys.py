"""Standbys whose group gets a mount, or that are all that is left of it."""

from __future__ import annotations

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import COUNTED, STANDS_FOR
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.planning.counts import SCALED
from score_flyio.deploy.planning.leftovers import Members
from score_flyio.deploy.planning.replacements import heirs_of
from score_flyio.deploy.planning.standbys import gains_a_volume
from score_flyio.deploy.step import DestroyMachine, SetMetadata
from tests.unit.deploy.planning.plans import (
    CHECK,
    acyclic,
    changed,
    ids,
    launched,
    marked,
    planned,
    step,
    updates,
    wanted,
)

MOUNTS = [models.FlyMachineMount(name="data", path="/data")]
HAS = models.FlyMachineConfig(mounts=MOUNTS)
NONE = models.FlyMachineConfig()


@pytest.mark.parametrize(
    ("machine", "standbys", "gains"),
    [
        (models.Machine(config=NONE), ["m1"], True),
        (models.Machine(config=NONE), None, False),
        (models.Machine(config=HAS), ["m1"], False),
        (models.Machine(incomplete_config=HAS), ["m1"], False),
        (models.Machine(incomplete_config=NONE), ["m1"], True),
        (models.Machine(), ["m1"], True),
    ],
)
def test_a_standby_gains_a_volume_where_it_had_none(
    machine: models.Machine, standbys: list[str] | None, *, gains: bool
) -> None:
    config = models.FlyMachineConfig(mounts=MOUNTS, standbys=standbys)
    assert gains_a_volume(machine, config) is gains
    assert not gains_a_volume(machine, models.FlyMachineConfig(standbys=standbys))


OTHERS = {"fly_platform_version": "v2", "fly_process_group": "app"}
ONE, TWO = "create:app:1", "create:app:2"
WITH_DATA = f"{CHECK}[mounts]\nsource = 'data'\ndestination = '/data'\n"


def test_a_standby_goes_with_what_was_to_replace_it_where_its_group_gets_a_mount() -> None:
    there = launched(wanted(CHECK))
    copy = evolve(there.machines[1], id="in", state="started")
    there = marked(evolve(there, machines=(*there.machines, copy)), "in", **{STANDS_FOR: TWO})
    plan = planned(wanted(WITH_DATA), changed(there, TWO, host_status="unreachable"))
    gone = {s.target.machine for s in plan.steps if isinstance(s, DestroyMachine)}
    assert gone >= {TWO, "in"}
    assert acyclic(plan)


def alone(**facts: object) -> ObservedApp:
    """A group of which its standby is left, which runs."""
    there = launched(wanted(CHECK))
    return changed(evolve(there, machines=there.machines[1:]), TWO, state="started", **facts)


def test_a_standby_that_runs_alone_becomes_a_member() -> None:
    (update,) = updates(planned(wanted(CHECK), alone()))
    assert update.config.standbys is None
    assert not update.request.skip_launch
    assert f"{update.id}:healthy" in ids(planned(wanted(CHECK), alone()))


def test_what_replaces_a_standby_that_was_alone_runs() -> None:
    made = step(planned(wanted(CHECK), alone(host_status="unreachable")), f"replace:{TWO}")
    assert made.config.standbys is None
    assert not made.request.skip_launch


def test_what_replaces_a_machine_at_rest_starts_where_that_is_asked_for() -> None:
    there = changed(launched(wanted()), TWO, state="stopped", host_status="unreachable")
    for start in (True, False):
        made = step(planned(wanted(), there, start=start), f"replace:{TWO}")
        assert made.request.skip_launch is not start


def test_a_standby_stands_by_for_the_last_of_those_that_took_a_place() -> None:
    there = launched(wanted(CHECK))
    first, second = there.machines
    there = evolve(there, machines=(first, second, evolve(first, id="in")))
    there = marked(there, "in", **{STANDS_FOR: ONE})
    for name in (ONE, TWO, "in"):
        there = changed(there, name, host_status="unreachable")
    made = step(planned(wanted(CHECK), there), f"replace:{TWO}")
    assert made.standby_for == Ref(step="replace:in")


def replaced_by_others(**standbys: list[str]) -> ObservedApp:
    """A group whose machines another tool put in the place of those that were launched."""
    config = launched(wanted(CHECK)).machines[0].config
    assert config is not None
    machines = tuple(
        models.Machine(
            id=name,
            state="stopped" if name in standbys else "started",
            region=region,
            host_status="ok",
            config=evolve(config, standbys=standbys.get(name), metadata=OTHERS),
        )
        for name, region in (("a", "iad"), ("b", "ams"), ("s", "ams"), ("t", "ams"))
        if name in standbys or name in "ab"
    )
    return evolve(launched(wanted(CHECK)), machines=machines)


def links(there: ObservedApp) -> dict[str, str | None]:
    found = updates(planned(wanted(CHECK), there))
    return {u.machine: u.standby_for.machine if u.standby_for else None for u in found}


@pytest.mark.parametrize(
    ("standbys", "new"),
    [
        ({"s": ["gone"]}, {"s": "b"}),
        ({"s": ["gone", "a"]}, {}),
        ({"s": ["a"]}, {}),
        ({"s": ["b"], "t": ["gone"]}, {"t": "a"}),
        ({"s": ["a", "b"], "t": ["gone"]}, {"t": "b"}),
        ({"s": ["gone"], "t": ["gone"]}, {"s": "b", "t": "a"}),
    ],
)
def test_a_standby_of_machines_that_are_gone_gets_one_of_its_group(
    standbys: dict[str, list[str]], new: dict[str, str]
) -> None:
    """In the same region if it can be, and one that no other standby has."""
    assert links(replaced_by_others(**standbys)) == new


def test_a_standby_waits_for_the_last_of_those_that_took_a_place_to_be_made() -> None:
    """Where it is updated itself, and what it stood by for may be destroyed before."""
    there = launched(wanted(CHECK))
    first = there.machines[0]
    there = evolve(there, machines=(*there.machines, evolve(first, id="in", state="stopped")))
    there = marked(there, "in", **{STANDS_FOR: ONE})
    for name in (ONE, "in"):
        there = changed(there, name, host_status="unreachable")
    plan = planned(wanted(CHECK), there)
    (updated,) = updates(plan)
    assert updated.standby_for == Ref(step="replace:in")
    assert f"destroy:{ONE}" in updated.needs
    assert step(plan, f"destroy:{ONE}").needs == ("destroy:in",)
    assert step(plan, "destroy:in").needs == ("replace:in",)
    assert acyclic(plan)


def test_a_standby_that_takes_a_place_does_not_wait_for_itself() -> None:
    there = launched(wanted(CHECK))
    copy = evolve(there.machines[1], id="in", state="stopped")
    there = evolve(there, machines=(*there.machines, copy))
    there = marked(there, "in", **{STANDS_FOR: ONE})
    for name in (ONE, "in"):
        there = changed(there, name, host_status="unreachable")
    plan = planned(wanted(CHECK), there)
    assert acyclic(plan)
    assert "replace:in" not in step(plan, "replace:in").needs


def test_machines_that_say_to_replace_each_other_keep_no_plan_from_its_end() -> None:
    replaced = [models.Machine(id=name) for name in "ab"]
    circle = Members(machines=tuple(replaced), stand_ins={"a": "b", "b": "a"})
    assert heirs_of(circle, replaced).keys() == {"a", "b"}


def test_a_standby_that_goes_is_not_marked() -> None:
    there = marked(launched(wanted(CHECK)), TWO, **{COUNTED: SCALED})
    plan = planned(wanted(WITH_DATA), there, allow_destructive=True)
    assert f"destroy:{TWO}" in ids(plan)
    assert not [s.id for s in plan.steps if isinstance(s, SetMetadata) and s.target.machine == TWO]
