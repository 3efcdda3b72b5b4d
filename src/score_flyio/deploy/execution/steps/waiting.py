"""Waiting: for health, for the end of a smoke window, for the proxy."""

from __future__ import annotations

import anyio

from score_flyio.deploy.execution.context import Context
from score_flyio.deploy.execution.steps.machines import start
from score_flyio.deploy.step import AwaitHealthy, Pause, WatchForCrashes


async def await_healthy(step: AwaitHealthy, context: Context) -> None:
    """Waits for a machine that was launched; one that was not has nothing to wait for.

    Raises HealthCheckFailed: it is not well within the step's `timeout`, or never will be.
    """
    context.health.coming -= 1
    made = context.machine(step.target)
    if not made.launched:
        return
    await context.health.healthy(
        made.id,
        group=step.group or "",
        instance_id=made.instance_id,
        since=made.since,
        within=step.timeout,
        checks=step.wait_for_checks,
        start=lambda: start(context, made.id),
    )


async def watch_for_crashes(step: WatchForCrashes, context: Context) -> None:
    """Watches a launched machine until the window from its start is over.

    Raises HealthCheckFailed: it crashes again and again.
    """
    made = context.machine(step.target)
    if not made.launched:
        return
    await context.health.steady(made.id, group=step.group or "", until=made.since + step.window)


async def pause(step: Pause, _context: Context) -> None:
    """Lets the step's seconds pass."""
    await anyio.sleep(step.seconds)
