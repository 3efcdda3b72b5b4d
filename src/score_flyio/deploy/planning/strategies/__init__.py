"""In which order the machines of a group get their new config.

A strategy is a pure function from a `GroupUpdate` to steps with needs; it adds order and waiting,
nothing else. The orders are flyctl's, so that either tool keeps the same promise to an app's users.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from score_flyio.deploy.options import StrategyName
from score_flyio.deploy.planning.strategies.bluegreen import bluegreen
from score_flyio.deploy.planning.strategies.canary import canary
from score_flyio.deploy.planning.strategies.immediate import immediate
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Ordered
from score_flyio.deploy.planning.strategies.rolling import rolling

__all__ = ["STRATEGIES", "GroupUpdate", "Ordered", "Strategy"]

Strategy: TypeAlias = Callable[[GroupUpdate], Ordered]

STRATEGIES: Mapping[StrategyName, Strategy] = {
    "rolling": rolling,
    "immediate": immediate,
    "canary": canary,
    "bluegreen": bluegreen,
}
