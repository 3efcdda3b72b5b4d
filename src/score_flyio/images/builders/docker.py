"""Builds by a Docker daemon, or whatever speaks its API: the `docker` program has no part in it.

The daemon ends a build whose connection is closed, so that cancellation leaves nothing behind.
Progress of BuildKit comes as `StatusResponse` messages in base64; field numbers:
`api/services/control/control.proto` of BuildKit.
"""

from __future__ import annotations

import base64
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from functools import partial
from importlib.util import find_spec
from pathlib import PurePosixPath
from typing import Any, Final

import anyio
import httpx

from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.images.build import IGNORE_FILE, LINES_IN_ERROR, Build, Progress, Tell
from score_flyio.images.builders.address import DaemonAddress
from score_flyio.images.builders.protobuf import fields, text_of
from score_flyio.images.builders.pushes import pushed
from score_flyio.images.context import Context, added_entry, in_thread, tar_of
from score_flyio.images.dockerignore import pattern_of
from score_flyio.images.logins import Login, Logins
from score_flyio.images.reference import PLATFORM
from score_flyio.net.exchange import network_reason
from score_flyio.net.http import http_client

_VERTEX: Final = 1
_LOG: Final = 3
_DIGEST, _NAME, _CACHED, _STARTED = 1, 3, 4, 5
_LOG_TEXT: Final = 4


TIMEOUT: Final = httpx.Timeout(None, connect=10.0)
"""A step of a build may say nothing for as long as it likes."""
PING_SECONDS: Final = 5.0
_REPEATS_ITSELF: Final = 20.0
"""Seconds in which a daemon gives up a push, unless it tries parts of it again by itself."""
BUILDKIT: Final = "2"
IN_SESSION: Final = "client-session"
"""Where a build finds its context that asks for it in a session."""
PODMAN: Final = "libpod-api-version"
"""Podman's daemon says so, which has no BuildKit."""
H2: Final = find_spec("h2") is not None
"""Whether sessions are possible."""


