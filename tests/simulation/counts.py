"""What `scale` was told: later deploys must leave it so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import define, field

from tests.simulation.certainty import uncertain
from tests.simulation.commands import Destroy, Scale
from tests.simulation.platform import group_of, living

if TYPE_CHECKING:
    from tests.simulation.simulate import Simulation


@define
class Counts:
    """How many machines each group of an app shall have; none after it was scaled to 0."""

    asked: dict[tuple[str, str], int] = field(factory=dict)

    def broken(self, simulation: Simulation, place: int) -> list[str]:
        """Notes the command in a place, which is done, and says which counts are not kept."""
        command, stage = simulation.scenario.commands[place], simulation.stage
        if isinstance(command, Scale):
            for group, count in command.counts:
                self.asked[command.app, group] = 0 if command.regions else count
        groups = {app.app: app.versions[stage].groups for app in simulation.scenario.apps}
        gone = command.apps if isinstance(command, Destroy) else ()
        unknown = uncertain(simulation.scenario, place)
        self.asked = {
            (app, group): count
            for (app, group), count in self.asked.items()
            if count and group in groups[app] and app not in gone and app not in unknown
        }
        found = []
        for (app, group), count in self.asked.items():
            machines = living(simulation.emulator.world, app)
            there = sum(group_of(machine.config) == group for machine in machines)
            if there != count:
                found.append(f"{app} has {there} machines of {group}, scaled to {count}")
        return found
