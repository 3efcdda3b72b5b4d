"""The Postgres provisioners in this process, in place of calls of our own program.

A project that was made with the Go score-flyio has the path of that program in its state. Whatever
the path, arguments such as `builtin-provisioners postgres $SCORE_PROVISIONER_MODE` are understood
here, so that program need not be there any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from attrs import evolve, field, frozen

from score_flyio.resources.provisioner import Provisioner, ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import Registry
from score_flyio.state.resources import CommandSpec, ProvisionerDefinition

if TYPE_CHECKING:
    from score_flyio.resources.postgres.access import FlyAccess

PROGRAM: Final = "score-flyio"
GROUP: Final = "builtin-provisioners"
MODE: Final = "$SCORE_PROVISIONER_MODE"
DATABASE: Final = "postgres"
INSTANCE: Final = "postgres-instance"


@frozen(eq=False, repr=False)
class NativeProvisioner:
    """One of the two; what it needs is loaded when it is called."""

    kind: str
    access: Callable[[], FlyAccess] = field(repr=False)

    @property
    def uses_shared(self) -> bool | None:
        return self.kind == DATABASE

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        return await self._work().provision(request)

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        return await self._work().deprovision(request)

    def _work(self) -> Provisioner:
        from score_flyio.resources.postgres.provisioner import (
            PostgresInstanceProvisioner,
            PostgresProvisioner,
        )

        work = PostgresProvisioner if self.kind == DATABASE else PostgresInstanceProvisioner
        return work(self.access())


def in_process(registry: Registry, access: Callable[[], FlyAccess]) -> Registry:
    """The registry, with definitions that call our own program served in this process."""
    native: Mapping[str, Provisioner] = {
        definition.id: NativeProvisioner(kind, access)
        for definition in registry.definitions
        if (kind := builtin_kind(definition)) is not None
    }
    return evolve(registry, plugins={**registry.plugins, **native}) if native else registry


def builtin_kind(definition: ProvisionerDefinition) -> str | None:
    """Which of the two a definition calls; None when it is something else."""
    spec = definition.spec
    if not isinstance(spec, CommandSpec) or PurePath(spec.binary).stem != PROGRAM:
        return None
    match spec.args:
        case (group, kind, mode) if group == GROUP and mode == MODE:
            return kind if kind in {DATABASE, INSTANCE} else None
    return None