@frozen(kw_only=True)
class DockerBuilder:
    """Builds and pushes by one daemon."""

    address: DaemonAddress
    logins: Logins
    name: str = "docker"

    async def is_there(self) -> bool:
        """Whether the daemon answers."""
        try:
            async with client_of(self.address) as client:
                return (await client.get("/_ping", timeout=PING_SECONDS)).is_success
        except httpx.HTTPError:
            return False

    async def build(self, build: Build, tell: Tell, *, push: bool = True) -> str | None:
        """Send the context, follow the build, and push what came out."""
        try:
            async with client_of(self.address) as client:
                ping = (await client.get("/_ping")).raise_for_status().headers
                client.base_url = f"{self.address.url}/v{ping.get('api-version', '1.41')}"
                if build.settings.compression:
                    tell(Progress(text="a Docker daemon packs layers with gzip, whatever is asked"))
                found = await self.logins.find_all(build.dockerfile.images)
                logins = {server: _entry(login, server) for server, login in found.items()}
                in_session = self._needs_session(build, logins, ping)
                apart = in_session and build.is_apart
                buildkit = in_session or (ping.get("builder-version") == BUILDKIT and not logins)
                parameters = _parameters(build, buildkit=buildkit)
                if apart:
                    name = PurePosixPath(build.path).name
                    parameters |= {"remote": IN_SESSION, "dockerfile": name}
                headers = {
                    "content-type": "application/x-tar",
                    "x-registry-config": _encoded(logins),
                }
                answer = Answer(tell)
                async with self._session(client, build) if in_session else nullcontext({}) as named:
                    request = client.stream(
                        "POST",
                        "/build",
                        params=parameters | named,
                        headers=headers,
                        content=b"" if apart else _sent(build, tell, buildkit=buildkit),
                    )
                    await answer.follow(request)
                if answer.error:
                    raise build.broken(f": {answer.error}", answer.last)
                if not push:
                    return None
                sent = partial(self._push, client, build, tell)
                return await pushed(build, self.logins, tell, sent, repeats_itself=_REPEATS_ITSELF)
        except httpx.HTTPError as error:
            raise build.failed(
                f"the Docker daemon at {self.address.shown} does not answer: "
                f"{network_reason(error)}",
                hint="start it, name another one with DOCKER_HOST, or use --builder buildah",
                code="builder_unavailable",
            ) from error

    def _session(
        self, client: httpx.AsyncClient, build: Build
    ) -> AbstractAsyncContextManager[dict[str, str]]:
        from score_flyio.images.builders.session import Answers, session

        answers = Answers(
            secrets=build.settings.secrets,
            logins=self.logins,
            images=build.dockerfile.images,
            folders=_folders(build) if build.is_apart else {},
        )
        return session(client, answers)

    async def _push(
        self, client: httpx.AsyncClient, build: Build, tell: Tell, login: Login | None
    ) -> str:
        image = build.image
        request = client.stream(
            "POST",
            f"/images/{image.name}/push",
            params={"tag": image.tag},
            headers={"x-registry-auth": _encoded(_entry(login, image.host))},
        )
        answer = Answer(tell)
        await answer.follow(request)
        if answer.error or not answer.digest:
            raise build.unpushed(answer.error or "the daemon does not report the digest")
        return answer.digest

    def _needs_session(
        self, build: Build, logins: Mapping[str, Any], ping: Mapping[str, str]
    ) -> bool:
        """Whether BuildKit is to ask us. Raises ImageError when it must, and cannot."""
        secrets = bool(build.settings.secrets)
        lacking = "podman has none" if PODMAN in ping else "" if H2 else "h2 is not installed"
        if secrets and lacking:
            raise build.failed(
                f"build secrets need a session of BuildKit: {lacking}",
                hint="use --builder buildah, podman or buildkit, or pip install "
                "'score-flyio[buildkit]' for Docker's daemon",
                code="build_secrets_unsupported",
            )
        if lacking:
            return False
        # Steps that ask for a secret need a session even where they do without the secret.
        asked = secrets or bool(build.dockerfile.secrets)
        # A Dockerfile that no step sees has to come beside the context; whether sessions get
        # through to Fly's builders is not known.
        apart = build.is_apart and self.address.login is None
        return asked or (ping.get("builder-version") == BUILDKIT and (bool(logins) or apart))


def client_of(address: DaemonAddress) -> httpx.AsyncClient:
    """A client for one daemon, which asks for the password before each request."""
    settings: dict[str, Any] = {"base_url": address.url, "timeout": TIMEOUT}
    if address.socket is not None:
        settings["transport"] = httpx.AsyncHTTPTransport(uds=address.socket)
    elif address.trust is not None:
        settings["trust"] = address.trust
    if address.login is not None:
        user, password = address.login

        async def sign(request: httpx.Request) -> None:
            known = httpx.BasicAuth(user, (await password()).reveal())
            next(known.sync_auth_flow(request))

        settings["event_hooks"] = {"request": [sign]}
    return http_client(encrypted=address.url.startswith("https:"), **settings)


