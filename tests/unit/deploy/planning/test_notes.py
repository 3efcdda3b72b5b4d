"""What a person is told beside the steps of a plan."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import PLATFORM, RELEASE_ID, STAGED
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import GuestOptions
from tests.unit.deploy.planning.plans import (
    CHECK,
    SERVICE,
    changed,
    launched,
    marked,
    planned,
    updates,
    wanted,
)

HERE = launched(wanted())
FIRST, SECOND = (machine.id or "" for machine in HERE.machines)


SIZE = "size = 'shared-cpu-1x'"


def stray(name: str, **metadata: str) -> models.Machine:
    config = models.FlyMachineConfig(metadata=metadata)
    return models.Machine(id=name, state="started", region="ams", config=config)


def sized(observed: ObservedApp, **guest: Any) -> ObservedApp:
    """The same platform, where every machine was scaled to another size."""
    for machine in observed.machines:
        config = machine.config or models.FlyMachineConfig()
        size = models.FlyMachineGuest(cpu_kind="shared", **guest)
        observed = changed(observed, machine.id or "", config=evolve(config, guest=size))
    return observed


def test_machines_that_no_deploy_made_are_named() -> None:
    console = stray("c1", **{PLATFORM: "v2", "fly_process_group": "fly_app_console"})
    observed = evolve(HERE, others=(stray("x1"), console, stray("x2")))
    assert planned(wanted(), observed).notes == (
        "no deploy made machine x1 (started in ams), machine x2 (started in ams): left alone",
    )
    assert planned(wanted(), evolve(HERE, others=(console,))).notes == ()


def test_machines_of_no_release_are_named() -> None:
    found = next(m for m in HERE.machines if m.id == SECOND)
    config = found.config or models.FlyMachineConfig()
    without = {k: v for k, v in (config.metadata or {}).items() if k != RELEASE_ID}
    observed = changed(HERE, SECOND, config=evolve(config, metadata=without))
    (note,) = planned(wanted(), observed).notes
    assert note == (
        f"of no release: machine {SECOND} (started in iad): treated as part of the app, "
        "as flyctl does"
    )


def test_secrets_that_go_live_are_named() -> None:
    update = [models.MachineEvent(type="update", timestamp=5_000)]
    observed = HERE
    for name in (FIRST, SECOND):
        observed = changed(marked(observed, name, **{STAGED: "1"}), name, events=update)
    observed = evolve(
        observed, secrets={"B": "d", "A": "d", "C": "d"}, secret_times={"B": 9, "A": 8, "C": 4}
    )
    plan = planned(wanted(), observed)
    assert plan.notes == ("secrets that were staged go live with this deploy: A, B",)
    assert {update.machine for update in updates(plan)} == {FIRST, SECOND}


def test_machines_left_at_rest_are_named() -> None:
    observed = changed(changed(HERE, FIRST, state="stopped"), SECOND, state="stopped")
    (note,) = planned(wanted(image="nginx:2"), observed).notes
    assert note == (
        f"at rest, and left so with the new config: machine {FIRST}, {SECOND}; "
        "deploy --start starts them"
    )
    assert planned(wanted(image="nginx:2"), observed, start=True).notes == ()


@pytest.mark.parametrize(
    ("vm", "guest", "lost"),
    [
        ("cpu_kind = 'shared'", {"cpus": 2, "memory_mb": 1024}, "cpus 2 → 1, memory_mb 1024 → 256"),
        ("cpus = 2", {"cpus": 4, "memory_mb": 1024}, "memory_mb 1024 → 256"),
        ("memory = '512mb'", {"cpus": 2, "memory_mb": 1024}, "cpus 2 → 1"),
        ("cpus = 1\nmemory = '256mb'", {"cpus": 2, "memory_mb": 1024}, None),
        (SIZE, {"cpus": 2, "memory_mb": 512}, "cpus 2 → 1, memory_mb 512 → 256"),
        (f"{SIZE}\nmemory = '512mb'", {"cpus": 2, "memory_mb": 512}, "cpus 2 → 1"),
        (f"{SIZE}\ncpus = 1\nmemory = '256mb'", {"cpus": 2, "memory_mb": 512}, None),
        (SIZE, {"cpus": 1, "memory_mb": 256}, None),
        ("cpus = 2", {"cpus": 1, "memory_mb": 256}, None),
    ],
)
def test_a_part_of_a_size_that_makes_machines_smaller(
    vm: str, guest: dict[str, Any], lost: str | None
) -> None:
    observed = sized(HERE, **guest)
    why = "has size 'shared-cpu-1x': change" if SIZE in vm else "leaves that out: write"
    notes = planned(wanted(f"{SERVICE}[[vm]]\n{vm}\n"), observed).notes
    assert notes == tuple(
        f"machine {name} gets smaller ({lost}), because [[vm]] {why} "
        "it there to keep what it was scaled to"
        for name in (FIRST, SECOND)
        if lost
    )


def test_a_size_of_the_options_that_machines_do_not_get_is_told() -> None:
    size = GuestOptions(size="shared-cpu-2x")
    same = sized(HERE, cpus=2, memory_mb=512)
    config = HERE.machines[0].config
    assert config is not None
    small = evolve(config, guest=models.FlyMachineGuest(cpu_kind="shared", cpus=1, memory_mb=256))
    for others, words in (
        ((), None),
        ((FIRST,), f"machine {FIRST}: scale"),
        ((FIRST, SECOND), f"machines {FIRST}, {SECOND}: scale"),
    ):
        observed = same
        for name in others:
            observed = changed(observed, name, config=small)
        notes = planned(wanted(), observed, guest=size).notes
        assert [words in note for note in notes if words] == ([True] if words else [])
        assert len(notes) == bool(words)


def test_machines_that_others_replace_are_told_of_too() -> None:
    checked = f"{SERVICE}{CHECK}[[vm]]\n{SIZE}\n"
    observed = sized(launched(wanted(SERVICE + CHECK)), cpus=2, memory_mb=512)
    notes = planned(wanted(checked), observed, strategy="bluegreen").notes
    assert [note.partition(" gets smaller")[0] for note in notes] == [
        f"machine {machine.id}" for machine in observed.machines
    ]


def test_each_group_is_told_of_its_own_size() -> None:
    groups = "[processes]\na = 'a'\nb = 'b'\n"
    part = "[[vm]]\nprocesses = ['b']\ncpus = 1\n"
    observed = sized(launched(wanted(groups)), memory_mb=512)
    notes = planned(wanted(groups + part), observed).notes
    assert [note.partition(" (")[0] for note in notes] == [
        f"machine {machine.id} gets smaller"
        for machine in observed.machines
        if (machine.id or "").startswith("create:b")
    ]
    assert notes


def test_a_machine_of_no_known_size_hides_no_other() -> None:
    observed = sized(HERE, cpus=2, memory_mb=1024)
    config = observed.machines[0].config or models.FlyMachineConfig()
    for unknown, other in ((FIRST, SECOND), (SECOND, FIRST)):
        hidden = changed(observed, unknown, config=evolve(config, guest=None))
        notes = planned(wanted(f"{SERVICE}[[vm]]\ncpus = 1\n", image="nginx:2"), hidden).notes
        assert [note.partition(" gets")[0] for note in notes] == [f"machine {other}"]
