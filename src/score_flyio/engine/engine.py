"""The library's door: plans, deploys and operates the apps of a project."""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeAlias, TypeVar

from score_flyio.base.clock import Clock, SystemClock
from score_flyio.base.record import evolve
from score_flyio.base.secret import Secret
from score_flyio.deploy.model import DesiredApp, ObservedApp, OwnCertificate
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.ahead import admitted
from score_flyio.engine.images import Images
from score_flyio.engine.inputs import Input
from score_flyio.engine.operations.apps import AppRef, choose_apps, find_app
from score_flyio.engine.output import Output
from score_flyio.engine.pipeline import Preparation
from score_flyio.engine.plans import Plan, Planning
from score_flyio.engine.project import Project
from score_flyio.engine.run import Alone, Run, raise_failures
from score_flyio.engine.session import Session, open_session
from score_flyio.engine.target import Target
from score_flyio.errors import ConfigError, EngineBusy, EngineNotOpen, ScoreFlyError
from score_flyio.errors.unwrap import at_once
from score_flyio.events import EventLog, Listener, RunStarted
from score_flyio.fly.client import FlyClient

if TYPE_CHECKING:
    from score_flyio.deploy.execution.report import Report
    from score_flyio.engine.deployment import Deployment
    from score_flyio.engine.operations.addresses import Address, AddressKind
    from score_flyio.engine.operations.certificates import Certificate
    from score_flyio.engine.operations.change import Ask, Before, Change
    from score_flyio.engine.operations.destroy import Destruction
    from score_flyio.engine.operations.logs import LogFilter
    from score_flyio.engine.operations.releases import AppReleases
    from score_flyio.engine.operations.scale import GroupSize, ScaleRequest
    from score_flyio.engine.operations.secrets import SecretStatus
    from score_flyio.engine.operations.status import Status
    from score_flyio.fly.logs import LogLine

Done = TypeVar("Done", "Change", "Destruction")
AppName: TypeAlias = str | AppRef
"""A workload of the project or an app, by its name; see `Engine.app`."""


