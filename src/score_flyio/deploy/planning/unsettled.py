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
from score_flyio.deploy.step import AwaitHealthy, StartMachine, Step
from score_flyio.deploy.verdict import Health, fell, judge

AT_REST = frozenset({"created", "stopped", "suspended"})


def awaits(
    app: str,
    group: str,
    machines: Iterable[models.Machine],
    waiting: Waiting,
    *,
    strategy: StrategyName,
) -> tuple[Step, ...]:
    """For each machine that is not well: a start where it fell, and the wait for its health.

    Nothing is waited for where the run waits for nothing.
    """
    steps: list[Step] = []
    for machine in machines:
        if is_well(machine, checks=waiting.checks):
            continue
        ref = Ref(machine=machine.id)
        start = StartMachine(id=f"start:{machine.id}", app=app, group=group, ref=ref)
        fallen = machine.state in AT_REST | {"failed"}
        if fallen:
            steps.append(start)
        if waiting.detach or strategy == "immediate":
            continue
        healthy = AwaitHealthy(
            id=f"await:{machine.id}",
            app=app,
            group=group,
            ref=ref,
            timeout=waiting.timeout,
            wait_for_checks=waiting.checks,
            needs=(start.id,) if fallen else (),
        )
        steps.append(healthy)
    return tuple(steps)


def is_well(machine: models.Machine, *, checks: bool) -> bool:
    """Whether a machine is as a deploy leaves it: healthy, or at rest because it is meant to be."""
    config = machine.config or machine.incomplete_config or models.FlyMachineConfig()
    if config.standbys:
        return True
    if machine.state in AT_REST:
        return not fell(machine)
    return judge(machine, instance_id=None, checks=checks).health is Health.WELL
