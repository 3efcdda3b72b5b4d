"""Taking resources away again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from score_flyio.base.printable import one_line
from score_flyio.base.record import evolve, frozen
from score_flyio.errors import ResourceError, UsageError
from score_flyio.events import (
    DeprovisioningFailed,
    DeprovisioningFinished,
    DeprovisioningStarted,
    Listener,
    Scope,
    WarningRaised,
)
from score_flyio.resources.graph import build
from score_flyio.resources.prime import prime
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import Registry
from score_flyio.resources.run import combined
from score_flyio.resources.sharing import merge_patch
from score_flyio.score.resources import ResourceUid, secrets_in
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import ProvisionerDefinition, ResourceRecord
from score_flyio.state.saving import Saver
from score_flyio.state.store import StateStore


@frozen(kw_only=True)
class Deprovisioning:
    """Takes resources away, one after the other, and forgets each at once."""

    state: ProjectState
    store: StateStore
    registry: Registry
    emit: Listener

    async def one(self, uid: ResourceUid) -> None:
        """Take one resource away; one that was never made is forgotten.

        Raises:
            UsageError: there is no such resource.
            ResourceError: its provisioner is not configured.
            ProvisionFailed: the provisioner failed; the resource stays in the state.
        """
        record = self.state.resources.get(uid)
        if record is None:
            raise unknown_resource(uid, self.state)
        if users := self.state.users(uid):
            names = ", ".join(f"'{name}'" for name in users)
            self.emit(
                WarningRaised(
                    scope=Scope(resource=str(uid)),
                    message=f"resource '{uid}' is still used by workload {names}; "
                    "the next generate or deploy provisions it anew",
                    code="resource_in_use",
                )
            )
        await self._remove(record)

    async def all(self, uids: Collection[ResourceUid]) -> None:
        """Take resources away, those that others need last; one that was never made is forgotten.

        Raises:
            ResourceError: something failed; everything that the failed ones do not need is gone.
        """
        failures: list[ResourceError] = []
        needed: set[ResourceUid] = set()
        needs = _needs(self.state)
        for uid in _users_first(uids, needs):
            try:
                if uid not in needed:
                    await self._remove(self.state.resources[uid])
                    continue
            except ResourceError as error:
                failures.append(error)
            needed |= needs.get(uid, frozenset())
        if failures:
            raise combined(failures)

    async def _remove(self, record: ResourceRecord) -> None:
        if record.provisioned:
            await self._take_away(record, self._provisioner(record))
        else:
            await self._forget(record.uid)

    def _provisioner(self, record: ResourceRecord) -> ProvisionerDefinition:
        definition = self.registry.named(record.provisioner)
        if definition is not None:
            return definition
        raise ResourceError(
            f"resource '{record.uid}': its provisioner '{record.provisioner}' is not configured "
            "any more",
            hint=f"add it again: score-flyio provisioners add {record.provisioner} "
            f"{record.uid.type} …",
            code="deprovision_provisioner_missing",
        )

    async def _take_away(self, record: ResourceRecord, definition: ProvisionerDefinition) -> None:
        scope = Scope(resource=str(record.uid), workload=record.source_workload or None)
        self.emit(DeprovisioningStarted(scope=scope, provisioner=definition.id))
        request = ProvisionRequest(
            uid=record.uid,
            guid=record.guid,
            params=record.params or {},
            metadata=record.metadata or {},
            state=record.state,
            shared=self.state.shared,
            target=self.state.target,
        )
        try:
            result = await self.registry.build(definition).deprovision(request)
        except ResourceError as error:
            if isinstance(error, ProvisionIncomplete):
                error.hide(secrets_in(error.result.secrets))
                await self._keep(record, error.result)
            message = error.message
            self.emit(DeprovisioningFailed(scope=scope, provisioner=definition.id, error=message))
            raise
        for warning in result.warnings:
            message = f"resource '{record.uid}': {warning}"
            self.emit(WarningRaised(scope=scope, message=message, code="resource_doubtful"))
        self.state.shared = merge_patch(self.state.shared, result.shared or {})
        await self._forget(record.uid)
        self.emit(DeprovisioningFinished(scope=scope, provisioner=definition.id))

    async def _keep(self, record: ResourceRecord, result: ProvisionResult) -> None:
        """Save what a failed call answered, from which the next one goes on."""
        self.state.shared = merge_patch(self.state.shared, result.shared or {})
        self.state.resources[record.uid] = evolve(
            record,
            state=record.state if result.state is None else result.state,
            outputs=record.outputs if result.values is None else result.values,
        )
        await Saver(self.store, self.state).save()

    async def _forget(self, uid: ResourceUid) -> None:
        del self.state.resources[uid]
        self.state.needs.pop(uid, None)
        await Saver(self.store, self.state).save()


def unknown_resource(uid: ResourceUid | str, state: ProjectState) -> UsageError:
    """The error for a uid that the state does not have."""
    known = ", ".join(str(uid) for uid in sorted(state.resources)) or "none"
    return UsageError(
        f"there is no resource '{one_line(str(uid))}' in the project",
        hint=f"known resources: {known}",
        code="deprovision_unknown_resource",
    )


def _needs(state: ProjectState) -> Mapping[ResourceUid, frozenset[ResourceUid]]:
    documents = state.documents
    now, before = build(prime(documents)[0], documents).needs, state.needs
    nothing: frozenset[ResourceUid] = frozenset()
    return {uid: now.get(uid, nothing) | before.get(uid, nothing) for uid in {*now, *before}}


def _users_first(
    uids: Collection[ResourceUid], needs: Mapping[ResourceUid, frozenset[ResourceUid]]
) -> list[ResourceUid]:
    """Ordered so that a resource comes before those that it needs."""
    order: list[ResourceUid] = []
    left = set(uids)
    while left:
        needed = {need for uid in left for need in needs.get(uid, ()) if need != uid}
        # In a circle nothing comes first: then all that is left goes at once.
        level = sorted(left - needed) or sorted(left)
        order += level
        left.difference_update(level)
    return order
