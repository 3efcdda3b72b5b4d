"""Load → fit → provision → resolve: how inputs become desired apps.

| Step | When it fails |
|---|---|
| load and validate each file (`selection`) | that input is refused; the others go on |
| resolve it as far as that goes without its resources | the same |
| find its image, or what it is built of (not to generate) | the same |
| find who serves its resources (not to generate, as the Go tool) | the same |
| find conflicts and circles among the resources | of those that do not fit, the later is refused |
| enter workloads and resources into the state | |
| provision what the workloads need, concurrently; save each result at once | what needs it fails |
| resolve and write each app as soon as its own resources are there | that app fails |

`generate`, `plan` and `deploy` all go this way, so that they give the same answers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from score_flyio.base.record import define, evolve, field
from score_flyio.deploy.model import host_name
from score_flyio.engine.inputs import HOSTNAME_TYPES, Input, ScoreApp
from score_flyio.engine.output import Output
from score_flyio.engine.project import Project, remember
from score_flyio.engine.refusal import Around, expecting, misfit, refuse_params, with_resources
from score_flyio.engine.selection import Refused, score_apps
from score_flyio.errors import (
    ConfigError,
    Problem,
    ResourceError,
    ScoreFlyError,
    UnsupportedFeatureError,
)
from score_flyio.events import Listener, Scope, WarningRaised, WorkloadLoaded
from score_flyio.resources.plan import ResourcePlan, plan_resources, record_plan
from score_flyio.state.model import ProjectState

if TYPE_CHECKING:
    from score_flyio.deploy.model import DesiredApp
    from score_flyio.resources.registry import Registry
    from score_flyio.resources.run import ResourceRun
    from score_flyio.score.resources import Outputs, ResourceUid
    from score_flyio.state.saving import Saver
    from score_flyio.state.store import StateStore


@define(kw_only=True, eq=False, repr=False)
class Preparation:
    """The inputs of one run that can be used, and what becomes of them."""

    around: Around
    emit: Listener
    output: Output | None = None
    """None: nothing is written."""
    inputs: dict[str, Input] = field(factory=dict)
    """By app."""
    outlines: dict[str, DesiredApp] = field(factory=dict)
    """By app, as far as it is known before any resource is provisioned."""
    refused: list[Refused] = field(factory=list)
    """What cannot be used, whatever its resources turn out to be."""
    resources: ResourcePlan = field(init=False)
    """Of the inputs that `fit`."""
    run: ResourceRun | None = None
    resolved: dict[str, DesiredApp] = field(factory=dict)
    """By app, those that are known in full."""
    files: dict[str, tuple[str, ...]] = field(factory=dict)
    """By app, the files that were written; its fly.toml is the last."""

    @classmethod
    def of(
        cls,
        project: Project,
        state: ProjectState,
        inputs: Sequence[Input],
        emit: Listener,
        output: Output | None = None,
    ) -> Preparation:
        """What each input comes to by itself. Raises ConfigError: two inputs are one app."""
        names = [item.app_in(state) for item in inputs]
        for app in names:
            if names.count(app) > 1:
                raise ConfigError(
                    f"app {app} would be deployed twice in one run",
                    hint="give the workloads different names, or deploy them one after another",
                )
        around = Around(project=project, state=state, items=score_apps(inputs))
        ready = cls(around=around, emit=emit, output=output)
        for app, each in zip(names, inputs, strict=True):
            ready.inputs[app] = item = expecting(each, around)
            try:
                ready.outlines[app] = item.resolve(app, {}, pending=True, folder=ready._folder)
                refuse_params(item)
            except ScoreFlyError as error:
                ready.refuse(app, with_resources(error, item, around))
        return ready

    def refuse(self, app: str, error: ScoreFlyError) -> None:
        """Takes an app out of the run."""
        item = self.inputs.pop(app)
        self.outlines.pop(app, None)
        self.refused.append(Refused(label=item.workload or app, error=error, app=app))

    def fit(self, *, to_look: bool = False) -> None:
        """Refuses what does not fit; the rest is in the state then, unless it is only looked at."""
        items = {item.workload: item for item in score_apps(self.inputs.values())}
        odd, self.resources = _fit(self.state, items.values())
        for name, error in odd.items():
            self.refuse(self.state.app_name(name), misfit(error, items.pop(name), self.around))
        if not to_look:
            _enter(self.state, items.values(), self.resources, self.emit)
        for app, item in self.inputs.items():
            if elsewhere := self._elsewhere(app):
                self.outlines[app] = item.resolve(
                    app, {}, pending=True, elsewhere=elsewhere, folder=self._folder
                )
            self.outlines[app] = self._reached(self.outlines[app])

    @property
    def state(self) -> ProjectState:
        return self.around.state

    @property
    def never_provisioned(self) -> tuple[ResourceUid, ...]:
        """The resources of the run whose outputs nobody knows yet."""
        known = {uid for uid, record in self.state.resources.items() if record.provisioned}
        return tuple(uid for uid in self.resources.order if uid not in known)

    def begin(
        self,
        registry: Callable[[], Registry],
        store: StateStore,
        *,
        jobs: int | None,
        saver: Saver | None = None,
    ) -> None:
        """Gets ready to provision, if there is anything to provision."""
        if self.resources.order:
            from score_flyio.resources.run import ResourceRun

            self.run = ResourceRun(
                self.resources,
                state=self.state,
                store=store,
                registry=registry(),
                emit=self.emit,
                located=self._located,
                jobs=jobs,
                saver=saver,
            )

    def _located(self, workload: str, problem: Problem) -> Problem:
        """A problem of a workload's Score document with its file, and its line where known."""
        for item in score_apps(self.inputs.values()):
            if item.workload == workload:
                return item.loaded.origin.located(problem)
        return evolve(problem, file=self.state.workloads[workload].file)

    async def provision(
        self, admitted: Callable[[ResourceUid], Awaitable[bool]] | None = None
    ) -> list[ResourceError]:
        """Provisions everything, or what is admitted; gives what failed.

        Those that wait in `resolve` are told, too.

        Raises:
            StateError: the state cannot be saved; then nothing goes on.
        """
        if self.run is None:
            return []
        try:
            await self.run.run(admitted)
        except ResourceError as error:
            return self.run.failures or [error]
        return []

    def uids(self, app: str) -> Mapping[str, ResourceUid]:
        """The resources of an app, by their names in its workload."""
        workload = self.inputs[app].workload
        return self.resources.resources_of(workload) if workload else {}

    def needed_by(self) -> dict[ResourceUid, list[str]]:
        found: dict[ResourceUid, list[str]] = {uid: [] for uid in self.resources.order}
        for app in self.inputs:
            for uid in self.resources.only(self.uids(app).values()).order:
                found[uid].append(app)
        return found

    async def resolve(self, app: str) -> DesiredApp:
        """The app in full, written to its file, as soon as its own resources are there.

        Raises ResourceError for these, and InputError.
        """
        uids, desired = self.uids(app), self.outlines[app]
        if uids and self.run is not None:
            found = await self.run.outputs(uids.values())
            outputs = {name: found[uid] for name, uid in uids.items()}
            desired = self.inputs[app].resolve(
                app, outputs, elsewhere=self._elsewhere(app), folder=self._folder
            )
            desired = self._reached(desired)
            await self._provisioned_before(desired)
            self.refuse_taken(desired)
        if self.output is not None and (files := await self.output.write(desired, self.emit)):
            self.files[app] = files
        _tell(self.emit, Scope(workload=desired.workload, app=app), desired.notices)
        self.resolved[app] = desired
        return desired

    def expected(self, app: str, secrets: Collection[str]) -> DesiredApp:
        """The app as far as earlier runs tell: of secrets no more than the names that it has."""
        uids = self.uids(app)
        if not uids:
            return self.outlines[app]
        from score_flyio.score.resources import Outputs

        outputs: dict[str, Outputs] = {}
        for name, uid in uids.items():
            record = self.state.resources.get(uid)
            if record is not None and record.provisioned and record.outputs:
                outputs[name] = Outputs(record.outputs)
        desired = self.inputs[app].resolve(
            app, outputs, pending=True, kept=secrets, elsewhere=self._elsewhere(app)
        )
        return self._reached(desired)

    def _reached(self, desired: DesiredApp) -> DesiredApp:
        """The app with the private address that resources of class `flycast` name, if any does."""
        return evolve(desired, flycast=desired.workload in self.resources.behind_the_proxy)

    def _elsewhere(self, app: str) -> frozenset[str]:
        workload = self.inputs[app].workload
        return self.resources.led_elsewhere(workload) if workload else frozenset()

    def _named_before(self, desired: DesiredApp) -> Iterator[tuple[str, ResourceUid]]:
        """Host names of other workloads: of those before it in the run, and of those that rest."""
        run = [item.workload for item in self.inputs.values() if item.workload]
        later = run[run.index(desired.workload) :] if desired.workload in run else []
        for workload, uid in self.resources.of_types(HOSTNAME_TYPES):
            if workload not in later:
                yield workload, uid

    async def _provisioned_before(self, desired: DesiredApp) -> None:
        """Waits for what `refuse_taken` looks at."""
        if not desired.hostnames or self.run is None:
            return
        for _, uid in self._named_before(desired):
            if uid in self.resources.order:
                with suppress(ResourceError):  # it has no host name, and tells so itself
                    await self.run.outputs([uid])

    def refuse_taken(self, desired: DesiredApp) -> None:
        """Raises UnsupportedFeatureError where a host name of it is known to be another's."""
        for workload, uid in self._named_before(desired) if desired.hostnames else ():
            record = self.state.resources.get(uid)
            host = (record.outputs or {}).get("host") if record is not None else None
            if isinstance(host, str) and host_name(host) in desired.hostnames:
                raise UnsupportedFeatureError(
                    f"workloads '{workload}' and '{desired.workload}' both have the host name "
                    f"{host}: at Fly a host name leads to one app",
                    hint="give each workload a host name of its own, or let one pass requests on",
                )

    @property
    def _folder(self) -> str | None:
        return self.output.folder if self.output else None


