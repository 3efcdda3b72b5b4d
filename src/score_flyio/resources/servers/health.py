"""Waiting until the machine of a server runs and its checks pass."""

from __future__ import annotations

from typing import Final

import anyio

from fly_machines import FlyMachinesApi, models
from score_flyio.errors import (
    HealthCheckFailed,
    InvalidRequest,
    NotAuthorized,
    NotFound,
    RequestTimedOut,
)
from score_flyio.fly import repeats
from score_flyio.fly.present import shown_config

TIMEOUT: Final = 300.0
"""Seconds for the whole wait."""
GONE_AFTER: Final = 10.0
"""Seconds for which a machine just made may be missing from answers, or its app unknown to them."""
ONE_WAIT: Final = 60
LOOK_EVERY: Final = (0.2, 0.5, 1.0, 2.0)
ASLEEP: Final = frozenset({"stopped", "suspended"})
LOST: Final = frozenset({"failed", "destroying", "destroyed"})


async def until_healthy(api: FlyMachinesApi, app: str, machine_id: str) -> models.Machine:
    """Wait for the machine, starting it where it rests.

    Raises:
        HealthCheckFailed: it cannot start, or is not healthy in time.
        FlyError: the platform refused, or did not answer.
    """
    began = anyio.current_time()
    reason, looks = "it was not seen yet", 0
    while anyio.current_time() - began < TIMEOUT:
        try:
            machine = await api.machines_show(app, machine_id)
        except (NotFound, NotAuthorized):
            if anyio.current_time() - began > GONE_AFTER:
                raise
        else:
            if machine.state in LOST:
                raise _unhealthy(app, machine_id, f"it is {machine.state}")
            reason = _missing(machine)
            if not reason:
                return machine
            if machine.state in ASLEEP:
                await repeats.start_machine(api, app, machine_id)
            if machine.state != "started":
                await _wait_for_start(api, app, machine_id)
                continue
        await anyio.sleep(LOOK_EVERY[min(looks, len(LOOK_EVERY) - 1)])
        looks += 1
    raise _unhealthy(app, machine_id, f"not healthy within {TIMEOUT:g} s: {reason}")


def _missing(machine: models.Machine) -> str:
    """What keeps the machine from being healthy; nothing when it is."""
    if machine.state != "started":
        return f"it is {machine.state}"
    wanted = len(shown_config(machine).checks or {})
    results = machine.checks or []
    bad = [f"check {c.name} is {c.status}" for c in results if c.status != "passing"]
    if bad:
        return ", ".join(bad)
    return "" if len(results) >= wanted else "its checks have not run yet"


async def _wait_for_start(api: FlyMachinesApi, app: str, machine_id: str) -> None:
    try:
        await api.machines_wait(app, machine_id, state=["started"], timeout=ONE_WAIT)
    except (RequestTimedOut, NotFound, NotAuthorized, InvalidRequest):  # the next look tells
        await anyio.sleep(LOOK_EVERY[0])


def _unhealthy(app: str, machine_id: str, reason: str) -> HealthCheckFailed:
    return HealthCheckFailed(
        f"machine {machine_id} of app {app}: {reason}",
        hint=f"look at its logs: fly logs --app {app}; then run the same command again",
    )


def no_machine(app: str) -> HealthCheckFailed:
    """The error for a server that has lost its machine."""
    return HealthCheckFailed(
        f"app {app} has no machine",
        hint=f"put one back from its volume or a snapshot (fly volumes list --app {app}); or, if "
        f"its data may go, delete the app: the next run makes a new server",
    )
