"""Making an instance: app, private address, secrets, volume, machine, health.

Each part is looked for before it is made, so a run that ended anywhere is carried on by the next.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import anyio

from fly_machines import models
from score_flyio.base.record import define, field
from score_flyio.base.secret import Secret
from score_flyio.errors import (
    Conflict,
    FlyApiError,
    FlyError,
    InvalidRequest,
    NotAuthorized,
    NotFound,
    PreconditionFailed,
    ScoreFlyError,
)
from score_flyio.fly import creation, repeats
from score_flyio.fly.client import FlyClient
from score_flyio.fly.present import ip_type, living
from score_flyio.fly.volumes import once_deleted_are_gone, once_detached
from score_flyio.resources.servers import health
from score_flyio.resources.servers.access import REGION_VARIABLES, FlyAccess
from score_flyio.resources.servers.description import Server, Volume
from score_flyio.resources.servers.execute import read_operator_password

T = TypeVar("T")

UNSEEN: Final = 4
"""How often the list of machines is read again when the app counts more than it shows."""


@define(kw_only=True)
class Instance:
    """The app of an instance, and what is in it.

    `begun` is called before the first thing is made, or when it is there already.
    """

    client: FlyClient
    access: FlyAccess
    server: Server
    app: str
    password: Secret
    known: bool
    """Whether the password is the one that the instance was made with."""
    begun: Callable[[], None] = field(repr=False)
    _is_new: bool = field(default=False, init=False)
    """Whether the app was made here, a moment ago."""

    async def find(self) -> models.App | None:
        """The app, if it is there. Raises NotAuthorized when it is someone else's."""
        try:
            return await self.client.api.apps_show(self.app)
        except NotFound:
            return None

    async def make(self, present: models.App | None) -> Secret:
        """Make what is missing, and return the operator's password once the server answers.

        Raises:
            FlyError: the platform refused, or did not answer.
            ScoreFlyError: no region is given, or the instance does not become healthy.
        """
        if present is None:
            await self._want_region()
            self.begun()
            self.access.note(f"creating app {self.app} for {self.server.name}")
            org = await self.access.organization(self.client)
            await repeats.ensure_app(self.client.api, self.app, org)
            self._is_new = True
        else:
            self.begun()
        await self._address()
        made = await self._machine(present)
        await health.until_healthy(self.client.api, self.app, made)
        if not self.known:
            # Found, not made: its password is the one that it was made with.
            found = await read_operator_password(self.client.api, self.app, made, self.server)
            self.password = found or self.password
        return self.password

    async def _about_app(self, call: Callable[[], Awaitable[T]]) -> T:
        """Makes a call about the app, which may be too new to be known everywhere."""
        return await (repeats.once_visible(call) if self._is_new else call())

    async def _want_region(self) -> str:
        if region := self.access.region or await self.access.nearest(self.client):
            return region
        raise ScoreFlyError(
            f"{' or '.join(REGION_VARIABLES)} is not set: app '{self.app}' has to be created for "
            f"{self.server.name}, and needs a region",
            hint=f"set {REGION_VARIABLES[0]}, for example to lhr",
            code="environment_missing",
        )

    async def _address(self) -> None:
        """A Flycast address: APP.flycast leads to it."""
        api = self.client.api
        found = await self._about_app(lambda: api.app_ip_assignments_list(self.app))
        listed = found.ips or []
        if any(ip_type(each) == "private_v6" for each in listed):
            return
        known = {each.ip for each in listed if each.ip}
        request = models.AssignIPRequest(type="private_v6")
        await self._about_app(lambda: repeats.assign_ip(api, self.app, request, known))

    async def _machine(self, app: models.App | None) -> str:
        found = await self._living(app.machine_count or 0 if app else 0)
        if found is not None:
            return found
        region = await self._want_region()
        secrets = app_secrets(self.server, self.password)
        answer = await self._about_app(
            lambda: repeats.set_secrets(self.client.api, self.app, secrets)
        )
        volume = await self._volume(region)
        place = (volume.region if volume else None) or region
        request = machine_request(self.server, place, volume.id if volume else None, answer.version)
        self.access.note(f"creating the machine of {self.app} in {request.region}")
        try:
            made = await self._about_app(
                lambda: once_detached(
                    lambda: creation.create_machine(self.client.api, self.app, request, self.app),
                    volume.id if volume else None,
                )
            )
        except (Conflict, InvalidRequest, PreconditionFailed) as error:
            # A machine of that name is there, made a moment ago and not listed yet.
            found = await self._living(1)
            if found is None:
                raise error from None
            return found
        self.known = True
        return made.id or ""

    async def _living(self, counted: int) -> str | None:
        """The machine of the instance; `counted` is how many the app says it has."""

        async def look() -> str | None:
            machines = await self._about_app(lambda: self.client.api.machines_list(self.app))
            alive = filter(living, machines)
            return min((m.id for m in alive if m.id), default=None)

        return await _looked_for(look, times=UNSEEN if counted else 1)

    async def _volume(self, region: str) -> models.Volume | None:
        wanted = self.server.volume
        if wanted is None:
            return None
        listed = await self._about_app(lambda: self.client.api.volumes_list(self.app))
        volumes = await once_deleted_are_gone(self.client.api, self.app, listed)
        for volume in volumes:
            if volume.name == wanted.name and not volume.attached_machine_id:
                return volume
        known = {volume.id for volume in volumes if volume.id}
        request = volume_request(self.server, wanted, region)
        return await self._about_app(
            lambda: repeats.create_volume(self.client.api, self.app, request, known)
        )


