"""The emulator on a local port: HTTP/1.1 with h11 over anyio sockets."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final, TypeAlias
from urllib.parse import parse_qsl

import anyio
import h11
from anyio.abc import Listener, ObjectSendStream, SocketAttribute, SocketStream

from fly_emulator.http import GONE, Side, events, has_body, serve_http
from fly_emulator.wire import ApiRequest, ApiResponse, ConnectionBroken

_LOG: Final = logging.getLogger(__name__)
_CHUNKS: Final = 16
"""Pieces that are kept of what a client sends ahead."""
_LARGEST_BODY: Final = 16 * 1024 * 1024
_LARGEST_LAYER: Final = 1024 * 1024 * 1024
_LARGE: Final = (b"/v2/", b"/_emulator/snapshot")
"""Where layers of images and whole worlds are sent."""

Handle: TypeAlias = Callable[[ApiRequest], Awaitable[ApiResponse]]


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

    async def answer(client: Side, head: h11.Request) -> None:
        request = await _read_request(client, head)
        try:
            response = await handle(request)
        except ConnectionBroken as broken:
            if broken.kind == "hang":  # say nothing until the client gives up
                await anyio.sleep_forever()
            return
        except Exception as error:  # noqa: BLE001 - logged; one faulty answer must not end the server
            _LOG.exception("the emulator failed to answer %s %s", request.method, request.path)
            message = f"the emulator failed: {type(error).__name__}"
            response = ApiResponse(status=500, document={"error": message, "status": "unknown"})
        await client.send(*events(response, head_only=request.method == "HEAD"))

    async def serve(stream: SocketStream) -> None:
        feed, source = anyio.create_memory_object_stream[bytes](_CHUNKS)
        async with stream, source, anyio.create_task_group() as tasks:
            tasks.start_soon(_receive, stream, feed, tasks.cancel_scope)
            await serve_http(Side(stream, h11.SERVER, source), answer, _refuse)
            tasks.cancel_scope.cancel()

    await listener.serve(serve)


async def _receive(
    stream: SocketStream, feed: ObjectSendStream[bytes], serving: anyio.CancelScope
) -> None:
    """Take what arrives; when the client has gone, end what it waits for."""
    with suppress(anyio.EndOfStream, *GONE):
        async with feed:
            while True:
                await feed.send(await stream.receive())
    serving.cancel()


async def _read_request(client: Side, head: h11.Request) -> ApiRequest:
    if (b"expect", b"100-continue") in list(head.headers):
        await client.send(h11.InformationalResponse(status_code=100, headers=[]))
    most = _LARGEST_LAYER if head.target.startswith(_LARGE) else _LARGEST_BODY
    body = bytearray()
    while has_body(head) and isinstance(event := await client.next(), h11.Data):
        body += event.data
        if len(body) > most:
            raise h11.RemoteProtocolError("request is too large", error_status_hint=413)
    path, _, query = head.target.decode("ascii", "replace").partition("?")
    return ApiRequest(
        method=head.method.decode("ascii"),
        path=path,
        query=tuple(parse_qsl(query, keep_blank_values=True)),
        headers={name.decode(): value.decode("latin-1") for name, value in head.headers},
        body=bytes(body),
    )


async def _refuse(client: Side, status: int, reason: str) -> None:
    await client.send(*events(ApiResponse(status=status, document={"error": reason})))
