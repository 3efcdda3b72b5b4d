"""What the proxy does to machines that nobody visits.

It looks at each region of each app, and stops one machine at a time of those that may be stopped.
The emulator carries no traffic, so every machine is without load: all but the least number that
is to run are too many.
"""

from __future__ import annotations

from collections import defaultdict

from fly_emulator.configs import why_never_suspended
from fly_emulator.records import Json, MachineRecord
from fly_emulator.world import World


def unneeded(world: World) -> list[tuple[MachineRecord, str]]:
    """One machine of each app and region that is too many, and whether to stop or suspend it."""
    running: dict[tuple[str, str], list[MachineRecord]] = defaultdict(list)
    for machine in world.machines.values():
        if machine.state == "started" and not machine.cordoned and machine.config.get("services"):
            running[machine.app, machine.region].append(machine)
    found = []
    for (_, region), machines in sorted(running.items()):
        stoppable = [(one, how) for one in machines if (how := _autostop(one.config))]
        if stoppable and len(machines) > _least(machines[0].config, region):
            found.append(stoppable[-1])
    return found


def _autostop(config: Json) -> str | None:
    """How the proxy may stop a machine: `stop`, `suspend`, or not at all."""
    wishes = {service.get("autostop") for service in config["services"]}
    if wishes <= {None, False}:
        return None
    suspended = wishes == {"suspend"} and why_never_suspended(config) is None
    return "suspend" if suspended else "stop"


def _least(config: Json, region: str) -> int:
    """How many machines are to run; it counts in the primary region only."""
    if (config.get("env") or {}).get("PRIMARY_REGION", region) != region:
        return 0
    numbers = [service.get("min_machines_running") for service in config["services"]]
    return max((number for number in numbers if isinstance(number, int)), default=0)
