"""The log lines of machines: what the platform and their programs write.

Those of the platform are made from the machines' events. A program writes the value of its variable
EMULATE_OUTPUT at each start; a process that is run writes what it writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter

from fly_emulator.records import App, EventRecord, Json, MachineRecord
from fly_emulator.world import World
from score_flyio.base.clock import rfc3339


def log_lines(
    world: World, app: App, *, machine: str | None = None, region: str | None = None
) -> list[Json]:
    """The lines of an app in their order, of one machine or one region where that is given."""
    found = [
        line
        for record in world.machines_of(app)
        if (not machine or record.id == machine) and (not region or record.region == region)
        for line in (
            *_lines(record),
            *(_line(record, at, text) for at, text in world.printed.get(record.id, ())),
        )
    ]
    return [line for _, line in sorted(found, key=itemgetter(0))]


def _lines(machine: MachineRecord) -> Iterator[tuple[float, Json]]:
    for event in machine.events:
        message, level = _message(machine, event)
        if message:
            yield _line(machine, event.at, message, level)
        if (event.type, event.status) == ("start", "started"):
            output = str((machine.config.get("env") or {}).get("EMULATE_OUTPUT") or "")
            yield from (_line(machine, event.at, line) for line in output.splitlines())


def _line(
    machine: MachineRecord, at: float, message: str, level: str = "info"
) -> tuple[float, Json]:
    return at, {
        "timestamp": rfc3339(at),
        "message": message,
        "level": level,
        "instance": machine.id,
        "region": machine.region,
        "meta": {},
    }


def _message(machine: MachineRecord, event: EventRecord) -> tuple[str, str]:
    match event.type, event.status:
        case "launch", _:
            return f"Pulling container image {machine.config.get('image') or ''}".rstrip(), "info"
        case "start", "started":
            return "Machine started", "info"
        case "start", "failed":
            return "Machine failed to start", "error"
        case "exit", _:
            code = (event.request or {}).get("exit_event", {}).get("exit_code", 0)
            manner = "normally " if code == 0 else ""
            return f"Main child exited {manner}with code: {code}", "info"
        case _:
            return "", ""
