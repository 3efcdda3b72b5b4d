"""Sends the requests of a transcript to a server, each when those before it in time are answered.

A read whose answer differs because a machine is not there yet is repeated for some seconds.
"""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
from attrs import define, field

from tests.conformance.flyctl.documents import document
from tests.conformance.flyctl.placeholders import Bindings
from tests.conformance.flyctl.shapes import Comparison

PATIENCE, PAUSE = 10.0, 0.1
"""Seconds: how long a read is repeated, and how often."""
AT_ONCE = 0.005
"""Times were recorded in hundredths of a second."""

Exchange = dict[str, Any]


@define
class Replay:
    """One conversation with one server."""

    transcript: dict[str, Any]
    client: httpx.AsyncClient
    problems: list[str] = field(factory=list)
    matched: int = 0
    bindings: Bindings = field(factory=Bindings)
    _answered: dict[int, anyio.Event] = field(factory=dict)

    async def run(self) -> None:
        """All exchanges; what is wrong with an answer goes to `problems`."""
        self.bindings = Bindings(dict(self.transcript["client_values"]))
        exchanges = self.transcript["exchanges"]
        self._answered = {exchange["n"]: anyio.Event() for exchange in exchanges}
        start = anyio.current_time()
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                for number, exchange in enumerate(exchanges):
                    before = _before(exchange, exchanges[:number])
                    tasks.start_soon(self._one, exchange, before, start, scope)

    async def _one(
        self, exchange: Exchange, before: list[int], start: float, scope: anyio.CancelScope
    ) -> None:
        for number in before:
            await self._answered[number].wait()
        await anyio.sleep_until(start + exchange["at"])
        for _ in range(exchange.get("repeat", 1)):
            found = await self._exchange(exchange)
            if found:
                name = f"{exchange['n']} {exchange['method']} {exchange['path']}"
                self.problems += [f"{name}: {problem}" for problem in found]
                scope.cancel()  # what follows would only be wrong in consequence
                return
        self.matched += 1
        self._answered[exchange["n"]].set()

    async def _exchange(self, exchange: Exchange) -> list[str]:
        deadline = anyio.current_time() + PATIENCE
        while True:
            response = await self._send(exchange)
            bindings = self.bindings.copy()
            found = list(_compare(exchange, response, bindings))
            if not found:
                # other answers may have come while this one was awaited, but not since it was read
                self.bindings = bindings
                return []
            if not _is_read(exchange) or anyio.current_time() >= deadline:
                return found
            await anyio.sleep(PAUSE)

    async def _send(self, exchange: Exchange) -> httpx.Response:
        filled = {
            name: self.bindings.fill(exchange[name])
            for name in ("path", "query", "headers", "request")
        }
        body = filled["request"]
        if exchange["interface"] == "graphql":
            body = document(body)
        return await self.client.request(
            exchange["method"],
            filled["path"],
            params=filled["query"],
            headers=filled["headers"],
            content=None if body is None else json.dumps(body).encode(),
            timeout=120,
        )


def _before(exchange: Exchange, earlier: list[Exchange]) -> list[int]:
    """The exchanges that were over when this one began, or whose answers it uses."""
    over = [
        other["n"] for other in earlier if other["at"] + other["took"] <= exchange["at"] + AT_ONCE
    ]
    return sorted({*over, *exchange["after"]})


def _is_read(exchange: Exchange) -> bool:
    if exchange["interface"] == "graphql":
        return bool(exchange["request"]["kind"] == "query")
    return bool(exchange["method"] == "GET")


def _compare(exchange: Exchange, response: httpx.Response, bindings: Bindings) -> list[str]:
    if response.status_code != exchange["status"]:
        if response.status_code in (exchange.get("status_also") or ()):
            return []
        return [f"status {response.status_code}, not {exchange['status']}: {response.text[:300]}"]
    recorded = exchange["response"]
    if recorded is None:
        return []
    try:
        actual = response.json()
    except ValueError:
        return [f"no JSON: {response.text[:300]!r}"]
    comparison = Comparison(bindings, strict=exchange["interface"] == "machines")
    if exchange["interface"] == "graphql":
        codes = [_codes(recorded), _codes(actual)]
        if codes[0] != codes[1]:
            return [f"errors {actual.get('errors')}, recorded with codes {codes[0]}"]
        recorded, actual = {"data": recorded["data"]}, {"data": actual.get("data")}
    return list(comparison.problems(recorded, actual))


def _codes(answer: dict[str, Any]) -> list[Any]:
    return [(error.get("extensions") or {}).get("code") for error in answer.get("errors") or ()]
