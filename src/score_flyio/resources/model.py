"""Words of resource provisioning: uid, request, provisioner, result, outputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from attrs import field, frozen

from score_flyio.errors import ProvisionFailed
from score_flyio.record import Record
from score_flyio.secret import Secret

JsonObject: TypeAlias = dict[str, Any]

DEFAULT_CLASS = "default"


@frozen
class ResourceUid:
    """Identity of a resource, written `TYPE.CLASS#ID`; equal uids are one resource.

    Uids sort as their texts do.
    """

    type: str
    class_: str
    id: str

    @classmethod
    def of(
        cls,
        workload: str,
        name: str,
        *,
        type: str,  # noqa: A002 - the Score file's own name
        class_: str | None,
        id: str | None,  # noqa: A002 - the Score file's own name
    ) -> ResourceUid:
        """The uid of resource `name` of `workload`, with the defaults of Score."""
        return cls(
            type,
            DEFAULT_CLASS if class_ is None else class_,
            f"{workload}.{name}" if id is None else id,
        )

    @classmethod
    def parse(cls, text: str) -> ResourceUid:
        """Read a uid back. Raises ValueError when it has not the form `TYPE.CLASS#ID`."""
        head, hash_sign, resource_id = text.partition("#")
        type_, dot, class_ = head.partition(".")
        if not (hash_sign and dot and type_):
            msg = f"{text!r} is not a resource uid of the form TYPE.CLASS#ID"
            raise ValueError(msg)
        return cls(type_, class_, resource_id)

    def __lt__(self, other: ResourceUid) -> bool:
        return str(self) < str(other)

    def __str__(self) -> str:
        return f"{self.type}.{self.class_}#{self.id}"


@frozen(eq=False, repr=False)
class Outputs(Record):
    """What a provisioned resource offers to placeholders.

    `secrets` is the provisioner's JSON object with every text in it as a `Secret`, at any depth;
    it hides `values` of the same name.
    """

    values: Mapping[str, Any] = field(factory=dict)
    secrets: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all outputs, sorted."""
        return tuple(sorted({*self.values, *self.secrets}))


def conceal(value: Any) -> Any:
    """The JSON value with every text as a `Secret`."""
    match value:
        case str():
            return Secret(value)
        case dict():
            return {key: conceal(item) for key, item in value.items()}
        case list():
            return [conceal(item) for item in value]
        case _:
            return value


def reveal(value: Any) -> Any:
    """The JSON value with every `Secret` as its text; undoes `conceal`."""
    match value:
        case Secret():
            return value.reveal()
        case dict():
            return {key: reveal(item) for key, item in value.items()}
        case list():
            return [reveal(item) for item in value]
        case _:
            return value


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


@frozen(kw_only=True, eq=False, repr=False)
class ProvisionRequest(Record):
    """What a provisioner is told; see `protocol` for the JSON form."""

    uid: ResourceUid
    guid: str
    params: JsonObject | None = field(default=None, repr=False)
    """After substitution: may hold secrets in plain text, for the provisioner only."""
    metadata: JsonObject | None = None
    state: JsonObject = field(factory=dict, repr=False)
    """The provisioner's own notes about this resource."""
    shared: JsonObject = field(factory=dict, repr=False)
    """State that all provisioners of the project share."""


@frozen(kw_only=True, eq=False, repr=False)
class ProvisionResult(Record):
    """What a provisioner answered; None means that it said nothing about that part."""

    state: JsonObject | None = field(default=None, repr=False)
    values: JsonObject | None = None
    secrets: JsonObject | None = field(default=None, repr=False)
    shared: JsonObject | None = field(default=None, repr=False)
    """A JSON merge patch (RFC 7386) for the shared state."""


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

    async def provision(self, request: ProvisionRequest) -> ProvisionResult: ...

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult: ...
