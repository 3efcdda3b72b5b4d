"""Sessions of BuildKit: a daemon asks for secrets, logins and folders while it builds.

In a session the daemon is the client: gRPC over HTTP/2, on a connection that we opened over
HTTP/1.1. Of all the services that a session can have it gets these, and its health.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Collection, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
import h2.connection
import h2.events
import httpx
from h2.config import H2Configuration

from score_flyio.base.record import define, field, frozen
from score_flyio.base.secret import Secret
from score_flyio.errors.unwrap import unwrapped
from score_flyio.images.builders.filesync import Sending, framed
from score_flyio.images.builders.protobuf import encoded, fields, text_of
from score_flyio.images.context import Context
from score_flyio.images.logins import Logins
from score_flyio.images.reference import DOCKER_HUB, ImageReference

NOT_FOUND: Final = 5
UNIMPLEMENTED: Final = 12
_HEALTH: Final = "/grpc.health.v1.Health/Check"
_SECRET: Final = "/moby.buildkit.secrets.v1.Secrets/GetSecret"  # noqa: S105  # a path
_LOGIN: Final = "/moby.filesync.v1.Auth/Credentials"
_FOLDER: Final = "/moby.filesync.v1.FileSync/DiffCopy"
_HUB: Final = frozenset({DOCKER_HUB, "registry-1.docker.io", "index.docker.io", "auth.docker.io"})
_CHUNK: Final = 65_536


@frozen(kw_only=True)
class Answers:
    """What a daemon is told when it asks."""

    secrets: Mapping[str, Secret]
    logins: Logins
    images: Collection[ImageReference] = ()
    """What the build begins with: a daemon says of which registry it wants a login, no more."""
    folders: Mapping[str, Context] = field(factory=dict)
    """By the name that it asks for."""

    async def to(self, path: str, message: bytes) -> tuple[int, bytes]:
        """The status of gRPC, and the message."""
        name = text_of(dict(fields(message)).get(1))
        if path == _HEALTH:
            return 0, encoded({1: 1})
        if path == _SECRET:
            found = self.secrets.get(name)
            return (NOT_FOUND, b"") if found is None else (0, encoded({1: found.reveal()}))
        if path == _LOGIN:
            host = DOCKER_HUB if name in _HUB else name
            named = await self.logins.find_all(i for i in self.images if i.host == host)
            login = next(reversed(named.values()), None) or await self.logins.find(host)
            if login is None:
                return 0, b""
            # Without a user, the password is an identity token.
            user = "" if login.is_identity else login.user
            return 0, encoded({1: user, 2: login.password.reveal()})
        return UNIMPLEMENTED, b""


@asynccontextmanager
async def session(client: httpx.AsyncClient, answers: Answers) -> AsyncIterator[dict[str, str]]:
    """The parameters of a session that lasts as long as the context. Raises HTTPStatusError."""
    name = secrets.token_hex(16)
    served = (_HEALTH, _SECRET, _LOGIN, *((_FOLDER,) if answers.folders else ()))
    methods = [("x-docker-expose-session-grpc-method", path) for path in served]
    headers = [
        *(("connection", "Upgrade"), ("upgrade", "h2c"), ("x-docker-expose-session-uuid", name)),
        *(("x-docker-expose-session-name", "score-flyio"), *methods),
    ]
    async with client.stream("POST", "/session", headers=headers) as response:
        if response.status_code != httpx.codes.SWITCHING_PROTOCOLS:
            raise httpx.HTTPStatusError("no session", request=response.request, response=response)
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                stream = response.extensions["network_stream"]
                tasks.start_soon(_Service(stream, answers).run)
                yield {"session": name}
                tasks.cancel_scope.cancel()


@define
class _Call:
    """One call of the daemon, and what is not sent yet of its answer."""

    path: str
    received: bytearray = field(factory=bytearray)
    status: int = 0
    rest: bytearray = field(factory=bytearray)
    folder: Sending | None = None
    """What is sent, where it is a folder that is asked for."""
    more: Iterator[bytes] | None = None
    """What comes after the rest; None: there is no answer yet."""


@define
class _Service:
    """Answers the calls of one connection."""

    stream: Any
    """The connection after its upgrade."""
    answers: Answers
    _connection: h2.connection.H2Connection = field(init=False)
    _calls: dict[int, _Call] = field(factory=dict, init=False)

    async def run(self) -> None:
        """Until the daemon closes the connection."""
        self._connection = h2.connection.H2Connection(H2Configuration(client_side=False))
        self._connection.initiate_connection()
        while True:
            if data := self._connection.data_to_send():
                await self.stream.write(data)
            received = await self.stream.read(_CHUNK)
            if not received:
                return
            for event in self._connection.receive_data(received):
                await self._take(event)
            await self._send()

    async def _take(self, event: h2.events.Event) -> None:
        number = getattr(event, "stream_id", None) or 0
        known = self._calls.get(number)
        if isinstance(event, h2.events.RequestReceived):
            headers: dict[Any, Any] = dict(event.headers or [])
            call = self._calls[number] = _Call(path=headers[b":path"].decode())
            content = [(":status", "200"), ("content-type", "application/grpc")]
            self._connection.send_headers(number, content)
            folder = self.answers.folders.get(headers.get(b"dir-name", b"").decode())
            if call.path == _FOLDER and folder is not None:
                call.folder = Sending(folder)
                call.more = call.folder.frames()
        elif isinstance(event, h2.events.DataReceived):
            self._connection.acknowledge_received_data(event.flow_controlled_length or 0, number)
            if known is not None and known.folder is not None:
                known.folder.take(event.data or b"")
            elif known is not None:
                known.received += event.data or b""
        elif isinstance(event, h2.events.StreamReset):
            self._calls.pop(number, None)
        elif isinstance(event, h2.events.StreamEnded) and known is not None:
            if known.folder is not None:
                return  # the daemon has said all, and not yet got all
            known.status, message = await self.answers.to(known.path, bytes(known.received[5:]))
            known.more = iter([framed(message)])

    async def _send(self) -> None:
        """As much of the answers as the daemon has room for."""
        for number, call in list(self._calls.items()):
            while call.more is not None:
                if not call.rest:
                    more = await anyio.to_thread.run_sync(next, call.more, None)
                    if more is None:
                        trailers = [("grpc-status", str(call.status))]
                        self._connection.send_headers(number, trailers, end_stream=True)
                        del self._calls[number]
                        break
                    call.rest += more
                window = self._connection.local_flow_control_window(number)
                size = min(window, self._connection.max_outbound_frame_size, len(call.rest))
                if size <= 0:
                    break
                self._connection.send_data(number, bytes(call.rest[:size]))
                del call.rest[:size]
