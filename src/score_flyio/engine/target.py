"""Where a run goes: a Fly account, or an emulator."""

from __future__ import annotations

import os
import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from score_flyio.base.own_folder import OWN_FOLDER
from score_flyio.base.record import Factory, define, field
from score_flyio.errors import ConfigError
from score_flyio.events import Listener
from score_flyio.net.web_address import is_loopback
from score_flyio.state.model import FLY
from score_flyio.state.targets import TARGET_VARIABLE, kept_as

if TYPE_CHECKING:
    from fly_emulator import Emulator
    from score_flyio.fly.auth import Tokens
    from score_flyio.fly.client import FlyClient
    from score_flyio.fly.limits import RateLimiter
    from score_flyio.resources.servers.access import FlyAccess

MACHINES_URL = "https://api.machines.dev"
MACHINES_URL_VARIABLES = ("FLY_FLAPS_BASE_URL", "FLY_API_HOSTNAME")
"""Those that may name another address of it; the first that is set counts."""
WEB_URL = "https://api.fly.io"
WEB_URL_VARIABLES = ("FLY_UIEX_BASE_URL", "FLY_API_BASE_URL")
"""Those that may name another address of it, in the same way."""
EMULATOR_URL = "http://emulator.invalid"


class Target(ABC):
    """Gives a client for the place that a run goes to."""

    emulated: bool = False
    """Whether nothing leaves this computer."""
    org: str | None = None
    """The organization that new apps belong to; None: the one that the token sees."""
    kept_as: str = FLY
    """Whose state its runs read and write: `fly`, `emulator`, or an address."""

    @property
    def real_postgres(self) -> Path | None:
        """Where an emulator has the data of PostgreSQL servers that really run."""
        return None

    @property
    def address(self) -> str | None:
        """Where the platform is, whatever the way to it; None where only this process knows it."""
        return None

    @property
    @abstractmethod
    def name(self) -> str:
        """Shown to people: an address, or that it is an emulator."""

    @abstractmethod
    def connect(
        self, *, emit: Listener, rng: random.Random
    ) -> AbstractAsyncContextManager[FlyClient]:
        """A client that is open within the context."""

    @staticmethod
    def from_environment(
        environ: Mapping[str, str] | None = None, *, directory: Path | None = None
    ) -> Target:
        """Fly, with the token of the environment or of flyctl's login.

        With `SCORE_FLYIO_TARGET=emulator`, an emulator kept in the project's folder. Raises
        ConfigError where there is no token; names both ways out.
        """
        environ = os.environ if environ is None else environ
        wanted = environ.get(TARGET_VARIABLE, FLY)
        return Target.parse(wanted, environ, directory=directory, named=TARGET_VARIABLE)

    @staticmethod
    def parse(
        text: str,
        environ: Mapping[str, str],
        *,
        directory: Path | None = None,
        named: str = "target",
    ) -> Target:
        """`fly`, `emulator`, or the URL of something that serves the Machines API.

        `named` says in messages where the text was given. Raises ConfigError, also without a login.
        """
        folder = directory or Path()
        if text == "emulator":
            return EmulatorTarget(world=folder / OWN_FOLDER / "emulator" / "world.json")
        if text == FLY:
            return FlyTarget.logged_in(environ)
        if text.lower().startswith(("http://", "https://")):
            target = FlyTarget.logged_in(environ, at=text, named=named)
            target.kept_as = kept_as(text, environ)
            return target
        raise ConfigError(
            f"{named}: unknown target {text!r}",
            hint="use fly, emulator or the URL of a Machines API",
            code="target_unknown",
        )


