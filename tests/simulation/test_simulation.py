"""Seeded simulations of whole projects, with everything that can go wrong."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from tests.simulation.commands import name_of
from tests.simulation.scenario import scenario
from tests.simulation.simulate import simulate
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


def test_simulations_kill_and_disturb() -> None:
    outcomes = [simulate_seed(seed) for seed in range(20)]
    assert sum(sum(outcome.kills.values()) for outcome in outcomes) >= 10
    assert sum(sum(outcome.faults.values()) for outcome in outcomes) >= 30
