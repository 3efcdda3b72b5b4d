"""Machines that need no change but are not well: the end of an earlier run did not wait for them.

They are waited for before others change, so that no more machines are out than the strategy allows,
and so that a run never reports success for what does not work. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable

from fly_machines import models
from score_flyio.deploy.model import Ref
from score_flyio.deploy.options import StrategyName
from score_flyio.deploy.planning.strategies.model import Waiting
from score_flyio.deploy.step import AwaitHealthy
from score_flyio.deploy.verdict import Health, exit_code, judge, newest_exit


def awaits(
    app: str,
    group: str,
    machines: Iterable[models.Machine],
    waiting: Waiting,
    *,
    strategy: StrategyName,
) -> tuple[AwaitHealthy, ...]:
    """A step for each machine that is not well; none where the run waits for nothing."""
    if waiting.detach or strategy == "immediate":
        return ()
    return tuple(
        AwaitHealthy(
            id=f"await:{machine.id}",
            app=app,
            group=group,
            ref=Ref(machine=machine.id),
            timeout=waiting.timeout,
            wait_for_checks=waiting.checks,
        )
        for machine in machines
        if not is_well(machine, checks=waiting.checks)
    )


def is_well(machine: models.Machine, *, checks: bool) -> bool:
    """Whether a machine is as a deploy leaves it: healthy, or at rest because it is meant to be."""
    config = machine.config or models.FlyMachineConfig()
    if config.standbys or machine.state == "created":
        return True
    if machine.state in {"stopped", "suspended"}:
        ended = newest_exit(machine)
        meant = ended is None or bool(ended.get("requested_stop")) or exit_code(ended) == 0
        return meant or (config.restart is not None and config.restart.policy == "no")
    return judge(machine, instance_id=None, checks=checks).health is Health.WELL
