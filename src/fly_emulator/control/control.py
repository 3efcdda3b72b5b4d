"""Control over an emulator: what an experiment does to its platform."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice, takewhile
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

import anyio
from attrs import frozen

from fly_emulator import lifecycle, world_file
from fly_emulator.control.given import wrong
from fly_emulator.control.overview import KEPT_SAMPLES, SAMPLE_EVERY, Sample, overview, sample
from fly_emulator.faults import ActiveFault, Faults, parse_faults
from fly_emulator.journal import JournalEntry
from fly_emulator.limits import RateLimiter
from fly_emulator.records import Host, Json
from fly_emulator.world import World
from score_flyio.base.misspelt import did_you_mean, nearest
from score_flyio.errors import ConfigError

if TYPE_CHECKING:
    from fly_emulator.core import Emulator

IncidentKind: TypeAlias = Literal["host_lost", "region_unlisted"]
MOST_SECONDS: Final = 31 * 86_400.0
"""How far time can be advanced at once."""
MOST_MEMORY: Final = 1 << 40


@frozen
class Incident:
    """Something that is wrong with the platform until it is ended."""

    kind: IncidentKind
    """`host_lost`: a host does not answer, with its machines and volumes. `region_unlisted`: lists
    of machines lack those of a region, which serve on."""
    name: str
    """The host or the region."""

    @property
    def id(self) -> str:
        """What it is ended by."""
        return f"{self.kind}:{self.name}"


class NotThere(ConfigError):
    """Nothing has that name or id."""

    code = "not_there"


class Control:
    """The functions of one emulator: `emulator.control`.

    What cannot be done raises `ConfigError` with the place, the value and a hint; a name or id of
    what is not there, `NotThere`.
    """

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.history: deque[Sample] = deque(maxlen=KEPT_SAMPLES)
        """Which machines served, while the emulator is served."""
        self._faults_at_start = (emulator.faults.rules, emulator.faults.seed)

    def reset(self) -> None:
        """As it was at its start: empty, all at rest, its own time, and the faults of the start."""
        emulator = self._emulator
        with emulator.changing() as world:
            world.become(World(settings=world.settings, model=world.model))
        emulator.faults = Faults(*self._faults_at_start)
        emulator.limiter = RateLimiter()
        emulator.journal.entries.clear()
        self.history.clear()

    def overview(self) -> Json:
        """What the status page shows."""
        return overview(self._emulator, self.history)

    async def watch(self) -> None:
        """Sample which machines serve, until cancelled."""
        while True:
            self.history.append(sample(self._emulator.world, self._emulator.advance()))
            await anyio.sleep(SAMPLE_EVERY)

    def snapshot(self) -> Json:
        """Everything that exists, as a document for `restore`. It holds the values of secrets."""
        with self._emulator.changing() as world:
            return world_file.dump(world)

    def restore(self, document: Json) -> None:
        """Put the world of a snapshot in the place of the present one."""
        emulator = self._emulator
        version = document.get("format")
        if version != world_file.FORMAT:
            told = f"{version!r} is not {world_file.FORMAT}"
            raise wrong("format", told, "give a whole snapshot")
        try:
            found = world_file.restore(document, emulator.settings, emulator.world.model)
        except ValueError as error:
            hint = "give a snapshot as it was taken"
            raise wrong("", f"not a world of the emulator: {error}", hint) from error
        with emulator.changing() as world:
            world.become(found)

    def advance(self, seconds: float) -> float:
        """Let time pass at once, with all that happens in it; gives the new time."""
        if not 0 <= seconds <= MOST_SECONDS:
            hint = f"give 0 to {MOST_SECONDS:.0f} (31 days), as often as you like"
            raise wrong("advance", f"{seconds:g} seconds cannot pass at once", hint)
        with self._emulator.changing() as world:
            world.ahead += seconds
        return self._emulator.now()

    @property
    def faults(self) -> Sequence[ActiveFault]:
        """The rules that hold, with how often they struck."""
        return tuple(self._emulator.faults.active)

    def add_faults(self, rules: str) -> tuple[ActiveFault, ...]:
        """Add the rules of a specification, see `faults`; all that are wrong are told."""
        faults = self._emulator.faults
        parsed = parse_faults(rules, faults.seed)
        if not parsed.rules:
            raise wrong("rules", f"{rules!r} has no rule", "such as 'changes: 503 times=1'")
        if parsed.seed != faults.seed:
            faults.seed, faults.rng = parsed.seed, parsed.rng
        return tuple(faults.add(rule) for rule in parsed.rules)

    def remove_fault(self, number: int) -> None:
        """End one rule. Raises NotThere."""
        if not self._emulator.faults.remove(number):
            known = ", ".join(str(one.id) for one in self.faults) or "none"
            raise NotThere(f"there is no fault {number}", hint=f"there are: {known}")

    def clear_faults(self) -> None:
        """End all rules."""
        self._emulator.faults.clear()

    @property
    def hosts(self) -> Sequence[Host]:
        """The hosts with their memory, region by region."""
        return tuple(self._emulator.world.hosts.values())

    def set_host_memory(self, host: str, memory_mb: int) -> None:
        """Let a host have so much memory for machines; those that are there stay."""
        self._check_host(host)
        self._set_memory([host], memory_mb)

    def set_region_memory(self, region: str, memory_mb: int) -> None:
        """Let each host of a region have so much memory; with 0 the region is full."""
        self._check_region(region)
        self._set_memory([one.id for one in self.hosts if one.region == region], memory_mb)

    def _set_memory(self, hosts: Iterable[str], memory_mb: int) -> None:
        if not 0 <= memory_mb <= MOST_MEMORY:
            hint = f"give MiB, from 0 to {MOST_MEMORY}"
            raise wrong("memory_mb", f"{memory_mb} is no size of a host", hint)
        with self._emulator.changing() as world:
            for name in hosts:
                world.hosts[name].memory_mb = memory_mb

    @property
    def incidents(self) -> Sequence[Incident]:
        """What is wrong now."""
        world = self._emulator.world
        lost = [Incident("host_lost", one.id) for one in self.hosts if one.status != "ok"]
        return (*lost, *(Incident("region_unlisted", code) for code in sorted(world.unlisted)))

    def begin_incident(self, kind: str, name: str) -> Incident:
        """Let something go wrong with a host or a region, see `Incident`."""
        incident = self._incident(kind, name)
        with self._emulator.changing() as world:
            if incident.kind == "host_lost":
                lifecycle.host_failed(world, name, self._emulator.now())
            else:
                world.unlisted.add(name)
        return incident

    def end_incident(self, kind: str, name: str) -> None:
        """Let it be well again. Raises NotThere: it is not going on."""
        incident = self._incident(kind, name)
        if incident not in self.incidents:
            known = ", ".join(one.id for one in self.incidents) or "none"
            raise NotThere(f"incident {incident.id} is not going on", hint=f"there are: {known}")
        with self._emulator.changing() as world:
            if incident.kind == "host_lost":
                lifecycle.host_recovered(world, name)
            else:
                world.unlisted.discard(name)

    def end_incidents(self) -> None:
        """Let all be well again."""
        for incident in self.incidents:
            self.end_incident(incident.kind, incident.name)

    def _incident(self, kind: str, name: str) -> Incident:
        if kind == "host_lost":
            self._check_host(name)
            return Incident("host_lost", name)
        if kind == "region_unlisted":
            self._check_region(name)
            return Incident("region_unlisted", name)
        kinds = " or ".join(get_args(IncidentKind))
        raise wrong("kind", f"there is no incident {kind!r}", f"use {kinds}")

    def journal(
        self,
        *,
        after: int = 0,
        limit: int | None = None,
        app: str | None = None,
        machine: str | None = None,
        operation: str | None = None,
        status: int | None = None,
    ) -> list[JournalEntry]:
        """The latest requests that fit, in order: those after a number, of one app and so on."""
        wanted = {"app": app, "machine": machine, "operation": operation, "status": status}
        filters = [(name, value) for name, value in wanted.items() if value is not None]
        new = takewhile(lambda entry: entry.seq > after, reversed(self._emulator.journal.entries))
        found = (one for one in new if all(getattr(one, name) == value for name, value in filters))
        return [*islice(found, limit)][::-1]

    def forget_journal(self) -> None:
        """Forget the requests that were made; a file keeps them."""
        self._emulator.journal.entries.clear()

    def _check_host(self, name: str) -> None:
        _check("host", name, [one.id for one in self.hosts])

    def _check_region(self, code: str) -> None:
        _check("region", code, [region.code for region in self._emulator.settings.regions])


def _check(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        hint = did_you_mean(nearest(name, known)) or f"there are {', '.join(known[:40])}"
        raise NotThere(f"there is no {what} {name!r}", hint=hint)
