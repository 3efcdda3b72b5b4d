"""Finding what a query is about by the names and ids of the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from fly_emulator.calls import Call
from fly_emulator.records import App, MachineRecord, VolumeRecord
from fly_emulator.wire import Refusal

_Record = TypeVar("_Record", MachineRecord, VolumeRecord)


def found_app(call: Call, name: str | None) -> App:
    """The app of a name, which is its id, too. Raises Refusal: the caller has none."""
    try:
        return call.app_named(name or "")
    except Refusal as refusal:
        if refusal.status != 404:
            raise
        raise Refusal(404, f'Could not find App "{name or ""}"') from refusal


def found_record(
    call: Call, records: Mapping[str, _Record], kind: str, name: str
) -> tuple[App, _Record]:
    """The record of an id, wherever it is, and its app. Raises Refusal: the caller has none."""
    record = records.get(name)
    app = call.world.apps.get(record.app) if record is not None else None
    if record is None or app is None or not call.may_use(app.organization):
        raise Refusal(404, f'Could not find {kind} "{name}"')
    return app, record
