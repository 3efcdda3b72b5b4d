"""One process of the tool: carries out a command as the command line does."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

import anyio.abc
from attrs import define, field

from fly_emulator import Emulator
from score_flyio.base.clock import EventLoopClock
from score_flyio.base.secret import Secret
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.engine.engine import Engine
from score_flyio.engine.project import Project
from score_flyio.engine.secrets_lines import parse_lines
from score_flyio.engine.target import EMULATOR_URL, EmulatorTarget
from score_flyio.errors import ScoreFlyError
from score_flyio.events import Event
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from score_flyio.operations.apps import AppRef, Chosen, choose_apps, existing
from score_flyio.operations.carry_out import Work, carry_out
from score_flyio.operations.certificates import plan_addition, plan_removal, show_certificate
from score_flyio.operations.definition import definition_after, known_definition
from score_flyio.operations.destroy import destroy, plan_destruction
from score_flyio.operations.records import open_records
from score_flyio.operations.releases import list_releases
from score_flyio.operations.rollback import plan_rollback
from score_flyio.operations.scale import ScaleRequest, plan_scale
from score_flyio.operations.secrets import (
    SecretsChange,
    plan_handing_out,
    plan_setting,
    store_secrets,
)
from score_flyio.operations.session import Session, open_session
from score_flyio.operations.status import Status, read_status
from score_flyio.state.deployments import DeploymentRecord
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
from tests.simulation.inputs import SimApp
from tests.simulation.mortal import Life, MortalTransport


@define(kw_only=True)
class Connection(EmulatorTarget):
    """The emulator as one mortal process reaches it."""

    life: Life
    tasks: anyio.abc.TaskGroup

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
class Process:
    """What a command is carried out with; raises what the command line would show."""

    project: Project
    target: Connection
    listener: Callable[[Event], None]
    clock: EventLoopClock
    rng: random.Random
    apps: tuple[SimApp, ...]
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
        async with open_session(
            self.target, self.listener, clock=self.clock, rng=self.rng
        ) as visit:
            match command:
                case Scale():
                    await self._scale(visit, command)
                case Rollback():
                    await self._rollback(visit, command)
                case ChangeSecrets():
                    await self._secrets(visit, command)
                case DeploySecrets():
                    await self._secrets(visit, ChangeSecrets(app=command.app, values=()))
                case Destroy():
                    await self._destroy(visit, command)
                case AddCertificate():
                    await self._add_certificate(visit, command)
                case RemoveCertificate():
                    ref = (await self._chosen(command.app)).single()
                    plan = await plan_removal(visit, ref, command.hostname)
                    self.report, _ = await carry_out(visit, [Work(plan=plan, options=self.options)])
                case Look():
                    await self._look(visit)

    async def _add_certificate(self, visit: Session, command: AddCertificate) -> None:
        ref = (await self._chosen(command.app)).single()
        plan = await plan_addition(visit, ref, command.hostname)
        self.report, _ = await carry_out(visit, [Work(plan=plan, options=self.options)])
        if not self.report.failures:
            self._tell((await show_certificate(visit, ref, command.hostname)).to_json())

    def _work(self, visit: Session, ref: AppRef, observed: ObservedApp, plan: AppPlan) -> Work:
        """The plan, and the release that Fly is told of."""
        known = known_definition(visit, self.project, ref)
        definition = definition_after(visit, ref, observed, plan, known)
        return Work(plan=plan, options=self.options, definition=definition)

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

    async def _chosen(self, app: str) -> Chosen:
        return await choose_apps(self.project, app=app)

    async def _scale(self, visit: Session, command: Scale) -> None:
        apps = await self._chosen(command.app)
        ref = apps.single()
        request = ScaleRequest(
            counts=dict(command.counts),
            regions=command.regions,
            guest=command.size,
            options=self.options,
        )
        async with open_records(visit, self.project, apps.state, "scale") as records:
            observed = await observe_app(visit.client, ref.app, Wanted(volumes=True))
            existing(observed, ref)
            scaling = plan_scale(visit, ref, observed, request, records.of(ref.app))
            self.told.append(scaling.describe())
            self.report, results = await carry_out(visit, [scaling.work], recorder=records.recorder)
            if request.guest is not None:
                await records.released(results.get(ref.app))

    async def _rollback(self, visit: Session, command: Rollback) -> None:
        apps = await self._chosen(command.app)
        ref = apps.single()
        to = None if command.to is None else self.release_of(command.app, command.to)
        async with open_records(visit, self.project, apps.state, "rollback") as records:
            observed = existing(await observe_app(visit.client, ref.app, Wanted()), ref)
            known = records.of(ref.app)
            back = await plan_rollback(visit, ref, observed, known, to=to, options=self.options)
            work = self._work(visit, ref, observed, back.plan)
            self.report, results = await carry_out(visit, [work], recorder=records.recorder)
            await records.released(results.get(ref.app))

    async def _secrets(self, visit: Session, command: ChangeSecrets) -> None:
        apps = await self._chosen(command.app)
        ref = apps.single()
        values = {n: None if v is None else Secret(v) for n, v in command.values}
        if command.from_stdin:
            values = parse_lines("\n".join(f"{n}={v}" for n, v in command.values))
        async with open_records(visit, self.project, apps.state, "secrets") as records:
            wanted = Wanted(secrets=True)
            observed = existing(await observe_app(visit.client, ref.app, wanted), ref)
            change = SecretsChange(
                ref=ref,
                known=records.of(ref.app),
                options=self.options,
                definition=known_definition(visit, self.project, ref),
                values=values,
                stage=command.stage,
            )
            plan = plan_setting(visit, observed, change)
            stored = await store_secrets(visit, ref.app, values) if values else None
            if command.stage:
                return
            if stored is not None:
                observed = await observe_app(visit.client, ref.app, wanted)
                plan = plan_handing_out(visit, observed, change, stored)
            work = self._work(visit, ref, observed, plan)
            self.report, results = await carry_out(visit, [work], recorder=records.recorder)
            await records.released(results.get(ref.app))

    async def _destroy(self, visit: Session, command: Destroy) -> None:
        refs = [(await self._chosen(app)).single() for app in command.apps]
        async with self.project.locked("destroy") as state:
            plan = await plan_destruction(visit, refs, state, keep_volumes=command.keep_volumes)
            self.told.append(plan.describe())
            self.report = await destroy(visit, plan, self.project, state)

    async def _look(self, visit: Session) -> None:
        """`status`, then `releases`, of every app."""
        refs = [(await self._chosen(app.app)).single() for app in self.apps]
        state = await self.project.read()
        self.status = await read_status(visit.client, Chosen(apps=tuple(refs), state=state))
        self._tell(self.status.to_json())
        if problems := [app.error for app in self.status.apps if app.error]:
            raise ScoreFlyError("; ".join(problems), code="unreadable")
        for ref in refs:
            observed = await observe_app(visit.client, ref.app, Wanted())
            known = state.deployments.get(ref.app) or DeploymentRecord()
            self._tell((await list_releases(visit, ref, observed, known)).to_json())

    def _tell(self, document: Any) -> None:
        self.told.append(json.dumps(document))
