"""What a provisioner is asked, what it answers, and what can be one."""

from __future__ import annotations

from typing import Protocol

from score_flyio.base.record import field, frozen
from score_flyio.errors import ProvisionFailed
from score_flyio.score.resources import JsonObject, ResourceUid


@frozen(kw_only=True)
class ProvisionRequest:
    """What a provisioner is told; see `protocol` for the JSON form."""

    uid: ResourceUid
    """Type, class and id of the resource."""
    guid: str
    """Random, and the same in every run."""
    params: JsonObject | None = field(default=None, repr=False)
    """After substitution: may hold secrets in plain text, for the provisioner only."""
    metadata: JsonObject | None = None
    """As in the Score file."""
    state: JsonObject = field(factory=dict, repr=False)
    """The provisioner's own notes about this resource."""
    shared: JsonObject = field(factory=dict, repr=False)
    """State that all provisioners of the project share."""
    target: str = "fly"
    """What the resource is for: `fly`, `emulator`, or the address of what plays the platform."""


@frozen(kw_only=True)
class ProvisionResult:
    """What a provisioner answered; None means that it said nothing about that part."""

    state: JsonObject | None = field(default=None, repr=False)
    """Replaces the provisioner's notes."""
    values: JsonObject | None = None
    """Replaces the outputs."""
    secrets: JsonObject | None = field(default=None, repr=False)
    """Outputs that are never kept."""
    shared: JsonObject | None = field(default=None, repr=False)
    """A JSON merge patch (RFC 7386) for the shared state."""
    warnings: tuple[str, ...] = ()
    """What a person should know, without secrets."""


class ProvisionIncomplete(ProvisionFailed):
    """A provisioner failed but answered; `result` must be kept so that the next run goes on."""

    def __init__(
        self,
        message: str,
        *,
        uid: str,
        result: ProvisionResult,
        hint: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message, uid=uid, hint=hint, code=code)
        self.result = result


class Provisioner(Protocol):
    """Makes a resource exist, or go away. Both calls are safe to repeat.

    Both raise `ProvisionFailed`, or `ProvisionIncomplete` with what is to be kept.
    """

    @property
    def uses_shared(self) -> bool | None:
        """Whether it may answer with changes of the shared state; None when nobody knows."""
        ...

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        """Make it exist as the request says, or find that it does."""
        ...

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        """Make it go away; one that is gone is no error."""
        ...


class PluginProvisioner(Provisioner, Protocol):
    """A provisioner that says itself what it serves."""

    @property
    def resource_type(self) -> str:
        """The type of resources that it makes."""
        ...

    @property
    def resource_class(self) -> str | None:
        """The class of them; None: every class."""
        ...

    @property
    def resource_id(self) -> str | None:
        """The id of the only one; None: every id."""
        ...
