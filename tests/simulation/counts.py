"""How many machines people want: a launch makes the first ones, all else they say themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from tests.simulation.certainty import uncertain
from tests.simulation.commands import Deploy, Destroy, Rollback, Scale
from tests.simulation.people import is_to_run
from tests.simulation.platform import group_of, living

if TYPE_CHECKING:
    from tests.simulation.people import Group
    from tests.simulation.simulate import Simulation


@define
class Counts:
    """How many machines each group of an app shall have."""

    wanted: dict[Group, int | None] = field(factory=dict)
    """Of groups that have machines which are to run; None: as many as there are."""
    in_doubt: bool = False
    """Whether a run since the last look was cut short."""

    def broken(self, simulation: Simulation, place: int, *, refused: bool) -> list[str]:
        """Notes the command in a place, which is done, and says which counts are not kept.

        One that was refused, as of an app that is not there, makes nothing of them.
        """
        command = simulation.scenario.commands[place]
        unknown = uncertain(simulation.scenario, place)
        if not refused:
            self._note(simulation, command)
        self._lose(simulation)
        found = []
        for (app, group), count in list(self.wanted.items()):
            world = simulation.emulator.world
            machines = [m for m in living(world, app) if group_of(m.config) == group]
            there = len(machines)
            if count is None or app in unknown:
                self.wanted[app, group] = None if app in unknown else there
            elif there != count:
                found.append(f"{app} has {there} machines of {group}, people want {count}")
            if not any(map(is_to_run, machines)):  # it begins anew
                del self.wanted[app, group]
        self.in_doubt = False
        return found

    def cut_short(self, simulation: Simulation, place: int) -> None:
        """Notes that a run of the command in a place did not come to its end.

        A deploy may have removed groups by then, of one app while another one failed.
        """
        self.in_doubt = True
        command = simulation.scenario.commands[place]
        if isinstance(command, Deploy):
            groups = {a.app: a.versions[command.stage].groups for a in simulation.scenario.apps}
            for app, group in self.wanted:
                if group not in groups[app]:
                    self.wanted[app, group] = None

    def _note(self, simulation: Simulation, command: object) -> None:
        """What the command makes of it."""
        scenario = simulation.scenario
        match command:
            case Scale():
                for group, count in command.counts:
                    self.wanted[command.app, group] = None if command.regions else count
            case Rollback():  # groups that began since go, those that left come back
                self.wanted = {
                    g: None if g[0] == command.app else n for g, n in self.wanted.items()
                }
            case Destroy():
                self.wanted = {g: n for g, n in self.wanted.items() if g[0] not in command.apps}
            case Deploy():
                groups = {a.app: a.versions[command.stage].groups for a in scenario.apps}
                self.wanted = {g: n for g, n in self.wanted.items() if g[1] in groups[g[0]]}
                for app in scenario.apps:
                    for group in groups[app.app]:
                        mounts = app.kind == "toml" and group == app.volume
                        pair = scenario.options.ha and not mounts
                        self.wanted.setdefault((app.app, group), 2 if pair else 1)

    def _lose(self, simulation: Simulation) -> None:
        """What somebody destroyed meanwhile; of what was to be replaced, nobody can say."""
        people = simulation.people
        for group, alone in people.destroyed:
            count = self.wanted.get(group)
            if group in self.wanted:
                self.wanted[group] = (
                    None if count is None or alone or self.in_doubt else max(0, count - 1)
                )
        people.destroyed.clear()
