"""Words of resources: uid, entries of Score documents, outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from score_flyio.base.place import leaves, with_leaves
from score_flyio.base.record import field, frozen
from score_flyio.base.secret import Secret
from score_flyio.score.render import render

JsonObject: TypeAlias = dict[str, Any]

SHORTEST_HIDDEN_NUMBER: Final = 6
"""Shorter numbers among secrets are ports and sizes, and in all kinds of messages."""


@frozen
class ResourceUid:
    """Identity of a resource, written `TYPE.CLASS#ID`; equal uids are one resource.

    Uids sort as their texts do.
    """

    type: str
    class_: str
    id: str

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


@frozen(kw_only=True)
class Definition:
    """One resource entry of one workload."""

    uid: ResourceUid
    workload: str
    name: str
    """The resource's name in the workload."""
    params: JsonObject | None = field(default=None, repr=False)
    metadata: JsonObject | None = None


def definitions(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[Definition]:
    """The resource entries of Score documents (by workload name), in priming order.

    What has not the shape of a resource is left out: checking is not the matter here.
    """
    for workload in sorted(documents):
        resources = documents[workload].get("resources")
        if not isinstance(resources, dict):
            continue
        for name, item in sorted(resources.items()):
            if _is_resource(item):
                class_, id_ = item.get("class"), item.get("id")
                yield Definition(
                    uid=ResourceUid(
                        type=item["type"],
                        class_="default" if class_ is None else class_,
                        id=f"{workload}.{name}" if id_ is None else id_,
                    ),
                    workload=workload,
                    name=name,
                    params=item.get("params"),
                    metadata=item.get("metadata"),
                )


def _is_resource(item: Any) -> bool:
    return (
        isinstance(item, dict)
        and isinstance(item.get("type"), str)
        and all(isinstance(item.get(key), str | None) for key in ("class", "id"))
        and all(isinstance(item.get(key), dict | None) for key in ("params", "metadata"))
    )


@frozen
class Outputs:
    """What a provisioned resource offers to placeholders.

    `secrets` is the provisioner's JSON object with every text in it as a `Secret`, at any depth;
    it hides `values` of the same name.
    """

    values: Mapping[str, Any] = field(factory=dict)
    secrets: Mapping[str, Any] = field(factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted({*self.values, *self.secrets}))


def conceal(value: Any) -> Any:
    """The JSON value with every text as a `Secret`."""
    return with_leaves(value, lambda _, item: Secret(item) if isinstance(item, str) else item)


def reveal(value: Any) -> Any:
    """The JSON value with every `Secret` as its text; undoes `conceal`."""
    return with_leaves(value, lambda _, item: item.reveal() if isinstance(item, Secret) else item)


def secrets_in(value: Any) -> Iterator[Secret]:
    """What no message may repeat of a JSON value of secrets, concealed or not."""
    for _, item in leaves(value):
        match item:
            case Secret():
                yield item
            case str() | int() | float():
                text = render(item)
                if isinstance(item, str) or len(text) >= SHORTEST_HIDDEN_NUMBER:
                    yield Secret(text)
