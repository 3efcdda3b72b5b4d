"""What runs in a machine: processes, commands, memory."""

from __future__ import annotations

import shlex
from typing import Any, Final

from fly_emulator import guests
from fly_emulator.calls import Call, Handler, want_integer
from fly_emulator.records import Json, MachineRecord
from fly_emulator.wire import Execution, Outcome, Refusal


def _started(call: Call) -> MachineRecord:
    machine = call.living_machine()
    if machine.state != "started":
        raise Refusal(412, f"failed_precondition: machine is not started but '{machine.state}'")
    return machine


def _processes(call: Call) -> Outcome:
    machine = _started(call)
    sockets = [
        {"proto": service["protocol"], "address": f"[::]:{service['internal_port']}"}
        for service in machine.config.get("services") or ()
    ]
    process: Json = {
        "pid": 314,
        "stime": 2,
        "rtime": 50,
        "command": " ".join((machine.config.get("init") or {}).get("cmd") or ["app"]),
        "directory": "/",
        "cpu": 1,
        "rss": 4096,
        "listen_sockets": sockets,
    }
    return [process]


def _exec(call: Call) -> Outcome:
    machine, body = _started(call), call.body()
    words = _words(body.get("command") or body.get("cmd"))
    longest = call.settings.longest_exec
    timeout = want_integer(body, "timeout", longest)
    return Execution(
        machine=machine,
        command=tuple(words),
        stdin=str(body.get("stdin") or ""),
        timeout=float(min(max(timeout, 0) or longest, longest)),
        container=body.get("container"),
    )


def _words(command: Any) -> list[str]:
    """The words of a command, given as a list or as one text."""
    if not command:
        raise Refusal(400, "command is required")
    if isinstance(command, list):
        return [str(word) for word in command]
    if not isinstance(command, str):
        raise Refusal(400, "invalid command: a list of words is needed")
    try:
        return shlex.split(command)
    except ValueError as error:
        raise Refusal(400, f"invalid command: {error}") from error


def _memory_document(machine: MachineRecord) -> Json:
    limit = machine.memory_limit_mb or guests.memory_of(machine.config)
    return {"limit_mb": limit, "available_mb": limit // 2}


def _limit_memory(call: Call) -> Outcome:
    machine = _started(call)
    limit = want_integer(call.body(), "limit_mb")
    if not 0 < limit <= guests.memory_of(machine.config):
        raise Refusal(400, f"invalid limit_mb: {limit}")
    machine.memory_limit_mb = limit
    return _memory_document(machine)


def _reclaim_memory(call: Call) -> Outcome:
    machine = _started(call)
    amount = want_integer(call.body(), "amount_mb", 0)
    available = int(_memory_document(machine)["available_mb"])
    return {"actual_mb": min(max(amount, 0), available)}


HANDLERS: Final[dict[str, Handler]] = {
    "Machines_list_processes": _processes,
    "Machines_exec": _exec,
    "Machines_get_memory": lambda call: _memory_document(_started(call)),
    "Machines_set_memory_limit": _limit_memory,
    "Machines_reclaim_memory": _reclaim_memory,
}
