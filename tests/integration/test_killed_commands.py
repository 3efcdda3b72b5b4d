"""Real commands on a port, killed or signalled at one of their calls: the same again converges."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.integration.killed.kinds import KINDS
from tests.integration.killed.runs import kill_some

RUNS = 8
SEED = int(os.environ.get("SCORE_FLYIO_FIRST_SEED", "0"))


@pytest.mark.timeout(300)
def test_nothing_is_lost_doubled_or_left_behind(tmp_path: Path) -> None:
    """`make soak-commands` kills more of them."""
    runs = kill_some(tmp_path, range(SEED, SEED + RUNS))
    assert [(run.seed, run.kind, run.how, run.found) for run in runs if run.found] == []
    assert all(run.struck for run in runs)


def test_there_are_kinds_enough() -> None:
    assert len(KINDS) >= 19
