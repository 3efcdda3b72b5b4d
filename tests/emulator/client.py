"""A client of the emulated Machines API, and a clock that tests move."""

from __future__ import annotations

from typing import Any

import httpx

from fly_emulator import Emulator

SERVICE = {
    "protocol": "tcp",
    "internal_port": 8080,
    "ports": [{"port": 443, "handlers": ["tls", "http"]}],
    "checks": [{"type": "http", "interval": "5s", "timeout": "2s", "grace_period": "3s"}],
}
CONFIG: dict[str, Any] = {"image": "nginx:1.25", "services": [SERVICE]}


class HandClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0

    def time(self) -> float:
        return self.now


class Api:
    """Calls the Machines API as a client would."""

    def __init__(self, fly: Emulator, client: httpx.AsyncClient, clock: HandClock | None) -> None:
        self.fly = fly
        self.client = client
        self.clock = clock

    def later(self, seconds: float) -> None:
        assert self.clock is not None
        self.clock.now += seconds

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        return await self.client.request(method, f"/v1{path}", **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> httpx.Response:
        return await self.call("POST", path, json=body, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        return await self.call("DELETE", path, **options)

    async def app(self, name: str = "shop", **body: Any) -> str:
        response = await self.post("/apps", {"name": name, "org_slug": "personal", **body})
        assert response.status_code == 201, response.text
        return name

    async def machine(
        self, app: str = "shop", *, settle: bool = True, **body: Any
    ) -> dict[str, Any]:
        """A new machine, started by default."""
        response = await self.post(f"/apps/{app}/machines", {"config": CONFIG, **body})
        assert response.status_code == 200, response.text
        if settle:
            self.later(1)
        document: dict[str, Any] = response.json()
        return document

    async def state(self, machine: dict[str, Any], app: str = "shop") -> str:
        return str((await self.get(f"/apps/{app}/machines/{machine['id']}")).json()["state"])


def make_api(fly: Emulator, clock: HandClock | None) -> Api:
    client = httpx.AsyncClient(
        transport=fly.transport(),
        base_url="http://fly",
        headers={"authorization": "Bearer token"},
    )
    return Api(fly, client, clock)
