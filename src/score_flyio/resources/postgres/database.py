"""Databases of a shared instance."""

from __future__ import annotations

from fly_machines import FlyMachinesApi
from score_flyio.base.secret import Secret
from score_flyio.errors import NotFound
from score_flyio.resources.postgres import health, sql
from score_flyio.resources.postgres.execute import run_sql


async def create(
    api: FlyMachinesApi, app: str, *, database: str, user: str, password: Secret
) -> None:
    """Make or complete a database and its role; returns when both can be used.

    Raises ScoreFlyError and FlyError.
    """
    machine = await _running(api, app)
    await run_sql(api, app, machine, sql.create_database(database, user, password))


async def drop(api: FlyMachinesApi, app: str, *, database: str, user: str) -> None:
    """Remove a database and its role; nothing to do when the instance is gone.

    Raises ScoreFlyError and FlyError.
    """
    try:
        machine = await _running(api, app)
    except NotFound:
        return
    await run_sql(api, app, machine, sql.drop_database(database, user))


async def _running(api: FlyMachinesApi, app: str) -> str:
    """A machine of the instance that runs; one that rests is started."""
    started = await api.machines_list(app, state="started")
    for machine in started:
        if machine.id:
            return machine.id
    resting = [m for m in await api.machines_list(app) if m.state not in health.LOST and m.id]
    if not resting:
        raise health.no_machine(app)
    machine = await health.until_healthy(api, app, resting[0].id or "")
    return machine.id or ""
