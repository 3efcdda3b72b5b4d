"""Who logs in at which registry: files of Docker and podman, their helpers, and Fly's token."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

import anyio

from score_flyio.base.input_file import read_input
from score_flyio.base.printable import one_line
from score_flyio.base.record import frozen
from score_flyio.base.secret import Secret
from score_flyio.errors import ConfigError, ImageError, InputError
from score_flyio.images.reference import DOCKER_HUB, ImageReference
from score_flyio.net.credentials import OF_THE_STATE

FLY_HOST: Final = "registry.fly.io"
FLY_HOST_VARIABLE: Final = "FLY_REGISTRY_HOST"
HUB_KEY: Final = "https://index.docker.io/v1/"
"""What Docker calls its own registry in `config.json`."""
HELPER_SECONDS: Final = 30.0
IDENTITY: Final = "<token>"
"""The user that a helper names for an identity token."""


Password: TypeAlias = Callable[[], Awaitable[Secret]]
"""Gives one that is valid now: Fly's tokens may end during a run, and are renewed."""


def lasting(password: Secret) -> Password:
    """The same one whenever it is asked for."""

    async def give() -> Secret:
        return password

    return give


@frozen(kw_only=True)
class Login:
    """A user and password, or an identity token in place of both."""

    user: str
    password: Secret

    @property
    def is_identity(self) -> bool:
        """Whether the password is exchanged for tokens by itself, without a user."""
        return self.user == IDENTITY


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

    def __init__(
        self, environ: Mapping[str, str], *, fly: Password | None = None, home: Path | None = None
    ) -> None:
        """`fly` gives the password for Fly's registry; `home` replaces the home folder."""
        self._environ = environ
        self._fly_host = fly_registry(environ)
        self._fly = fly
        self._home = home
        self._files: list[Mapping[str, Any]] | None = None

    def lasts(self, host: str) -> bool:
        """Whether a login for a registry stays valid for the whole run, once it is found."""
        return host != self._fly_host or self._fly is None

    async def find(self, host: str) -> Login | None:
        """The login for a registry, if there is any.

        Raises:
            ConfigError: a file of logins cannot be read.
            ImageError: a credential helper failed.
        """
        if host == self._fly_host and self._fly is not None:
            return Login(user="x", password=await self._fly())
        for config in await self._settings():
            if (found := await self._in(config, host)) is not None:
                return found
        return self._hub_login() if host == DOCKER_HUB else None

    async def _in(self, config: Mapping[str, Any], host: str) -> Login | None:
        """The login of one file."""
        helper = _of(config.get("credHelpers"), host)
        if helper is None:  # an empty one keeps the general one away from this registry
            helper = config.get("credsStore")
        if isinstance(helper, str) and helper:
            found = await self._ask(helper, HUB_KEY if host == DOCKER_HUB else host)
            if found is not None:
                return found
        entry = _of(config.get("auths"), host)
        return _login(entry) if isinstance(entry, dict) else None

    async def _settings(self) -> list[Mapping[str, Any]]:
        if self._files is None:
            self._files = await anyio.to_thread.run_sync(self._read_all)
        return self._files

    def _read_all(self) -> list[Mapping[str, Any]]:
        """What Docker's file says, then podman's, which is buildah's and skopeo's, too."""
        environ = self._environ
        home = self._home or environ.get("HOME") or environ.get("USERPROFILE")
        if folder := environ.get("DOCKER_CONFIG") or (home and Path(home) / ".docker"):
            docker = _read(Path(folder) / "config.json", "Docker's settings", "DOCKER_CONFIG")
        else:
            docker = {}
        files = self._of_podman(Path(home)) if home else []
        if named := environ.get("REGISTRY_AUTH_FILE"):
            files = [Path(named)]
        return [docker, *(_read(file, "logins", "REGISTRY_AUTH_FILE") for file in files)]

    def _of_podman(self, home: Path) -> list[Path]:
        """Where it has its logins unless it is told otherwise: those that are there for us."""
        environ = self._environ
        runtime = environ.get("XDG_RUNTIME_DIR")
        own = Path("/run/containers") / str(getattr(os, "getuid", int)())
        settings = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        folders = (Path(runtime) / "containers" if runtime else own, settings / "containers")
        files = [folder / "auth.json" for folder in folders]
        return [file for file in files if os.access(file, os.R_OK)]

    async def _ask(self, helper: str, server: str) -> Login | None:
        from score_flyio.images.program import run_program

        program = f"docker-credential-{helper}"
        environ = {n: value for n, value in self._environ.items() if n not in OF_THE_STATE}
        hint = f"log in again, or take {helper!r} out of Docker's config.json"
        try:
            with anyio.fail_after(HELPER_SECONDS):
                ended = await run_program([program, "get"], environ=environ, stdin=server.encode())
        except TimeoutError:
            message = f"{program} gave no login for {server} within {HELPER_SECONDS:g} seconds"
            raise ImageError(message, hint=hint, code="credential_helper_failed") from None
        except OSError as error:
            message = f"{program} cannot be run: {error.strerror or error}"
            raise ImageError(message, hint=hint, code="credential_helper_failed") from error
        if ended.code != 0:
            said = f"{ended.output.decode('utf-8', 'replace')} {' '.join(ended.said)}".strip()
            if "credentials not found" in said:
                return None
            shown = said and '"Secret"' not in said
            words = f": {one_line(' '.join(said.split())[:200])}" if shown else ""
            message = f"{program} failed for {server} with {ended.ending}{words}"
            raise ImageError(message, hint=hint, code="credential_helper_failed")
        try:
            answer = json.loads(ended.output)
            user, password = str(answer["Username"]), str(answer["Secret"])
        except (ValueError, KeyError, TypeError):
            message = f"{program} gave no login for {server}, but something else"
            raise ImageError(message, hint=hint, code="credential_helper_failed") from None
        return Login(user=user, password=Secret(password)) if password else None

    def _hub_login(self) -> Login | None:
        """The variables that flyctl takes for Docker Hub."""
        user = self._environ.get("DOCKER_HUB_USERNAME")
        password = self._environ.get("DOCKER_HUB_PASSWORD")
        return Login(user=user, password=Secret(password)) if user and password else None


def _read(path: Path, what: str, variable: str) -> Mapping[str, Any]:
    try:
        config = json.loads(read_input(path))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        kind = "folder" if variable == "DOCKER_CONFIG" else "file"
        raise ConfigError(
            f"{path}: cannot be read as {what} ({reason})",
            hint=f"correct it, or name another {kind} with {variable}",
            code="docker_config_invalid",
        ) from None
    return config if isinstance(config, dict) else {}


def _of(entries: Any, host: str) -> Any:
    """The entry for a host; keys may have a scheme and a path."""
    if not isinstance(entries, dict):
        return None
    names = {host} if host != DOCKER_HUB else {host, "index.docker.io", "registry-1.docker.io"}
    found = [entry for key, entry in entries.items() if _host_of(str(key)) in names]
    return next((entries[name] for name in names if name in entries), found[0] if found else None)


def _host_of(key: str) -> str:
    return key.removeprefix("https://").removeprefix("http://").partition("/")[0]


def _login(entry: Mapping[str, Any]) -> Login | None:
    if token := entry.get("identitytoken"):
        return Login(user=IDENTITY, password=Secret(str(token)))
    if entry.get("username") and entry.get("password"):
        return Login(user=str(entry["username"]), password=Secret(str(entry["password"])))
    try:
        text = base64.b64decode(str(entry.get("auth") or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    return Login(user=user, password=Secret(password.rstrip("\0"))) if colon else None