async def _looked_for(look: Callable[[], Awaitable[str | None]], *, times: int) -> str | None:
    for left in reversed(range(times)):
        found = await look()
        if found is not None:
            return found
        if left:
            await anyio.sleep(0.5)
    return None


async def delete(client: FlyClient, app: str) -> None:
    """Delete the app with all it has; one that is gone already is fine. Raises FlyError."""
    try:
        await client.api.apps_delete(app)
    except NotFound:
        return
    except (InvalidRequest, Conflict, PreconditionFailed):
        # Machines still run: the platform wants to be told that this is meant.
        await client.api.apps_delete(app, force=True)


def is_foreign(error: FlyError) -> bool:
    """Whether the app belongs to someone else, so that another name is needed."""
    taken = isinstance(error, FlyApiError) and error.code == "fly_name_taken"
    return taken or (isinstance(error, NotAuthorized) and error.status == 403)


def app_secrets(server: Server, password: Secret) -> dict[str, Secret | None]:
    """The operator's password under the names that the image knows."""
    return dict.fromkeys(server.password, password)


def _guest(server: Server) -> models.FlyMachineGuest:
    return models.FlyMachineGuest(cpu_kind="shared", cpus=1, memory_mb=server.memory_mb)


def volume_request(server: Server, volume: Volume, region: str) -> models.CreateVolumeRequest:
    """The volume; with the machine's size, so that its host has room for both."""
    return models.CreateVolumeRequest(
        name=volume.name,
        region=region,
        size_gb=volume.size_gb,
        encrypted=True,
        require_unique_zone=True,
        compute=_guest(server),
        compute_image=server.image,
    )


def machine_request(
    server: Server, region: str | None, volume: str | None, secrets_version: int | None
) -> models.CreateMachineRequest:
    """The machine: the server on its volume, reachable at APP.flycast and its port."""
    mounts = None
    if server.volume is not None:
        kept = server.volume
        mounts = [models.FlyMachineMount(volume=volume, path=kept.path, name=kept.name)]
    init = None
    if server.command or server.entrypoint:
        init = models.FlyMachineInit(
            cmd=list(server.command) or None, entrypoint=list(server.entrypoint) or None
        )
    config = models.FlyMachineConfig(
        image=server.image,
        init=init,
        env={**server.env, "PRIMARY_REGION": region or ""},
        guest=_guest(server),
        mounts=mounts,
        services=[_service(server)],
        checks={server.name: _check(server)},
        restart=models.FlyMachineRestart(policy="always"),
        metadata={"fly_platform_version": "v2", "fly_process_group": "app"},
    )
    return models.CreateMachineRequest(
        name=server.name, region=region, config=config, min_secrets_version=secrets_version
    )


def _check(server: Server) -> models.FlyMachineCheck:
    return models.FlyMachineCheck(
        type="http" if server.health else "tcp",
        port=server.port,
        method="GET" if server.health else None,
        path=server.health,
        interval="15s",
        timeout="10s",
        grace_period="30s",
    )


def _service(server: Server) -> models.FlyMachineService:
    # The platform's default limits are for web apps: far fewer connections than a pool opens.
    concurrency = models.FlyMachineServiceConcurrency(
        type="connections", soft_limit=1000, hard_limit=1000
    )
    return models.FlyMachineService(
        protocol="tcp",
        internal_port=server.port,
        ports=[models.FlyMachinePort(port=server.port)],
        autostart=True,
        autostop="off",
        concurrency=concurrency,
    )
