"""Other people at work on the same apps: what they do, and what must come of it."""

from __future__ import annotations

import random
from collections import Counter
from copy import deepcopy
from typing import TypeAlias

import anyio
from attrs import define, evolve, field

from fly_emulator import Emulator, lifecycle
from fly_emulator.guests import memory_of
from fly_emulator.records import MachineRecord, SecretRecord
from tests.simulation.commands import Command, Destroy, Rollback, Scale, touches
from tests.simulation.platform import group_of, living
from tests.simulation.scenario import Disturbance

THEIR_SECRET = "THEIRS"
"""A secret that no app of the project has."""
MEMORY = (512, 1024, 2048)
Group: TypeAlias = tuple[str, str]


@define(kw_only=True)
class People:
    """They take no machine that somebody holds; what they did is acknowledged."""

    emulator: Emulator
    rng: random.Random
    stopped: set[str] = field(factory=set)
    """Machines that they stopped."""
    resized: dict[str, float] = field(factory=dict)
    """When they gave a machine another size, so that it started anew."""
    counts: Counter[str] = field(factory=Counter)
    sizes: dict[Group, int] = field(factory=dict)
    """Memory that they gave to all machines of a group."""
    given: dict[Group, int] = field(factory=dict)
    """The same in the present run."""
    emptied: set[str] = field(factory=set)
    """Apps of which they destroyed a whole group: it begins anew, with its first machines."""

    destroyed: list[tuple[Group, bool]] = field(factory=list)
    """Groups of which they destroyed a machine since counts were looked at; whether it was the
    last one that was to run."""

    async def carry_out(self, deed: Disturbance) -> None:
        """What they do at its time, if they can."""
        await anyio.sleep(deed.at)
        self.emulator.advance()
        machines = sorted(living(self.emulator.world), key=lambda m: m.number)
        if machines and self._do(deed.kind, self.rng.choice(machines)):
            self.counts[f"somebody {deed.kind}"] += 1

    def _do(self, deed: str, machine: MachineRecord) -> bool:
        """Whether it was possible."""
        now = self.emulator.clock.time()
        if deed == "stages_secret":
            self._stage(machine.app, now)
            return True
        held = machine.lease_at(now) is not None or machine.config.get("standbys")
        if held or machine.state != "started":
            return False
        match deed:
            case "stops":
                lifecycle.stop(self.emulator.world, machine, now)
                self.stopped.add(machine.id)
            case "destroys":
                lifecycle.destroy(self.emulator.world, machine, now)
                group = machine.app, group_of(machine.config)
                left = self.members(group)
                alone = not any(is_to_run(m) for m in left)
                self.destroyed.append((group, alone))
                if alone:  # it begins anew, with the size that its file says
                    self.sizes.pop(group, None)
                    self.given.pop(group, None)
                if not left:
                    self.emptied.add(machine.app)
            case _:
                return self._resize((machine.app, group_of(machine.config)), now)
        return True

    def _stage(self, app: str, now: float) -> None:
        found = self.emulator.world.apps[app]
        value = str(self.rng.random())
        before = found.secrets.get(THEIR_SECRET)
        made = SecretRecord(
            name=THEIR_SECRET, value=value, digest=value, created_at=now, updated_at=now
        )
        found.secrets[THEIR_SECRET] = evolve(before, value=value, digest=value) if before else made
        found.secrets_version += 1
        found.secrets_changed_at = now

    def _resize(self, group: Group, now: float) -> bool:
        world, memory = self.emulator.world, self.rng.choice(MEMORY)
        machines = self.members(group)
        if any(m.lease_at(now) is not None or m.state != "started" for m in machines):
            return False
        for machine in machines:
            config = deepcopy(machine.config)
            config["guest"] = {**(config.get("guest") or {}), "memory_mb": memory}
            world.host_of(machine).used_mb += memory - memory_of(machine.config)
            lifecycle.replace(world, machine, config, now, launch=True)
            self.resized[machine.id] = now
        self.given[group] = memory
        return True

    def members(self, group: Group) -> list[MachineRecord]:
        """The machines of a group."""
        world = self.emulator.world
        return [m for m in living(world, group[0]) if group_of(m.config) == group[1]]

    def before(self, command: Command) -> Before:
        """What stands when a run begins; what the command itself changes is left out.

        A size that they gave during the run before stands if that run did not undo it: it may have
        planned before, or be about sizes.
        """
        self.emulator.advance()
        world = self.emulator.world
        for group, size in self.given.items():
            self.sizes.pop(group, None)
            if all(memory_of(m.config) == size for m in self.members(group)):
                self.sizes[group] = size
        self.given.clear()
        there = {(m.app, group_of(m.config)) for m in living(world)}
        self.sizes = {
            group: size
            for group, size in self.sizes.items()
            if group in there and not _changes_sizes(command, group[0])
        }
        at_rest = Counter(
            (machine.app, group_of(machine.config))
            for machine in living(world)
            if machine.id in self.stopped and machine.state == "stopped"
        )
        return Before(people=self, at_rest=at_rest)


def is_to_run(machine: MachineRecord) -> bool:
    """Whether it is no standby."""
    return not machine.config.get("standbys")


def _changes_sizes(command: Command, app: str) -> bool:
    """Whether it changes sizes, or takes the machines away."""
    match command:
        case Scale():
            return command.app == app and command.size is not None
        case Rollback() | Destroy():
            return touches(command, app)
        case _:
            return False


@define(kw_only=True)
class Before:
    """What people wanted, as it was when a run began."""

    people: People
    at_rest: Counter[Group]
    """How many machines of a group they had stopped."""

    def undone(self) -> list[str]:
        """What a deploy that went well, and during which they did nothing, took back."""
        found = []
        for (app, group), count in self.at_rest.items():
            members = self.people.members((app, group))
            if members and sum(m.state != "started" for m in members) < count:
                found.append(f"machines of {app} ({group}) run that people stopped")
        for (app, group), memory in self.people.sizes.items():
            found += [
                f"machine {m.id} of {app} has {memory_of(m.config)} MB, people gave it {memory}"
                for m in self.people.members((app, group))
                if memory_of(m.config) != memory
            ]
        return found
