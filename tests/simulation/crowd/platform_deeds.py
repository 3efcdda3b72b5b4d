"""What the platform itself does: hosts that are lost, machines that move, updates that revert."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy

import anyio
from attrs import define, evolve, field

from fly_emulator import Emulator, lifecycle
from fly_emulator.guests import memory_of
from fly_emulator.records import Host, MachineRecord
from tests.simulation.crowd.apps import APP
from tests.simulation.crowd.others import Known
from tests.simulation.crowd.schedule import Platform
from tests.simulation.platform import living

LEFT = 2
"""Hosts of a region that are never lost for good: nothing could be deployed without any."""


@define(eq=False)
class Events:
    """What befalls the platform."""

    emulator: Emulator
    known: Known
    rng: random.Random
    down: set[str] = field(factory=set)
    """Hosts that do not answer now."""
    doomed: set[str] = field(factory=set)
    """Of these, those that never will again."""

    async def happen(self, deed: Platform) -> None:
        """One of them, for as long as it lasts."""
        self.emulator.advance()
        machines = sorted(living(self.emulator.world, APP), key=lambda m: m.number)
        if not machines:
            return
        machine = self.rng.choice(machines)
        match deed.does:
            case "host_unreachable" | "host_unknown" | "host_gone":
                self._host_lost(machine.host, deed.does)
            case "migrates":
                self._migrate(machine)
            case "loses_machine":
                self._lose(machine)
            case _:
                with self._going_on(deed.does, machine.region):
                    await anyio.sleep(deed.lasts)

    def _host_lost(self, host: str, how: str) -> None:
        with self.emulator.changing() as world:
            lifecycle.host_failed(world, host, self.emulator.now())
            if how == "host_unknown":
                world.hosts[host].status = "unknown"
        self.down.add(host)
        self.known.hosts.add(host)
        there = {one.id for one in self._hosts(world.hosts[host].region)}
        if how == "host_gone" and len(there - self.doomed) > LEFT:
            self.doomed.add(host)

    def _lose(self, machine: MachineRecord) -> None:
        if machine.config.get("mounts"):
            return
        with self.emulator.changing() as world:
            lifecycle.destroy(world, machine, self.emulator.now())
        self.known.lost.add(machine.id)

    def _migrate(self, machine: MachineRecord) -> None:
        """It goes on elsewhere, with a copy of its volume, which has another id."""
        with self.emulator.changing() as world:
            now = self.emulator.now()
            app, memory = world.apps[APP], memory_of(machine.config)
            if machine.lease_at(now) is not None or machine.state not in {"started", "stopped"}:
                return
            hosts = [h for h in world.free_hosts((machine.region,), memory) if h.id != machine.host]
            if not hosts:
                return
            config, host = deepcopy(machine.config), self.rng.choice(hosts)
            for mount in config.get("mounts") or []:
                old = world.volumes[mount["volume"]]
                copy = evolve(
                    old,
                    id=f"vol_{world.letters(16)}",
                    host=host.id,
                    zone=host.zone,
                    snapshots=[],
                )
                old.deleted_at, old.attached_machine_id = now, None
                world.volumes[copy.id] = copy
                app.volumes.append(copy.id)
                mount["volume"] = copy.id
                self.known.migrated[old.id] = copy.id
            world.hosts[machine.host].used_mb -= memory
            world.move_machine(machine, host)
            host.used_mb += memory
            lifecycle.replace(world, machine, config, now, launch=machine.state == "started")
            self.known.touched[machine.id] = now

    @contextmanager
    def _going_on(self, what: str, region: str) -> Iterator[None]:
        world = self.emulator.world
        match what:
            case "reverts":
                world.giving_up = True
            case "region_unlisted":
                world.unlisted.add(region)
            case "nothing_listed":
                world.unlisted |= {one.code for one in world.settings.regions}
            case _:
                for host in self._hosts(region):
                    host.memory_mb = host.used_mb
        yield
        match what:
            case "reverts":
                world.giving_up = False
            case "region_unlisted" | "nothing_listed":
                world.unlisted.clear()
            case _:
                for host in self._hosts(region):
                    host.memory_mb = world.settings.host_memory_mb

    def _hosts(self, region: str) -> list[Host]:
        return [host for host in self.emulator.world.hosts.values() if host.region == region]

    def bring_back(self) -> None:
        """Hosts answer again, but for those that are gone with all that was on them."""
        with self.emulator.changing() as world:
            now = self.emulator.now()
            for name in self.down - self.doomed:
                lifecycle.host_recovered(world, name)
            for machine in [m for m in living(world) if m.host in self.doomed]:
                lifecycle.destroy(world, machine, now)
                self.known.lost.add(machine.id)
            for volume in world.volumes.values():
                if volume.host in self.doomed and volume.deleted_at is None:
                    volume.deleted_at, volume.attached_machine_id = now, None
                    self.known.lost.add(volume.id)
        self.down -= self.down - self.doomed