@define(kw_only=True)
class FlyTarget(Target):
    """A Fly account behind the Machines API at `base_url`."""

    base_url: str = MACHINES_URL
    """Address of the Machines API."""
    web_url: str | None = field(
        default=Factory(
            lambda self: WEB_URL if self.base_url == MACHINES_URL else None, takes_self=True
        )
    )
    """Where Fly is told of releases; None: nowhere."""
    tokens: Tokens = field(repr=False)
    """What the account is entered with."""
    org: str | None = None
    limiter: RateLimiter | None = None
    """Shared by everything that talks to this account in this process."""
    kept_as: str = FLY

    @property
    def address(self) -> str:
        """Of the API; from inside Fly's private network it is the same one."""
        host = self.base_url.partition("://")[2].partition(":")[0]
        return MACHINES_URL if host.endswith(".internal") else self.base_url

    @property
    def name(self) -> str:
        return self.base_url

    @property
    def is_here(self) -> bool:
        """Whether it is on this computer: then it is no Fly."""
        return is_loopback(urlsplit(self.base_url).hostname)

    @property
    def is_fly(self) -> bool:
        """Whether it is the platform itself, with its registry and builders."""
        return self.address == MACHINES_URL

    @classmethod
    def logged_in(
        cls, environ: Mapping[str, str], *, at: str | None = None, named: str = "target"
    ) -> FlyTarget:
        """With the variables that flyctl and the platform's documentation use.

        `at`, given by what is `named`, is the address of another Machines API than theirs. Raises
        ConfigError without a token, and for an address that would show it to everyone on its way.
        """
        from score_flyio.fly.auth import find_tokens
        from score_flyio.fly.transport import api_address

        places = {named: at, **{name: environ.get(name) for name in MACHINES_URL_VARIABLES}}
        given = ((name, url) for name, url in places.items() if url)
        name, url = next(given, ("default", MACHINES_URL))
        base = api_address(url, name=name).url
        web = next((name for name in WEB_URL_VARIABLES if environ.get(name)), None)
        web_url = api_address(environ[web], name=web, example=WEB_URL).url if web else None
        org = environ.get("FLY_ORG") or None
        target = cls(base_url=base, tokens=find_tokens(environ), org=org)
        target.web_url = web_url or target.web_url
        return target

    @asynccontextmanager
    async def connect(self, *, emit: Listener, rng: random.Random) -> AsyncIterator[FlyClient]:
        from score_flyio.fly.client import FlyClient
        from score_flyio.fly.login import Login

        login = Login(self.tokens, web_url=self.web_url)
        await login.check()
        self.tokens = login.tokens
        async with FlyClient(
            self.base_url,
            login,
            web_url=self.web_url,
            limiter=self.limiter,
            rng=rng,
            emit=emit,
        ) as client:
            yield client


@define(kw_only=True)
class EmulatorTarget(Target):
    """The emulator in this process.

    With `world`, a file, what was deployed is still there in the next run. With `emulator`, one
    that is running already is used.
    """

    world: Path | None = None
    """The file that keeps what was deployed."""
    emulator: Emulator | None = field(default=None, repr=False)
    """One that is running already."""
    org: str | None = "personal"
    emulated: bool = True
    kept_as: str = "emulator"

    @property
    def has_registry(self) -> bool:
        """Whether it tells the digests of images."""
        return self.emulator is None or self.emulator.settings.registry

    @property
    def name(self) -> str:
        return f"emulator at {self.world}" if self.world else "emulator"

    @property
    def real_postgres(self) -> Path | None:
        """Where PostgreSQL servers have their data; None: emulated machines run none."""
        from fly_emulator.real_postgres import data_folder, is_installed

        if self.world is None or self.emulator is not None or not is_installed():
            return None
        return data_folder(self.world)

    @asynccontextmanager
    async def connect(self, *, emit: Listener, rng: random.Random) -> AsyncIterator[FlyClient]:
        from fly_emulator import Emulator, EmulatorSettings

        async with AsyncExitStack() as stack:
            emulator = self.emulator
            if emulator is None:
                if self.world is not None:
                    self.world.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                settings = EmulatorSettings(registry=True)
                emulator = await stack.enter_async_context(Emulator(settings, file=self.world))
            if (folder := self.real_postgres) is not None:
                from fly_emulator.real_postgres import real_postgres

                await stack.enter_async_context(real_postgres(emulator, folder))
            yield await stack.enter_async_context(self._client(emulator, emit, rng))

    def _client(self, emulator: Emulator, emit: Listener, rng: random.Random) -> FlyClient:
        from score_flyio.fly.auth import Tokens
        from score_flyio.fly.client import FlyClient

        return FlyClient(
            EMULATOR_URL,
            Tokens.parse("emulated", source="the emulator"),
            web_url=EMULATOR_URL,
            transport=emulator.transport,
            rng=rng,
            emit=emit,
        )


def access_from_environment(
    environ: Mapping[str, str],
    *,
    directory: Path,
    note: Callable[[str], None] = lambda _: None,
) -> FlyAccess:
    """Opens a client for each call, by the environment; `note` is told what is made."""
    from score_flyio.fly.organization import Organization
    from score_flyio.resources.servers.access import FlyAccess, region_of

    def connect() -> AbstractAsyncContextManager[FlyClient]:
        target = Target.from_environment(environ, directory=directory)
        rng = random.Random()  # noqa: S311  # spreads retries, guards nothing
        return target.connect(emit=lambda _: None, rng=rng)  # provisioning has its own events

    return FlyAccess(
        connect=connect,
        region=region_of(environ),
        organization=lambda client: Organization(client, environ.get("FLY_ORG")).slug(),
        note=note,
    )
