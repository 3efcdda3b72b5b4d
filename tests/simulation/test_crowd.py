"""Seeded crowds: our own computers, flyctl, people and the platform at work on one app."""

from __future__ import annotations

from collections import Counter
from typing import get_args

import pytest

from score_flyio.deploy.planning import leftovers, secrets
from tests.simulation.crowd.schedule import FlyctlDeploy, PersonDoes, PlatformDoes, crowd
from tests.simulation.soak import replay_command, simulate_crowd_of

SEEDS = range(40)


@pytest.mark.parametrize("first", range(0, len(SEEDS), 10))
def test_promises_hold_in_a_crowd(first: int) -> None:
    found = {seed: simulate_crowd_of(seed).violations for seed in SEEDS[first : first + 10]}
    failing = [
        f"seed {seed} (replay: {replay_command(seed, 'crowd')})\n{texts}"
        for seed, texts in found.items()
        if texts
    ]
    assert not failing, "\n".join(failing)


def test_a_crowd_is_always_the_same() -> None:
    assert simulate_crowd_of(7) == simulate_crowd_of(7)


def test_everything_happens_in_some_crowd() -> None:
    others = [o for seed in range(300) for each in crowd(seed).rounds for o in each.others]
    kinds = Counter(o.does for o in others if not isinstance(o, FlyctlDeploy))
    assert set(kinds) == {*get_args(PersonDoes), *get_args(PlatformDoes)}
    deploys = [other for other in others if isinstance(other, FlyctlDeploy)]
    assert {bool(deploy.dies) for deploy in deploys} == {True, False}


def noticed(text: str, first: int = 0) -> bool:
    """Whether some crowd shows it, of those from a seed on."""
    seeds = range(first, first + 60)
    return any(text in v for seed in seeds for v in simulate_crowd_of(seed).violations)


def test_secrets_that_are_not_handed_out_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secrets, "_handed_out", lambda _events: 0.0)
    assert noticed("has not seen all secrets")


def test_greens_that_stay_out_of_routing_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_idle_greens", lambda _machines: ())
    assert noticed("is out of routing", 3095)
