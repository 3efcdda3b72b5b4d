"""Metadata of machines: kept in the config, changed without a new version or a restart.

No lease keeps anyone from changing it (flyctl marks machines while they are leased).
"""

from __future__ import annotations

from typing import Any, Final

from fly_emulator.calls import Call, Handler
from fly_emulator.records import MachineRecord
from fly_emulator.wire import Outcome, Refusal


def _metadata(machine: MachineRecord) -> dict[str, Any]:
    return dict(machine.config.get("metadata") or {})


def _store(call: Call, machine: MachineRecord, metadata: dict[str, Any]) -> None:
    machine.version.config = {**machine.config, "metadata": metadata}
    machine.updated_at = call.now


def _show_key(call: Call) -> Outcome:
    metadata, key = _metadata(call.machine()), call.path["key"]
    if key not in metadata:
        raise Refusal(404, f"metadata key not found: {key}")
    return {"value": metadata[key]}


def _set_key(call: Call) -> None:
    machine, value = call.living_machine(), call.body().get("value")
    if not isinstance(value, str):
        raise Refusal(400, f"invalid value: {value!r} is not a text")
    _store(call, machine, {**_metadata(machine), call.path["key"]: value})


def _delete_key(call: Call) -> None:
    machine = call.living_machine()
    metadata = _metadata(machine)
    metadata.pop(call.path["key"], None)
    _store(call, machine, metadata)


def _given(call: Call, machine: MachineRecord) -> dict[str, Any]:
    body = call.body()
    expected = body.get("machine_version")
    if expected and expected != machine.instance_id:
        raise Refusal(
            412, f"failed_precondition: machine version is {machine.instance_id}, not {expected}"
        )
    metadata = body.get("metadata")
    if not isinstance(metadata, dict):
        raise Refusal(400, "metadata is required")
    for key, value in metadata.items():
        if value is not None and not isinstance(value, str):
            raise Refusal(400, f"invalid metadata.{key}: {value!r} is not a text")
    return metadata


def _put(call: Call) -> None:
    machine = call.living_machine()
    _store(call, machine, {k: v for k, v in _given(call, machine).items() if v})


def _patch(call: Call) -> None:
    machine = call.living_machine()
    merged = {**_metadata(machine), **_given(call, machine)}
    _store(call, machine, {k: v for k, v in merged.items() if v})


HANDLERS: Final[dict[str, Handler]] = {
    "Machines_show_metadata": lambda call: _metadata(call.machine()),
    "Machines_get_metadata_key": _show_key,
    "Machines_upsert_metadata": _set_key,
    "Machines_delete_metadata": _delete_key,
    "Machines_put_metadata": _put,
    "Machines_patch_metadata": _patch,
}
