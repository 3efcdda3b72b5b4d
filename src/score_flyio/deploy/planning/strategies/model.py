"""What a strategy gets and gives."""

from __future__ import annotations

import math
from collections.abc import Mapping

from attrs import field, frozen

from score_flyio.deploy.model import Ref
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    Step,
    UpdateMachine,
    WatchForCrashes,
)


@frozen(kw_only=True)
class Waiting:
    """What is waited for after a machine got its config."""

    timeout: float
    """Seconds until started and healthy."""
    checks: bool
    """Whether the group has checks."""
    smoke_window: float
    """Seconds to watch for crashes; 0: not at all."""
    detach: bool = False


@frozen(kw_only=True)
class GroupUpdate:
    """The machines of one group that change."""

    app: str
    group: str
    running: tuple[UpdateMachine, ...]
    """Updates of machines that run, by machine id."""
    resting: tuple[UpdateMachine, ...]
    """Updates of machines that stay stopped or suspended."""
    size: int
    """How many machines of the group run now, changed or not."""
    before: tuple[str, ...] = ()
    """Steps that come before any machine of the group changes."""
    max_unavailable: float = 0.33
    concurrency: int = 8
    waiting: Waiting
    canary: CreateMachine | None = None
    green: Mapping[str, CreateMachine] = field(factory=dict)
    """By the id of the machine that each stands in for."""
    bluegreen_pause: float = 10.0

    @property
    def slots(self) -> int:
        """How many machines may be out at a time: a share is rounded up, as flyctl does."""
        if self.max_unavailable >= 1:
            return int(self.max_unavailable)
        return max(1, math.ceil(self.size * self.max_unavailable))


@frozen(kw_only=True)
class Ordered:
    """Steps with their needs, and the pools that they take slots of."""

    steps: tuple[Step, ...]
    pools: Mapping[str, int] = field(factory=dict)
    done: tuple[str, ...] = ()
    """Steps after which the group serves with its new config."""


def waiting_steps(
    waiting: Waiting, *, app: str, group: str, made_by: Step, ref: Ref
) -> tuple[AwaitHealthy, WatchForCrashes | None]:
    """The steps that wait for one machine: health, then the rest of its smoke window."""
    healthy = AwaitHealthy(
        id=f"{made_by.id}:healthy",
        app=app,
        group=group,
        ref=ref,
        needs=(made_by.id,),
        timeout=waiting.timeout,
        wait_for_checks=waiting.checks,
    )
    if not waiting.smoke_window:
        return healthy, None
    watch = WatchForCrashes(
        id=f"{made_by.id}:smoke",
        app=app,
        group=group,
        ref=ref,
        needs=(healthy.id,),
        window=waiting.smoke_window,
    )
    return healthy, watch
