"""Which machines the proxy sends requests to, and what it does to those that nobody visits.

It looks at each region of each app, and stops one machine at a time of those that may be stopped.
Unless machines are run, there is no traffic, so every machine is without load: all but the least
number that is to run are too many.
"""

from __future__ import annotations

from collections import defaultdict

from fly_emulator.configs import why_never_suspended
from fly_emulator.documents import named_checks
from fly_emulator.records import Json, MachineRecord
from fly_emulator.world import World


def serves(world: World, machine: MachineRecord, now: float) -> bool:
    """Whether requests reach it: it runs, is not cordoned, and its checks pass."""
    if machine.state != "started" or machine.cordoned or world.host_of(machine).status != "ok":
        return False
    if machine.healthy_at is not None and machine.healthy_at <= now:
        return True
    return not named_checks(machine.config, within_service=True)


def unneeded(world: World) -> list[tuple[MachineRecord, str]]:
    """One machine of each app and region that is too many, and whether to stop or suspend it."""
    running: dict[tuple[str, str], list[MachineRecord]] = defaultdict(list)
    for machine in world.machines.values():
        if machine.state == "started" and not machine.cordoned and machine.config.get("services"):
            running[machine.app, machine.region].append(machine)
    found = []
    for (_, region), machines in sorted(running.items()):
        stoppable = [
            (one, how)
            for one in machines
            if one.id not in world.visited and (how := _autostop(one.config))
        ]
        if stoppable and len(machines) > _least(machines[0].config, region):
            found.append(stoppable[-1])
    world.visited.clear()
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