@define
class Answer:
    """What a daemon says while it builds or pushes, told as it comes."""

    tell: Tell
    error: str = field(default="", init=False)
    digest: str = field(default="", init=False)
    last: deque[str] = field(factory=lambda: deque(maxlen=LINES_IN_ERROR), init=False)
    """The end of the output."""
    _told: set[tuple[str, bool]] = field(factory=set, init=False)
    """Steps of BuildKit, and once more where they proved to be cached."""

    async def follow(self, request: AbstractAsyncContextManager[httpx.Response]) -> None:
        async with request as response:
            if not response.is_success:
                self.error = _message(await response.aread()) or f"status {response.status_code}"
                return
            async for line in response.aiter_lines():
                try:
                    message = json.loads(line) if line.strip() else None
                except ValueError:
                    message = {"stream": line}
                if isinstance(message, dict):
                    self.take(message)

    def take(self, message: Mapping[str, Any]) -> None:
        """Pass on what one message tells; nothing, when it cannot be read."""
        self.tell(Progress())
        if error := message.get("error"):
            self.error = str(error).strip()
        aux = message.get("aux")
        if message.get("id") == "moby.buildkit.trace" and isinstance(aux, str):
            with suppress(ValueError, IndexError):
                self._trace(base64.b64decode(aux, validate=True))
        elif isinstance(aux, dict):
            self.digest = str(aux.get("Digest") or self.digest)
        for line in map(str.rstrip, str(message.get("stream") or "").splitlines()):
            if line == " ---> Using cache":
                self._pass_on(Progress(text=line.strip(), cached=True))
            elif line:
                self._pass_on(Progress(text=line, step=line.startswith("Step ")))

    def _trace(self, status: bytes) -> None:
        for number, value in fields(status):
            if number == _VERTEX and isinstance(value, bytes):
                self._vertex(dict(fields(value)))
            elif number == _LOG and isinstance(value, bytes):
                for line in text_of(dict(fields(value)).get(_LOG_TEXT)).splitlines():
                    if line.strip():
                        self._pass_on(Progress(text=line.rstrip()))

    def _vertex(self, vertex: dict[int, int | bytes]) -> None:
        cached = bool(vertex.get(_CACHED))
        told = text_of(vertex.get(_DIGEST)), cached
        if (cached or _STARTED in vertex) and told not in self._told:
            self._told.add(told)
            self._pass_on(Progress(text=text_of(vertex.get(_NAME)), step=True, cached=cached))

    def _pass_on(self, progress: Progress) -> None:
        if not progress.step:
            self.last.append(progress.text)
        self.tell(progress)


def _folders(build: Build) -> dict[str, Context]:
    """What BuildKit asks for: the context, and the Dockerfile with an ignore file of its own."""
    name, entries = PurePosixPath(build.path).name, build.context.entries
    apart = [evolve(entry, path=name) for entry in entries if entry.content is not None]
    beside = (*apart, added_entry(f"{name}.dockerignore", b""))
    return {
        "context": evolve(build.context, entries=tuple(e for e in entries if e.content is None)),
        "dockerfile": Context(root=build.file.parent, entries=beside),
    }


def _with_ignored(build: Build) -> Context:
    """The context with a `.dockerignore` for which the daemon removes the Dockerfile (Docker)."""
    context = build.context
    there = any(entry.path == IGNORE_FILE for entry in context.entries)
    known = (context.root / IGNORE_FILE).read_bytes() if there else IGNORE_FILE.encode()
    line = f"\n{pattern_of(build.path)}\n".encode("utf-8", "surrogateescape")
    return evolve(context, entries=(*context.entries, added_entry(IGNORE_FILE, known + line)))


async def _sent(build: Build, tell: Tell, *, buildkit: bool) -> AsyncIterator[bytes]:
    context = build.context
    if build.is_apart and not buildkit:
        context = await anyio.to_thread.run_sync(_with_ignored, build)
    async for block in in_thread(tar_of(context)):
        tell(Progress())
        yield block


def _parameters(build: Build, *, buildkit: bool) -> dict[str, str]:
    settings = build.settings
    found = {
        "t": str(build.image),
        "dockerfile": build.path,
        "platform": PLATFORM,
        "rm": "1",
        "forcerm": "1",
        "version": BUILDKIT if buildkit else "1",
        "target": settings.target,
        "networkmode": settings.network,
        "nocache": "1" if settings.no_cache else "",
        "buildargs": json.dumps(dict(settings.args)) if settings.args else "",
        "labels": json.dumps(dict(settings.labels)) if settings.labels else "",
    }
    return {name: value for name, value in found.items() if value}


def _entry(login: Login | None, server: str) -> dict[str, str]:
    if login is None:
        return {}
    if login.is_identity:
        return {"identitytoken": login.password.reveal(), "serveraddress": server}
    return {"username": login.user, "password": login.password.reveal(), "serveraddress": server}


def _encoded(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["message"]).strip()
    except (ValueError, KeyError, TypeError):
        return body.decode("utf-8", "replace").strip()[:500]
