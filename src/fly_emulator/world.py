"""The world of the emulated platform: its records, ids, hosts and the steps that lie ahead.

Pure: time comes in as `now`, chance from a seed. Nothing here runs by itself; `lifecycle.advance`
brings the world to a point in time.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, deque
from collections.abc import Iterator

from attrs import define, field, fields_dict

from fly_emulator.images import Registries, image_of
from fly_emulator.process import ProcessModel, marked_process
from fly_emulator.records import (
    App,
    ClusterRecord,
    EventRecord,
    Host,
    Json,
    MachineRecord,
    Step,
    TokenRecord,
    Version,
    Visit,
    VolumeRecord,
)
from fly_emulator.settings import EmulatorSettings
from fly_emulator.wire import Refusal

_BASE32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_WORDS = (
    ("autumn", "bold", "broken", "cold", "dark", "green", "quiet", "red", "small", "young"),
    ("bird", "cloud", "fire", "frost", "leaf", "moon", "river", "sun", "tree", "wind"),
)
_KEPT_EVENTS = 50
_KEPT_VISITS = 16


@define(kw_only=True)
class Kept:
    """What a world is made of, and a file of one holds."""

    sequence: int = 0
    """Number of the last thing created; orders everything."""
    ahead: float = 0.0
    """Seconds that its time was advanced beyond the clock's."""
    apps: dict[str, App] = field(factory=dict)
    """By name."""
    machines: dict[str, MachineRecord] = field(factory=dict)
    """By id; destroyed ones too, while they can still be read."""
    volumes: dict[str, VolumeRecord] = field(factory=dict)
    """By id; deleted ones too."""
    hosts: dict[str, Host] = field(factory=dict)
    """By id, region by region."""
    tokens: list[TokenRecord] = field(factory=list)
    """Tokens that were made here; those in the settings are not among them."""
    clusters: dict[str, ClusterRecord] = field(factory=dict)
    """Clusters of Managed Postgres."""
    unlisted: set[str] = field(factory=set)
    """Regions that do not answer when machines are listed, as for a while in an incident of 2026:
    the list then lacks theirs."""
    registries: Registries = field(factory=Registries)
    """Which images the tags of all registries mean just now."""


KEPT = tuple(fields_dict(Kept))


