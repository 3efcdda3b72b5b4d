"""The library's door: plans and deploys the apps of a project."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self, TypeAlias

import anyio

from score_flyio.base.clock import Clock, SystemClock
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.deployable import Deployable, Input, ScoreApp, unique_apps
from score_flyio.engine.deployment import Deployment
from score_flyio.engine.planning import Plan, Planner
from score_flyio.engine.project import Project, remember
from score_flyio.engine.recording import StateRecorder
from score_flyio.engine.run import Run
from score_flyio.engine.session import Session, open_session
from score_flyio.engine.target import Target
from score_flyio.engine.writing import TomlWriter
from score_flyio.errors import FlyError
from score_flyio.events import (
    Event,
    EventLog,
    RunFinished,
    RunStarted,
    Scope,
    WarningRaised,
    WorkloadLoaded,
)
from score_flyio.fly.client import FlyClient
from score_flyio.resources.plan import ResourcePlan, plan_resources, record_plan
from score_flyio.resources.run import ResourceRun
from score_flyio.score.load import LoadedWorkload
from score_flyio.score.resources import Outputs, ResourceUid
from score_flyio.state.model import ProjectState

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
    ) -> None:
        self.project = project
        self.target = target
        self._clock = clock or SystemClock()
        self._rng = rng or random.SystemRandom()
        self._jobs = jobs
        self._writer = TomlWriter(project, enabled=write_files)
        self._log = EventLog(self._clock.time, *([listener] if listener else []))
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
        needed = not _only_fly_tomls(inputs)
        async with self.session.memory("plan", needed=needed, to_look=True) as recorder:
            state = recorder.state
        deployables = self._deployables(inputs, state)
        resources = _plan_resources(inputs, state)

        def outputs(item: Deployable) -> Mapping[str, Outputs]:
            return _known_outputs(item, state, resources)

        planner = Planner(
            session=self.session, options=options, known=recorder.known, outputs=outputs
        )
        await planner.plan(deployables)
        return Plan(
            apps=tuple(planner.plans[d.app] for d in deployables if d.app in planner.plans),
            resources=tuple(str(uid) for uid in resources.order) if resources else (),
            new_resources=_never_provisioned(resources, state),
            failures={
                d.workload or d.app: planner.failures[d.app]
                for d in deployables
                if d.app in planner.failures
            },
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
        needed = not _only_fly_tomls(inputs)
        async with self.session.memory("deploy", needed=needed) as recorder:
            state = recorder.state
            loaded = [item for item in inputs if isinstance(item, LoadedWorkload)]
            remember(state, loaded)
            deployables = self._deployables(inputs, state)
            emit(
                RunStarted(
                    command="deploy", workloads=tuple(d.workload or d.app for d in deployables)
                )
            )
            self.session.tell_target()
            _tell_loaded(loaded, emit)
            plan = _plan_resources(inputs, state)
            run = self._resource_run(plan, recorder, emit)
            if loaded:  # known from now on, however the run ends
                await recorder.saver.save()
            deployment = Deployment(
                session=self.session,
                options=options,
                recorder=recorder,
                on_prepared=self._writer.write,
                resources=run,
                uids=_uids(loaded, plan),
                fingerprints=fingerprints,
            )
            report = await deployment.run(deployables)
        emit(RunFinished(outcome=report.outcome, seconds=anyio.current_time() - start))
        return report

    def _resource_run(
        self, plan: ResourcePlan | None, recorder: StateRecorder, emit: Emit
    ) -> ResourceRun | None:
        if plan is None:
            return None
        record_plan(recorder.state, plan)
        return ResourceRun(
            plan,
            state=recorder.state,
            store=recorder.store,
            registry=self.session.registry(recorder.state),
            emit=emit,
            jobs=self._jobs,
            saver=recorder.saver,
        )

    def _deployables(self, inputs: Sequence[Input], state: ProjectState) -> list[Deployable]:
        found: list[Deployable] = [
            ScoreApp(
                app=state.app_name(item.workload.name),
                loaded=item,
                directory=self.project.directory,
            )
            if isinstance(item, LoadedWorkload)
            else item
            for item in inputs
        ]
        unique_apps(found)
        return found


def _only_fly_tomls(inputs: Sequence[Input]) -> bool:
    return not any(isinstance(item, LoadedWorkload) for item in inputs)


def _tell_loaded(loaded: Sequence[LoadedWorkload], emit: Emit) -> None:
    for item in loaded:
        scope = Scope(workload=item.workload.name)
        emit(WorkloadLoaded(scope=scope, file=item.file))
        for notice in item.notices:
            emit(WarningRaised(scope=scope, message=str(notice), code=notice.key))


def _plan_resources(inputs: Sequence[Input], state: ProjectState) -> ResourcePlan | None:
    """The resources of the run's workloads, among all documents of the project."""
    loaded = {i.workload.name: i.document for i in inputs if isinstance(i, LoadedWorkload)}
    documents = {name: record.spec for name, record in state.workloads.items()} | loaded
    plan = plan_resources(documents, tuple(loaded))
    return plan if plan.order else None


def _uids(
    loaded: Sequence[LoadedWorkload], plan: ResourcePlan | None
) -> dict[str, dict[str, ResourceUid]]:
    if plan is None:
        return {}
    return {item.workload.name: plan.resources_of(item.workload.name) for item in loaded}


def _never_provisioned(plan: ResourcePlan | None, state: ProjectState) -> tuple[str, ...]:
    known = {uid for uid, record in state.resources.items() if record.provisioned}
    return tuple(str(uid) for uid in plan.order if uid not in known) if plan else ()


def _known_outputs(
    item: Deployable, state: ProjectState, plan: ResourcePlan | None
) -> dict[str, Outputs]:
    """Outputs of earlier runs, by the resource's name; secrets among them are never kept."""
    if plan is None or item.workload is None:
        return {}
    found = {}
    for name, uid in plan.resources_of(item.workload).items():
        record = state.resources.get(uid)
        if record is not None and record.provisioned and record.outputs:
            found[name] = Outputs(record.outputs)
    return found
