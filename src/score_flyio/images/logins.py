"""Who logs in at which registry: what is kept for Docker and podman, helpers, and Fly's token."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import chain
from typing import Any, Final, TypeAlias

import anyio

from score_flyio.base.printable import one_line, system_reason
from score_flyio.base.record import frozen
from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError, ImageError, InputError
from score_flyio.images.login_files import IN_THE_ENVIRONMENT, LoginFile, login_files
from score_flyio.images.reference import DOCKER_HUB, ImageReference
from score_flyio.net.credentials import OF_THE_STATE

FLY_HOST: Final = "registry.fly.io"
FLY_HOST_VARIABLE: Final = "FLY_REGISTRY_HOST"
HUB_KEY: Final = "https://index.docker.io/v1/"
"""What Docker calls its own registry in `config.json`."""
HUB_VARIABLES: Final = ("DOCKER_HUB_USERNAME", "DOCKER_HUB_PASSWORD")
HELPER_SECONDS: Final = 30.0
IDENTITY: Final = "<token>"
"""The user that a helper names for an identity token."""
_OLD_KEY: Final = re.compile(r"https?://(?P<url>[^/]+).*|(?P<host>[^/]+)/(?:v[12]/?)?")
"""What Docker once kept logins for registries under: where their API is."""


Password: TypeAlias = Callable[[], Awaitable[Secret]]
"""Gives one that is valid now: Fly's tokens may end during a run, and are renewed."""


@frozen
class Login:
    """A user and password, or an identity token in place of both."""

    user: str
    password: Secret
    source: str
    """Where it is from, for messages."""
    renewal: str
    """How to have another one, for hints."""

    @property
    def is_identity(self) -> bool:
        """Whether the password is exchanged for tokens by itself, without a user."""
        return self.user == IDENTITY

    @property
    def in_base64(self) -> str:
        """User and password, as headers and login files have them."""
        return base64.b64encode(f"{self.user}:{self.password.reveal()}".encode()).decode()


def fly_registry(environ: Mapping[str, str]) -> str:
    """Host of Fly's registry, or of what stands in for it. Raises ConfigError for no host."""
    host = environ.get(FLY_HOST_VARIABLE, "").strip() or FLY_HOST
    try:
        found = ImageReference.parse(f"{host}/app")
    except InputError:
        found = None
    if found is None or found.host != host:
        raise ConfigError(
            f"{FLY_HOST_VARIABLE}: {host!r} is not the host of a registry",
            hint=f"give HOST or HOST:PORT, such as {FLY_HOST}",
            code="registry_invalid",
        )
    return host