@define(kw_only=True)
class World(Kept):
    """Everything that exists on one emulated platform."""

    settings: EmulatorSettings = field(factory=EmulatorSettings)
    """How the platform behaves."""
    model: ProcessModel = marked_process
    """How the processes of its machines behave."""
    next_look: float | None = None
    """When the proxy looks next for machines that nobody needs; None: it does not."""
    visited: set[str] = field(factory=set)
    """Ids of the machines that the proxy sent requests to since it looked."""
    printed: dict[str, deque[tuple[float, str]]] = field(factory=dict, repr=False)
    """The lines that processes of machines wrote, by machine; no file keeps them."""
    giving_up: bool = False
    """Whether every update comes to nothing, so that versions before stay, and say `revert`."""
    pushed: dict[tuple[str, str], tuple[str, bytes]] = field(factory=dict, repr=False)
    """Media type and bytes of what was pushed, by repository and digest; no file keeps it."""
    uploads: dict[str, bytes] = field(factory=dict, repr=False)
    """What is being pushed."""
    changed: set[str] = field(factory=set)
    """Ids of machines that changed, or may have, since someone looked."""
    rng: random.Random = field(factory=random.Random, repr=False)
    """Chance, from the seed of the settings and the sequence: the same calls, the same ids."""
    _due: list[tuple[float, int, str]] = field(factory=list, repr=False)
    _on_host: Counter[tuple[str, str]] = field(factory=Counter, repr=False)
    """How many machines an app has on a host, by both names."""
    _named: dict[tuple[str, str], str] = field(factory=dict, repr=False)
    """The newest machine of each name in an app, by both names."""

    def __attrs_post_init__(self) -> None:
        self.rng = random.Random(f"{self.settings.seed}:{self.sequence}")  # noqa: S311 - a simulation
        if not self.hosts:
            self._build_hosts()
        for machine in self.machines.values():
            self._count(machine)
            if machine.pending is not None:
                heapq.heappush(self._due, (machine.pending.at, machine.pending.ticket, machine.id))

    def become(self, other: World) -> None:
        """Be that world from now on, for all who hold this one."""
        self.changed = {*self.changed, *self.machines, *other.machines}
        for name in KEPT:
            setattr(self, name, getattr(other, name))
        self.rng, self._due = other.rng, other._due
        self._on_host, self._named = other._on_host, other._named

    def _build_hosts(self) -> None:
        for region in self.settings.regions:
            count = self.settings.region_hosts.get(region.code, self.settings.hosts_per_region)
            for index in range(count):
                host = Host(
                    id=f"{region.code}-{index:02d}",
                    region=region.code,
                    zone=f"{self.rng.getrandbits(16):04x}",
                    memory_mb=self.settings.host_memory_mb,
                )
                self.hosts[host.id] = host

    # --- names and numbers

    def number(self) -> int:
        """The next number in the order of creation."""
        self.sequence += 1
        return self.sequence

    def letters(self, count: int) -> str:
        """A random text of lower-case letters and digits."""
        return "".join(self.rng.choices("0123456789abcdefghijklmnopqrstuvwxyz", k=count))

    def hexadecimal(self, count: int) -> str:
        """A random text of hexadecimal digits, as ids of machines are."""
        return f"{self.rng.getrandbits(4 * count):0{count}x}"

    def ulid(self, now: float) -> str:
        """A sortable id of 26 characters."""
        value = (int(now * 1000) << 80) | (self.number() << 40) | self.rng.getrandbits(40)
        return "".join(_BASE32[(value >> (5 * place)) & 31] for place in range(25, -1, -1))

    def version(self, config: Json, now: float) -> Version:
        """A new version of a machine; what the name of its image means is looked up once."""
        image = self.registries.reference(image_of(config))
        return Version(instance_id=self.ulid(now), config=config, created_at=now, image=image)

    def machine_name(self) -> str:
        """A name for a machine whose creator gave none; no two are equal."""
        first, second = (self.rng.choice(words) for words in _WORDS)
        return f"{first}-{second}-{self.number()}"

    # --- records

    def machines_of(self, app: App) -> Iterator[MachineRecord]:
        """The machines of an app in the order of their creation, destroyed ones included."""
        return (self.machines[name] for name in app.machines)

    def living_machines(self, app: App) -> Iterator[MachineRecord]:
        """Those that are not destroyed."""
        return (machine for machine in self.machines_of(app) if not machine.destroyed)

    def volumes_of(self, app: App) -> Iterator[VolumeRecord]:
        """The volumes of an app, deleted ones included."""
        return (self.volumes[name] for name in app.volumes)

    def living_volumes(self, app: App) -> Iterator[VolumeRecord]:
        """Those that are not deleted."""
        return (volume for volume in self.volumes_of(app) if volume.deleted_at is None)

    def add_machine(self, app: App, machine: MachineRecord) -> None:
        """Let a new machine be there, and take room on its host."""
        self.machines[machine.id] = machine
        app.machines.append(machine.id)
        app.deployed = True
        self._count(machine)

    def _count(self, machine: MachineRecord) -> None:
        self._named[machine.app, machine.name] = machine.id
        if not machine.destroyed:
            self._on_host[machine.app, machine.host] += 1

    def move_machine(self, machine: MachineRecord, host: Host) -> None:
        """Let a machine be on another host."""
        self._on_host[machine.app, machine.host] -= 1
        machine.host = host.id
        self._on_host[machine.app, machine.host] += 1

    def named(self, app: App, name: str) -> MachineRecord | None:
        """The machine of that name, while it is not on its way out."""
        machine = self.machines.get(self._named.get((app.name, name), ""))
        gone = machine is None or machine.state in {"destroying", "destroyed"}
        return None if gone else machine

    def forget_machine(self, machine: MachineRecord) -> None:
        """Take a machine out of the world, with what it printed: reads answer 404 from now on."""
        known = self.machines.pop(machine.id, None)
        if known is not None and not machine.destroyed:
            self._on_host[machine.app, machine.host] -= 1
        if self._named.get((machine.app, machine.name)) == machine.id:
            del self._named[machine.app, machine.name]
        self.printed.pop(machine.id, None)
        app = self.apps.get(machine.app)
        if app is not None and machine.id in app.machines:
            app.machines.remove(machine.id)
        self.changed.add(machine.id)

    # --- what happens by itself

    def schedule(self, machine: MachineRecord, step: str, at: float) -> None:
        """Let a step happen to a machine at a time, instead of whatever was to happen before."""
        machine.pending = Step(name=step, at=at, ticket=self.number())
        heapq.heappush(self._due, (at, machine.pending.ticket, machine.id))

    def next_due(self) -> float | None:
        """When something happens next by itself; None: nothing will."""
        times = [self._due[0][0]] if self._due else []
        return min([*times, *([] if self.next_look is None else [self.next_look])], default=None)

    def next_step(self, now: float) -> tuple[MachineRecord, Step] | None:
        """Take the earliest step that is due."""
        while self._due and self._due[0][0] <= now:
            _, ticket, name = heapq.heappop(self._due)
            machine = self.machines.get(name)
            if machine is not None and machine.pending and machine.pending.ticket == ticket:
                step, machine.pending = machine.pending, None
                return machine, step
        return None

    def enter(
        self,
        machine: MachineRecord,
        state: str,
        at: float,
        *,
        event: str | None = None,
        by: str = "user",
    ) -> None:
        """Put a machine into a state, with an event that says so and by whom, if one is named."""
        if event is not None:
            self.record_event(machine, event, state, by, at)
        if state == "destroyed" and not machine.destroyed:
            self._on_host[machine.app, machine.host] -= 1
        machine.state = state
        machine.updated_at = at
        latest = machine.events[-1].id if machine.events else ""
        machine.visits.append(
            Visit(state=state, at=at, instance_id=machine.instance_id, event_id=latest)
        )
        del machine.visits[:-_KEPT_VISITS]
        self.changed.add(machine.id)

    def record_event(  # noqa: PLR0917 - the words of an event in their usual order
        self,
        machine: MachineRecord,
        kind: str,
        status: str,
        source: str,
        at: float,
        request: dict[str, object] | None = None,
    ) -> None:
        """Note an event of a machine, as its document shows it; the latest 50 are kept."""
        machine.events.append(
            EventRecord(
                id=self.ulid(at), type=kind, status=status, source=source, at=at, request=request
            )
        )
        del machine.events[:-_KEPT_EVENTS]
        machine.updated_at = at
        self.changed.add(machine.id)

    # --- room

    def host_of(self, machine: MachineRecord) -> Host:
        """The host that a machine is on."""
        return self.hosts[machine.host]

    def free_hosts(self, regions: tuple[str, ...], memory_mb: int) -> list[Host]:
        """Hosts with room, in the order of the regions."""
        return [
            host
            for region in regions
            for host in self.hosts.values()
            if host.region == region
            and host.status == "ok"
            and host.memory_mb - host.used_mb >= memory_mb
        ]

    def no_room(self, status: int, text: str, code: str | None = None) -> Refusal:
        """The answer to a call for which there is no room."""
        settings = self.settings
        if settings.capacity_text is not None:
            status, text = settings.capacity_status, settings.capacity_text
            code = settings.capacity_code
        return Refusal(status, text, code=code, plain=settings.capacity_plain)

    def place(self, app: App, regions: tuple[str, ...], memory_mb: int, seen: int) -> Host:
        """The host for a new machine: the first region with room, the host least used by the app.

        `seen` is the number up to which the placement knows of other machines: machines whose
        creation is still under way at the same time are not known, so they can land together.

        Raises Refusal: no host has room.
        """
        free = self.free_hosts(regions, memory_mb)
        if not free:
            text = "aborted: insufficient CPUs available to fulfill request"
            raise self.no_room(self.settings.capacity_status, text)
        use = Counter({host.id: self._on_host[app.name, host.id] for host in free})
        for name in reversed(app.machines):
            machine = self.machines[name]
            if machine.number <= seen:
                break
            if not machine.destroyed:
                use[machine.host] -= 1
        region = free[0].region
        return min(
            (host for host in free if host.region == region),
            key=lambda host: (use[host.id], host.id),
        )
