"""The emulator on a local port: HTTP/1.1 with h11 over anyio sockets."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import anyio
import h11
from anyio.abc import Listener, SocketAttribute, SocketStream

from fly_emulator.wire import ApiRequest, ApiResponse, ConnectionBroken

_LOG: Final = logging.getLogger(__name__)
_CHUNK: Final = 65_536
_LARGEST_BODY: Final = 16 * 1024 * 1024
_LARGEST_LAYER: Final = 1024 * 1024 * 1024
_LARGE: Final = (b"/v2/", b"/_emulator/snapshot")
"""Where layers of images and whole worlds are sent."""

Handle: TypeAlias = Callable[[ApiRequest], Awaitable[ApiResponse]]
_Gone: Final = (anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@asynccontextmanager
async def listening(host: str, port: int) -> AsyncIterator[tuple[Listener[SocketStream], str]]:
    """A listener on a local port, and its URL."""
    multi = await anyio.create_tcp_listener(local_host=host, local_port=port)
    async with multi:
        listener = multi.listeners[0]
        number = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        yield listener, f"http://{_called(host)}:{number}"


def _called(host: str) -> str:
    """How an address is written in a URL; one that stands for all of them, as loopback."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - nothing is bound
    return f"[{host}]" if ":" in host else host


async def serve_connections(handle: Handle, listener: Listener[SocketStream]) -> None:
    """Answer all connections until cancelled."""

    async def serve(stream: SocketStream) -> None:
        async with stream:
            await _Connection(handle, stream).run()

    await listener.serve(serve)


class _Connection:
    """One client, one request after another."""

    def __init__(self, handle: Handle, stream: SocketStream) -> None:
        self._handle = handle
        self._stream = stream
        self._protocol = h11.Connection(h11.SERVER)
        self._received = bytearray()
        """What was not looked at yet."""
        self._news = anyio.Event()
        """Set when there is more of it, or when there will be no more."""
        self._gone = False
        """Whether the client has closed the connection."""
        self._answering: anyio.CancelScope | None = None

    async def run(self) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._receive)
            await self._converse()
            tasks.cancel_scope.cancel()

    async def _receive(self) -> None:
        """Keep what arrives; when the client has closed the connection, end what it waits for."""
        with suppress(*_Gone):
            while True:
                self._received += await self._stream.receive(_CHUNK)
                self._news.set()
        self._gone = True
        self._news.set()
        if self._answering is not None:
            self._answering.cancel()

    async def _converse(self) -> None:
        try:
            while True:
                request = await self._read_request()
                if request is None or not await self._answer(request):
                    return
                if self._protocol.our_state is not h11.DONE:
                    return
                self._protocol.start_next_cycle()
        except h11.RemoteProtocolError as error:
            await self._refuse(error)
        except _Gone:
            return

    async def _next_event(self) -> h11.Event | type[h11.NEED_DATA | h11.PAUSED]:
        while True:
            event = self._protocol.next_event()
            if event is not h11.NEED_DATA:
                return event
            while not self._received and not self._gone:
                self._news = anyio.Event()
                await self._news.wait()
            self._protocol.receive_data(bytes(self._received))  # nothing: there is no more
            self._received.clear()

    async def _read_request(self) -> ApiRequest | None:
        head = await self._next_event()
        if not isinstance(head, h11.Request):
            return None
        if head.headers and (b"expect", b"100-continue") in list(head.headers):
            await self._send(h11.InformationalResponse(status_code=100, headers=[]))
        most = _LARGEST_LAYER if head.target.startswith(_LARGE) else _LARGEST_BODY
        body = bytearray()
        while isinstance(event := await self._next_event(), h11.Data):
            body += event.data
            if len(body) > most:
                raise h11.RemoteProtocolError("request is too large", error_status_hint=413)
        if not isinstance(event, h11.EndOfMessage):
            return None
        path, _, query = head.target.decode("ascii", "replace").partition("?")
        return ApiRequest(
            method=head.method.decode("ascii"),
            path=path,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={name.decode(): value.decode("latin-1") for name, value in head.headers},
            body=bytes(body),
        )

    async def _answer(self, request: ApiRequest) -> bool:
        """Send the answer; False when the connection is to be closed without one."""
        response: ApiResponse | None = None
        with anyio.CancelScope() as self._answering:
            if self._gone:
                self._answering.cancel()
            try:
                response = await self._respond(request)
            except ConnectionBroken as broken:
                if broken.kind == "hang":  # say nothing until the client gives up
                    await anyio.sleep_forever()
        self._answering = None
        if response is None:
            return False
        await self._send(*self._events(response, head_only=request.method == "HEAD"))
        return True

    async def _respond(self, request: ApiRequest) -> ApiResponse:
        try:
            return await self._handle(request)
        except ConnectionBroken:
            raise
        except Exception as error:  # noqa: BLE001 - logged; one faulty answer must not end the server
            _LOG.exception("the emulator failed to answer %s %s", request.method, request.path)
            message = f"the emulator failed: {type(error).__name__}"
            return ApiResponse(status=500, document={"error": message, "status": "unknown"})

    @staticmethod
    def _events(response: ApiResponse, *, head_only: bool = False) -> list[h11.Event]:
        content, media = response.content()
        headers = [(name.encode(), value.encode()) for name, value in response.headers.items()]
        if media is not None:
            headers.append((b"content-type", media.encode()))
        if response.status != 204:
            headers.append((b"content-length", str(len(content)).encode()))
        body = [h11.Data(data=content)] if content and not head_only else []
        head = h11.Response(status_code=response.status, headers=headers)
        return [head, *body, h11.EndOfMessage()]

    async def _send(self, *events: h11.Event) -> None:
        data = b"".join(self._protocol.send(event) or b"" for event in events)
        if data:
            await self._stream.send(data)

    async def _refuse(self, error: h11.RemoteProtocolError) -> None:
        if self._protocol.our_state not in {h11.IDLE, h11.SEND_RESPONSE}:
            return
        response = ApiResponse(status=error.error_status_hint, document={"error": str(error)})
        try:
            await self._send(*self._events(response))
        except (*_Gone, h11.LocalProtocolError):
            return
