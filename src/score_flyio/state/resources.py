"""What a project remembers of its resources, and of the provisioners that make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

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


@frozen(kw_only=True, eq=False, repr=False)
class CommandSpec(Record):
    """A program that speaks the provisioner protocol on stdin and stdout."""

    binary: str
    args: tuple[str, ...] = ()


@frozen(kw_only=True, eq=False, repr=False)
class HttpSpec(Record):
    """A service that speaks the provisioner protocol over POST and DELETE."""

    url: str = field(repr=False)
    """May hold user and password."""


@frozen(kw_only=True, eq=False, repr=False)
class StaticSpec(Record):
    """Outputs that are always the same."""

    values: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True, eq=False, repr=False)
class InProcessSpec(Record):
    """Work that this process does itself; it is not configured in the project's state."""

    source: str
    """Where it comes from: the file of a template, or `installed package`."""


ProvisionerSpec: TypeAlias = CommandSpec | HttpSpec | StaticSpec | InProcessSpec


@frozen(kw_only=True, eq=False, repr=False)
class ProvisionerDefinition(Record):
    """One configured provisioner: what it serves and how it works."""

    id: str
    resource_type: str
    resource_class: str | None = None
    """None serves every class."""
    resource_id: str | None = None
    """None serves every id."""
    spec: ProvisionerSpec

    def serves(self, uid: ResourceUid) -> bool:
        return (
            self.resource_type == uid.type
            and self.resource_class in {None, uid.class_}
            and self.resource_id in {None, uid.id}
        )
