"""What must be true when all commands are done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
from attrs import evolve

from tests.simulation.checks import unwell
from tests.simulation.platform import RELEASE_GROUP, group_of, living

if TYPE_CHECKING:
    from tests.simulation.simulate import Simulation


async def at_the_end(simulation: Simulation) -> None:
    """The last run was undisturbed: all is well, and doing it once more changes nothing."""
    last = simulation.records[-1]
    say = simulation.violations.append
    if last.exit_code != 0:
        say(f"the last run failed: {last.report.to_text() if last.report else last.error}")
        return
    await anyio.sleep(60)
    simulation.emulator.advance()
    for text in unwell(simulation, {app.app for app in simulation.scenario.apps}):
        say(f"at the end {text}")
    for text in _leftovers(simulation):
        say(f"at the end {text}")
    for text in _forgotten(simulation):
        say(text)
    idle = evolve(last.plan, faults=(), kill=None, disturbances=(), again=False, idle=True)
    await simulation.one(last.number + 1, idle)


def _leftovers(simulation: Simulation) -> list[str]:
    scenario, stage = simulation.scenario, simulation.stage
    groups = {a.app: set(a.versions[stage].groups) for a in scenario.apps}
    found = [f"there is an app {n}" for n in simulation.emulator.world.apps if n not in groups]
    for machine in living(simulation.emulator.world):
        group, metadata = group_of(machine.config), machine.config.get("metadata") or {}
        where = f"of {machine.app} (group {group})"
        if group == RELEASE_GROUP:
            found.append(f"a release command machine {where} is left")
        elif group not in groups.get(machine.app, set()):
            found.append(f"a machine {where} is left of a group that is gone")
        if metadata.get("fly_canary"):
            found.append(f"a canary {where} is left")
        if machine.cordoned:
            found.append(f"a machine {where} is out of routing")
        if metadata.get("fly_bluegreen_deployment_tag") == "safe_to_destroy":
            found.append(f"a blue machine {where} is left")
    return found


def _forgotten(simulation: Simulation) -> list[str]:
    state = simulation.disk.read()
    assert state is not None
    known = {record.guid: record for record in state.resources.values()}
    found = []
    for guid, name in simulation.account.databases.items():
        record = known.get(guid)
        if record is None:
            found.append(f"database {name} is forgotten")
        elif record.state.get("name") != name:
            found.append(f"the state of database {name} is forgotten")
    return found
