"""Seeded simulations of whole projects, with everything that can go wrong."""

from __future__ import annotations

import os
from collections import Counter

import pytest
from attrs import evolve

from tests.simulation.commands import Command, Deploy, Destroy, Look, Scale, name_of
from tests.simulation.scenario import Disturbance, RunPlan, scenario
from tests.simulation.simulate import on_mock_clock, simulate
from tests.simulation.soak import replay_command, simulate_seed

SEEDS = int(os.environ.get("SCORE_FLYIO_SEEDS", "200"))
FIRST = int(os.environ.get("SCORE_FLYIO_FIRST_SEED", "0"))
CHUNK = 10


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, CHUNK))
def test_promises_hold_whatever_goes_wrong(first: int) -> None:
    failing = []
    for seed in range(first, min(first + CHUNK, FIRST + SEEDS)):
        outcome = simulate_seed(seed)
        if outcome.violations:
            shown = "\n".join(text[:500] for text in outcome.violations[:5])
            failing.append(f"seed {seed} (replay: {replay_command(seed)})\n{shown}")
    assert not failing, "\n".join(failing)


def test_a_seed_always_gives_the_same_simulation() -> None:
    traces: list[list[str]] = [[], []]
    for trace in traces:
        simulate(scenario(3), trace.append)
    assert traces[0]
    assert traces[0] == traces[1]


def test_every_command_is_simulated() -> None:
    commands = Counter(name_of(c) for seed in range(200) for c in scenario(seed).commands)
    assert set(commands) == {
        *("deploy", "scale", "rollback", "rollback --to", "destroy", "destroy --keep-volumes"),
        *("secrets set", "secrets unset", "secrets import", "secrets deploy"),
        *("secrets set --stage", "secrets unset --stage", "secrets import --stage"),
        *("certs add", "certs remove", "look"),
    }


def test_machine_checks_are_simulated() -> None:
    apps = [app for seed in range(200) for app in scenario(seed).apps if app.machine_check]
    assert {version.bad for app in apps for version in app.versions} >= {"", "test"}


def test_somebody_else_may_hold_a_machine_for_longer_than_a_command_waits() -> None:
    """In peace, a command still fails where others are at work: what it says must be that."""
    given = next(found for seed in range(200) if (found := scenario(seed)).operations)
    deploy = Deploy(stage=0)
    held = Disturbance(kind="foreign_lease", at=0.0, lasts=120.0)
    runs = (
        RunPlan(command=deploy, place=0, pause=60.0),
        RunPlan(command=Look(), place=1, disturbances=(held,)),
        RunPlan(command=Destroy(apps=(given.apps[0].app,), keep_volumes=True), place=2),
        RunPlan(command=deploy, place=3, pause=120.0),
    )
    outcome = on_mock_clock(evolve(given, apps=given.apps[:1], runs=runs))
    assert (outcome.violations, outcome.codes) == ((), Counter({0: 4, 1: 1}))


def test_simulations_kill_and_disturb() -> None:
    outcomes = [simulate_seed(seed) for seed in range(20)]
    assert sum(sum(outcome.kills.values()) for outcome in outcomes) >= 10
    assert sum(sum(outcome.faults.values()) for outcome in outcomes) >= 30


def test_what_is_refused_changes_no_count_that_people_want() -> None:
    """An app that was destroyed cannot be scaled; a later deploy begins it anew."""
    seeds = (found for seed in range(200) if (found := scenario(seed)).operations)
    given = next(found for found in seeds if not found.people)
    deploy, app = Deploy(stage=0), given.apps[0].app
    scale = Scale(app=app, counts=(("app", 3),))
    commands: tuple[Command, ...] = (deploy, Destroy(apps=(app,)), scale, deploy)
    runs = tuple(RunPlan(command=c, place=n, pause=60.0) for n, c in enumerate(commands))
    outcome = on_mock_clock(evolve(given, apps=given.apps[:1], runs=runs))
    assert (outcome.violations, outcome.codes) == ((), Counter({0: 4, 2: 1}))


def test_a_size_that_people_gave_goes_with_the_last_machine_of_its_group() -> None:
    seeds = (found for seed in range(200) if (found := scenario(seed)).operations)
    given = next(f for f in seeds if f.people and f.apps[0].kind == "score" and f.apps[0].service)
    resizes, destroys = (
        Disturbance(kind=kind, at=0.0, lasts=0.0) for kind in ("resizes", "destroys")
    )
    deploy = RunPlan(command=Deploy(stage=0), place=0, pause=60.0)
    runs = (
        deploy,
        RunPlan(command=Look(), place=1, pause=60.0, disturbances=(resizes,)),
        evolve(deploy, place=2, disturbances=(destroys, destroys)),
        evolve(deploy, place=3),
    )
    outcome = on_mock_clock(evolve(given, apps=given.apps[:1], runs=runs))
    assert outcome.faults == Counter({"somebody resizes": 1, "somebody destroys": 2})
    assert outcome.violations == ()
