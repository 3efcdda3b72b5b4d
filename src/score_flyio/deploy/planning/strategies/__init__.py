"""In which order the machines of a group get their new config.

A strategy is a pure function from a `GroupUpdate` to steps with needs; it adds order, waiting, and
machines beside those of the group. The orders are flyctl's, so that either tool keeps the same
promise to an app's users. A new one is a module here, a line below, and its name in
`flytoml.names`.
"""

from __future__ import annotations

from collections.abc import Mapping

from score_flyio.deploy.planning.strategies.bluegreen import BLUEGREEN
from score_flyio.deploy.planning.strategies.canary import CANARY
from score_flyio.deploy.planning.strategies.immediate import IMMEDIATE
from score_flyio.deploy.planning.strategies.model import Strategy
from score_flyio.deploy.planning.strategies.rolling import ROLLING
from score_flyio.flytoml.names import StrategyName

STRATEGIES: Mapping[StrategyName, Strategy] = {
    "rolling": ROLLING,
    "immediate": IMMEDIATE,
    "canary": CANARY,
    "bluegreen": BLUEGREEN,
}
