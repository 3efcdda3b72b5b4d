"""Deploys of a part of an app."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.metadata import ADDRESSES, COUNTED, without_marks
from score_flyio.deploy.options import DeployOptions, GuestOptions
from score_flyio.deploy.planning.updates import in_scope
from score_flyio.deploy.step import CreateMachine, DestroyMachine, HoldMachines
from score_flyio.errors import ConfigError
from tests.unit.deploy.planning.plans import (
    CHECK,
    SERVICE,
    carried_out,
    changed,
    launched,
    planned,
    updates,
    wanted,
)

GROUPS = "[processes]\na = 'a'\nb = 'b'\nc = 'c'\n"


@pytest.mark.parametrize(
    ("options", "touched"),
    [
        ({}, True),
        ({"only_regions": ("iad",)}, True),
        ({"only_regions": ("ams", "iad")}, True),
        ({"only_regions": ("ams",)}, False),
        ({"only_machines": ("m1", "m2")}, True),
        ({"only_machines": ("m2",)}, False),
        ({"exclude_regions": ("ams",)}, True),
        ({"exclude_regions": ("iad",)}, False),
        ({"exclude_machines": ("m2",)}, True),
        ({"exclude_machines": ("m1",)}, False),
        ({"exclude_machines": ("m2",), "exclude_regions": ("iad",)}, False),
        ({"exclude_machines": ("m1",), "exclude_regions": ("ams",)}, False),
        ({"only_machines": ("m1",), "exclude_machines": ("m1",)}, False),
        ({"only_machines": ("m1",), "only_regions": ("ams",)}, False),
    ],
)
def test_which_machines_are_touched(options: dict[str, Any], touched: bool) -> None:
    assert in_scope(models.Machine(id="m1", region="iad"), DeployOptions(**options)) is touched


def groups_of(text: str, **options: Any) -> list[str]:
    """The groups in which the plan changes machines of an app that is there."""
    observed = launched(wanted(GROUPS))
    return sorted({u.group or "" for u in updates(planned(wanted(text), observed, **options))})


def test_only_the_groups_that_were_chosen() -> None:
    changed = GROUPS + "[env]\nA = '1'\n"
    assert groups_of(changed) == ["a", "b", "c"]
    assert groups_of(changed, process_groups=("b", "c")) == ["b", "c"]
    first = planned(wanted(GROUPS), process_groups=("b", "c")).steps
    assert {s.group for s in first if isinstance(s, CreateMachine)} == {"b", "c"}


def test_a_group_that_left_stays_unless_it_was_chosen() -> None:
    observed = launched(wanted(GROUPS))
    fewer = wanted(GROUPS.replace("a = 'a'\n", ""))

    def gone(**options: Any) -> set[str | None]:
        steps = planned(fewer, observed, allow_destructive=True, **options).steps
        return {step.group for step in steps if isinstance(step, DestroyMachine)}

    assert gone() == {"a"}
    assert gone(process_groups=("b",)) == set()
    assert gone(process_groups=("a", "b")) == {"a"}


CHECKED = f"{SERVICE}[[http_service.machine_checks]]\nimage = 'curl:1'\ncommand = ['true']\n"


@pytest.mark.parametrize("option", [{"update_only": True}, {"only_machines": ("other",)}])
def test_updates_alone_create_nothing_and_tell_of_no_test(option: dict[str, Any]) -> None:
    plan = planned(wanted(CHECKED), **option, detach=True)
    assert not [step for step in plan.steps if isinstance(step, CreateMachine)]
    assert not [note for note in plan.notes if "machine checks" in note]
    assert [note for note in planned(wanted(CHECKED), detach=True).notes if "not run" in note]


def test_a_group_begins_anew_behind_what_is_left_of_it() -> None:
    first = planned(wanted())
    (done, *_) = (m for m in carried_out(first).machines)
    config = done.config or models.FlyMachineConfig()
    never_ran = evolve(config, standbys=["gone"])
    observed = changed(launched(wanted()), done.id or "", config=never_ran, state="stopped")
    alone = evolve(observed, machines=tuple(m for m in observed.machines if m.id == done.id))
    steps = planned(wanted(), alone).steps
    destroys = [step.id for step in steps if isinstance(step, DestroyMachine)]
    creates = [step for step in steps if isinstance(step, CreateMachine)]
    assert destroys
    assert creates
    assert all(set(destroys) <= set(step.needs) for step in creates)


def test_bluegreen_is_refused_beside_machines_that_no_deploy_made() -> None:
    observed = launched(wanted(SERVICE + CHECK))
    others = tuple(models.Machine(id=name, state="started") for name in ("x1", "x2"))
    new = wanted(SERVICE + CHECK, image="nginx:2")
    with pytest.raises(ConfigError) as refused:
        planned(new, evolve(observed, others=others), strategy="bluegreen")
    assert str(refused.value).endswith(
        "cannot be used beside machine x1, x2, which no deploy made: "
        "it would go on beside the new machines"
    )
    assert refused.value.hint == (
        "destroy it (flyctl machine destroy ID), or use --strategy rolling"
    )


def test_bluegreen_holds_the_machines_that_did_not_change_either() -> None:
    text = SERVICE + CHECK
    observed = launched(wanted(text, image="nginx:2"))
    older = launched(wanted(text))
    first, second = (machine.id or "" for machine in observed.machines)
    mixed = changed(observed, first, config=older.machines[0].config)
    steps = planned(wanted(text, image="nginx:2"), mixed, strategy="bluegreen").steps
    (hold,) = (step for step in steps if isinstance(step, HoldMachines))
    assert set(hold.machines) == {first, second}


def test_a_launch_in_an_app_whose_earlier_one_is_known_to_be_whole_is_not_its_first() -> None:
    older = launched(wanted(GROUPS.replace("c = 'c'\n", "")), region="iad")
    lone = tuple(m for m in older.machines if (m.id or "").endswith("1"))
    half = [m for m in lone if m.config]
    half = [evolve(m, config=without_marks(m.config, {COUNTED})) for m in half if m.config]

    def marks(machines: Iterable[models.Machine]) -> set[str | None]:
        steps = planned(wanted(GROUPS), evolve(older, machines=tuple(machines))).steps
        made = [s.request.config for s in steps if isinstance(s, CreateMachine) and s.group == "c"]
        return {(config.metadata or {}).get(ADDRESSES) for config in made if config}

    assert marks(half) == {None}
    assert marks(lone) == {"decided"}


def test_a_size_that_cannot_be_read_is_blamed_on_its_option() -> None:
    with pytest.raises(ConversionError, match=r"^--vm-size: Fly has no machine size 'huge'"):
        planned(wanted(), guest=GuestOptions(size="huge"))
