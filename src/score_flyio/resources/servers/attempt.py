"""What all provisioners of servers do: find or make the server, and tell failures.

Each part of a server (app, private address, secrets, volume, machine, health) is looked for before
it is made, so a run that ended anywhere is carried on by the next.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import anyio

from fly_machines import models
from score_flyio.base.record import define, field
from score_flyio.base.secret import Secret
from score_flyio.errors import (
    ConfigError,
    Conflict,
    FlyError,
    InvalidRequest,
    NotFound,
    PreconditionFailed,
    ProvisionFailed,
    ScoreFlyError,
)
from score_flyio.fly import creation, repeats
from score_flyio.fly.auth import WITHOUT_ACCOUNT
from score_flyio.fly.client import FlyClient
from score_flyio.fly.present import ip_type, living
from score_flyio.fly.volumes import once_deleted_are_gone, once_detached
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from score_flyio.resources.servers import health, names
from score_flyio.resources.servers.access import REGION_VARIABLES, TOKEN_VARIABLES, FlyAccess
from score_flyio.resources.servers.description import Server
from score_flyio.resources.servers.execute import read_operator_password
from score_flyio.resources.servers.instance import is_foreign, machine_request, volume_request
from score_flyio.state.model import PREFIX_KEY

T = TypeVar("T")

NAMES_TRIED: Final = 5
ENVIRONMENT_MISSING: Final = "environment_missing"
UNSEEN: Final = 4
"""How often the list of machines is read again when the app counts more than it shows."""
_DEPLOY_WITHOUT: Final = "try it without an account: score-flyio deploy --emulate"
"""What provisions without a session, such as `generate`, goes to no emulator."""


@define(kw_only=True)
class Attempt:
    """One call of a provisioner: what is known of the instance, and what was begun."""

    request: ProvisionRequest
    access: FlyAccess
    server: Server
    app: str = ""
    password: Secret = field(factory=names.new_password)
    known: bool = False
    """Whether the password is the one that the instance was made with."""
    begun: bool = False
    """Whether something exists at Fly that must not be forgotten."""
    fresh: bool = False
    """Whether the app was not there when this call began."""
    client: FlyClient = field(init=False)
    """Of `connected`."""

    @classmethod
    def of(
        cls, request: ProvisionRequest, access: FlyAccess, server: Server, notes: Any
    ) -> Attempt:
        """With what the notes of an earlier run say about the instance."""
        attempt = cls(request=request, access=access, server=server)
        match notes:
            case {"app": str(app)}:
                attempt.app = app
        match notes:
            case {"password": str(password)} if password:
                attempt.password, attempt.known = Secret(password), True
        return attempt

    @property
    def notes(self) -> dict[str, Any]:
        """What the next run has to know of the instance."""
        return {"app": self.app, "password": self.password.reveal()}

    @property
    def values(self) -> dict[str, Any]:
        """Where the server is, for templates."""
        return {"App": self.app, "Host": f"{self.app}.flycast", "Port": str(self.server.port)}

    @asynccontextmanager
    async def connected(self, kept: Callable[[], ProvisionResult | None]) -> AsyncIterator[None]:
        """With a client; failures inside become those of a provisioner, with what `kept` gives.

        Raises ProvisionFailed and ProvisionIncomplete.
        """
        uid = str(self.request.uid)
        about = f"resource '{uid}': {self.server.name}"
        try:
            async with self.access.connect() as self.client:
                yield
        except ProvisionFailed:
            raise
        except ConfigError as error:
            missing = error.code.startswith("token_")
            needed = f"{TOKEN_VARIABLES[0]} is needed" if missing else "no way to Fly"
            raise ProvisionFailed(
                f"{about}: {needed}: {error.message}",
                uid=uid,
                hint=error.hint and error.hint.replace(WITHOUT_ACCOUNT, _DEPLOY_WITHOUT),
                code=ENVIRONMENT_MISSING if missing else error.code,
            ) from error
        except ScoreFlyError as error:
            message, result = f"{about}: {error.message}", kept()
            code = error.code if error.code == ENVIRONMENT_MISSING else None
            if result is None:
                raise ProvisionFailed(message, uid=uid, hint=error.hint, code=code) from error
            raise ProvisionIncomplete(
                message, uid=uid, result=result, hint=error.hint, code=code
            ) from error

    async def instance(self, *, complete: bool) -> None:
        """Find or make the instance; a complete one need only be there.

        Raises:
            FlyError: the platform refused, or did not answer.
            ScoreFlyError: no region is given, or the instance does not become healthy.
        """
        remembered = bool(self.app)
        for number in range(NAMES_TRIED):
            if not remembered:
                self.app = self._new_name(number)
            try:
                present = await self._find()
                if present is None or not complete:
                    await self._make(present)
            except FlyError as error:
                if remembered or not is_foreign(error) or number == NAMES_TRIED - 1:
                    raise
                self.begun = False
            else:
                self.begun = True
                return

    def _new_name(self, number: int) -> str:
        prefix = self.request.shared.get(PREFIX_KEY)
        text = prefix if isinstance(prefix, str) else ""
        guid = f"{self.request.uid.type}:{self.request.guid}"
        try:
            return names.app_name(text, guid, number, kind=self.server.app)
        except ValueError as error:
            raise ScoreFlyError(
                str(error),
                hint="start the project with a shorter --fly-app-prefix",
                code="app_name_invalid",
            ) from error

    async def _find(self) -> models.App | None:
        try:
            present = await self.client.api.apps_show(self.app)
        except NotFound:
            present = None
        self.fresh = present is None
        return present

    async def _make(self, present: models.App | None) -> None:
        """Make what is missing; returns once the server answers."""
        if self.fresh:
            await self._want_region()
        self.begun = True
        if self.fresh:
            self.access.note(f"creating app {self.app} for {self.server.name}")
            org = await self.access.organization(self.client)
            await repeats.ensure_app(self.client.api, self.app, org)
        await self._address()
        made = await self._machine(present)
        await health.until_healthy(self.client.api, self.app, made)
        if not self.known:
            # Found, not made: its password is the one that it was made with.
            found = await read_operator_password(self.client.api, self.app, made, self.server)
            self.password = found or self.password

    async def _about_app(self, call: Callable[[], Awaitable[T]]) -> T:
        """Makes a call about the app, which may be too new to be known everywhere."""
        return await (repeats.once_visible(call) if self.fresh else call())

    async def _want_region(self) -> str:
        region = self.access.region
        if region is None and self.access.nearest is not None:
            region = await self.access.nearest(self.client)
        if region:
            return region
        raise ScoreFlyError(
            f"{' or '.join(REGION_VARIABLES)} is not set: app '{self.app}' has to be created for "
            f"{self.server.name}, and needs a region",
            hint=f"set {REGION_VARIABLES[0]}, for example to lhr",
            code=ENVIRONMENT_MISSING,
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
        secrets = dict.fromkeys(self.server.password, self.password)
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
        for left in reversed(range(UNSEEN if counted else 1)):
            machines = await self._about_app(lambda: self.client.api.machines_list(self.app))
            if alive := [each.id for each in filter(living, machines) if each.id]:
                return min(alive)
            if left:
                await anyio.sleep(0.5)
        return None

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
