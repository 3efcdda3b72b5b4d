"""What one does to a machine: start, stop, suspend, restart, signal, delete, cordon."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from fly_emulator import configs, lifecycle
from fly_emulator.calls import Call, Handler
from fly_emulator.durations import seconds_of
from fly_emulator.records import Json, MachineRecord
from fly_emulator.wire import Outcome, Refusal

_OK: Final[Json] = {"ok": True}
_STOP_SIGNALS: Final = frozenset(
    {"SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"}
)
_SIGNALS: Final = {
    "SIGHUP": 1,
    "SIGINT": 2,
    "SIGQUIT": 3,
    "SIGILL": 4,
    "SIGTRAP": 5,
    "SIGABRT": 6,
    "SIGFPE": 8,
    "SIGKILL": 9,
    "SIGUSR1": 10,
    "SIGSEGV": 11,
    "SIGUSR2": 12,
    "SIGPIPE": 13,
    "SIGALRM": 14,
    "SIGTERM": 15,
}
_HARMLESS: Final = frozenset({1, 10, 12})


def _refuse_state(machine: MachineRecord, verb: str) -> Refusal:
    return Refusal(
        412, f"failed_precondition: unable to {verb} machine from current state: '{machine.state}'"
    )


def check_host(call: Call, machine: MachineRecord) -> None:
    """Refuse a change of a machine whose host does not answer. Raises Refusal."""
    if call.world.host_of(machine).status != "ok":
        raise Refusal(412, "failed_precondition: the machine's host is not reachable")


def _check_room(call: Call, machine: MachineRecord) -> None:
    """Refuse a start on a host that has less room than is promised: it may have filled up."""
    host = call.world.host_of(machine)
    if host.used_mb > host.memory_mb:
        text = "aborted: could not reserve resource for machine: insufficient memory available"
        raise call.world.no_room(409, f"{text} to fulfill request on the current host")


_NOT_YET: Final = {
    "replacing": "machine getting replaced, refusing to start",
    "starting": "machine still attempting to start",
    "created": "unable to start machine from current state: 'created'",
}


def _check_settled(call: Call, machine: MachineRecord) -> None:
    """Refuse a start while a new version is being put in place."""
    if call.now < machine.busy_until and machine.state != "started":
        why = _NOT_YET.get(machine.state, "machine still active, refusing to start")
        raise Refusal(412, f"failed_precondition: {why}")


def _start(call: Call) -> Outcome:
    machine = call.held_machine()
    check_host(call, machine)
    before = machine.state
    _check_settled(call, machine)
    if before in {"created", "stopped", "suspended", "failed"}:
        _check_room(call, machine)
        lifecycle.start(call.world, machine, call.now, resumed=before == "suspended")
    elif before not in {"started", "starting"} or call.settings.repeats_are_refused:
        raise _refuse_state(machine, "start")
    return {"previous_state": before, "migrated": False, "new_host": ""}


def _stop(call: Call) -> Outcome:
    machine, body = call.held_machine(), call.body()
    _check_signal(body.get("signal"))
    _check_timeout(body.get("timeout"))
    check_host(call, machine)
    if machine.state in {"started", "starting", "restarting", "suspended", "failed"}:
        lifecycle.stop(call.world, machine, call.now)
    elif machine.state not in {"stopped", "stopping"} or call.settings.repeats_are_refused:
        raise _refuse_state(machine, "stop")
    return _OK


def _suspend(call: Call) -> Outcome:
    machine = call.held_machine()
    check_host(call, machine)
    if machine.state in {"suspended", "suspending"} and not call.settings.repeats_are_refused:
        return _OK
    if machine.state != "started":
        raise _refuse_state(machine, "suspend")
    reason = configs.why_never_suspended(machine.config)
    if reason is None:
        lifecycle.suspend(call.world, machine, call.now)
    elif call.settings.suspend_falls_back:
        lifecycle.stop(call.world, machine, call.now)
    else:
        raise Refusal(412, f"failed_precondition: {reason}")
    return _OK


def _restart(call: Call) -> Outcome:
    machine = call.held_machine()
    _check_signal(call.query("signal"))
    _check_timeout(call.query("timeout"))
    check_host(call, machine)
    if machine.state in {"stopped", "created", "suspended"}:
        lifecycle.start(call.world, machine, call.now)
    elif machine.state in {"started", "starting", "restarting"}:
        lifecycle.restart(call.world, machine, call.now)
    else:
        raise _refuse_state(machine, "restart")
    return _OK


def _signal(call: Call) -> Outcome:
    machine, value = call.living_machine(), call.body().get("signal")
    number = _SIGNALS.get(value) if isinstance(value, str) else value
    if isinstance(value, bool) or not isinstance(number, int) or number not in _SIGNALS.values():
        raise Refusal(400, f"invalid signal: {value!r}")
    if machine.state != "started":
        raise _refuse_state(machine, "signal")
    if number not in _HARMLESS:
        lifecycle.kill(call.world, machine, call.now, number)
    return _OK


def _delete(call: Call) -> Outcome:
    machine = call.held_machine()
    forced = call.flag("force") or call.flag("kill")
    if not forced and (machine.state in lifecycle.RUNNING or machine.state == "replacing"):
        raise Refusal(
            412,
            "failed_precondition: unable to destroy machine, not currently stopped or suspended"
            f" but {machine.state}",
        )
    lifecycle.destroy(call.world, machine, call.now)
    return _OK


def _cordon(call: Call, *, cordoned: bool) -> Outcome:
    call.held_machine().cordoned = cordoned
    return _OK


def _check_signal(signal: Any) -> None:
    if signal and not (isinstance(signal, str) and signal in _STOP_SIGNALS):
        raise Refusal(400, f"invalid signal: {signal!r}")


def _check_timeout(timeout: Any) -> None:
    if timeout is None or timeout == "" or isinstance(timeout, int) or str(timeout).isdecimal():
        return
    if seconds_of(timeout) is None:
        raise Refusal(400, f"invalid timeout: {timeout!r} is not a duration")


HANDLERS: Final[dict[str, Handler]] = {
    "Machines_start": _start,
    "Machines_stop": _stop,
    "Machines_suspend": _suspend,
    "Machines_restart": _restart,
    "Machines_signal": _signal,
    "Machines_delete": _delete,
    "Machines_cordon": partial(_cordon, cordoned=True),
    "Machines_uncordon": partial(_cordon, cordoned=False),
}
