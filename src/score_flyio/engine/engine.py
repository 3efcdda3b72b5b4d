"""The library's door: plans and deploys the apps of a project."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self, TypeAlias

import anyio
from attrs import evolve

from score_flyio.base.clock import Clock, SystemClock
from score_flyio.deploy.execution.report import AppReport, Report
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.deployment import Deployment
from score_flyio.engine.inputs import Input
from score_flyio.engine.output import Output
from score_flyio.engine.pipeline import Preparation, prepare
from score_flyio.engine.planning import Plan
from score_flyio.engine.project import Project
from score_flyio.engine.run import Run
from score_flyio.engine.session import Session, open_session
from score_flyio.engine.target import Target
from score_flyio.errors import ConfigError, FlyError
from score_flyio.events import Event, EventLog, RunFinished, RunStarted
from score_flyio.fly.client import FlyClient

Emit: TypeAlias = Callable[[Event], None]


class Engine:
    """Async context manager that plans and deploys; owns the client and its connections.

    Args:
        project: The folder that paths are relative to, with its provisioners and its state.
        target: Fly, or an emulator.
        listener: Called with each event, in order.
        clock: Gives stamps. Waiting goes by the event loop's clock.
        rng: Spreads retries and makes ids.
        jobs: How many provisioners run at once.
        write_files: Whether `fly_<workload>.toml` files are written.
        output: Where they go instead of the project's folder.
    """

    def __init__(
        self,
        project: Project,
        *,
        target: Target,
        listener: Emit | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        jobs: int | None = None,
        write_files: bool = True,
        output: Output | None = None,
    ) -> None:
        self.project = project
        self.target = target
        self._clock = clock or SystemClock()
        self._rng = rng or random.SystemRandom()
        self._jobs = jobs
        self._log = EventLog(self._clock.time, *([listener] if listener else []))
        self._output = output
        if write_files and output is None:
            self._output = Output(project=project)
        self._stack = AsyncExitStack()
        self._session: Session | None = None

    async def __aenter__(self) -> Self:
        visit = open_session(self.project, self.target, self._log, clock=self._clock, rng=self._rng)
        self._session = await self._stack.enter_async_context(visit)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._session = None
        await self._stack.__aexit__(kind, error, traceback)

    @property
    def session(self) -> Session:
        """The open visit to the target. Raises FlyError outside the context."""
        if self._session is None:
            raise FlyError("the engine is not open", hint="use it as `async with Engine(…)`")
        return self._session

    @property
    def client(self) -> FlyClient:
        """The open client. Raises FlyError outside the context."""
        return self.session.client

    async def plan(self, inputs: Sequence[Input], options: DeployOptions | None = None) -> Plan:
        """What `deploy` would do now, from a fresh reading of Fly. Changes nothing."""
        options = options or DeployOptions()
        self.session.tell_target()
        async with self.session.memory(
            "plan", needed=_need_project(inputs), to_look=True
        ) as recorder:
            ready = prepare(recorder.state, inputs, self.session.emit, to_look=True)
            deployment = Deployment(
                session=self.session, recorder=recorder, ready=ready, options=options
            )
            plans, failures = await deployment.plan()
        return Plan(
            apps=tuple(plans.values()),
            resources=tuple(map(str, ready.resources.order)),
            new_resources=tuple(map(str, ready.never_provisioned)),
            failures=failures,
            inputs=tuple(inputs),
            options=options,
        )

    def deploy(self, what: Plan | Sequence[Input], options: DeployOptions | None = None) -> Run:
        """Provisions and deploys; a plan is carried out only while Fly still is as it was."""
        if isinstance(what, Plan):
            inputs: Sequence[Input] = what.inputs
            chosen = options or what.options
            fingerprints = {app.app: app.fingerprint for app in what.apps}
        else:
            inputs, chosen, fingerprints = what, options or DeployOptions(), {}

        async def work(emit: Emit) -> Report:
            return await self._deploy(inputs, chosen, fingerprints, emit)

        return Run(work, self._log)

    async def observe(self, app: str, wanted: Wanted | None = None) -> ObservedApp:
        """One app as it is now."""
        return await observe_app(self.client, app, wanted or Wanted(volumes=True, addresses=True))

    async def _deploy(
        self,
        inputs: Sequence[Input],
        options: DeployOptions,
        fingerprints: Mapping[str, str],
        emit: Emit,
    ) -> Report:
        start = anyio.current_time()
        async with self.session.memory("deploy", needed=_need_project(inputs)) as recorder:
            state = recorder.state
            labels = tuple(item.workload or item.app_in(state) for item in inputs)
            emit(RunStarted(command="deploy", workloads=labels))
            self.session.tell_target()
            ready = prepare(state, inputs, emit, output=self._output)
            ready.begin(
                lambda: self.session.registry(state),
                recorder.store,
                jobs=self._jobs,
                saver=recorder.saver,
            )
            if ready.needs_state:  # known from now on, however the run ends
                await recorder.saver.save()
            report = await Deployment(
                session=self.session,
                recorder=recorder,
                ready=ready,
                options=options,
                fingerprints=fingerprints,
            ).run()
            report = await self._with_secrets(report, ready)
        emit(RunFinished(outcome=report.outcome, seconds=anyio.current_time() - start))
        return report

    async def _with_secrets(self, report: Report, ready: Preparation) -> Report:
        """Writes the secrets file, where one is wanted; the report, with what went wrong."""
        if self._output is None or not ready.resolved:
            return report
        try:
            await self._output.write_secrets(ready.resolved.values(), self.session.emit)
        except ConfigError as error:
            failed = AppReport(app="", label="secrets file", outcome="failed", failures=(error,))
            return evolve(report, apps=(*report.apps, failed))
        return report


def _need_project(inputs: Sequence[Input]) -> bool:
    """Whether there must be a project: a fly.toml needs none."""
    return any(item.workload for item in inputs)
