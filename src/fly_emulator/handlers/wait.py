"""Waiting for a machine to reach a state: the answer comes when it does, or at the time limit."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from fly_emulator.calls import Call, Handler
from fly_emulator.lifecycle import TRANSIENT
from fly_emulator.records import Json, MachineRecord
from fly_emulator.wire import Outcome, Refusal, Waiting

_STATES: Final = frozenset({"started", "stopped", "suspended", "destroyed", "failed", "settled"})
_VERSION_LENGTH: Final = 26
_LONGEST: Final = 60


@frozen
class _Wish:
    call: Call
    targets: frozenset[str]
    version: str | None
    deadline: float

    def poll(self, now: float) -> Json | None:
        """The answer, when there is one by now."""
        name = self.call.path["machine_id"]
        machine = self.call.world.machines.get(name)
        if machine is None:
            raise Refusal(404, f"machine not found: {name}")
        reached = self._reached(machine)
        if reached is not None:
            event = machine.events[-1].id if machine.events else ""
            version = machine.instance_id
            return {"ok": True, "state": reached, "version": version, "event_id": event}
        wanted = " or ".join(sorted(self.targets))
        self._check_hope(machine, wanted)
        if now < self.deadline:
            return None
        raise Refusal(
            408, f"deadline_exceeded: machine did not reach {wanted} in time, it is {machine.state}"
        )

    def _reached(self, machine: MachineRecord) -> str | None:
        """The state that fits: the present one, or one the machine was in while we waited."""
        since = self.call.query("from_event_id")
        if not since and self._fits(machine, machine.state, machine.instance_id):
            return machine.state
        for visit in machine.visits:
            fresh = visit.event_id > since if since else visit.at > self.call.now
            if fresh and self._fits(machine, visit.state, visit.instance_id):
                return visit.state
        return None

    def _fits(self, machine: MachineRecord, state: str, instance_id: str) -> bool:
        if self.version is not None and instance_id != self.version:
            return False
        if state in self.targets:
            return True
        at_rest = state not in TRANSIENT and not (state == "created" and machine.pending)
        return "settled" in self.targets and at_rest and state == machine.state

    def _check_hope(self, machine: MachineRecord, wanted: str) -> None:
        """Refuse to wait on for a state that cannot be reached any more."""
        if machine.state in {"destroying", "destroyed"}:
            if "destroyed" not in self.targets:
                raise Refusal(404, f"machine not found: {machine.id}")
        elif self.version is not None and self.version != machine.instance_id:
            raise Refusal(400, f"cannot reach {wanted}: version {self.version} currently replaced")
        elif "started" in self.targets and (machine.failed_to_stay or machine.state == "failed"):
            raise Refusal(
                400,
                "failed_precondition: machine failed to reach desired state, started,"
                f" currently {machine.state}",
            )


def _wait(call: Call) -> Outcome:
    machine = call.machine()
    timeout = call.integer("timeout", _LONGEST)
    if not 1 <= timeout <= _LONGEST:
        raise Refusal(400, f"invalid_argument: timeout must be in 1s to 1m0s, not {timeout}s")
    targets = frozenset(call.query_list("state") or ["started"])
    if not targets <= _STATES:
        raise Refusal(
            400, f"invalid_argument: unknown state {', '.join(sorted(targets - _STATES))}"
        )
    version = call.query("version") or call.query("instance_id")
    if version and version not in {known.instance_id for known in machine.versions}:
        right = len(version) == _VERSION_LENGTH
        raise Refusal(404 if right else 400, f"invalid_argument: no version {version}")
    wish = _Wish(call, targets, version or None, call.now + timeout)
    return Waiting(poll=wish.poll, deadline=wish.deadline, machine=machine.id)


HANDLERS: Final[dict[str, Handler]] = {"Machines_wait": _wait}
