"""The emulated platform of a simulation: observed at every change, disturbed on purpose."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator

import anyio
from attrs import define, field

from fly_emulator import (
    Behaviour,
    Emulator,
    EmulatorSettings,
    FaultRule,
    Faults,
    World,
    marked_process,
)
from fly_emulator.records import Json, LeaseRecord, MachineRecord
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.metadata import RELEASE_VERSION
from tests.simulation.scenario import Disturbance

RELEASE_GROUP = "fly_app_release_command"


def process(config: Json, settings: EmulatorSettings) -> Behaviour:
    """Release commands fail when they say so; all else goes by the marks."""
    if group_of(config) != RELEASE_GROUP:
        return marked_process(config, settings)
    command = (config.get("init") or {}).get("cmd") or []
    return Behaviour(
        boot=settings.boot,
        healthy_after=None,
        exits_after=settings.one_shot,
        exit_code=1 if "--fail" in command else 0,
    )


def group_of(config: Json) -> str:
    return str((config.get("metadata") or {}).get("fly_process_group") or "app")


@define(kw_only=True)
class WatchedWorld(World):
    """A world that tells of every change of state."""

    on_enter: Callable[[float], None] = field(default=lambda _at: None)
    saw: dict[str, dict[str, str]] = field(factory=dict)
    """The secrets that each machine was started with last."""

    def enter(
        self,
        machine: MachineRecord,
        state: str,
        at: float,
        *,
        event: str | None = None,
        by: str = "user",
    ) -> None:
        World.enter(self, machine, state, at, event=event, by=by)
        if state in {"starting", "restarting"}:
            self.saw[machine.id] = self.secrets_of(machine.app)
        self.on_enter(at)

    def secrets_of(self, app: str) -> dict[str, str]:
        """The values of the secrets of an app, by name."""
        found = self.apps.get(app)
        return {s.name: s.value for s in found.secrets.values()} if found else {}


@define
class CountedFaults(Faults):
    """Faults that remember how often each kind struck."""

    struck: Counter[str] = field(factory=Counter)

    def for_request(self, operation: str, method: str) -> tuple[FaultRule, ...]:
        found = Faults.for_request(self, operation, method)
        for fault in found:
            when = " after" if fault.after else ""
            name = f"{fault.status}{when}" if fault.kind == "status" else f"{fault.kind}{when}"
            self.struck[name] += 1
        return found


def new_platform(settings: EmulatorSettings, clock: EventLoopClock) -> Emulator:
    """An emulator with a watched world."""
    emulator = Emulator(settings, clock=clock, model=process)
    emulator.world = WatchedWorld(settings=settings, model=process)
    return emulator


def living(world: World, app: str | None = None) -> Iterator[MachineRecord]:
    """The machines that are not gone or going."""
    for machine in world.machines.values():
        if machine.state not in {"destroying", "destroyed"} and app in {None, machine.app}:
            yield machine


def newest_release(world: World, app: str) -> int:
    """The highest number of a release that machines of an app carry; 0: none does."""
    texts = ((m.config.get("metadata") or {}).get(RELEASE_VERSION, "") for m in living(world, app))
    return max((int(text) for text in texts if text.isdigit()), default=0)


def healthy(machine: MachineRecord, at: float) -> bool:
    """Started, with checks passing."""
    return (
        machine.state == "started" and machine.healthy_at is not None and machine.healthy_at <= at
    )


@define
class Disturber:
    """Does to the world what others, or bad luck, do."""

    emulator: Emulator
    rng: random.Random
    counts: Counter[str] = field(factory=Counter)
    foreign: dict[str, float] = field(factory=dict)
    """Nonces of leases of somebody else, and when each expires."""
    down: set[str] = field(factory=set)
    lost: set[str] = field(factory=set)
    """Hosts that were down at any time: their machines are not leased."""

    async def carry_out(self, disturbance: Disturbance) -> None:
        await anyio.sleep(disturbance.at)
        self.emulator.advance()
        machines = sorted(living(self.emulator.world), key=lambda m: m.number)
        if not machines:
            return
        machine = self.rng.choice(machines)
        self.counts[disturbance.kind] += 1
        match disturbance.kind:
            case "foreign_lease":
                if machine.lease_at(self.emulator.clock.time()) is None:
                    self._lease(machine, disturbance.lasts)
            case "lease_stolen":
                if disturbance.lasts < 10:
                    machine.lease = None
                else:
                    self._lease(machine, disturbance.lasts)
            case "host_down":
                self.emulator.world.hosts[machine.host].status = "unreachable"
                self.down.add(machine.host)
                self.lost.add(machine.host)
            case "region_full":
                await self._fill(machine.region, disturbance.lasts)
            case "region_unlisted":
                await self._leave_out(machine.region, disturbance.lasts)

    def _lease(self, machine: MachineRecord, lasts: float) -> None:
        nonce = f"foreign{len(self.foreign)}"
        self.foreign[nonce] = expires = self.emulator.clock.time() + lasts
        machine.lease = LeaseRecord(nonce=nonce, owner="someone@example.com", expires_at=expires)

    async def _fill(self, region: str, lasts: float) -> None:
        hosts = [h for h in self.emulator.world.hosts.values() if h.region == region]
        try:
            for host in hosts:
                host.memory_mb = host.used_mb
            await anyio.sleep(lasts)
        finally:
            for host in hosts:
                host.memory_mb = self.emulator.settings.host_memory_mb

    async def _leave_out(self, region: str, lasts: float) -> None:
        unlisted = self.emulator.world.unlisted
        try:
            unlisted.add(region)
            await anyio.sleep(lasts)
        finally:
            unlisted.discard(region)

    def bring_back(self) -> None:
        """All hosts answer again."""
        for name in self.down:
            self.emulator.world.hosts[name].status = "ok"
        self.down.clear()
