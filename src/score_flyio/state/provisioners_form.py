"""Definitions of provisioners as `state.yaml` has them."""

from __future__ import annotations

from typing import Any

from score_flyio.base.place import Path
from score_flyio.resources.definition import (
    CommandSpec,
    HttpSpec,
    InProcessSpec,
    ProvisionerDefinition,
    ProvisionerSpec,
    StaticSpec,
)
from score_flyio.score.resources import JsonObject
from score_flyio.state.reading import Reader
from score_flyio.yaml.writer import sorted_keys

_KINDS = ("cmd", "http", "static")


def dump_provisioner(item: ProvisionerDefinition) -> JsonObject:
    """A definition as a map; TypeError for one that a state cannot keep."""
    document: JsonObject = {"id": item.id, "resource_type": item.resource_type}
    if item.resource_class is not None:
        document["resource_class"] = item.resource_class
    if item.resource_id is not None:
        document["resource_id"] = item.resource_id
    match item.spec:
        case CommandSpec(binary=binary, args=args):
            document["cmd"] = {"binary": binary, "args": list(args)}
        case InProcessSpec():
            raise TypeError(f"provisioner {item.id!r} is not one that a state can keep")
        case HttpSpec(url=url):
            document["http"] = {"url": url}
        case StaticSpec(values=values):
            document["static"] = sorted_keys(dict(values))
    return document


def read_provisioner(reader: Reader, path: Path, value: Any) -> ProvisionerDefinition | None:
    """The definition that a map holds; what is wrong goes to the reader's problems."""
    keys = ("id", "resource_type", "resource_class", "resource_id", *_KINDS)
    found = reader.known(value, path, *keys)
    id_ = reader.required(found, "id", path)
    type_ = reader.required(found, "resource_type", path)
    spec = _spec(reader, found, path)
    if spec is None:
        return None
    return ProvisionerDefinition(
        id=id_,
        resource_type=type_,
        resource_class=reader.text(found.get("resource_class"), path) or None,
        resource_id=reader.text(found.get("resource_id"), path) or None,
        spec=spec,
    )


def _spec(reader: Reader, found: dict[str, Any], path: Path) -> ProvisionerSpec | None:
    kinds = [kind for kind in _KINDS if found.get(kind) is not None]
    if len(kinds) != 1:
        given = " and ".join(kinds) or "none"
        reader.wrong(path, f"needs exactly one of {', '.join(_KINDS)}; it has {given}")
        return None
    kind = kinds[0]
    place = (*path, kind)
    match kind:
        case "cmd":
            body = reader.known(found[kind], place, "binary", "args")
            args = reader.items(body.get("args"), (*place, "args"))
            return CommandSpec(
                binary=reader.required(body, "binary", place),
                args=tuple(reader.text(item, at) for at, item in args),
            )
        case "http":
            body = reader.known(found[kind], place, "url")
            return HttpSpec(url=reader.required(body, "url", place))
        case _:
            return StaticSpec(values=reader.object(found[kind], place))