def _fit(
    state: ProjectState, items: Collection[ScoreApp]
) -> tuple[dict[str, ScoreFlyError], ResourcePlan]:
    """Which workloads are refused, and the plan of the others.

    Of two that do not fit the later one is out. Then it stays as the state has it, and what does
    not fit to that is out, too.
    """
    refused: dict[str, ScoreFlyError] = {}
    left: dict[str, Mapping[str, Any]] = {i.workload: i.loaded.document for i in items}
    try:
        return refused, plan_resources({**state.documents, **left}, tuple(left))
    except ScoreFlyError:
        pass  # something does not fit: one after the other shows which
    while True:
        accepted: dict[str, Mapping[str, Any]] = {}
        for name, document in left.items():
            documents = {n: d for n, d in state.documents.items() if n not in left}
            try:
                plan_resources({**documents, **accepted, name: document}, [name])
            except ScoreFlyError as error:
                refused[name] = error
            else:
                accepted[name] = document
        if accepted == left:
            return refused, plan_resources({**state.documents, **left}, tuple(left))
        left = accepted


def _enter(
    state: ProjectState, items: Collection[ScoreApp], plan: ResourcePlan, emit: Listener
) -> None:
    if not items:
        return
    remember(state, [item.loaded for item in items])
    for item in items:
        scope = Scope(workload=item.workload)
        _tell(emit, scope, item.loaded.notices)
        emit(WorkloadLoaded(scope=scope, file=item.loaded.file))
    for conflict in plan.foreign_conflicts:
        emit(WarningRaised(message=conflict.error().message, code="resource_conflict"))
    if orphans := record_plan(state, plan):
        names = ", ".join(str(uid) for uid in orphans)
        message = f"no workload uses these resources any more: {names}"
        emit(WarningRaised(message=message, code="orphaned_resources"))


def _tell(emit: Listener, scope: Scope, notices: Sequence[Problem]) -> None:
    for notice in notices:
        emit(WarningRaised(scope=scope, message=str(notice), code=notice.key))
