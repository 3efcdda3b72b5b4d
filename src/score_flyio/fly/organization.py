"""Which organization new apps belong to: the one answer to that question."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from typing import Final

import anyio

from fly_machines import models
from score_flyio.base.record import define, field
from score_flyio.errors import FlyError, InvalidRequest, NotAuthorized, NotFound
from score_flyio.fly.client import FlyClient
from score_flyio.fly.present import was_deployed

PERSONAL: Final = "personal"
"""The organization that every user has."""
_PAGES: Final = 3
"""So many pages of the organization's machines are read: each has up to 1,000, and has to wait for
the one before."""


async def visible_organizations(client: FlyClient) -> tuple[str, ...]:
    """The slugs of the organizations that the token sees, sorted."""
    answer = await client.api.current_token_show()
    return tuple(sorted({token.org_slug for token in answer.tokens or [] if token.org_slug}))


@define(eq=False)
class Organization:
    """The organization as told, else the only one that the token sees, else the personal one."""

    client: FlyClient
    told: str | None = None
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)

    async def slug(self) -> str:
        """Its slug; Fly is asked once, however many apps want to know at the same time."""
        async with self._turn:
            if not self.told:
                seen: tuple[str, ...] = ()
                with suppress(NotFound, NotAuthorized, InvalidRequest):  # a token of one app
                    seen = await visible_organizations(self.client)
                self.told = seen[0] if len(seen) == 1 else PERSONAL
            return self.told


@define(eq=False)
class Apps:
    """The apps of an organization, asked for once by all that are about one of them."""

    client: FlyClient
    org: str
    tells_of_machines: bool = False
    """Whether the machines of the organization are asked for, too."""
    _found: Mapping[str, models.App] | None = field(default=None, init=False)
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)
    _with_machines: Collection[str] | None = field(default=None, init=False)
    """Names of apps; None: nobody asked, or they are not known."""
    _machines_asked: bool = field(default=False, init=False)
    _machines_turn: anyio.Lock = field(factory=anyio.Lock, init=False)

    async def get(self, name: str) -> models.App | None:
        """The app; None where the list lacks it: it may be in another organization, or too new."""
        async with self._turn:
            if self._found is None:
                apps: list[models.App] = []
                with suppress(FlyError):  # a token of one app: then each app is asked for itself
                    apps = (await self.client.api.apps_list(org_slug=self.org)).apps or []
                self._found = {app.name: app for app in apps if app.name}
        return self._found.get(name)

    async def has_no_machines(self, name: str) -> bool:
        """Whether two lists agree that the app is empty: those of all apps, and of all machines.

        The first one counts none, and says that it was never deployed. Both lag behind changes.
        """
        if not self.tells_of_machines:
            return False
        async with self._machines_turn:
            if not self._machines_asked:
                self._with_machines = await self._apps_with_machines()
                self._machines_asked = True
        app, known = await self.get(name), self._with_machines
        if app is None or known is None or was_deployed(app):
            return False
        return app.machine_count == 0 and name not in known

    async def _apps_with_machines(self) -> Collection[str] | None:
        """None where the list lacks some, has too many pages, or the token may not ask."""
        found: set[str] = set()
        cursor: str | None = None
        for _ in range(_PAGES):
            try:
                page = await self.client.api.machines_org_list(
                    self.org, summary=True, cursor=cursor
                )
            except FlyError:
                return None
            if page.error_regions:
                return None
            found.update(machine.app_name or "" for machine in page.machines or [])
            cursor = page.next_cursor
            if not cursor:
                return found
        return None
