"""The hands of other people: calls of flyctl and of the dashboard, which are told from ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import anyio
import httpx
from attrs import define, field

from fly_emulator import Emulator
from fly_emulator.records import MachineRecord
from fly_emulator.transport import EmulatorTransport
from fly_emulator.wire import ApiRequest, ApiResponse
from score_flyio.state.deployments import Release
from tests.simulation.crowd.apps import APP
from tests.simulation.mortal import as_any

Json = dict[str, Any]
RESERVED = ("fly_app_release_command", "fly_app_test_machine_command", "fly_app_console")
LEASE_PATIENCE = 60.0
PATIENCE = 90.0
REPEATED = (502, 503)
"""After these flyctl sends any request again, also one that makes a machine."""
REPEATS = 3
PASSING = (408, 429)
THEIRS = "rel"
"""How ids of releases of flyctl begin."""
VANISHING = (
    "scheduling_destroy",
    "fork_cleanup",
    "waiting_for_detach",
    "pending_destroy",
    "destroying",
)
_numbers = count(1)


def new_release() -> Release:
    """One that flyctl makes: for each deploy, and for secrets that it hands out."""
    number = next(_numbers)
    return Release(id=f"{THEIRS}{number}", version=100 + number, tool_version="0.4.9")


class Failed(Exception):
    """The command of somebody else ends with an error, unless that may pass and is tried again."""

    def __init__(self, text: str, *, passes: bool = False) -> None:
        super().__init__(text)
        self.passes = passes


@define(eq=False)
class _Noting:
    """The emulator, to which requests go whose numbers in its journal are noted."""

    emulator: Emulator
    known: Known

    async def handle(self, request: ApiRequest) -> ApiResponse:
        """One request."""
        try:
            return await self.emulator.handle(request)
        finally:
            self.known.others.add(self.emulator.journal.noted)


@define(eq=False)
class Hands:
    """One command: what it sends is noted."""

    emulator: Emulator
    known: Known
    nonces: dict[str, str] = field(factory=dict)

    async def call(
        self, method: str, path: str, body: Any = None, *, machine: str = "", fails: bool = False
    ) -> Any:
        """The answer; raises Failed unless it may fail."""
        nonce = self.nonces.get(machine)
        for _ in range(REPEATS):
            answer = await self._send(method, path, body, nonce)
            if answer.status_code not in REPEATED:
                break
            await anyio.sleep(0.5)
        else:
            answer = await self._send(method, path, body, nonce)
        if answer.status_code == 404 and method in {"DELETE", "GET"}:
            return None
        if not answer.is_success:
            if fails:
                return None
            passes = answer.status_code in PASSING or answer.status_code >= 500
            raise Failed(f"{method} {path}: {answer.status_code} {answer.text}", passes=passes)
        return answer.json() if answer.content else None

    async def _send(self, method: str, path: str, body: Any, nonce: str | None) -> httpx.Response:
        headers = {"authorization": "Bearer other"}
        if nonce is not None:
            headers["fly-machine-lease-nonce"] = nonce
        request = httpx.Request(
            method,
            f"http://fly.test/v1/apps/{APP}{path}",
            json=body,
            headers=headers,
            extensions={"timeout": {"read": PATIENCE}},
        )
        try:
            noting = as_any(_Noting(self.emulator, self.known))
            answer = await EmulatorTransport(noting).handle_async_request(request)
        except httpx.TransportError as error:
            raise Failed(str(error), passes=True) from error
        await answer.aread()
        return answer

    async def machines(self) -> list[Json]:
        """Those of the running app, by flyctl's rule."""
        found = await self.call("GET", "/machines") or []
        return sorted((m for m in found if is_member(m)), key=lambda m: str(m["id"]))

    async def volumes(self) -> list[Json]:
        """Those that flyctl shows."""
        found = await self.call("GET", "/volumes") or []
        return [volume for volume in found if volume["state"] not in VANISHING]

    async def lease(self, machine: str, ttl: int) -> None:
        """Takes the lease, which is tried for a minute."""
        deadline = self.emulator.now() + LEASE_PATIENCE
        while True:
            sure = machine not in self.known.doubtful
            self.known.doubtful.add(machine)
            try:
                answer = await self.call("POST", f"/machines/{machine}/lease?ttl={ttl}")
            except Failed:
                if self.emulator.now() > deadline:
                    raise
                await anyio.sleep(0.5)
                continue
            self.nonces[machine] = answer["data"]["nonce"]
            if sure:
                self.known.doubtful.discard(machine)
            self.known.leases.add(self.nonces[machine])
            return

    @asynccontextmanager
    async def holding(self, *machines: str, ttl: int = 120) -> AsyncIterator[None]:
        """Leases of all, given back at the end, and left where the command is killed."""
        try:
            for machine in machines:
                await self.lease(machine, ttl)
            yield
        except Failed:
            await self.release()
            raise
        await self.release()

    async def release(self) -> None:
        """Gives back all leases."""
        for machine in list(self.nonces):
            await self.give_back(machine)

    async def give_back(self, machine: str) -> None:
        """Gives back the lease of one, where it has it."""
        if machine in self.nonces:
            await self.call("DELETE", f"/machines/{machine}/lease", machine=machine, fails=True)
            self.nonces.pop(machine, None)

    async def create(self, body: Json) -> str:
        """One more machine, which may be there though nobody heard the answer."""
        began, before = self.emulator.now(), len(self.emulator.journal.entries)
        heard = False
        try:
            made = await self.call("POST", "/machines", body)
            heard = True
        finally:
            since = self.emulator.journal.entries[before:]
            theirs = (e for e in since if e.seq in self.known.others and e.executed)
            creates = (e for e in theirs if e.operation == "Machines_create")
            if any(not heard or e.status in REPEATED for e in creates):
                self.known.unheard.append((began, self.emulator.now()))
        if nonce := made.get("nonce"):
            self.nonces[made["id"]] = nonce
            self.known.leases.add(nonce)
        self.known.made.add(made["id"])
        return str(made["id"])

    async def destroy(self, machine: str) -> None:
        """As flyctl does, by force."""
        await self.call("DELETE", f"/machines/{machine}?kill=true", machine=machine)
        self.known.destroyed.add(machine)
        self.nonces.pop(machine, None)


