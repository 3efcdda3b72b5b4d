"""Builds at Fly, by the remote builder of the organization: a Docker daemon over HTTPS.

The platform's proxy wakes it; it goes back to sleep by itself.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Mapping
from itertools import chain, repeat
from typing import Final

import anyio
import httpx

from score_flyio.base.record import define, field
from score_flyio.errors import ImageError, NotAuthorized
from score_flyio.images.access import REFUSED, base_url
from score_flyio.images.build import Build, Progress, Tell
from score_flyio.images.builders.address import DaemonAddress
from score_flyio.images.builders.docker import DockerBuilder, client_of
from score_flyio.images.logins import Logins, Password
from score_flyio.net.exchange import network_reason

HOST_VARIABLE: Final = "FLY_BUILDER_HOST"
"""Stands in for BUILDER.fly.dev."""
AWAKE: Final = "/flyio/v1/settings"
AWAKE_SECONDS: Final = 300.0
"""How long it takes at most until a builder answers; its name may be new to the DNS."""
ANSWER_SECONDS: Final = 30.0
PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds between looks whether it is awake; the last one over and over."""
OTHERS: Final = "use --builder docker, buildah, podman or buildkit"


@define(kw_only=True)
class FlyBuilder:
    """Has the remote builder of the organization of a run build and push."""

    find: Callable[[], Awaitable[str]]
    """Finds it, or makes it: the name of its app. Called once."""
    password: Password
    """Gives Fly's tokens."""
    logins: Logins
    environ: Mapping[str, str] = field(factory=dict, repr=False)
    name: str = "fly"
    _app: str | None = field(default=None, init=False)
    _turn: anyio.Lock = field(factory=anyio.Lock, init=False)

    async def build(self, build: Build, tell: Tell, *, push: bool = True) -> str | None:
        """Wake it, and go on as with any Docker daemon."""
        if build.settings.secrets:
            raise build.failed(
                "build secrets cannot be given to Fly's remote builder",
                hint=OTHERS,
                code="build_secrets_unsupported",
            )
        tell(Progress(text="waking the remote builder", step=True))
        try:
            app = await self._found()
        except NotAuthorized as error:
            raise _denied(build, "Fly's remote builder", error.message) from error
        address = self.address(app, build.image.repository)
        await self._wake(build, app, address)
        tell(Progress(text=f"{app} is awake"))
        daemon = DockerBuilder(address=address, logins=self.logins)
        return await daemon.build(build, tell, push=push)

    def address(self, builder: str, user: str) -> DaemonAddress:
        """Where it is; `user` is the app to build for, which must be of the same organization."""
        host = self.environ.get(HOST_VARIABLE, "").strip() or f"{builder}.fly.dev"
        url = base_url(host)
        trust = without_alpn() if url.startswith("https:") else None
        return DaemonAddress(url=url, trust=trust, login=(user, self.password))

    async def _found(self) -> str:
        async with self._turn:
            if self._app is None:
                self._app = await self.find()
            return self._app

    async def _wake(self, build: Build, app: str, address: DaemonAddress) -> None:
        """Ask until it answers: the first question wakes it."""
        said = "no answer"
        with anyio.move_on_after(AWAKE_SECONDS):
            async with client_of(address) as client:
                for pause in chain(PAUSES, repeat(PAUSES[-1])):
                    try:
                        answer = await client.get(AWAKE, timeout=ANSWER_SECONDS)
                    except httpx.TransportError as error:
                        said = network_reason(error)
                    else:
                        if answer.is_success:
                            return
                        said = f"status {answer.status_code}"
                        if answer.status_code in REFUSED:
                            raise _denied(build, f"the remote builder {app}", said)
                        if answer.status_code == httpx.codes.NOT_FOUND:
                            raise _unusable(build, app, "is too old to be used over HTTPS")
                    await anyio.sleep(pause)
        raise _unusable(build, app, f"does not wake up: {said}")


def _unusable(build: Build, app: str, reason: str) -> ImageError:
    return build.failed(
        f"the remote builder {app} {reason}",
        hint=f"delete it with fly apps destroy {app}, so that a new one is made, or {OTHERS}",
        code="builder_unavailable",
    )


def _denied(build: Build, what: str, said: str) -> ImageError:
    return build.failed(
        f"{what} cannot be used: {said}",
        hint="it builds for apps that are there, with a token of the whole organization "
        f"(fly tokens create org); or {OTHERS}",
        code="builder_denied",
    )


class _WithoutAlpn(ssl.SSLContext):
    def set_alpn_protocols(self, alpn_protocols: object) -> None:
        """Offer nothing."""


def without_alpn() -> ssl.SSLContext:
    """The usual certificates, without the offer of a protocol.

    Builders of flyctl take HTTP/2 alone where one is offered, and HTTP/1.1 where none is.
    """
    known = httpx.create_ssl_context().get_ca_certs(binary_form=True)
    trust = _WithoutAlpn(ssl.PROTOCOL_TLS_CLIENT)
    trust.load_verify_locations(cadata=b"".join(known))
    return trust
