"""Two engines at once on one app leave what they promise; one that does not look again does not."""

from __future__ import annotations

import pytest

from fly_machines import models
from score_flyio.deploy.execution import steps
from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.step import HoldMachines
from score_flyio.fly.leases import LeaseBook
from tests.simulation.pairs import kinds_of, pair, simulate_pair

SEEDS = (*range(90), 5349, 5816)
"""And a launch that is killed after it met another; an app that is destroyed while it is planned."""


@pytest.mark.parametrize("seed", SEEDS)
def test_two_engines_at_once(seed: int) -> None:
    assert simulate_pair(seed) == [], kinds_of(seed)


def test_an_engine_that_does_not_look_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def only_hold(step: HoldMachines, context: Context) -> None:
        await context.leases.hold(step.machines, at_last=step.in_the_making)

    monkeypatch.setattr(steps, "CARRY_OUT", {**steps.CARRY_OUT, HoldMachines: only_hold})
    assert any(simulate_pair(seed) for seed in SEEDS)


def test_greens_of_another_run_that_are_removed_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing is made or removed under a lease: what another run makes looks left over."""

    async def hold_nothing(_step: HoldMachines, _context: Context) -> None:
        """Goes on with the plan."""

    def without(
        _self: Context, request: models.CreateMachineRequest
    ) -> models.CreateMachineRequest:
        return request

    monkeypatch.setattr(steps, "CARRY_OUT", {**steps.CARRY_OUT, HoldMachines: hold_nothing})
    monkeypatch.setattr(Context, "under_lease", without)
    monkeypatch.setattr(LeaseBook, "adopt", lambda _self, _machine: None)
    both = (seed for seed in range(400) if "bluegreen + bluegreen" in kinds_of(seed))
    found = (text for seed in both if pair(seed).count for text in simulate_pair(seed))
    assert any("machine not found" in text for text in found)
