"""How machines come to life, change state and die.

Each step says what happens at a time and what is to happen next. States and transitions follow the
public machine states documentation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

from fly_emulator import proxy
from fly_emulator.configs import SCHEDULES
from fly_emulator.guests import memory_of
from fly_emulator.records import Json, MachineRecord
from fly_emulator.world import World
from score_flyio.base.clock import rfc3339

TRANSIENT: Final = frozenset(
    {
        "creating",
        "starting",
        "stopping",
        "restarting",
        "suspending",
        "destroying",
        "updating",
        "replacing",
        "launch_failed",
    }
)
RUNNING: Final = frozenset({"starting", "started", "restarting", "stopping", "suspending"})
"""States in which a process exists; deleting needs force."""

_DEFAULT_RETRIES: Final = 10
_RETRY_WINDOW: Final = 300.0
"""Seconds within which exits are counted against the retries."""
_LONGEST_DELAY: Final = 60.0
_SIGINT: Final = 2


def advance(world: World, now: float) -> None:
    """Let everything happen that is due until now, in its order."""
    every = world.settings.autostop_every
    if every is not None and world.next_look is None:
        world.next_look = now + every
    while every is not None and world.next_look is not None and world.next_look <= now:
        _take_steps(world, world.next_look)
        for machine, how in proxy.unneeded(world):
            {"suspend": suspend, "stop": stop}[how](world, machine, world.next_look)
        world.next_look += every
    _take_steps(world, now)


def _take_steps(world: World, now: float) -> None:
    while due := world.next_step(now):
        machine, step = due
        _STEPS[step.name](world, machine, step.at)


def host_failed(world: World, host: str, now: float) -> None:
    """A host answers no more: machines that stand by for its machines start."""
    advance(world, now)
    world.hosts[host].status = "unreachable"
    lost = {machine.id for machine in world.machines.values() if machine.host == host}
    for machine in list(world.machines.values()):
        watched = lost & set(machine.config.get("standbys") or ())
        if watched and machine.state in {"created", "stopped"} and machine.id not in lost:
            start(world, machine, now)


def host_recovered(world: World, host: str) -> None:
    """A host answers again."""
    world.hosts[host].status = "ok"


# --- what callers ask for


def create(world: World, machine: MachineRecord, now: float) -> None:
    """A machine, or a version of it, is on its host; it starts if it is to be launched."""
    world.enter(machine, "created", now, event="launch")
    machine.exits = 0
    if machine.launch and not machine.left_at_rest:
        world.schedule(machine, "launch", now)
    else:
        world.schedule(machine, "rest", now + world.settings.prepare)


def start(world: World, machine: MachineRecord, now: float, *, resumed: bool = False) -> None:
    """Start a machine that rests; a resumed one needs no boot."""
    machine.exits = 0
    _begin_start(world, machine, now, boot=0.0 if resumed else None)


def stop(world: World, machine: MachineRecord, now: float) -> None:
    """Ask the process to stop; a suspended machine only loses its snapshot."""
    if machine.state == "suspended":
        world.record_event(machine, "stop", "stopping", "user", now)
        world.enter(machine, "stopped", now)
        return
    world.enter(machine, "stopping", now, event="stop")
    world.schedule(machine, "stopped", now + world.settings.stop)


def suspend(world: World, machine: MachineRecord, now: float) -> None:
    """Put a running machine to sleep with its memory."""
    world.enter(machine, "suspending", now, event="suspend")
    world.schedule(machine, "suspended", now + world.settings.suspend)


def restart(world: World, machine: MachineRecord, now: float) -> None:
    """Stop the process and start it again."""
    world.enter(machine, "restarting", now, event="restart")
    world.schedule(machine, "restarted", now + world.settings.stop)


def kill(world: World, machine: MachineRecord, now: float, number: int) -> None:
    """A deadly signal from outside: the process is not started again."""
    _record_exit(world, machine, "stopped", now, signal=number)
    machine.pending = None
    _come_to_rest(world, machine, now)


def exited(world: World, machine: MachineRecord, now: float, code: int) -> None:
    """The process of a machine ended by itself: what its restart policy says is next."""
    machine.pending = None
    machine.exit_code = code
    _exit(world, machine, now)


def destroy(world: World, machine: MachineRecord, now: float) -> None:
    """Take a machine away for good, and its lease with it."""
    machine.lease = None
    world.enter(machine, "destroying", now, event="destroy")
    world.schedule(machine, "destroyed", now + world.settings.destroy)


def replace(
    world: World, machine: MachineRecord, config: Json, now: float, *, launch: bool
) -> None:
    """Give a machine a new version."""
    was_running = machine.state in RUNNING
    world.record_event(machine, "update", "replacing", "user", now)
    machine.versions.append(world.version(config, now))
    machine.launch = launch
    machine.left_at_rest = machine.state not in world.settings.update_launches
    machine.healthy_at = None
    world.enter(machine, "replacing", now)
    step = "replaced" if was_running else "swapped"
    world.schedule(machine, step, now + (world.settings.stop if was_running else 0.0))


def give_up(world: World, machine: MachineRecord, config: Json, now: float) -> None:
    """Begin an update that comes to nothing: the version before stays, and runs on if it ran."""
    ran, begins = machine.state in RUNNING, machine.state in {"starting", "restarting"}
    world.record_event(machine, "update", "replacing", "user", now)
    machine.versions.append(world.version(config, now))
    world.enter(machine, "replacing", now)
    step = "reverted_at_start" if begins else "reverted" if ran else "reverted_at_rest"
    world.schedule(machine, step, now + world.settings.prepare)


def release_resources(world: World, machine: MachineRecord) -> None:
    """Give back the room and the volume of a machine that is gone."""
    host = world.host_of(machine)
    host.used_mb -= memory_of(machine.config)
    for mount in machine.config.get("mounts") or ():
        volume = world.volumes.get(mount.get("volume", ""))
        if volume is not None and volume.attached_machine_id == machine.id:
            volume.attached_machine_id = None


# --- what happens by itself


def _begin_start(
    world: World,
    machine: MachineRecord,
    at: float,
    *,
    state: str = "starting",
    boot: float | None = None,
) -> None:
    behaviour = world.model(machine.config, world.settings)
    machine.boot = behaviour.boot if boot is None else boot
    machine.failed_to_stay = False
    machine.healthy_at = None
    machine.observed.clear()
    app = world.apps.get(machine.app)
    machine.secrets_version = app.secrets_version if app else 0
    world.enter(machine, state, at)
    world.schedule(machine, "started", at + machine.boot)


def _come_to_rest(world: World, machine: MachineRecord, at: float) -> None:
    """A machine whose process has ended stays, or goes where its config says so."""
    if machine.config.get("auto_destroy"):
        world.enter(machine, "stopped", at)
        destroy(world, machine, at)
    else:
        _rest(world, machine, at)


def _rest(world: World, machine: MachineRecord, at: float) -> None:
    """A machine with a schedule runs again when its time comes, counted from its creation."""
    world.enter(machine, "stopped", at)
    period = SCHEDULES.get(machine.config.get("schedule") or "")
    if period is not None:
        rounds = int((at - machine.created_at) // period) + 1
        world.schedule(machine, "scheduled", machine.created_at + rounds * period)


def _started(world: World, machine: MachineRecord, at: float) -> None:
    behaviour = world.model(machine.config, world.settings)
    if behaviour.fails:
        world.record_event(machine, "start", "failed", "flyd", at)
        _fail(world, machine, at)
        return
    machine.started_at = at
    machine.healthy_at = None if behaviour.healthy_after is None else at + behaviour.healthy_after
    machine.exit_code = behaviour.exit_code
    world.enter(machine, "started", at, event="start", by="flyd")
    if behaviour.exits_after is not None:
        world.schedule(machine, "exit", at + behaviour.exits_after)


def _fail(world: World, machine: MachineRecord, at: float) -> None:
    """No process began: the machine stays as it is, or goes if it is new."""
    if world.settings.launch_fails_for_good and len(machine.versions) == 1:
        world.enter(machine, "launch_failed", at)
        world.schedule(machine, "destroyed", at + world.settings.destroy)
    else:
        world.enter(machine, "failed", at)


def _exit(world: World, machine: MachineRecord, at: float) -> None:
    code = machine.exit_code
    if machine.exits and at - machine.first_exit_at > _RETRY_WINDOW:
        machine.exits = 0
    machine.first_exit_at = machine.first_exit_at if machine.exits else at
    machine.exits += 1
    again = _runs_again(machine.config, code, machine.exits)
    _record_exit(world, machine, "restarting" if again else "stopped", at, signal=-1)
    if again:
        world.enter(machine, "restarting", at)
        delay = world.settings.restart_delay * 2 ** min(machine.exits - 1, 30)
        world.schedule(machine, "run_again", at + min(delay, _LONGEST_DELAY))
        return
    machine.failed_to_stay = True
    _come_to_rest(world, machine, at)


def _runs_again(config: Json, code: int, exits: int) -> bool:
    restart_config = config.get("restart") or {}
    policy = restart_config.get("policy") or "on-failure"
    if policy == "always":
        return True
    retries = restart_config.get("max_retries") or _DEFAULT_RETRIES
    return bool(policy == "on-failure" and code != 0 and exits <= retries)


def _record_exit(
    world: World, machine: MachineRecord, status: str, at: float, *, signal: int = _SIGINT
) -> None:
    """Note the end of a process: by the signal that somebody had sent to it, or, -1, by itself."""
    asked = signal >= 0
    code = 0 if asked else machine.exit_code
    event = {
        "exit_code": code,
        "guest_exit_code": code,
        "guest_signal": signal,
        "oom_killed": False,
        "requested_stop": asked,
        "restarting": status == "restarting",
        "signal": -1,
        "exited_at": rfc3339(at),
    }
    request = {"exit_event": event, "restart_count": 0 if asked else machine.exits}
    world.record_event(machine, "exit", status, "flyd", at, request)


def _stopped(world: World, machine: MachineRecord, at: float) -> None:
    _record_exit(world, machine, "stopped", at)
    _come_to_rest(world, machine, at)


def _restarted(world: World, machine: MachineRecord, at: float) -> None:
    _record_exit(world, machine, "restarting", at)
    machine.exits = 0
    _begin_start(world, machine, at, state="restarting")


def _replaced(world: World, machine: MachineRecord, at: float) -> None:
    _record_exit(world, machine, "replacing", at)
    create(world, machine, at)


def _revert(world: World, machine: MachineRecord, at: float, state: str) -> None:
    given_up = machine.versions.pop()
    less = memory_of(given_up.config) - memory_of(machine.config)
    world.host_of(machine).used_mb -= less
    world.enter(machine, state, at, event="revert", by="flyd")


def _revert_at_start(world: World, machine: MachineRecord, at: float) -> None:
    _revert(world, machine, at, "starting")
    _begin_start(world, machine, at)


def _destroyed(world: World, machine: MachineRecord, at: float) -> None:
    release_resources(world, machine)
    machine.lease = None
    world.enter(machine, "destroyed", at, event="destroy", by="flyd")
    world.schedule(machine, "forget", at + world.settings.forget_destroyed)


_Step: TypeAlias = Callable[[World, MachineRecord, float], None]
_STEPS: Final[dict[str, _Step]] = {
    "launch": _begin_start,
    "rest": _rest,
    "scheduled": start,
    "started": _started,
    "exit": _exit,
    "stopped": _stopped,
    "suspended": lambda w, m, at: w.enter(m, "suspended", at, event="suspend", by="flyd"),
    "restarted": _restarted,
    "run_again": partial(_begin_start, state="restarting"),
    "replaced": _replaced,
    "swapped": create,
    "reverted": partial(_revert, state="started"),
    "reverted_at_start": _revert_at_start,
    "reverted_at_rest": partial(_revert, state="stopped"),
    "destroyed": _destroyed,
    "forget": lambda world, machine, _at: world.forget_machine(machine),
}
