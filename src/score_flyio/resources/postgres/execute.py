"""Running psql in the machine of an instance.

What psql is to do goes to its standard input; its password is in the machine's own environment.
Neither is in the command, and no password is in what is sent.
"""

from __future__ import annotations

from typing import Final

import anyio

from fly_machines import FlyMachinesApi, models
from score_flyio.base.secret import Secret
from score_flyio.errors import FlyError, ScoreFlyError
from score_flyio.fly.errors import is_doubtful
from score_flyio.resources.postgres.machine import OPERATOR_PASSWORD

TIMEOUT: Final = 60
"""Seconds for one command, the most that the platform is known to allow."""
SHELL: Final = ("/bin/bash", "-c")
PSQL: Final = (
    f'PGPASSWORD="${OPERATOR_PASSWORD}" PGHOST="${{PGHOST:-localhost}}" exec psql --no-psqlrc'
    " --quiet --no-password --username=postgres --dbname=postgres"
    " --set=ON_ERROR_STOP=1 --set=VERBOSITY=terse --file=-"
)
NOT_CONNECTED: Final = 2
"""Exit code of psql when it cannot reach the server."""
PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before the next tries, when there was no answer or no connection yet."""
LONGEST_ERROR: Final = 500


async def run_sql(api: FlyMachinesApi, app: str, machine: str, sql: str) -> None:
    """Run SQL that may be run twice.

    Raises:
        ScoreFlyError: psql ended with an error; the message has what it said.
        FlyError: the platform refused, or did not answer.
    """
    result = await _persist(api, app, machine, PSQL, sql)
    if result.exit_code:
        said = " ".join((result.stderr or result.stdout or "").split())[:LONGEST_ERROR]
        raise ScoreFlyError(
            f"psql in machine {machine} of app {app} ended with exit code {result.exit_code}: "
            f"{said or 'it said nothing'}",
            code="provisioner_failed",
        )


async def read_operator_password(api: FlyMachinesApi, app: str, machine: str) -> Secret | None:
    """The password that the running instance was made with, from its own environment."""
    result = await _persist(api, app, machine, f'printf %s "${OPERATOR_PASSWORD}"', "")
    return Secret(result.stdout.strip()) if not result.exit_code and result.stdout else None


async def _persist(
    api: FlyMachinesApi, app: str, machine: str, script: str, stdin: str
) -> models.Flydv1ExecResponse:
    body = models.MachineExecRequest(command=[*SHELL, script], stdin=stdin or None, timeout=TIMEOUT)
    for pause in PAUSES:
        try:
            result = await api.machines_exec(app, machine, body)
        except FlyError as error:
            if not is_doubtful(error):
                raise
        else:
            if result.exit_code != NOT_CONNECTED:
                return result
        await anyio.sleep(pause)
    return await api.machines_exec(app, machine, body)