class Engine:
    """Async context manager that plans, deploys and operates; owns the client and its connections.

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
        listener: Listener | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
        jobs: int | None = None,
        write_files: bool = True,
        output: Output | None = None,
    ) -> None:
        self.project = project.at(target.kept_as)
        self.target = target
        self._clock = clock or SystemClock()
        self._rng = rng or random.SystemRandom()
        self._jobs = jobs
        self._log = EventLog(self._clock.time, *([listener] if listener else []))
        self._output = output
        if write_files and output is None:
            self._output = Output(project=self.project)
        self._stack = AsyncExitStack()
        self._session: Session | None = None
        self._alone = Alone()

    async def __aenter__(self) -> Self:
        if self._session is not None:
            raise EngineBusy("the engine is open already", hint="open an engine for each of them")
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
        """The open visit to the target. Raises EngineNotOpen outside the context."""
        if self._session is None:
            raise EngineNotOpen("the engine is not open", hint="use it as `async with Engine(…)`")
        return self._session

    @property
    def client(self) -> FlyClient:
        """The open client. Raises EngineNotOpen outside the context."""
        return self.session.client

    async def plan(self, inputs: Sequence[Input], options: DeployOptions | None = None) -> Plan:
        """What `deploy` would do now, from a fresh reading of Fly. Changes nothing."""
        options = options or DeployOptions()
        self._alone.check()
        self.session.tell_target()
        async with (
            self.session.memory("plan", needed=_need_project(inputs), to_look=True) as recorder,
            Images(session=self.session, options=options) as images,
        ):
            ready = await admitted(inputs, recorder.state, images, to_look=True)
            planning = Planning(recorder=recorder, ready=ready, images=images)
            return await planning.plan(inputs)

    async def build(
        self, inputs: Sequence[Input], options: DeployOptions | None = None
    ) -> tuple[Mapping[str, str], Mapping[str, ScoreFlyError]]:
        """Build the images of apps, and do nothing else: images and failures, by label.

        They are pushed unless the options say otherwise. Those that need not be built are resolved.
        """
        options = options or DeployOptions()
        self._alone.check()
        self.session.tell_target()
        async with self.session.memory(
            "build", needed=_need_project(inputs), to_look=True
        ) as recorder:
            found = Preparation.of(self.project, recorder.state, inputs, self.session.emit)
        async with Images(session=self.session, options=options) as images:
            await images.check(found)
            failures = {each.label: each.error for each in found.refused}

            async def one(app: DesiredApp) -> tuple[str, str | None]:
                try:
                    return app.label, await images.ready(app.name)
                except ScoreFlyError as error:
                    failures[app.label] = error
                    return app.label, None

            built = await at_once(one, found.outlines.values())
        return {label: image for label, image in built if image is not None}, failures

    def deploy(self, what: Plan | Sequence[Input], options: DeployOptions | None = None) -> Run:
        """Provisions and deploys; a plan is carried out only while Fly still is as it was.

        Raises EngineNotOpen outside the context; a run that begins while another one goes on
        raises EngineBusy.
        """
        _ = self.session
        if isinstance(what, Plan):
            inputs: Sequence[Input] = what.inputs
            chosen = options or what.options
            fingerprints = {app.app: app.fingerprint for app in what.apps}
        else:
            inputs, chosen, fingerprints = what, options or DeployOptions(), {}

        begun: list[Deployment] = []

        async def work() -> Report:
            return await self._deploy(inputs, chosen, fingerprints, begun.append)

        def so_far() -> Report:
            from score_flyio.engine.deployment import nothing_done

            return begun[0].so_far() if begun else nothing_done(inputs, self.target.name)

        return Run(work, so_far=so_far, log=self._log, alone=self._alone)

    async def app(self, name: str) -> AppRef:
        """The workload of that name, where the project has one, else the app of that name."""
        return await find_app(self.project, name)

    async def observe(self, app: AppName, wanted: Wanted | None = None) -> ObservedApp:
        """One app as it is now; all of it but its secrets, unless something else is wanted."""
        wanted = wanted or Wanted(volumes=True, addresses=True)
        return await observe_app(self.client, (await self._ref(app)).app, wanted)

    async def status(self, *apps: AppName) -> Status:
        """What runs of some apps; without any, of all workloads of the project."""
        from score_flyio.engine.operations.status import read_status

        refs = [await self._ref(app) for app in apps] or await choose_apps(self.project)
        return await read_status(self._visit(), refs)

    async def releases(self, app: AppName) -> AppReleases:
        """The releases that anyone knows of, newest first."""
        from score_flyio.engine.operations.releases import list_releases

        return await list_releases(self._visit(), await self._ref(app))

    async def rollback(
        self,
        app: AppName,
        *,
        to: int | None = None,
        options: DeployOptions | None = None,
        before: Before | None = None,
        dry_run: bool = False,
    ) -> Change:
        """Brings release `to` back, or else the newest earlier one that was different.

        As with every operation, `before` is told what will be done, and stops it by raising; with
        `dry_run` nothing is changed. One that fails raises a `DeployError` with its report.
        """
        from score_flyio.engine.operations.rollback import rollback

        async with self._change(app) as (session, [ref]):
            return _well(
                await rollback(session, ref, to=to, options=options, before=before, dry_run=dry_run)
            )

    async def sizes(self, app: AppName) -> tuple[GroupSize, ...]:
        """Count and size of the machines of each group."""
        from score_flyio.engine.operations.scale import sizes

        return await sizes(self._visit(), await self._ref(app))

    async def scale(
        self,
        app: AppName,
        request: ScaleRequest,
        *,
        before: Before | None = None,
        dry_run: bool = False,
    ) -> Change:
        """Changes how many machines groups have, and how large they are."""
        from score_flyio.engine.operations.scale import scale

        async with self._change(app) as (session, [ref]):
            return _well(await scale(session, ref, request, before=before, dry_run=dry_run))

    async def logs(self, app: AppName, wanted: LogFilter | None = None) -> tuple[LogLine, ...]:
        """The newest lines that the machines of an app printed."""
        from score_flyio.engine.operations.logs import read_logs

        return await read_logs(self._visit(), await self._ref(app), wanted)

    async def follow_logs(
        self, app: AppName, wanted: LogFilter | None = None
    ) -> AsyncGenerator[LogLine, None]:
        """The newest lines, and each line after them as it comes, until it is left."""
        from score_flyio.engine.operations.logs import follow_logs

        async with aclosing(follow_logs(self._visit(), await self._ref(app), wanted)) as lines:
            async for line in lines:
                yield line

    async def secrets(self, app: AppName) -> tuple[SecretStatus, ...]:
        """Names and digests of secrets; values cannot be read."""
        from score_flyio.engine.operations.secrets import list_secrets

        return await list_secrets(self._visit(), await self._ref(app))

    async def change_secrets(
        self,
        app: AppName,
        values: Mapping[str, Secret | None],
        *,
        stage: bool = False,
        options: DeployOptions | None = None,
        before: Before | None = None,
        dry_run: bool = False,
    ) -> Change:
        """Sets secrets, deletes those given as None, and restarts what has not seen all.

        With `stage`, nothing is restarted; with no values, what was staged is handed out.
        """
        from score_flyio.engine.operations.secrets import change_secrets

        async with self._change(app) as (session, [ref]):
            done = await change_secrets(
                session,
                ref,
                values,
                stage=stage,
                options=options,
                before=before,
                dry_run=dry_run,
            )
            return _well(done)

    async def addresses(self, app: AppName) -> tuple[Address, ...]:
        """The addresses of an app."""
        from score_flyio.engine.operations.addresses import list_addresses

        return await list_addresses(self._visit(), await self._ref(app))

    async def allocate_address(
        self,
        app: AppName,
        kind: AddressKind,
        region: str | None = None,
        *,
        before: Before | None = None,
        dry_run: bool = False,
    ) -> Change:
        """One more address; a `v4` costs money."""
        from score_flyio.engine.operations.addresses import allocate_address

        async with self._change(app) as (session, [ref]):
            return _well(
                await allocate_address(session, ref, kind, region, before=before, dry_run=dry_run)
            )

    async def release_address(self, app: AppName, ip: str, *, dry_run: bool = False) -> Change:
        """Gives an address back."""
        from score_flyio.engine.operations.addresses import release_address

        async with self._change(app) as (session, [ref]):
            return _well(await release_address(session, ref, ip, dry_run=dry_run))

    async def certificates(self, app: AppName) -> tuple[Certificate, ...]:
        """The certificates of an app."""
        from score_flyio.engine.operations.certificates import list_certificates

        return await list_certificates(self._visit(), await self._ref(app))

    async def certificate(self, app: AppName, hostname: str, *, check: bool = False) -> Certificate:
        """One certificate, with the DNS records it asks for; `check` has them looked at again."""
        from score_flyio.engine.operations.certificates import read_certificate

        return await read_certificate(self._visit(), await self._ref(app), hostname, check=check)

    async def add_certificate(
        self,
        app: AppName,
        hostname: str,
        own: OwnCertificate | None = None,
        *,
        dry_run: bool = False,
    ) -> Change:
        """Has the platform make a certificate, or gives it one."""
        from score_flyio.engine.operations.certificates import add_certificate

        async with self._change(app) as (session, [ref]):
            return _well(await add_certificate(session, ref, hostname, own, dry_run=dry_run))

    async def remove_certificate(
        self, app: AppName, hostname: str, *, dry_run: bool = False
    ) -> Change:
        """Takes all certificates of a host name away."""
        from score_flyio.engine.operations.certificates import remove_certificate

        async with self._change(app) as (session, [ref]):
            return _well(await remove_certificate(session, ref, hostname, dry_run=dry_run))

    async def destroy(
        self,
        *apps: AppName,
        keep_volumes: bool = False,
        before: Ask[Destruction] | None = None,
        dry_run: bool = False,
    ) -> Destruction:
        """Deletes apps with all that belongs to them, then the resources that only they used."""
        from score_flyio.engine.operations.destroy import destroy

        async with self._change(*apps) as (session, refs):
            done = await destroy(
                session, refs, keep_volumes=keep_volumes, before=before, dry_run=dry_run
            )
            return _well(done)

    def _visit(self) -> Session:
        """For what only reads: within a run it is told already where that goes."""
        if not self._alone.busy:
            self.session.tell_target()
        return self.session

    @asynccontextmanager
    async def _change(self, *apps: AppName) -> AsyncGenerator[tuple[Session, list[AppRef]]]:
        """For what has a beginning and an end, which cannot stand among the events of another."""
        with self._alone.change(self._log):
            yield self.session, [await self._ref(app) for app in apps]

    async def _ref(self, app: AppName) -> AppRef:
        return app if isinstance(app, AppRef) else await self.app(app)

    async def _deploy(
        self,
        inputs: Sequence[Input],
        options: DeployOptions,
        fingerprints: Mapping[str, str],
        begin: Callable[[Deployment], None],
    ) -> Report:
        from score_flyio.engine.deployment import Deployment

        async with self.session.memory("deploy", needed=_need_project(inputs)) as recorder:
            state = recorder.state
            labels = tuple(item.workload or item.app_in(state) for item in inputs)
            self.session.emit(RunStarted(command="deploy", workloads=labels))
            self.session.tell_target()
            async with Images(session=self.session, options=options) as images:
                ready = await admitted(inputs, state, images, output=self._output)
                ready.begin(
                    lambda: self.session.registry(state, region=options.region),
                    recorder.store,
                    jobs=self._jobs,
                    saver=recorder.saver,
                )
                if _need_project(ready.inputs.values()):
                    await recorder.saver.save()  # what it makes is known from now on
                deployment = Deployment(
                    recorder=recorder, ready=ready, images=images, fingerprints=fingerprints
                )
                begin(deployment)
                report = await deployment.run()
            return await self._with_secrets(report, ready)

    async def _with_secrets(self, report: Report, ready: Preparation) -> Report:
        """Writes the secrets file, where one is wanted; the report, with what went wrong."""
        if self._output is None or not ready.resolved:
            return report
        try:
            await self._output.write_secrets(ready.resolved.values(), self.session.emit)
        except ConfigError as error:
            from score_flyio.deploy.execution.report import AppReport

            failed = AppReport.failed("secrets file", error)
            return evolve(report, apps=(*report.apps, failed))
        return report


def _well(change: Done) -> Done:
    """The same. Raises DeployError for one that failed."""
    if change.report is not None:
        raise_failures(change.report)
    return change


def _need_project(inputs: Iterable[Input]) -> bool:
    """Whether there must be a project: a fly.toml needs none."""
    return any(item.workload for item in inputs)
