"""Finding what a query is about by the names and ids of the schema."""

from __future__ import annotations

from fly_emulator.calls import Call
from fly_emulator.records import App, MachineRecord, VolumeRecord
from fly_emulator.wire import Refusal


def found_app(call: Call, name: str | None) -> App:
    """The app of a name, which is its id, too.

    Raises:
        Refusal: There is none, or it is someone else's.
    """
    try:
        return call.app_named(name or "")
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        raise Refusal(404, f'Could not find App "{name or ""}"') from refusal


def found_machine(call: Call, name: str) -> tuple[App, MachineRecord]:
    """The machine of an id, wherever it is, and its app.

    Raises:
        Refusal: There is none, or it is someone else's.
    """
    machine = call.world.machines.get(name)
    app = call.world.apps.get(machine.app) if machine is not None else None
    if machine is None or app is None or not call.may_use(app.organization):
        raise Refusal(404, f'Could not find Machine "{name}"')
    return app, machine


def found_volume(call: Call, name: str) -> tuple[App, VolumeRecord]:
    """The volume of an id, wherever it is, and its app.

    Raises:
        Refusal: There is none, or it is someone else's.
    """
    volume = call.world.volumes.get(name)
    app = call.world.apps.get(volume.app) if volume is not None else None
    if volume is None or app is None or not call.may_use(app.organization):
        raise Refusal(404, f'Could not find Volume "{name}"')
    return app, volume
