"""Reading a compose file, with every scalar as it is written.

`8080`, `true` and `1e3` have to reach a container as they stand in the file. What has not the type
that flyctl expects is refused as flyctl refuses it, even where it would not be used.
"""

from __future__ import annotations

import math
from typing import Any, Final, Literal, NoReturn

from score_flyio.base.place import Path
from score_flyio.base.record import frozen
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.yaml.reader import Node, YamlError, read_yaml
from score_flyio.yaml.scalars import TIMESTAMP

FIELD: Final = "build.compose.file"

Shape = Literal["text", "texts", "list", "map", "map of texts"]
_TOP: Final[dict[str, Shape]] = {
    "version": "text", "services": "map", "volumes": "map", "networks": "map", "configs": "map",
    "secrets": "map",
}  # fmt: skip
_SERVICE: Final[dict[str, Shape]] = {
    "image": "text", "environment": "map of texts", "volumes": "texts", "ports": "texts",
    "working_dir": "text", "user": "text", "restart": "text", "configs": "list", "secrets": "list",
    "deploy": "map", "healthcheck": "map",
}  # fmt: skip
_HEALTHCHECK: Final[dict[str, Shape]] = {
    "interval": "text", "timeout": "text", "start_period": "text",
}  # fmt: skip


@frozen
class Scalar:
    """A value that is neither list nor map, as it is written."""

    text: str
    is_text: bool
    """Whether flyctl takes it for a text rather than a number, a boolean or a date."""


class Mapping(dict[str, Any]):
    """A map, with its keys as they are written."""

    only_texts: bool = True
    """Whether all keys are texts."""


def text_of(value: Any) -> str:
    """The text of a scalar, whatever it means; empty for anything else."""
    return value.text if isinstance(value, Scalar) else ""


def number_of(text: str) -> float:
    """The number that a scalar is; not a number for anything else."""
    plain = text.replace("_", "")
    for read in (lambda: int(plain, 0), lambda: int(plain, 8), lambda: float(plain)):
        try:
            return float(read())
        except (ValueError, OverflowError):
            continue
    return math.nan


def read_services(content: bytes, path: str) -> dict[str, dict[str, Any]]:
    """The services of a compose file, by name; scalars in them are `Scalar`, null is None.

    Raises:
        ConversionError: it is no YAML, has not the shape of a compose file, or no services.
    """
    try:
        document = _load(content)
    except UnicodeDecodeError:
        refuse(f"{path} is not UTF-8 text", "save it as UTF-8")
    except YamlError as error:
        refuse(f"{path}:{error.line or 1}: not YAML: {error.message}", "fix the file at that place")
    if document is not None and not isinstance(document, dict):
        refuse(f"{path} is not a map", "write services: {NAME: {image: …}}")
    _check(document or {}, _TOP, path)
    services = (document or {}).get("services")
    if not services:
        raise ConversionError(
            FIELD, "no_services", f"{path} has no services", hint="add a service with an image"
        )
    for name, service in services.items():
        if service is not None and not isinstance(service, dict):
            refuse(f"{path}: service {name!r} is not a map", "write NAME: {image: …}")
        _check(service or {}, _SERVICE, f"{path}: service {name!r}")
        check = (service or {}).get("healthcheck")
        _check(check or {}, _HEALTHCHECK, f"{path}: healthcheck of service {name!r}")
    return {name: service or {} for name, service in services.items()}


def _check(section: dict[str, Any], shapes: dict[str, Shape], place: str) -> None:
    for name, shape in shapes.items():
        value = section.get(name)
        if value is not None and not _has_shape(value, shape):
            article = "" if shape == "texts" else "a "
            wanted = "a list of strings" if shape == "texts" else f"{article}{shape}"
            refuse(f"{place}: {name} is not {wanted}", f"write {name} as {wanted}")


def _has_shape(value: Any, shape: Shape) -> bool:
    match shape:
        case "text":
            return isinstance(value, Scalar)
        case "list":
            return isinstance(value, list)
        case "map":
            return isinstance(value, dict)
        case "texts":
            return isinstance(value, list) and not any(map(_is_collection, value))
        case "map of texts":
            return isinstance(value, dict) and not any(map(_is_collection, value.values()))


def _is_collection(value: Any) -> bool:
    return isinstance(value, dict | list)


def _load(content: bytes) -> Any:
    document = read_yaml(content.decode("utf-8-sig"))
    return _value(document.root, (), {key.path: key.kind for key in document.odd_keys})


def _value(node: Node, path: Path, odd: dict[Path, str]) -> Any:
    match node.children:
        case list():
            return [_value(item, (*path, n), odd) for n, item in enumerate(node.children)]
        case dict():
            found = Mapping()
            for name, (_, item) in node.children.items():
                place = (*path, name)
                found.only_texts &= place not in odd
                if odd.get(place) != "null":
                    found[name] = _value(item, place, odd)
            return found
        case _ if node.scalar is None:
            return None
        case _:
            date = node.plain and TIMESTAMP.fullmatch(node.text)
            return Scalar(text=node.text, is_text=isinstance(node.scalar, str) and not date)


def refuse(message: str, hint: str) -> NoReturn:
    """Say that the file is no compose file that can be used."""
    raise ConversionError(FIELD, "invalid_compose", message, hint=hint)