class Logins:
    """The logins of one environment."""

    def __init__(self, environ: Mapping[str, str], *, fly: Password | None = None) -> None:
        """`fly` gives the password for Fly's registry."""
        self._environ = environ
        self._fly_host = fly_registry(environ)
        self._fly = fly
        self._files: list[LoginFile] | None = None
        self._reading = anyio.Lock()

    def lasts(self, host: str) -> bool:
        """Whether a login for a registry stays valid for the whole run, once it is found."""
        return host != self._fly_host or self._fly is None

    async def entries(self, host: str, repository: str = "") -> tuple[str, ...]:
        """Under which keys the login of a repository is kept: those of the same ones share it.

        Raises ConfigError: a file of logins cannot be read.
        """
        if not self.lasts(host):
            return ()
        files = await self._sources()
        return tuple(_of(file.config.get("auths"), host, repository)[0] for file in files)

    async def find_all(self, images: Iterable[ImageReference]) -> dict[str, Login]:
        """Those for registries, and for repositories with others, by their keys in a login file.

        Raises what `find` raises.
        """
        found: dict[str, Login | None] = {}
        for image in sorted(images, key=str):
            key = HUB_KEY if image.host == DOCKER_HUB else image.host
            if key not in found:
                found[key] = await self.find(image.host)
            if await self.entries(image.host, image.repository) != await self.entries(image.host):
                found[image.name] = await self.find(image.host, image.repository)
        return {key: login for key, login in found.items() if login is not None}

    async def find(self, host: str, repository: str = "") -> Login | None:
        """The login for a registry, or for one of its repositories, if there is any.

        Raises ConfigError for a file that cannot be read, ImageError for a helper that failed.
        """
        if host == self._fly_host and self._fly is not None:
            renewal = "log in again with `fly auth login`, or set FLY_API_TOKEN"
            return Login("x", await self._fly(), source="Fly's token", renewal=renewal)
        for file in await self._sources():
            if (found := await self._in(file, host, repository)) is not None:
                return found
        # The variables that flyctl takes for Docker Hub.
        user, password = (self._environ.get(name) for name in HUB_VARIABLES)
        if host != DOCKER_HUB or not user or not password:
            return None
        source = " and ".join(HUB_VARIABLES)
        return Login(user, Secret(password), source, renewal=f"correct {source}")

    def invitation(self, host: str) -> str:
        """How to log in at a registry for which `find` found nothing, for hints."""
        named = "podman" if self._environ.get("REGISTRY_AUTH_FILE") else "docker"
        program = next((file.program for file in self._files or ()), named)
        if not program:
            return f"add a login for {host} to {IN_THE_ENVIRONMENT}"
        return f"log in with {_command(program, host)}"

    async def _in(self, file: LoginFile, host: str, repository: str) -> Login | None:
        _, helper = _of(file.config.get("credHelpers"), host)
        if helper is None:  # an empty one keeps the general one away from this registry
            helper = file.config.get("credsStore")
        if isinstance(helper, str) and helper:
            found = await self._ask(helper, HUB_KEY if host == DOCKER_HUB else host, file)
            if found is not None:
                return found
        key, entry = _of(file.config.get("auths"), host, repository)
        return _login(entry, key, file, host) if isinstance(entry, dict) else None

    async def _sources(self) -> list[LoginFile]:
        async with self._reading:
            if self._files is None:
                self._files = await anyio.to_thread.run_sync(login_files, self._environ)
            return self._files

    async def _ask(self, helper: str, server: str, file: LoginFile) -> Login | None:
        from score_flyio.base.process_group import run_program

        program = f"docker-credential-{helper}"
        environ = {n: value for n, value in self._environ.items() if n not in OF_THE_STATE}

        def failed(reason: str) -> ImageError:
            hint = f"log in again, or take {helper!r} out of {file.place}"
            return ImageError(f"{program} {reason}", hint=hint, code="credential_helper_failed")

        try:
            with anyio.fail_after(HELPER_SECONDS):
                ended = await run_program([program, "get"], environ=environ, stdin=server.encode())
        except TimeoutError:
            raise failed(f"gave no login for {server} within {HELPER_SECONDS:g} seconds") from None
        except OSError as error:
            raise failed(f"cannot be run: {system_reason(error)}") from error
        if ended.code != 0:
            said = f"{ended.output.decode('utf-8', 'replace')} {' '.join(ended.said)}".strip()
            if "credentials not found" in said:
                return None
            shown = said and '"Secret"' not in said
            words = f": {one_line(' '.join(said.split())[:200])}" if shown else ""
            raise failed(f"failed for {server} with {ended.ending}{words}")
        try:
            answer = json.loads(ended.output)
            user, password = str(answer["Username"]), str(answer["Secret"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise failed(f"gave no login for {server}, but something else") from None
        if not password:
            return None
        renewal = f"log in again, so that {program} knows it"
        return Login(user, Secret(password), source=program, renewal=renewal)


def _of(entries: Mapping[str, Any] | None, host: str, repository: str = "") -> tuple[str, Any]:
    """The key and the entry for a repository: its own, that of a namespace, that of the registry.

    The nearest counts (containers-auth.json).
    """
    there = entries or {}
    names = (host,) if host != DOCKER_HUB else (host, "index.docker.io", "registry-1.docker.io")
    paths = [repository[: at.start()] for at in re.finditer(r"/|$", repository)]
    nearest = (f"{name}/{path}" for path in reversed(paths) for name in names if path)
    olden = ((key, _OLD_KEY.fullmatch(key)) for key in there)
    old = (key for key, found in olden if found and (found["url"] or found["host"]) in names)
    key = next((key for key in chain(nearest, names, old) if key in there), "")
    return key, there.get(key)


def _command(program: str, host: str) -> str:
    """What logs in at a registry; Docker Hub is Docker's own."""
    return f"{program} login {'' if (program, host) == ('docker', DOCKER_HUB) else host}".rstrip()


def _login(entry: Mapping[str, Any], key: str, file: LoginFile, host: str) -> Login | None:
    """What an entry says, None for nothing. Raises ConfigError for what nobody can read."""
    user, password = entry.get("username"), entry.get("password")
    if token := entry.get("identitytoken"):
        user, password = IDENTITY, token
    elif not (user and password):
        text = entry.get("auth")
        if not text:
            return None
        user, password = _pair(text, f'{file.place}: auths["{one_line(key)}"].auth')
    command = _command(file.program, host)
    renewal = f"log in again with {command}" if file.program else f"correct it in {file.place}"
    return Login(str(user), Secret(str(password)), source=file.place, renewal=renewal)


def _pair(text: object, place: str) -> tuple[str, str]:
    try:
        whole = base64.b64decode(str(text), validate=True).decode()
    except ValueError:
        whole = ""
    user, colon, password = whole.partition(":")
    if not user or not colon:
        raise ConfigError(
            f"{place} is not USER:PASSWORD in base64",
            hint="log in again, or write what printf USER:PASSWORD | base64 -w0 prints",
            code="docker_config_invalid",
        )
    return user, password.rstrip("\0")
