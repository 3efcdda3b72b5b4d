"""Watches how many machines of each group serve, against what the strategy promises."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection

from attrs import define, field

from fly_emulator import Emulator, World
from fly_emulator.records import MachineRecord
from tests.simulation.commands import Command, Deploy, Destroy, Rollback, Scale, touches
from tests.simulation.inputs import SimApp
from tests.simulation.platform import WatchedWorld, group_of, healthy, living
from tests.simulation.scenario import Scenario

Key = tuple[str, str]


@define
class CapacityWatch:
    """From the begin of a run to its end, at every change in the world."""

    scenario: Scenario
    emulator: Emulator
    least: dict[Key, int]
    promised: dict[Key, int]
    now: dict[Key, int] = field(factory=dict)

    @classmethod
    def begin(
        cls, scenario: Scenario, emulator: Emulator, command: Command, stage: int
    ) -> CapacityWatch:
        """What is there now must not be taken away further than promised."""
        emulator.advance()
        watch = cls(scenario, emulator, {}, {})
        if scenario.calm:
            wanted = {
                (a.app, group) for a in scenario.apps for group in _lasting(a, command, stage)
            }
            watch.promised = {
                key: promised
                for key, promised in _promises(scenario, emulator, command).items()
                if key in wanted
            }
        watch.least = dict(watch.promised)
        world = emulator.world
        assert isinstance(world, WatchedWorld)
        world.on_enter = watch.look
        watch.look(emulator.clock.time())
        return watch

    def look(self, at: float) -> None:
        if not self.promised:
            return
        serving = count_serving(self.scenario, self.emulator, at)
        for key in self.promised:
            self.least[key] = min(self.least[key], serving[key])

    def end(self) -> None:
        world = self.emulator.world
        assert isinstance(world, WatchedWorld)
        self.emulator.advance()
        world.on_enter = lambda _at: None

    def broken(self) -> list[str]:
        return [
            f"app {app}: only {self.least[app, group]} machines of group {group} served, "
            f"{promised} were promised"
            for (app, group), promised in self.promised.items()
            if self.least[app, group] < promised
        ]


def _lasting(app: SimApp, command: Command, stage: int) -> Collection[str]:
    """The groups that the command does not take away: going back ends those that began since."""
    if not isinstance(command, Rollback):
        return app.versions[stage].groups
    earlier = (set(version.groups) for version in app.versions[: stage + 1])
    return set.intersection(*earlier)


def count_serving(scenario: Scenario, emulator: Emulator, at: float) -> Counter[Key]:
    """Machines in routing that are well as far as anybody can tell, by app and group."""
    checked = {app.app: app.checked for app in scenario.apps}
    return Counter(
        (m.app, group_of(m.config))
        for m in living(emulator.world)
        if (healthy(m, at) if checked[m.app] else m.state == "started")
        and not m.cordoned
        and not _canary(m)
    )


def _canary(machine: MachineRecord) -> bool:
    return (machine.config.get("metadata") or {}).get("fly_canary") == "true"


def _serves(machine: MachineRecord) -> bool:
    """Whether it is meant to serve."""
    return machine.launch and not _canary(machine) and not machine.config.get("standbys")


def _stays(machine: MachineRecord, world: World) -> bool:
    """Whether it is no leftover of an interrupted bluegreen update."""
    metadata = machine.config.get("metadata") or {}
    blue = world.machines.get(metadata.get("score_flyio_stands_for", "").partition(".")[0])
    if blue is None or blue.state in {"destroying", "destroyed"}:
        return not _marked(machine)
    return not _marked(machine) and _marked(blue)


def _marked(machine: MachineRecord) -> bool:
    tag = (machine.config.get("metadata") or {}).get("fly_bluegreen_deployment_tag")
    return bool(tag == "safe_to_destroy")


def _promises(scenario: Scenario, emulator: Emulator, command: Command) -> dict[Key, int]:
    serving = count_serving(scenario, emulator, emulator.clock.time())
    machines = list(living(emulator.world))
    bluegreen = scenario.options.strategy == "bluegreen"
    members = Counter(
        (m.app, group_of(m.config))
        for m in machines
        if _serves(m) and (not bluegreen or _stays(m, emulator.world))
    )
    if isinstance(command, Deploy) and bluegreen:
        return {key: min(count, members[key]) for key, count in serving.items()}
    every = Counter((m.app, group_of(m.config)) for m in machines)
    return {
        key: min(
            serving[key], max(0, _kept(scenario, command, key, size, others=every[key] - size))
        )
        for key, size in members.items()
    }


def _kept(scenario: Scenario, command: Command, key: Key, size: int, *, others: int) -> int:
    """How many of `size` machines of a group a command leaves alone at any time.

    `scale` counts the `others` too, such as standbys: they may be among those that stay, for which
    ones go is chosen within each region.
    """
    app, group = key
    if not touches(command, app):
        return size
    if isinstance(command, Destroy):
        return 0
    kept = size
    if isinstance(command, Scale):
        counts = dict(command.counts)
        kept = min(size, counts[group] - others) if group in counts else size
        if command.size is None or (counts and group not in counts):
            return kept
    if scenario.options.strategy == "immediate":
        return 0
    if scenario.options.strategy == "bluegreen":
        return kept
    share = scenario.options.max_unavailable or 0.33
    return kept - (int(share) if share >= 1 else max(1, math.ceil(size * share)))
