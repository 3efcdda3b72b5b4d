"""What a project remembers of a resource."""

from __future__ import annotations

from attrs import field, frozen

from score_flyio.base.record import Record
from score_flyio.score.resources import JsonObject, ResourceUid


@frozen(kw_only=True, eq=False, repr=False)
class ResourceRecord(Record):
    """A resource that some workload asked for at some time."""

    uid: ResourceUid
    guid: str
    """Random; what provisioners know the resource by."""
    metadata: JsonObject | None = None
    params: JsonObject | None = field(default=None, repr=False)
    """After substitution once provisioned, but never with the value of a secret in it."""
    source_workload: str = ""
    """The workload whose definition counts; empty: none uses it any more."""
    provisioner: str = ""
    """Id of the provisioner that made it; empty: never provisioned."""
    state: JsonObject = field(factory=dict, repr=False)
    """Private notes of the provisioner."""
    outputs: JsonObject = field(factory=dict)
    """Values only, never secrets."""

    @property
    def provisioned(self) -> bool:
        return bool(self.provisioner)
