"""Provisioners of servers in this process.

A project that was made with the Go score-flyio has the path of that program in its state. Whatever
the path, arguments such as `builtin-provisioners postgres $SCORE_PROVISIONER_MODE` are understood
here, so that program need not be there any more.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from score_flyio.base.record import field, frozen
from score_flyio.resources import define
from score_flyio.resources.protocol import Calling, Mode
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.state.resources import CommandSpec, ProvisionerDefinition

if TYPE_CHECKING:
    from score_flyio.resources.registry import Means
    from score_flyio.resources.template.entry import Entry

PROGRAM: Final = "score-flyio"
MODE: Final = f"${define.MODE_VARIABLE}"


@frozen(eq=False, repr=False)
class ServerProvisioner(Calling):
    """What serves a description; what it needs is loaded when it is called."""

    entry: Entry
    means: Means
    named: dict[str, str] = field(factory=dict)
    """Names of databases that were chosen → whose they are: those made at once differ."""

    @property
    def uses_shared(self) -> bool | None:
        return self.entry.shared_server

    @property
    def shared_key(self) -> str | None:
        """The key of the shared state with the server; None: each resource has its own."""
        return self.entry.shared_key if self.entry.shared_server else None

    async def call(self, mode: Mode, request: ProvisionRequest) -> ProvisionResult:
        from score_flyio.resources.servers.provisioner import OwnServer, SharedServer

        kind = SharedServer if self.entry.shared_server else OwnServer
        work = kind(self.entry, self.means.access(), self.means.surroundings(), self.named)
        return await (work.provision if mode == "provision" else work.deprovision)(request)


def builtin_kind(definition: ProvisionerDefinition) -> str | None:
    """What a definition calls our own program for; None when it is something else."""
    match definition.spec:
        case CommandSpec(args=(define.BUILT_IN, "postgres" | "postgres-instance" as kind, mode)):
            ours = PurePath(definition.spec.binary).stem == PROGRAM and mode == MODE
            return kind if ours else None
    return None
