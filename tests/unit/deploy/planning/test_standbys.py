"""Standbys whose group gets a mount, or that are all that is left of it."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import COUNTED, STANDS_FOR
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.planning.counts import SCALED
from score_flyio.deploy.step import CreateMachine, DestroyMachine, SetMetadata
from score_flyio.errors import PlanError
from score_flyio.fly.present import LAUNCH_KEY
from tests.unit.deploy.planning.plans import (
    CHECK,
    SERVICE,
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

OTHERS = {"fly_platform_version": "v2", "fly_process_group": "app"}
ONE, TWO = "create:app:1", "create:app:2"
WITH_DATA = f"{CHECK}[mounts]\nsource = 'data'\ndestination = '/data'\n"


def with_standbys(there: ObservedApp, name: str, *standbys: str, **facts: Any) -> ObservedApp:
    """The same, with a machine that stands by for others."""
    found = next(m for m in there.machines if m.id == name)
    config = evolve(found.config or models.FlyMachineConfig(), standbys=list(standbys) or None)
    return changed(there, name, config=config, **facts)


def hidden(there: ObservedApp, name: str) -> ObservedApp:
    """The same, with a machine on a lost host, of which only the metadata shows."""
    found = next(m for m in there.machines if m.id == name)
    known = models.FlyMachineConfig(metadata=found.config.metadata if found.config else None)
    return changed(there, name, config=None, incomplete_config=known, host_status="unreachable")


def without(there: ObservedApp, name: str) -> ObservedApp:
    return evolve(there, machines=tuple(m for m in there.machines if m.id != name))


def of_standbys(*states: str) -> ObservedApp:
    """A group of nothing but standbys of what is gone: s0, s1 and so on."""
    there = launched(wanted(CHECK))
    copies = tuple(evolve(there.machines[1], id=f"s{number}") for number in range(len(states)))
    there = evolve(there, machines=copies)
    for number, state in enumerate(states):
        there = with_standbys(there, f"s{number}", "gone", state=state)
    return there


def stands(there: ObservedApp, **options: Any) -> dict[str, tuple[str, ...]]:
    """By machine that a deploy changes: for whom it stands by from then on."""
    plan = planned(wanted(CHECK, image="nginx:2"), there, **options)
    given = {s.machine: s.standby_for for s in updates(plan)}
    given |= {
        s.previous: s.standby_for for s in plan.steps if isinstance(s, CreateMachine) and s.previous
    }
    return {
        name: tuple(ref.machine or ref.step or "" for ref in refs) for name, refs in given.items()
    }


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
    assert made.standby_for == (Ref(step="replace:in"),)


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
        for name, region in (("a", "iad"), ("b", "ams"), *((name, "ams") for name in "stuv"))
        if name in standbys or name in "ab"
    )
    return evolve(launched(wanted(CHECK)), machines=machines)


def links(there: ObservedApp) -> dict[str, str | None]:
    found = updates(planned(wanted(CHECK), there))
    return {u.machine: u.standby_for[0].machine for u in found}


@pytest.mark.parametrize(
    ("standbys", "new"),
    [
        ({"s": ["gone"]}, {"s": "b"}),
        ({"s": ["gone", "a"]}, {}),
        ({"s": ["a"]}, {}),
        ({"s": ["b"], "t": ["gone"]}, {"t": "a"}),
        ({"s": ["a", "b"], "t": ["gone"]}, {"t": "b"}),
        ({"s": ["gone"], "t": ["gone"]}, {"s": "b", "t": "a"}),
        ({"s": ["a"], "t": ["gone"], "u": ["gone"]}, {"t": "b", "u": "b"}),
        (
            {"s": ["b"], "t": ["gone"], "u": ["gone"], "v": ["gone"]},
            {"t": "a", "u": "b", "v": "a"},
        ),
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
    assert updated.standby_for == (Ref(step="replace:in"),)
    assert updated.needs == ("destroy:in",)
    assert [change.after for change in updated.differences] == ['["the new machine"]']
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
    there = launched(wanted(CHECK))
    first, second = there.machines
    there = evolve(there, machines=(first, evolve(first, id="a"), evolve(first, id="b"), second))
    there = marked(marked(there, "a", **{STANDS_FOR: "b"}), "b", **{STANDS_FOR: "a"})
    assert stands(with_standbys(there, TWO, "a"))[TWO] == (ONE,)


def test_a_standby_that_goes_is_not_marked() -> None:
    there = marked(launched(wanted(CHECK)), TWO, **{COUNTED: SCALED})
    plan = planned(wanted(WITH_DATA), there, allow_destructive=True)
    assert f"destroy:{TWO}" in ids(plan)
    assert not [s.id for s in plan.steps if isinstance(s, SetMetadata) and s.target.machine == TWO]


@pytest.mark.parametrize(
    ("states", "member"),
    [
        (("started", "started"), "s0"),
        (("stopped", "started"), "s1"),
        (("stopped", "started", "started"), "s1"),
    ],
)
def test_of_standbys_that_are_all_of_a_group_one_becomes_its_member(
    states: tuple[str, ...], member: str
) -> None:
    """The others stand by for it, also where a run is cut short once it is the member."""
    there = of_standbys(*states)
    names = [m.id or "" for m in there.machines]
    expected = {name: () if name == member else (member,) for name in names}
    assert stands(there) == expected
    assert stands(with_standbys(there, member)) == expected


def test_one_in_reach_becomes_the_member_but_none_beside_one_that_runs() -> None:
    mounts = [models.FlyMachineMount(name="data", path="/data")]
    there = of_standbys("stopped", "stopped")
    for name in ("s0", "s1"):
        config = models.FlyMachineConfig(image="nginx:1", mounts=mounts, standbys=["gone"])
        there = changed(there, name, config=config)
    here = changed(there, "s0", region="ams")
    plan = planned(wanted(WITH_DATA), here, exclude_regions=("ams",))
    (update,) = updates(plan)
    assert (update.machine, update.standby_for, update.starts) == ("s1", (), True)
    beside = changed(here, "s0", state="started")
    plan = planned(wanted(WITH_DATA), beside, exclude_regions=("ams",))
    (update,) = updates(plan)
    assert (update.standby_for, update.starts) == ((Ref(machine="s0"),), False)


def test_a_standby_of_what_is_gone_stands_by_for_another_member() -> None:
    """One of its launch before others, whether it runs or not."""
    there = launched(wanted(CHECK))
    first, second = there.machines
    there = evolve(there, machines=(evolve(first, id="a"), first, second))
    there = with_standbys(marked(there, "a", **{LAUNCH_KEY: "other"}), TWO, "gone")
    for state in ("started", "stopped"):
        there = changed(there, TWO, state=state)
        assert stands(there)[TWO] == (ONE,)
        assert stands(without(there, ONE))[TWO] == ("a",)


def test_a_standby_goes_on_with_all_machines_that_it_names_where_one_is_there() -> None:
    there = launched(wanted(CHECK))
    first, second = there.machines
    copy = evolve(first, id="z")
    there = with_standbys(evolve(there, machines=(first, second, copy)), TWO, "z", "gone", ONE)
    assert updates(planned(wanted(CHECK), there)) == []
    assert stands(there)[TWO] == ("z", "gone", ONE)
    plan = planned(wanted(CHECK, image="nginx:2"), there, strategy="bluegreen")
    assert step(plan, f"green:{TWO}").standby_for == (
        Ref(step="green:z"),
        Ref(machine="gone"),
        Ref(step=f"green:{ONE}"),
    )
    lost = changed(there, "z", host_status="unreachable")
    assert stands(lost)[TWO] == ("replace:z", "gone", ONE)


def test_no_standby_stands_by_for_another_one() -> None:
    there = launched(wanted(CHECK))
    second = evolve(there.machines[1], id="s")
    there = evolve(there, machines=(*there.machines, second))
    assert stands(with_standbys(there, "s", TWO))["s"] == (ONE,)


def test_what_takes_the_place_of_a_member_is_one_and_runs() -> None:
    there = launched(wanted(CHECK))
    there = evolve(there, machines=(*there.machines, evolve(there.machines[1], id="in")))
    there = marked(there, "in", **{STANDS_FOR: ONE})
    assert stands(there) == {"in": (), TWO: ("in",)}
    plan = planned(wanted(CHECK, image="nginx:2"), there)
    assert step(plan, "update:in").starts


def test_what_replaces_a_hidden_standby_stands_by_or_runs_where_nothing_else_is_left() -> None:
    """A lost host shows neither whether it is one nor for whom."""
    there = launched(wanted(CHECK))
    lost = hidden(there, TWO)
    made = step(planned(wanted(CHECK), lost), f"replace:{TWO}")
    assert (made.standby_for, made.request.skip_launch) == ((Ref(machine=ONE),), True)
    made = step(planned(wanted(CHECK), without(lost, ONE)), f"replace:{TWO}")
    assert (made.standby_for, made.request.skip_launch) == ((), False)


@pytest.mark.parametrize("text", ["service", "first", "copy", "data"])
def test_what_is_hidden_is_no_standby_where_it_cannot_have_been_one(text: str) -> None:
    """In a group that serves, as the first of a launch or of none, or with a volume."""
    there = changed(launched(wanted(CHECK)), TWO, state="stopped")
    desired, name = wanted(CHECK), TWO
    match text:
        case "service":
            desired = wanted(SERVICE)
        case "first":
            name = ONE
        case "copy":
            there = marked(there, TWO, **{LAUNCH_KEY: "ID"})
        case _:
            volume = models.Volume(id="vol", name="data", attached_machine_id=TWO)
            there = evolve(there, volumes=(volume,))
    if text == "data":
        with pytest.raises(PlanError, match=f"machine {TWO} is on a host"):
            planned(desired, hidden(there, name))
        return
    assert step(planned(desired, hidden(there, name)), f"replace:{name}").standby_for == ()


def test_a_hidden_standby_goes_where_its_group_gets_a_mount() -> None:
    plan = planned(wanted(WITH_DATA), hidden(launched(wanted(CHECK)), TWO), allow_destructive=True)
    assert f"destroy:{TWO}" in ids(plan)
    assert f"replace:{TWO}" not in ids(plan)


@pytest.mark.parametrize(
    "options",
    [
        {"only_machines": (ONE,)},
        {"only_regions": ("iad",)},
        {"exclude_machines": (TWO,)},
        {"exclude_regions": ("ams",)},
    ],
)
def test_a_standby_that_a_deploy_leaves_out_stays_where_its_group_gets_a_mount(
    options: dict[str, Any],
) -> None:
    there = changed(launched(wanted(CHECK)), TWO, region="ams")
    plan = planned(wanted(WITH_DATA), there, allow_destructive=True, **options)
    assert f"replace:{ONE}" in ids(plan)
    assert f"destroy:{TWO}" not in ids(plan)


def test_standbys_of_one_config_are_compared_one_by_one() -> None:
    """As lists are read, equal configs are one object."""
    there = of_standbys("stopped", "started")
    config = there.machines[0].config
    there = changed(changed(there, "s0", config=config), "s1", config=config)
    found = updates(planned(wanted(CHECK), there))
    after = {u.machine: [(d.path, d.after) for d in u.differences] for u in found}
    assert after == {"s0": [("standbys", '["s1"]')], "s1": [("standbys", None)]}
