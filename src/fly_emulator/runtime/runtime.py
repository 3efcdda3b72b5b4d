"""Runs the machines of an emulator: a process for each that has started, and for no other.

The world decides when a machine starts, stops and is replaced, as ever. What waits for a process to
end, such as a stop, waits until it has ended; and a process that ends by itself is an exit.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Set as AbstractSet
from contextlib import ExitStack
from functools import partial
from itertools import count
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import anyio
from anyio.abc import TaskGroup
from attrs import field, frozen

from fly_emulator import lifecycle
from fly_emulator.documents import named_checks
from fly_emulator.exec_local import LocalExecRunner
from fly_emulator.http import LOOPBACK
from fly_emulator.process import Behaviour, ProcessModel, Programs
from fly_emulator.records import CheckRecord, Json, MachineRecord
from fly_emulator.runtime import checks
from fly_emulator.runtime.app_proxy import AppProxy, Door, doors
from fly_emulator.runtime.commands import Commands
from fly_emulator.runtime.names import NamesProxy
from fly_emulator.runtime.process import KILL, MachineProcess
from fly_emulator.runtime.surroundings import own_ports, prepare, variables
from fly_emulator.server import listening
from fly_emulator.settings import EmulatorSettings
from fly_emulator.wire import Execution
from fly_emulator.world import World

if TYPE_CHECKING:
    from fly_emulator.core import Emulator

_ENDING: Final = frozenset({"stopping", "restarting", "replacing", "destroying"})
"""States that a process leaves by its end."""
_KEPT_LINES: Final = 1000
_PASSED_ON: Final = ("PATH", "LANG", "TMPDIR")
"""Variables of this computer that processes get."""
_STEP: Final = 1e-6


@frozen
class _Way:
    """A door of an app that is open."""

    name: str
    port: int
    """0: any."""
    scope: anyio.CancelScope = field(factory=anyio.CancelScope)


class Runtime:
    """The processes of one emulator, and a proxy for each app that has some."""

    def __init__(self, emulator: Emulator, commands: Commands, *, first_port: int = 0) -> None:
        self._emulator = emulator
        self._commands = commands
        self._first_port = first_port
        self._running: dict[str, MachineProcess] = {}
        self._ways: dict[tuple[str, Door], _Way] = {}
        self._dirty: set[str] = set()
        self.news = anyio.Event()
        """Set when something changes next."""
        self._tasks: TaskGroup | None = None
        self._home = Path()
        self._names_port = 0
        self.urls: dict[str, str] = {}
        """Where each app answers; what it has beside its first door, such as `shop:5432`, too."""

    @property
    def world(self) -> World:
        return self._emulator.world

    def model(self, played: ProcessModel) -> ProcessModel:
        """How machines behave: those that are run as their processes do, the others as played."""

        def behaviour(config: Json, settings: EmulatorSettings) -> Behaviour:
            if self._commands.words(config) is None:
                return played(config, settings)
            return Behaviour(boot=settings.boot, healthy_after=None)

        return behaviour

    # --- what happens in the world

    def changed(self, machines: AbstractSet[str]) -> None:
        """Take notice of machines that changed; their processes are told to end at once."""
        for name in machines:
            self._ask_to_end(name)
        self._dirty |= machines
        self.wake()

    def wake(self) -> None:
        """Let everybody look who waits for something to change."""
        self.news.set()
        self.news = anyio.Event()

    def _ask_to_end(self, name: str) -> None:
        process, machine = self._running.get(name), self.world.machines.get(name)
        if process is None or machine is None or self._tasks is None:
            return
        if machine.state == "destroying":
            process.stopping = True
            process.send(KILL)  # what is destroyed while it runs is not asked
        elif machine.state in _ENDING and machine.pending is not None and not process.stopping:
            process.stopping = True
            process.resume()
            process.send(process.stop_signal)
            at = self._emulator.now() + process.stop_timeout + 1
            self.world.schedule(machine, machine.pending.name, at)
            self._tasks.start_soon(_end_by_force, process)

    # --- the loop

    async def run(self) -> None:
        """Run what is to run, until cancelled."""
        with ExitStack() as stack:
            self._home = Path(stack.enter_context(TemporaryDirectory(prefix="fly-emulator-")))
            async with (
                listening(LOOPBACK, 0) as (listener, url),
                anyio.create_task_group() as tasks,
            ):
                self._tasks, self._names_port = tasks, urlsplit(url).port or 0
                tasks.start_soon(listener.serve, NamesProxy(self).serve)
                self._dirty |= set(self.world.machines)
                while True:
                    news = self.news
                    self._emulator.advance()
                    self._look(tasks)
                    due, now = self.world.next_due(), self._emulator.now()
                    wait = None if due is None else max(due - now, 0) + _STEP
                    with anyio.move_on_after(wait):
                        await news.wait()

    def _look(self, tasks: TaskGroup) -> None:
        while self._dirty:
            self._follow(self._dirty.pop(), tasks)
        for app, door in list(self._ways):
            if app not in self.world.apps:
                way = self._ways.pop((app, door))
                self.urls.pop(way.name, None)
                way.scope.cancel()

    def _follow(self, name: str, tasks: TaskGroup) -> None:
        """Let a process be as its machine is."""
        machine, process = self.world.machines.get(name), self._running.get(name)
        state = machine.state if machine is not None else "destroyed"
        if machine is not None and state == "started" and process is None:
            words = self._commands.words(machine.config)
            if words is not None:
                self._spawn(machine, words, tasks)
        elif process is None:
            return
        elif state == "started" and process.paused:
            process.resume()
        elif state in {"suspending", "suspended"}:
            process.pause()
        elif state in {"created", "stopped", "destroyed", "failed"}:
            process.stopping = True
            process.send(KILL)

    # --- processes

    def _spawn(self, machine: MachineRecord, words: tuple[str, ...], tasks: TaskGroup) -> None:
        folder, ports = self.folder(machine), own_ports(machine.config)
        prepare(folder, self._home / "volumes", machine, self.world.apps.get(machine.app))
        environ = self.environment(machine, ports)
        lines = self.world.printed.setdefault(machine.id, deque(maxlen=_KEPT_LINES))
        process = MachineProcess(
            config=machine.config,
            words=[Template(word).safe_substitute(environ) for word in words],
            environ=environ,
            folder=folder,
            ports=ports,
            printed=lambda line: lines.append((self._emulator.now(), line)),
        )
        self._running[machine.id] = process
        tasks.start_soon(self._live, machine.id, process)
        for door in doors(machine.config):
            if (machine.app, door) not in self._ways:
                way = self._ways[machine.app, door] = self._new_way(machine.app, door)
                tasks.start_soon(self._open, machine.app, door, way)

    async def _live(self, name: str, process: MachineProcess) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tell = partial(self._tell, name, process)
                tasks.start_soon(checks.watch, process.config, process.ports, tell)
                code = await process.run()
                tasks.cancel_scope.cancel()
        finally:
            del self._running[name]
        with self._emulator.changing() as world:
            machine = world.machines.get(name)
            if machine is None:
                return
            now = self._emulator.now()
            if machine.state in _ENDING and machine.pending is not None:
                world.schedule(machine, machine.pending.name, now)
            elif machine.state == "started":
                lifecycle.exited(world, machine, now, code)
            self._dirty.add(name)

    async def _tell(
        self, name: str, process: MachineProcess, check: str, found: checks.Finding
    ) -> None:
        machine = self.world.machines.get(name)
        if machine is None or process.ended or machine.state != "started":
            return
        seen = machine.observed.get(check)
        if seen is not None and (seen.passes, seen.output) == (found.passes, found.output):
            return
        with self._emulator.changing() as world:
            now, machine = self._emulator.now(), world.machines.get(name)
            if machine is None:  # another process took it away
                return
            machine.observed[check] = CheckRecord(passes=found.passes, output=found.output, at=now)
            well = len(machine.observed) == len(named_checks(machine.config, within_service=True))
            well = well and all(one.passes for one in machine.observed.values())
            machine.healthy_at = (machine.healthy_at or now) if well else None
            world.changed.add(name)

    # --- what a process finds, and where it is found

    def folder(self, machine: MachineRecord) -> Path:
        return self._home / "machines" / machine.id

    def environment(self, machine: MachineRecord, ports: dict[int, int]) -> dict[str, str]:
        passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        given = LocalExecRunner(self.world).environment(machine)
        proxy = f"http://{LOOPBACK}:{self._names_port}"
        names = {"http_proxy": proxy, "no_proxy": "localhost,127.0.0.1,::1"}
        return {**passed, **names, **given, **variables(ports, self.folder(machine))}

    def ports(self, machine: MachineRecord) -> dict[int, int]:
        """The own ports of a machine's process; empty: it has no process."""
        process = self._running.get(machine.id)
        return {} if process is None or process.ended else process.ports

    def machines(self) -> list[MachineRecord]:
        """The started machines that are processes."""
        found = (self.world.machines.get(name) for name in self._running)
        return [one for one in found if one is not None and one.state == "started"]

    def port_of(self, app: str, door: Door) -> int | None:
        """The port of this computer where an app has a door."""
        way = self._ways.get((app, door))
        return None if way is None else urlsplit(self.urls.get(way.name, "")).port

    def _new_way(self, app: str, door: Door) -> _Way:
        known = any(name == app for name, _ in self._ways)
        used = {way.port for way in self._ways.values()}
        port = next(port for port in count(self._first_port) if port not in used)
        return _Way(f"{app}:{door.port}" if known else app, port if self._first_port else 0)

    async def _open(self, app: str, door: Door, way: _Way) -> None:
        """Let an app be reached by a door, until it is gone."""
        with way.scope:
            async with listening(LOOPBACK, way.port) as (listener, url):
                self.urls[way.name] = url if door.http else url.replace("http", "tcp")
                await listener.serve(AppProxy(self._emulator, self, app, door).serve)


@frozen
class CommandsWithin(LocalExecRunner):
    """An `ExecRunner` for the machines of a runtime."""

    runtime: Runtime = field(kw_only=True)

    async def run(self, execution: Execution) -> Json:
        """Run the command beside the machine's process; in a machine without one, play it."""
        if not self.runtime.folder(execution.machine).is_dir():
            return await Programs().run(execution)
        return await super().run(execution)

    def folder(self, machine: MachineRecord) -> Path:
        return self.runtime.folder(machine)

    def environment(self, machine: MachineRecord) -> dict[str, str]:
        return self.runtime.environment(machine, self.runtime.ports(machine))


async def _end_by_force(process: MachineProcess) -> None:
    await anyio.sleep(process.stop_timeout)
    if not process.ended:
        process.send(KILL)
