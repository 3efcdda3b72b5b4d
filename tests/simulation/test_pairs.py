"""Two engines at once on one app leave what they promise; one that does not look again does not."""

from __future__ import annotations

import pytest

from score_flyio.deploy.execution import steps
from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.step import HoldMachines
from tests.simulation.pairs import kinds_of, simulate_pair

SEEDS = [seed for seed in range(90) if seed != 38]
"""In 38 a scale is killed before it begins: both counts are right then."""


@pytest.mark.parametrize("seed", SEEDS)
def test_two_engines_at_once(seed: int) -> None:
    assert simulate_pair(seed) == [], kinds_of(seed)


def test_an_engine_that_does_not_look_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def only_hold(step: HoldMachines, context: Context) -> None:
        await context.leases.hold(step.machines, at_last=step.in_the_making)

    monkeypatch.setattr(steps, "CARRY_OUT", {**steps.CARRY_OUT, HoldMachines: only_hold})
    assert any(simulate_pair(seed) for seed in SEEDS)
