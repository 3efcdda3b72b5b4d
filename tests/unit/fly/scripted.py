"""A scripted platform in place of the network."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
from attrs import define, field, frozen

from score_flyio.events import Event
from score_flyio.fly.client import FlyClient

TOKEN = "fm2_very-secret-token"


@frozen
class Seen:
    """A request that reached the platform."""

    at: float
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: httpx.Headers
    body: Any


Handler = Callable[[Seen], Awaitable[httpx.Response] | httpx.Response]


def answer(status: int = 200, body: Any = None, **headers: str) -> httpx.Response:
    """An answer with a JSON body, or an empty one."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is None:
        return httpx.Response(status, headers=names)
    return httpx.Response(status, json=body, headers=names)


@define
class Platform(httpx.AsyncBaseTransport):
    """Answers by a handler and remembers what it saw."""

    handler: Handler
    seen: list[Seen] = field(factory=list)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raw = await request.aread()
        seen = Seen(
            anyio.current_time(),
            request.method,
            request.url.raw_path.decode().partition("?")[0],
            tuple(request.url.params.multi_items()),
            request.headers,
            json.loads(raw) if raw else None,
        )
        self.seen.append(seen)
        result = self.handler(seen)
        response = result if isinstance(result, httpx.Response) else await result
        response.request = request
        return response

    def calls(self, method: str, end: str = "") -> list[Seen]:
        return [s for s in self.seen if s.method == method and s.path.endswith(end)]


def script(*steps: httpx.Response | Exception) -> Handler:
    """Gives these answers, one a request."""
    left = list(steps)

    def handler(_seen: Seen) -> httpx.Response:
        step = left.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    return handler


@define
class Session:
    """A client of a scripted platform, and what it reported."""

    client: FlyClient
    platform: Platform
    events: list[Event]

    def of(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


Connect = Callable[..., Session]
