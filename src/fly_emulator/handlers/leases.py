"""Leases: acquire, refresh, show, release."""

from __future__ import annotations

from typing import Any, Final

from fly_emulator import documents
from fly_emulator.calls import Call, Handler, held_text
from fly_emulator.records import LeaseRecord, MachineRecord
from fly_emulator.wire import ApiResponse, Outcome, Refusal


def ttl_of(call: Call, value: Any) -> int:
    """Seconds to live; None: the default. Raises Refusal: it is no number, or out of range."""
    if value is None:
        return call.settings.default_lease_ttl
    try:
        ttl = int(value)
    except (TypeError, ValueError) as error:
        raise Refusal(400, f"invalid ttl: {value!r} is not a number of seconds") from error
    if ttl > call.settings.max_lease_ttl and call.settings.long_leases_are_cut:
        return call.settings.max_lease_ttl
    if not 0 < ttl <= call.settings.max_lease_ttl:
        raise Refusal(400, f"invalid ttl: {ttl} is not in 1 to {call.settings.max_lease_ttl}")
    return ttl


def grant(call: Call, machine: MachineRecord, ttl: int, description: str) -> LeaseRecord:
    """Give the caller a new lease, or prolong the one it has."""
    held = machine.lease_at(call.now)
    if held is None:
        held = LeaseRecord(
            nonce=call.world.hexadecimal(12), owner=call.principal.user, expires_at=0.0
        )
        machine.lease = held
    held.expires_at = call.now + ttl
    held.description = description or held.description
    return held


def _acquire(call: Call) -> Outcome:
    machine, body = call.living_machine(), call.body()
    value = body.get("ttl")
    ttl = ttl_of(call, call.query("ttl") if value is None else value)
    held = machine.lease_at(call.now)
    if held is not None and call.nonce != held.nonce:
        raise Refusal(409, held_text(machine, held), envelope=True)
    if held is None and call.nonce is not None:
        raise Refusal(404, "lease not found", envelope=True, code="not_found")
    lease = grant(call, machine, ttl, str(body.get("description") or ""))
    return ApiResponse(status=201, document=documents.lease_document(machine, lease))


def _release(call: Call) -> Outcome:
    if call.nonce is None:
        raise Refusal(400, "a lease nonce is required", envelope=True)
    machine, lease = _held(call)
    if lease.nonce != call.nonce:
        raise Refusal(409, held_text(machine, lease), envelope=True)
    machine.lease = None
    return {"status": "success", "data": {"ok": True}}


def _held(call: Call) -> tuple[MachineRecord, LeaseRecord]:
    machine = call.machine()
    lease = machine.lease_at(call.now)
    if lease is None:
        raise Refusal(404, "lease not found", envelope=True, code="not_found")
    return machine, lease


HANDLERS: Final[dict[str, Handler]] = {
    "Machines_create_lease": _acquire,
    "Machines_show_lease": lambda call: documents.lease_document(*_held(call)),
    "Machines_release_lease": _release,
}
