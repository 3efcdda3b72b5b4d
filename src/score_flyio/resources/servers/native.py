"""Provisioners of servers in this process.

A project that was made with the Go score-flyio has the path of that program in its state. Whatever
the path, arguments such as `builtin-provisioners postgres $SCORE_PROVISIONER_MODE` are understood
here, so that program need not be there any more.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from score_flyio.base.record import field, frozen
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.state.resources import CommandSpec, ProvisionerDefinition

if TYPE_CHECKING:
    from score_flyio.resources.servers.access import FlyAccess
    from score_flyio.resources.servers.provisioner import OwnServer, SharedServer
    from score_flyio.resources.template.entry import Entry
    from score_flyio.resources.template.surroundings import Surroundings

PROGRAM: Final = "score-flyio"
GROUP: Final = "builtin-provisioners"
MODE: Final = "$SCORE_PROVISIONER_MODE"
KINDS: Final = ("postgres", "postgres-instance")
"""What our own program is called for."""


@frozen(eq=False, repr=False)
class ServerProvisioner:
    """What serves a description; what it needs is loaded when it is called."""

    entry: Entry
    surroundings: Callable[[], Surroundings]
    access: Callable[[], FlyAccess] = field(repr=False)
    named: dict[str, str] = field(factory=dict)
    """Names of databases that were chosen → whose they are: those made at once differ."""

    @property
    def uses_shared(self) -> bool | None:
        return self.entry.shared_server

    @property
    def shared_key(self) -> str | None:
        """The key of the shared state with the server; None: each resource has its own."""
        return self.entry.shared_key if self.entry.shared_server else None

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        return await self._work().provision(request)

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        return await self._work().deprovision(request)

    def _work(self) -> OwnServer | SharedServer:
        from score_flyio.resources.servers.provisioner import OwnServer, SharedServer

        kind = SharedServer if self.entry.shared_server else OwnServer
        return kind(self.entry, self.access(), self.surroundings(), self.named)


def builtin_kind(definition: ProvisionerDefinition) -> str | None:
    """What a definition calls our own program for; None when it is something else."""
    spec = definition.spec
    if not isinstance(spec, CommandSpec) or PurePath(spec.binary).stem != PROGRAM:
        return None
    match spec.args:
        case (group, kind, mode) if group == GROUP and mode == MODE:
            return kind if kind in KINDS else None
    return None
