"""Provisioning the resources of a run, all at once as far as they do not need each other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final

import anyio

from score_flyio import events
from score_flyio.base.place import Path, value_at, with_leaves
from score_flyio.base.record import evolve
from score_flyio.base.secret import Secret
from score_flyio.errors import (
    NoProvisionerError,
    PlaceholderError,
    Problem,
    ProvisionFailed,
    ResourceError,
    StateError,
)
from score_flyio.resources.plan import ResourcePlan
from score_flyio.resources.provisioner import (
    Provisioner,
    ProvisionIncomplete,
    ProvisionRequest,
    ProvisionResult,
)
from score_flyio.resources.registry import Registry
from score_flyio.resources.sharing import Sharing
from score_flyio.score.placeholders import Lookup, SubstitutedValue, substitute_in
from score_flyio.score.resources import JsonObject, Outputs, ResourceUid, conceal, secrets_in
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import ProvisionerDefinition
from score_flyio.state.saving import Saver
from score_flyio.state.store import StateStore

JOBS: Final = 10
"""How many provisioners run at once unless told otherwise."""


class ResourceRun:
    """Provisions the resources of one plan, once.

    A resource starts as soon as those that its params refer to are there. What a provisioner
    answered is saved before anything else happens, also when it failed half-way. A failure stops
    what refers to the failed resource; everything else goes on.
    """

    def __init__(
        self,
        plan: ResourcePlan,
        *,
        state: ProjectState,
        store: StateStore,
        registry: Registry,
        emit: Callable[[events.Event], None],
        located: Callable[[str, Problem], Problem] = lambda _, problem: problem,
        jobs: int | None = None,
        saver: Saver | None = None,
    ) -> None:
        """The state must have the plan's resources already (`plan.record_plan`).

        `located` adds file and line to a problem of the document of a workload. So many `jobs` run
        at once; None: `JOBS`, and a provisioner that never answered before runs alone first, to see
        whether it changes the shared state. `saver` is shared with all else that saves this state:
        of two writers, the one that began earlier may end later, and its older text would stay.
        """
        self._plan = plan
        self._state = state
        self._saver = saver or Saver(store, state)
        self._emit = emit
        self._located = located
        self._limit = anyio.CapacityLimiter(jobs or JOBS)
        self._done = {uid: anyio.Event() for uid in plan.order}
        self._failures: dict[ResourceUid, ResourceError] = {}
        self._unsaved: StateError | None = None
        self._outputs: dict[ResourceUid, Outputs] = {}
        self._serving: dict[ResourceUid, tuple[ProvisionerDefinition, Provisioner]] = {}
        for uid in plan.order:
            try:
                definition = registry.find(uid)
            except NoProvisionerError as error:
                self._failures[uid] = self._unserved(uid, error)
            else:
                self._serving[uid] = (definition, registry.build(definition))
        self._sharing = self._shared(at_once=jobs is not None)

    def _shared(self, *, at_once: bool) -> Sharing:
        from score_flyio.resources.servers.native import ServerProvisioner

        changes: dict[str, bool | None] = {}
        keys: dict[str, str] = {}
        for definition, provisioner in self._serving.values():
            known = provisioner.uses_shared
            if known is None:
                known = self._state.uses_shared.get(definition.id, False if at_once else None)
            changes[definition.id] = known
            if isinstance(provisioner, ServerProvisioner) and (key := provisioner.shared_key):
                keys[definition.id] = key
        return Sharing(
            base=self._state.shared,
            order=self._plan.order,
            served_by={uid: definition.id for uid, (definition, _) in self._serving.items()},
            changes=changes,
            keys=keys,
        )

    async def run(self, admitted: Callable[[ResourceUid], Awaitable[bool]] | None = None) -> None:
        """Provision everything, or what is admitted, each as soon as it is.

        Raises:
            ResourceError: something failed; several failures come as one error that has each as
                a problem.
            StateError: the state cannot be saved; then nothing goes on.
        """
        try:
            self._drop_unserved()
            await self._saver.save()
            self._emit(events.StateSaved())
            async with anyio.create_task_group() as tasks:
                for uid in self._plan.order:
                    tasks.start_soon(self._resource, uid, tasks.cancel_scope, admitted)
        finally:
            for uid, done in self._done.items():
                if not done.is_set():
                    self._failures.setdefault(uid, _interrupted(uid))
                    done.set()
        if self._unsaved is not None:
            raise self._unsaved
        if self.failures:
            raise combined(self.failures)

    @property
    def outside(self) -> tuple[str, ...]:
        """The programs and services that the run will call, each once."""
        found = (definition.outside for definition, _ in self._serving.values())
        return tuple(dict.fromkeys(name for name in found if name is not None))

    @property
    def servers(self) -> tuple[ResourceUid, ...]:
        """The resources that are on servers which score-flyio makes."""
        from score_flyio.resources.servers.native import ServerProvisioner

        return tuple(
            uid
            for uid, (_, provisioner) in self._serving.items()
            if isinstance(provisioner, ServerProvisioner)
        )

    @property
    def failures(self) -> list[ResourceError]:
        """What failed so far, in provisioning order, each cause once."""
        failed = (self._failures[uid] for uid in self._plan.order if uid in self._failures)
        return list(dict.fromkeys(failed))

    async def outputs(self, uids: Collection[ResourceUid]) -> Mapping[ResourceUid, Outputs]:
        """The outputs of resources of the plan, as soon as all of them are there.

        Can be awaited while `run` goes on. Raises the ResourceError of the first that failed.
        """
        for uid in uids:
            await self._finished(uid)
        return {uid: self._outputs[uid] for uid in uids}

    def _drop_unserved(self) -> None:
        for uid in self._failures:
            if not self._state.resources[uid].provisioned:
                del self._state.resources[uid]

    async def _finished(self, uid: ResourceUid) -> None:
        await self._done[uid].wait()
        if uid in self._failures:
            raise self._failures[uid]

    async def _resource(
        self,
        uid: ResourceUid,
        run: anyio.CancelScope,
        admitted: Callable[[ResourceUid], Awaitable[bool]] | None,
    ) -> None:
        try:
            if uid not in self._serving:
                self._report_failure(uid, self._failures[uid])
            elif admitted is None or await admitted(uid):
                await self._provision(uid)
        except ResourceError as error:
            self._failures[uid] = error
        except PlaceholderError as error:
            self._failures[uid] = self._bad_params(uid, error)
            self._report_failure(uid, self._failures[uid])
        except StateError as error:
            self._unsaved = error
            run.cancel()
        finally:
            if uid not in self._outputs:
                self._failures.setdefault(uid, _interrupted(uid))
                self._sharing.gave_no_answer(uid)
            self._done[uid].set()

    async def _provision(self, uid: ResourceUid) -> None:
        needs = self._plan.needs[uid]
        for need in sorted(needs):
            await self._finished(need)
        await self._sharing.turn(uid, needs, lambda other: self._done[other].wait())
        definition, provisioner = self._serving[uid]
        async with self._limit:
            scope, started = self._scope(uid), anyio.current_time()
            params = self._substituted(uid)
            self._emit(events.ProvisioningStarted(scope=scope, provisioner=definition.id))
            self._tell_of_another(uid, definition.id)
            try:
                result = await provisioner.provision(self._request(uid, params.value))
            except ProvisionFailed as error:
                error.hide(self._secrets_of(uid, params))
                if isinstance(error, ProvisionIncomplete):
                    error.hide(secrets_in(error.result.secrets))
                    await self._keep(uid, error.result, params, complete=False)
                self._blame(uid, error)
                self._report_failure(uid, error)
                raise
            await self._keep(uid, result, params)
            for warning in result.warnings:
                self._warn(uid, warning, code="resource_doubtful")
            self._outputs[uid] = Outputs(
                self._state.resources[uid].outputs, conceal(result.secrets or {})
            )
            self._emit(
                events.ProvisioningFinished(
                    scope=scope,
                    provisioner=definition.id,
                    outputs=self._outputs[uid].names,
                    seconds=anyio.current_time() - started,
                )
            )

    def _tell_of_another(self, uid: ResourceUid, provisioner: str) -> None:
        """Say that what another provisioner made may be left behind."""
        record = self._state.resources[uid]
        before = record.provisioner
        if before in {"", provisioner} or not record.state:
            return
        message = (
            f"'{before}' provisioned it until now, and '{provisioner}' goes on with its state: "
            f"if these are not the same, what '{before}' made is left behind"
        )
        self._warn(uid, message, code="provisioner_changed")

    def _warn(self, uid: ResourceUid, message: str, *, code: str) -> None:
        text = f"resource '{uid}': {message}"
        self._emit(events.WarningRaised(scope=self._scope(uid), message=text, code=code))

    def _scope(self, uid: ResourceUid) -> events.Scope:
        return events.Scope(resource=str(uid), workload=self._plan.primed[uid].source.workload)

    def _report_failure(self, uid: ResourceUid, error: ResourceError) -> None:
        served = self._serving.get(uid)
        self._emit(
            events.ProvisioningFailed(
                scope=self._scope(uid),
                provisioner=served[0].id if served else "",
                error=error.message,
            )
        )

    def _substituted(self, uid: ResourceUid) -> SubstitutedValue:
        resource = self._plan.primed[uid]
        workload = resource.source.workload
        metadata = self._plan.documents[workload].get("metadata") or {}
        outputs = {
            definition.name: self._outputs[other]
            for other in self._plan.needs[uid]
            for definition in self._plan.primed[other].definitions
            if definition.workload == workload
        }
        return substitute_in(resource.params or {}, Lookup(metadata, outputs))

    def _unserved(self, uid: ResourceUid, error: NoProvisionerError) -> NoProvisionerError:
        (found,) = self._in_document(uid, (), error.as_problems())
        return NoProvisionerError(str(found), problems=(found,))

    def _blame(self, uid: ResourceUid, error: ProvisionFailed) -> None:
        """Have a failure say where the Score file asks for the resource."""
        (found,) = error.problems = self._in_document(uid, (), error.as_problems())
        error.message = str(evolve(found, hint=None))
        error.args = (error.message,)

    def _bad_params(self, uid: ResourceUid, error: PlaceholderError) -> ResourceError:
        code = "params_substitution_failed"
        found = self._in_document(uid, ("params",), [evolve(p, code=code) for p in error.problems])
        text = "\n".join(map(str, found))
        return ResourceError(text, code=code, problems=found)

    def _in_document(
        self, uid: ResourceUid, place: Path, problems: Iterable[Problem]
    ) -> tuple[Problem, ...]:
        """Problems of a resource with their place in the Score file that defines it."""
        source = self._plan.primed[uid].source
        return tuple(
            self._located(
                source.workload,
                evolve(problem, path=("resources", source.name, *place, *problem.path)),
            )
            for problem in problems
        )

    def _request(self, uid: ResourceUid, params: JsonObject) -> ProvisionRequest:
        record = self._state.resources[uid]
        return ProvisionRequest(
            uid=uid,
            guid=record.guid,
            params=params or None,
            metadata=self._plan.primed[uid].metadata,
            state=record.state,
            shared=self._sharing.view(uid),
            target=self._state.target,
        )

    def _secrets_of(self, uid: ResourceUid, params: SubstitutedValue) -> Iterator[Secret]:
        """The texts of params that secrets went into, and those secrets by themselves."""
        for path in params.secret_paths:
            yield Secret(str(value_at(params.value, path)))
        for need in self._plan.needs[uid]:
            yield from secrets_in(self._outputs[need].secrets)

    async def _keep(
        self,
        uid: ResourceUid,
        result: ProvisionResult,
        params: SubstitutedValue,
        *,
        complete: bool = True,
    ) -> None:
        """Save what was answered, before anything else can go wrong."""
        definition, provisioner = self._serving[uid]
        self._sharing.answered(uid, result.shared, complete=complete)
        if provisioner.uses_shared is None:
            self._state.uses_shared[definition.id] = bool(self._sharing.changes[definition.id])
        self._state.needs.pop(uid, None)
        if not definition.spec.makes_nothing and (needs := self._plan.all_needs(uid)):
            self._state.needs[uid] = needs  # it goes before these, when it is taken away
        record = self._state.resources[uid]
        raw = self._plan.primed[uid].params

        def storable(path: Path, value: Any) -> Any:
            """A text that a secret went into is kept as it was before."""
            return value_at(raw, path) if path in params.secret_paths else value

        self._state.shared = self._sharing.merged()
        self._state.resources[uid] = evolve(
            record,
            provisioner=definition.id,
            params=with_leaves(params.value, storable) if raw else raw,
            state=record.state if result.state is None else result.state,
            outputs=record.outputs if result.values is None else result.values,
        )
        await self._saver.save()


def _interrupted(uid: ResourceUid) -> ResourceError:
    return ResourceError(f"resource '{uid}': the run ended before it", code="interrupted")


def combined(failures: list[ResourceError]) -> ResourceError:
    """Several failures as one; a single one stays itself."""
    if len(failures) == 1:
        return failures[0]
    return ResourceError(
        f"{len(failures)} resources cannot be provided",
        code=failures[0].code,
        problems=[problem for failure in failures for problem in failure.as_problems()],
    )
