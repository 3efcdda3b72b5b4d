"""What a deploy may add to a group that has machines."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import COUNTED, GROUP, Marks
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.planning.counts import (
    LAUNCHED,
    SCALED,
    Missing,
    as_counted,
    is_open,
    missing_of_launch,
)
from score_flyio.deploy.step import CreateMachine, HoldMachines, SetMetadata
from score_flyio.fly.present import LAUNCH_KEY
from tests.unit.deploy.planning.plans import (
    CHECK,
    SERVICE,
    acyclic,
    changed,
    half_launched,
    ids,
    launched,
    marked,
    planned,
    step,
    wanted,
)

ONE, TWO = "create:app:1", "create:app:2"
MOUNT = "[[mounts]]\nsource = 'data'\ndestination = '/data'\n"


def machine(name: str, launch: str = "", counted: str | None = None) -> models.Machine:
    config = models.FlyMachineConfig(metadata={LAUNCH_KEY: launch} if launch else {})
    return models.Machine(id=name, config=Marks(counted=counted).stamp(config))


def of_worker(machine: models.Machine) -> models.Machine:
    config = machine.config or models.FlyMachineConfig()
    metadata = {**(config.metadata or {}), GROUP: "worker"}
    return evolve(machine, config=evolve(config, metadata=metadata))


def replacing(machine: models.Machine, other: str) -> models.Machine:
    config = machine.config or models.FlyMachineConfig()
    return evolve(machine, config=Marks(stands_for=other).stamp(config))


def mutations(observed: ObservedApp, text: str = SERVICE, **options: Any) -> list[str]:
    return [s.id for s in planned(wanted(text), observed, **options).steps if s.mutates]


@pytest.mark.parametrize(
    ("machines", "missing"),
    [
        ([machine("a", "L:1/2")], Missing(launch="L", first="a")),
        ([machine("a", "L:1/2", LAUNCHED)], None),
        ([machine("a", "L:1/2", SCALED)], None),
        ([machine("a", "L:1/2"), machine("b", "L:2/2")], None),
        ([machine("b", "L:2/2")], None),
        ([machine("a", "L:1/1")], None),
        ([machine("a")], None),
        (
            [machine("a", "L:1/2"), replacing(machine("b", "L:1/2+again"), "a")],
            Missing(launch="L", first="b"),
        ),
        # flyctl clones a machine with all of its metadata
        ([machine("a", "L:1/2"), machine("b", "L:1/2")], None),
        ([machine("a", "L:1/2"), machine("b", "K:1/2", LAUNCHED)], Missing(launch="L", first="a")),
        ([machine("a", "L.app:1/2")], Missing(launch="L", first="a")),
        ([of_worker(machine("a", "L.app:1/2"))], None),  # cloned into another group
        (
            [of_worker(machine("b", "K.app:1/2")), machine("a", "L.app:1/2")],
            Missing(launch="L", first="a"),
        ),
        ([machine("a", "L.web:1/2")], Missing(launch="L", first="a")),  # its group is not told
        ([machine("a", "L:1/2+green")], Missing(launch="L", first="a")),
    ],
)
def test_only_what_was_never_there_is_missing(
    machines: list[models.Machine], missing: Missing | None
) -> None:
    assert missing_of_launch(machines) == missing


@pytest.mark.parametrize(
    ("launch", "counted", "opened"),
    [
        ("L:1/2", None, True),
        ("L:1/2", SCALED, True),
        ("L:1/2", LAUNCHED, False),
        ("L:2/2", None, False),
        ("", None, False),
        ("", SCALED, True),
    ],
)
def test_a_launch_is_open_until_a_deploy_ended_it(
    launch: str, counted: str | None, *, opened: bool
) -> None:
    assert is_open(machine("a", launch, counted)) is opened


def test_a_scale_marks_what_nothing_was_known_of() -> None:
    def values(*machines: models.Machine) -> list[str | None]:
        return [Marks.of(m).counted for m in as_counted(machines)]

    assert values(machine("a", "L:1/2")) == [SCALED]
    assert values(machine("a", "L:1/2"), machine("b", "L:2/2")) == [LAUNCHED, None]
    assert values(machine("a", "L:1/2", LAUNCHED)) == [LAUNCHED]
    assert values(machine("a")) == [None]


@pytest.mark.parametrize("text", [SERVICE, CHECK])
def test_both_machines_of_a_launch_tell_that_it_came_to_its_end(text: str) -> None:
    plan = planned(wanted(text))
    assert Marks.of(models.Machine(config=step(plan, ONE).config)).counted is None
    assert Marks.of(models.Machine(config=step(plan, TWO).config)).counted == LAUNCHED
    (mark,) = [s for s in plan.steps if isinstance(s, SetMetadata)]
    assert (mark.target, mark.key, mark.value) == (step(plan, ONE).target, COUNTED, LAUNCHED)
    assert mark.needs[0] == TWO
    for left in (0, 1):
        whole = launched(wanted(text))
        alone = evolve(whole, machines=(whole.machines[left],))
        created = [s for s in planned(wanted(text), alone).steps if isinstance(s, CreateMachine)]
        standby_alone = text == CHECK and left == 1
        assert bool(created) is standby_alone  # nothing would ever start it


@pytest.mark.parametrize("text", [MOUNT, SERVICE + MOUNT])
def test_a_launch_of_one_machine_needs_no_mark(text: str) -> None:
    assert not [s for s in planned(wanted(text)).steps if isinstance(s, SetMetadata)]
    assert mutations(launched(wanted(text)), text) == []


def test_no_ha_ends_an_interrupted_launch() -> None:
    half = half_launched(wanted())
    assert mutations(half, ha=False) == [f"counted:{ONE}"]
    assert mutations(marked(half, ONE, **{COUNTED: LAUNCHED})) == []


def test_what_is_there_is_marked_once_what_was_missing_is_made() -> None:
    plan = planned(wanted(), half_launched(wanted()))
    mark = step(plan, f"counted:{ONE}")
    assert (mark.needs, mark.group) == ((TWO,), "app")
    assert [s.machines for s in plan.steps if isinstance(s, HoldMachines)] == [(ONE,)]


def test_what_takes_the_place_of_the_first_machine_is_marked_once_the_second_is_made() -> None:
    lost = changed(half_launched(wanted()), ONE, host_status="unreachable")
    plan = planned(wanted(image="nginx:2"), lost)
    mark = step(plan, f"counted:replace:{ONE}")
    assert (mark.needs, mark.group) == ((TWO,), "app")


def test_a_standby_that_was_missing_stands_by_for_what_takes_the_place_of_the_first_machine() -> (
    None
):
    lost = changed(half_launched(wanted(CHECK)), ONE, host_status="unreachable")
    plan = planned(wanted(CHECK), lost)
    assert step(plan, TWO).standby_for == (Ref(step=f"replace:{ONE}"),)


def test_a_group_that_got_a_mount_meanwhile_needs_no_second_machine() -> None:
    plan = planned(wanted(SERVICE + MOUNT), half_launched(wanted()), allow_destructive=True)
    assert [s.id for s in plan.steps if isinstance(s, CreateMachine)] == [f"replace:{ONE}"]
    assert step(plan, f"counted:replace:{ONE}").needs == (f"replace:{ONE}",)


def test_what_is_missing_comes_before_what_is_there_changes() -> None:
    plan = planned(wanted(image="nginx:2"), half_launched(wanted()))
    assert f"{TWO}:healthy" in step(plan, f"update:{ONE}").needs
    assert Marks.of(models.Machine(config=step(plan, f"update:{ONE}").config)).counted == LAUNCHED
    assert f"counted:{ONE}" not in ids(plan)


@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen", "immediate"])
@pytest.mark.parametrize("text", [CHECK, SERVICE + CHECK])
def test_what_is_missing_waits_for_nothing_that_waits_for_it(text: str, strategy: str) -> None:
    two = "[processes]\napp = 'a'\nworker = 'b'\n"
    half = half_launched(wanted(two + text))
    assert acyclic(planned(wanted(two + text, image="nginx:2"), half, strategy=strategy))


@pytest.mark.parametrize("options", [{"update_only": True}, {"only_machines": (ONE,)}])
def test_who_may_make_no_machine_leaves_the_launch_open(options: dict[str, Any]) -> None:
    assert mutations(half_launched(wanted()), **options) == []
    plan = planned(wanted(image="nginx:2"), half_launched(wanted()), **options)
    assert Marks.of(models.Machine(config=step(plan, f"update:{ONE}").config)).counted is None


def test_a_mark_that_a_killed_run_left_out_is_made_up_for() -> None:
    whole = launched(wanted())
    first = half_launched(wanted()).machines[0]
    unmarked = evolve(whole, machines=(first, whole.machines[1]))
    assert mutations(unmarked) == [f"counted:{ONE}"]
    holds = [s for s in planned(wanted(), unmarked).steps if isinstance(s, HoldMachines)]
    assert [hold.machines for hold in holds] == [(ONE,)]
    assert mutations(unmarked, exclude_machines=(ONE,)) == []
    assert f"update:{ONE}" in mutations(unmarked, "[env]\nA = '1'\n" + SERVICE)
