"""What a project remembers of its resources, and of the provisioners that make them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final

from score_flyio.base.record import field, frozen
from score_flyio.net.web_address import shown_url
from score_flyio.score.resources import JsonObject, ResourceUid
from score_flyio.yaml.writer import sorted_keys

if TYPE_CHECKING:
    from score_flyio.base.place import Path
    from score_flyio.yaml.typed import Reader


@frozen(kw_only=True)
class ResourceRecord:
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


class ProvisionerSpec:
    """How a provisioner works. A kind of them is a class here, and what does its work."""

    __slots__ = ()
    kind: ClassVar[str]
    """The key that it has in `state.yaml`."""

    @property
    def makes_nothing(self) -> bool:
        """Whether its resources are outputs alone: nothing is there to be taken away."""
        return False

    def as_json(self) -> JsonObject:
        """What stands at that key."""
        raise NotImplementedError

    def shown(self) -> JsonObject:
        """The same without credentials."""
        return self.as_json()

    def line(self) -> str:
        """The same in a few words."""
        raise NotImplementedError

    @classmethod
    def read(cls, reader: Reader, value: Any, path: Path) -> ProvisionerSpec:
        """What `as_json` gave; what is wrong goes to the reader's problems."""
        raise NotImplementedError


@frozen(kw_only=True)
class CommandSpec(ProvisionerSpec):
    """A program that speaks the provisioner protocol on stdin and stdout."""

    kind: ClassVar[str] = "cmd"
    binary: str
    args: tuple[str, ...] = ()

    def as_json(self) -> JsonObject:
        return {"binary": self.binary, "args": list(self.args)}

    def line(self) -> str:
        return f"CMD {self.binary}"

    @classmethod
    def read(cls, reader: Reader, value: Any, path: Path) -> CommandSpec:
        body = reader.known(value, path, "binary", "args", needed=("binary",))
        return cls(
            binary=reader.text(body.get("binary"), (*path, "binary")),
            args=reader.texts(body.get("args"), (*path, "args")),
        )


@frozen(kw_only=True)
class HttpSpec(ProvisionerSpec):
    """A service that speaks the provisioner protocol over POST and DELETE."""

    kind: ClassVar[str] = "http"
    url: str = field(repr=False)
    """May hold user and password."""

    def as_json(self) -> JsonObject:
        return {"url": self.url}

    def shown(self) -> JsonObject:
        return {"url": shown_url(self.url)}

    def line(self) -> str:
        return f"HTTP {self.shown()['url']}"

    @classmethod
    def read(cls, reader: Reader, value: Any, path: Path) -> HttpSpec:
        body = reader.known(value, path, "url", needed=("url",))
        return cls(url=reader.text(body.get("url"), (*path, "url")))


@frozen(kw_only=True)
class StaticSpec(ProvisionerSpec):
    """Outputs that are always the same."""

    kind: ClassVar[str] = "static"
    values: Mapping[str, Any] = field(factory=dict)

    @property
    def makes_nothing(self) -> bool:
        return True

    def as_json(self) -> JsonObject:
        values: JsonObject = sorted_keys(dict(self.values))
        return values

    def line(self) -> str:
        return f"Static #{len(self.values)}"

    @classmethod
    def read(cls, reader: Reader, value: Any, path: Path) -> StaticSpec:
        return cls(values=reader.object(value, path))


@frozen(kw_only=True)
class InProcessSpec(ProvisionerSpec):
    """Work that this process does itself; no project's state has it."""

    kind: ClassVar[str] = "in_process"
    source: str
    """Where it comes from: the file of a template, or `installed package`."""
    makes_nothing: bool = False

    def as_json(self) -> JsonObject:
        return {"source": self.source}

    def line(self) -> str:
        return f"IN-PROCESS {self.source}"


KEPT: Final[dict[str, type[ProvisionerSpec]]] = {
    spec.kind: spec for spec in (CommandSpec, HttpSpec, StaticSpec)
}
"""The kinds that a project's state can have."""


@frozen(kw_only=True)
class ProvisionerDefinition:
    """One configured provisioner: what it serves and how it works."""

    id: str
    resource_type: str
    resource_class: str | None = None
    """None serves every class."""
    resource_id: str | None = None
    """None serves every id."""
    spec: ProvisionerSpec
    description: str = ""
    params: tuple[str, ...] = ()
    """Of resources; where it says which it knows."""
    outputs: tuple[str, ...] = ()
    """Where it says which it gives."""
    gives_no_others: bool = False
    """Whether `outputs` are all that it may give."""

    @property
    def all_outputs(self) -> frozenset[str] | None:
        """The names of all outputs that it may give; None: nobody knows beforehand."""
        if isinstance(self.spec, StaticSpec):
            return frozenset(self.spec.values)
        return frozenset(self.outputs) if self.gives_no_others else None

    @property
    def outside(self) -> str | None:
        """What it calls outside of this process: a program, or a service without what is secret."""
        match self.spec:
            case CommandSpec(binary=binary):
                return binary
            case HttpSpec(url=url):
                return shown_url(url)
            case _:
                return None

    def serves(self, uid: ResourceUid) -> bool:
        return (
            self.resource_type == uid.type
            and self.resource_class in {None, uid.class_}
            and self.resource_id in {None, uid.id}
        )
