"""flyctl's calls on machines, in its order, as they were recorded; ends that cannot be met raise."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from math import ceil
from typing import Any, Final, TypeVar

import anyio
import httpx
from attrs import define, field

AT_ONCE: Final = 1 / 3
PAUSE: Final = 10.0
T = TypeVar("T")


class Failed(Exception):
    """flyctl would end here with an error."""


@define(eq=False)
class Flyctl:
    """Deploys of one app."""

    client: httpx.AsyncClient
    app: str
    wait_timeout: float
    pause: float = PAUSE
    nonces: dict[str, str] = field(factory=dict)

    async def rolling(self, version: str) -> None:
        """The first machine alone, then a third of all at once; nothing is undone."""
        async with self._leased() as machines:
            await self._roll(machines, version)

    async def canary(self, version: str) -> None:
        """An extra machine first, which is destroyed when it is healthy."""
        async with self._leased() as machines:
            extra = await self._create(machines[0], version)
            await self._well(extra)
            await self._destroy(extra)
            await self._roll(machines, version)

    async def bluegreen(self, version: str) -> None:
        """New machines beside the old ones; the new ones go when they do not become healthy."""
        async with self._leased() as blues:
            greens = [await self._create(one, version, cordoned=True) for one in blues]
            try:
                await _each(self._well, greens, len(greens))
            except Failed:
                await _each(self._destroy, greens, len(greens))
                raise
            for green in greens:
                await self._call("POST", f"/{green}/uncordon")
            await anyio.sleep(self.pause)
            names = [blue["id"] for blue in blues]
            for blue in names:
                await self._call("POST", f"/{blue}/cordon", nonce=blue)
            await anyio.sleep(self.pause)
            for blue in names:
                body = {"id": blue, "timeout": "0s"}
                await self._call("POST", f"/{blue}/stop", body, nonce=blue)
            await _each(self._destroy, names, len(names))

    async def scale(self, count: int) -> None:
        """Five at a time; those that go are ended by force, the first listed ones first."""
        async with self._leased() as machines:
            copies = [machines[0]] * (count - len(machines))
            version = machines[0]["config"]["env"]["VERSION"]

            async def create(one: dict[str, Any]) -> None:
                await self._create(one, version)

            await _each(create, copies, 5)
            names = [one["id"] for one in machines[: max(len(machines) - count, 0)]]
            await _each(self._destroy, names, 5)

    async def _roll(self, machines: Sequence[dict[str, Any]], version: str) -> None:
        async def update(machine: dict[str, Any]) -> None:
            name = machine["id"]
            body = {"config": _changed(machine, version)}
            await self._call("POST", f"/{name}", body, nonce=name)
            await self._well(name)

        await update(machines[0])
        await _each(update, machines[1:], ceil(len(machines) * AT_ONCE))

    async def _create(self, like: dict[str, Any], version: str, *, cordoned: bool = False) -> str:
        body = {
            "config": _changed(like, version),
            "region": like["region"],
            "skip_service_registration": cordoned,
        }
        return str((await self._call("POST", "", body))["id"])

    async def _well(self, name: str) -> None:
        with anyio.move_on_after(self.wait_timeout):
            await self._call("GET", f"/{name}/wait?state=started&timeout=60")
            while True:
                checks = (await self._call("GET", f"/{name}")).get("checks") or []
                if checks and all(check["status"] == "passing" for check in checks):
                    return
                await anyio.sleep(1)
        raise Failed(f"{name} is not healthy")

    async def _destroy(self, name: str) -> None:
        await self._call("DELETE", f"/{name}?kill=true", nonce=name)

    @asynccontextmanager
    async def _leased(self) -> AsyncIterator[list[dict[str, Any]]]:
        machines = sorted(await self._call("GET", ""), key=lambda one: str(one["id"]))
        for machine in machines:
            answer = await self._call("POST", f"/{machine['id']}/lease", {"ttl": 600})
            self.nonces[machine["id"]] = answer["data"]["nonce"]
        try:
            yield machines
        finally:
            for machine in machines:
                await self._call("DELETE", f"/{machine['id']}/lease", nonce=machine["id"])
            self.nonces.clear()

    async def _call(self, method: str, path: str, body: Any = None, *, nonce: str = "") -> Any:
        headers = {"fly-machine-lease-nonce": self.nonces[nonce]} if nonce in self.nonces else {}
        path = f"/v1/apps/{self.app}/machines{path}"
        answer = await self.client.request(method, path, json=body, headers=headers)
        if answer.status_code == 404 and method == "DELETE":
            return None
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None


def _changed(machine: dict[str, Any], version: str) -> dict[str, Any]:
    config: dict[str, Any] = deepcopy(machine["config"])
    config["env"]["VERSION"] = version
    return config


async def _each(step: Callable[[T], Awaitable[None]], items: Sequence[T], at_once: int) -> None:
    """Do it for all, so many at a time; the first failure ends it."""
    limiter = anyio.Semaphore(at_once)
    failures: list[Failed] = []

    async def one(item: T) -> None:
        async with limiter:
            if failures:
                return
            try:
                await step(item)
            except Failed as failure:
                failures.append(failure)

    async with anyio.create_task_group() as tasks:
        for item in items:
            tasks.start_soon(one, item)
    if failures:
        raise failures[0]
