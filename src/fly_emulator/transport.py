"""The emulator as a transport of httpx: requests never leave the process."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import httpx

from fly_emulator.wire import ApiRequest, ConnectionBroken

if TYPE_CHECKING:
    from fly_emulator.core import Emulator


class EmulatorTransport(httpx.AsyncBaseTransport):
    """Carries the requests of an `httpx.AsyncClient` to an emulator.

    The client's read time limit holds as it would on a network.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request to the emulator, and its answer back.

        Raises:
            httpx.ReadTimeout: There was no answer within the client's read time limit.
            httpx.ConnectError: A fault refuses connections.
            httpx.ReadError: A fault breaks the connection.
        """
        call = ApiRequest(
            method=request.method,
            path=request.url.raw_path.partition(b"?")[0].decode("ascii"),
            query=tuple(request.url.params.multi_items()),
            headers={name.lower(): value for name, value in request.headers.items()},
            body=await request.aread(),
        )
        with anyio.move_on_after(request.extensions.get("timeout", {}).get("read")):
            try:
                response = await self._emulator.handle(call)
            except ConnectionBroken as broken:
                if broken.kind == "refuse":
                    raise httpx.ConnectError("connection refused", request=request) from broken
                if broken.kind == "reset":
                    raise httpx.ReadError("connection reset", request=request) from broken
                await anyio.sleep_forever()
                raise
            content, media = response.content()
            if request.method == "HEAD":
                content = b""
            headers = dict(response.headers)
            if media is not None:
                headers["content-type"] = media
            return httpx.Response(response.status, headers=headers, content=content)
        raise httpx.ReadTimeout("no answer in time", request=request)