@define(eq=False)
class Known:
    """What other people did, all told."""

    others: set[int] = field(factory=set)
    """Numbers of their requests in the journal."""
    leases: set[str] = field(factory=set)
    """Nonces of theirs."""
    doubtful: set[str] = field(factory=set)
    """Machines of which they may have the lease, for its answer was lost."""
    unheard: list[tuple[float, float]] = field(factory=list)
    """Since when, and until when, each machine was made that they never heard of."""
    made: set[str] = field(factory=set)
    """Machines of theirs that they heard of."""
    added: int = 0
    """Machines that they added to groups on purpose."""
    destroyed: set[str] = field(factory=set)
    stopped: set[str] = field(factory=set)
    """Machines that they stopped, or whose stop was asked for; those that a killed command of ours
    stopped and would have destroyed rest until it is repeated."""
    cordoned: set[str] = field(factory=set)
    touched: dict[str, float] = field(factory=dict)
    """When they last gave a machine another version, or started it."""
    migrated: dict[str, str] = field(factory=dict)
    """By volume: the copy that took its place."""
    lost: set[str] = field(factory=set)
    """Machines and volumes that the platform lost."""
    hosts: set[str] = field(factory=set)
    """Hosts that did not answer at any time."""

    def may_have_made(self, machine: MachineRecord) -> bool:
        """Whether the machine is theirs, or was made while they made one they never heard of."""
        unheard = any(since <= machine.created_at <= until for since, until in self.unheard)
        return unheard or machine.id in self.made


def is_member(machine: Json) -> bool:
    """Whether flyctl counts it as part of the running app."""
    metadata = (machine.get("config") or {}).get("metadata") or {}
    config = machine.get("incomplete_config") or {}
    metadata = metadata or config.get("metadata") or {}
    return (
        metadata.get("fly_platform_version") == "v2"
        and machine["state"] not in {"destroyed", "destroying"}
        and metadata.get("fly_process_group") not in RESERVED
    )


def group_of(machine: Json) -> str:
    """The process group; of one on a lost host, as far as it shows."""
    config = machine.get("config") or machine.get("incomplete_config") or {}
    return str((config.get("metadata") or {}).get("fly_process_group") or "app")
