"""A machine is created once, however often its creation has to be sent."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import anyio

from fly_machines import FlyMachinesApi, models
from score_flyio.base.record import evolve
from score_flyio.errors import Conflict, InsufficientCapacity, NotFound
from score_flyio.fly.answered import answered
from score_flyio.fly.errors import is_of_one_host
from score_flyio.fly.present import LAUNCH_KEY, SENT_KEY, living, metadata
from score_flyio.fly.repeats import LOOKS, delete_machine, naming, once_hosts_know, repeat

LISTED_WITHIN: Final = 60.0
"""Seconds within which lists must show a machine whose creation was sent again: a whole region may
be missing from them for a while."""


async def create_machine(
    api: FlyMachinesApi,
    app: str,
    request: models.CreateMachineRequest,
    launch_id: str,
    *,
    made: Callable[[models.Machine], None] = lambda _: None,
) -> models.Machine:
    """Create one machine; `launch_id`, unique for it, is written into its metadata.

    A machine whose creation was not answered is found by it; the nonce of its lease, if it was made
    with one, is lost then. Should two come of one launch, one is deleted. Whether or not that can
    be done, and also when the run is cancelled meanwhile, `made` is told of the machine: its lease
    has to be kept and given back. One that shows only after the run is known by what the machine
    that was sent again says of itself.

    Where the host that the platform chose has no room, it is asked once more, and chooses anew.
    """
    config = request.config or models.FlyMachineConfig()
    pinned = any(mount.volume for mount in config.mounts or ())
    marks = {k: v for k, v in (config.metadata or {}).items() if k != SENT_KEY}
    marks |= {LAUNCH_KEY: launch_id}
    sent = 0

    async def create() -> models.Machine:
        again = {SENT_KEY: str(sent)} if sent > 1 else {}
        marked = evolve(config, metadata={**marks, **again})
        answer = await api.machines_create(app, evolve(request, config=marked))
        machine = naming(answer, answer.id, f"/v1/apps/{app}/machines")
        made(machine)
        return machine

    async def send() -> models.Machine:
        nonlocal sent
        sent += 1
        return await once_hosts_know(create_somewhere, request.min_secrets_version)

    async def create_somewhere() -> models.Machine:
        try:
            return await answered(create)
        except InsufficientCapacity as refusal:
            if pinned or not is_of_one_host(refusal):
                raise
        return await answered(create)

    async def adopt() -> models.Machine | None:
        for found in await _launched(api, app, launch_id):
            made(found)
            return found
        return None

    machine = await repeat(send, adopt)
    if sent > 1:
        await _delete_twins(api, app, launch_id, machine, leased=request.lease_ttl or 0)
    return machine


async def _delete_twins(
    api: FlyMachinesApi, app: str, launch_id: str, kept: models.Machine, *, leased: int
) -> None:
    """Deletes the others of a launch; looks again, for a new one may not be seen at once.

    A list without the machine that is kept says nothing of those made before it.
    """
    end, pauses = anyio.current_time() + LISTED_WITHIN, [0.0, *LOOKS]
    while pauses:
        await anyio.sleep(pauses.pop(0))
        found = {machine.id or "" for machine in await _launched(api, app, launch_id)}
        for twin in sorted(found - {kept.id or "", ""}):
            nonce = await _lease_of_twin(api, app, twin, leased) if leased else None
            await delete_machine(api, app, twin, nonce=nonce)
        if kept.id not in found and not pauses and anyio.current_time() < end:
            pauses.append(LOOKS[-1])


async def _lease_of_twin(api: FlyMachinesApi, app: str, machine: str, seconds: int) -> str | None:
    """The nonce of a new lease: that of the one with which the machine was made is lost."""
    end = anyio.current_time() + seconds + 1.0
    request = models.CreateLeaseRequest(ttl=seconds, description="score-flyio: a machine too many")
    while True:
        try:
            granted = await api.machines_create_lease(app, machine, request)
        except NotFound:
            return None
        except Conflict:
            if anyio.current_time() > end:
                raise
        else:
            return granted.data.nonce if granted.data else None
        await anyio.sleep(1.0)


async def _launched(api: FlyMachinesApi, app: str, launch_id: str) -> list[models.Machine]:
    """The living machines of one launch, the oldest first."""
    try:
        machines = await api.machines_list(app)
    except NotFound:  # an app made a moment ago
        return []
    found = [
        machine
        for machine in machines
        if living(machine) and metadata(machine).get(LAUNCH_KEY) == launch_id
    ]
    return sorted(found, key=lambda machine: machine.created_at or "")
