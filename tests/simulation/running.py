"""One process of the tool: carries out a command as the command line does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, Protocol

import trio
from attrs import define, evolve, field

from fly_emulator import Emulator
from score_flyio.base.clock import EventLoopClock
from score_flyio.base.secret import Secret
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import Input
from score_flyio.engine.operations.apps import AppRef, choose_apps, single
from score_flyio.engine.operations.certificates import (
    add_certificate,
    remove_certificate,
)
from score_flyio.engine.operations.destroy import destroy
from score_flyio.engine.operations.releases import list_releases
from score_flyio.engine.operations.rollback import rollback
from score_flyio.engine.operations.scale import ScaleRequest, scale
from score_flyio.engine.operations.secrets import change_secrets
from score_flyio.engine.operations.status import Status, read_status
from score_flyio.engine.project import Project
from score_flyio.engine.secrets_file import parse
from score_flyio.engine.session import Session, open_session
from score_flyio.engine.target import EMULATOR_URL, EmulatorTarget
from score_flyio.errors import ScoreFlyError
from score_flyio.events import Event, EventLog
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from tests.simulation.commands import (
    AddCertificate,
    ChangeSecrets,
    Command,
    Deploy,
    DeploySecrets,
    Destroy,
    Look,
    RemoveCertificate,
    Rollback,
    Scale,
)
from tests.simulation.mortal import Life, MortalTransport


class Deployable(Protocol):
    """An app of a project, in all its versions."""

    @property
    def app(self) -> str:
        """Its name at Fly."""
        ...

    def input(self, stage: int) -> Input:
        """The app as it is deployed in a stage."""
        ...


@define(kw_only=True)
class Connection(EmulatorTarget):
    """The emulator as one mortal process reaches it."""

    life: Life
    tasks: trio.Nursery

    def _client(
        self, emulator: Emulator, emit: Callable[[Event], None], rng: random.Random
    ) -> FlyClient:
        return FlyClient(
            EMULATOR_URL,
            Tokens.parse("emulated", source="the simulation"),
            transport=lambda: MortalTransport(emulator, self.life, self.tasks),
            rng=rng,
            emit=emit,
            web_url=EMULATOR_URL,
        )


@define(kw_only=True)
class Attempt:
    """One command in one life, and how it ended."""

    life: Life
    events: list[Event] = field(factory=list)
    report: Report | None = None
    told: list[str] = field(factory=list)
    """What the user reads, beside the report."""
    error: BaseException | None = None
    ended: bool = False
    """Whether the command came to its end, well or not."""

    @property
    def killed(self) -> bool:
        return self.life.dead

    @property
    def exit_code(self) -> int:
        if self.report is not None:
            return self.report.exit_code
        if self.error is None and self.ended:
            return 0
        return self.error.exit_code if isinstance(self.error, ScoreFlyError) else 1


@define(kw_only=True)
class Process:
    """What a command is carried out with; raises what the command line would show."""

    project: Project
    target: Connection
    listener: Callable[[Event], None]
    clock: EventLoopClock
    rng: random.Random
    apps: tuple[Deployable, ...]
    options: DeployOptions
    release_of: Callable[[str, int], int]
    """The release of an app that the command in a place made."""
    report: Report | None = None
    status: Status | None = None
    told: list[str] = field(factory=list)
    """What the user reads, beside the report."""

    async def carry_out(self, command: Command) -> None:
        """The whole command. Raises ScoreFlyError."""
        if isinstance(command, Deploy):
            await self._deploy(command)
            return
        log = EventLog(self.clock.time, self.listener)
        async with open_session(
            self.project, self.target, log, clock=self.clock, rng=self.rng
        ) as visit:
            visit.tell_target()
            match command:
                case Scale():
                    await self._scale(visit, command)
                case Rollback():
                    ref = await self._chosen(command.app)
                    to = None if command.to is None else self.release_of(ref.app, command.to)
                    change = await rollback(visit, ref, to=to, options=self.options)
                    self.report = change.report
                case ChangeSecrets():
                    await self._secrets(visit, command)
                case DeploySecrets():
                    await self._secrets(visit, ChangeSecrets(app=command.app, values=()))
                case Destroy():
                    await self._destroy(visit, command)
                case AddCertificate():
                    ref = await self._chosen(command.app)
                    added = await add_certificate(visit, ref, command.hostname)
                    self.report = added.report
                    if added.certificate is not None:
                        self._tell(added.certificate.to_json())
                case RemoveCertificate():
                    ref = await self._chosen(command.app)
                    change = await remove_certificate(visit, ref, command.hostname)
                    self.report = change.report
                case Look():
                    await self._look(visit)

    async def _deploy(self, command: Deploy) -> None:
        inputs = [app.input(command.stage) for app in self.apps]
        async with Engine(
            self.project,
            target=self.target,
            listener=self.listener,
            clock=self.clock,
            rng=self.rng,
            write_files=False,
        ) as engine:
            run = engine.deploy(inputs, self.options)
            try:
                async with run:
                    pass
            finally:
                if not self.target.life.dead:
                    self.report = run.report

    async def _chosen(self, app: str) -> AppRef:
        return single(await choose_apps(self.project, app=app))

    async def _scale(self, visit: Session, command: Scale) -> None:
        request = ScaleRequest(
            counts=dict(command.counts),
            regions=command.regions,
            guest=command.size,
            options=self.options,
        )
        ref = await self._chosen(command.app)
        change = await scale(visit, ref, request, before=lambda c: self.told.append(c.describe()))
        self.report = change.report

    async def _secrets(self, visit: Session, command: ChangeSecrets) -> None:
        values = {n: None if v is None else Secret(v) for n, v in command.values}
        if command.from_stdin:
            values = dict(parse("\n".join(f"{n}={v}" for n, v in command.values)))
        ref, how = await self._chosen(command.app), self.options
        change = await change_secrets(visit, ref, values, stage=command.stage, options=how)
        if not command.stage:
            self.report = change.report

    async def _destroy(self, visit: Session, command: Destroy) -> None:
        chosen = [await self._chosen(app) for app in command.apps]
        refs = [evolve(ref, named_by_file=True) for ref in chosen]  # as with `--config`
        done = await destroy(
            visit,
            refs,
            keep_volumes=command.keep_volumes,
            before=lambda plan: self.told.append(plan.describe()),
        )
        self.report = done.report

    async def _look(self, visit: Session) -> None:
        """`status`, then `releases`, of every app."""
        refs = [await self._chosen(app.app) for app in self.apps]
        self.status = await read_status(visit, refs)
        self._tell(self.status.to_json())
        if problems := [app.error for app in self.status.apps if app.error]:
            raise ScoreFlyError("; ".join(problems), code="unreadable")
        for ref in refs:
            self._tell((await list_releases(visit, ref)).to_json())

    def _tell(self, document: Any) -> None:
        self.told.append(json.dumps(document))
