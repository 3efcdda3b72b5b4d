"""Running commands in the machine of a server.

What a command is to do goes to its standard input; the operator's password is in the machine's own
environment. Neither is in the command, and no password is in what is sent.
"""

from __future__ import annotations

from typing import Final

import anyio

from fly_machines import FlyMachinesApi, models
from score_flyio.base.secret import Secret
from score_flyio.errors import FlyError, NotFound, ScoreFlyError
from score_flyio.fly.errors import is_doubtful
from score_flyio.resources.servers import health
from score_flyio.resources.servers.description import Admin, Server

TIMEOUT: Final = 60
"""Seconds for one command, the most that the platform is known to allow."""
SHELL: Final = ("/bin/sh", "-c")
PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before the next tries, when there was no answer or no connection yet."""
LONGEST_ERROR: Final = 500


async def create(api: FlyMachinesApi, app: str, admin: Admin, stdin: str) -> None:
    """Make or complete what a resource gets. Raises ScoreFlyError and FlyError."""
    await _run(api, app, await _running(api, app), admin, stdin)


async def drop(api: FlyMachinesApi, app: str, admin: Admin, stdin: str) -> None:
    """Take it away, unless the server is gone. Raises ScoreFlyError and FlyError."""
    try:
        machine = await _running(api, app)
    except NotFound:
        return
    await _run(api, app, machine, admin, stdin)


async def read_operator_password(
    api: FlyMachinesApi, app: str, machine: str, server: Server
) -> Secret | None:
    """The password that a running server was made with, from its own environment."""
    script = f'printf %s "${server.password[0]}"'
    body = models.MachineExecRequest(command=[*SHELL, script], timeout=TIMEOUT)
    result = await _persist(api, app, machine, body)
    return Secret(result.stdout.strip()) if not result.exit_code and result.stdout else None


async def _running(api: FlyMachinesApi, app: str) -> str:
    """A machine of the server that runs; one that rests is started."""
    started = await api.machines_list(app, state="started")
    for machine in started:
        if machine.id:
            return machine.id
    resting = [m for m in await api.machines_list(app) if m.state not in health.LOST and m.id]
    if not resting:
        raise health.no_machine(app)
    machine = await health.until_healthy(api, app, resting[0].id or "")
    return machine.id or ""


async def _run(api: FlyMachinesApi, app: str, machine: str, admin: Admin, stdin: str) -> None:
    """Run what may be run twice."""
    command = [*SHELL, admin.command]
    body = models.MachineExecRequest(command=command, stdin=stdin or None, timeout=TIMEOUT)
    result = await _persist(api, app, machine, body, admin.not_ready)
    if result.exit_code:
        said = " ".join((result.stderr or result.stdout or "").split())[:LONGEST_ERROR]
        raise ScoreFlyError(
            f"{admin.program} in machine {machine} of app {app} ended with exit code "
            f"{result.exit_code}: {said or 'it said nothing'}",
            code="provisioner_failed",
        )


async def _persist(
    api: FlyMachinesApi,
    app: str,
    machine: str,
    body: models.MachineExecRequest,
    not_ready: int | None = None,
) -> models.Flydv1ExecResponse:
    for pause in PAUSES:
        try:
            result = await api.machines_exec(app, machine, body)
        except FlyError as error:
            if not is_doubtful(error):
                raise
        else:
            if not result.exit_code or result.exit_code != not_ready:
                return result
        await anyio.sleep(pause)
    return await api.machines_exec(app, machine, body)
