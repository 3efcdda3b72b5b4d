"""A compose file as the containers of one machine.

Which parts of a compose file count is flyctl's choice; the rest is ignored as flyctl ignores it.
Scalars are read as they are written: `8080`, `true` and `1e3` have to reach a container so. What
has not the type that flyctl expects is refused as flyctl refuses it, even where it would not be
used.
"""

from __future__ import annotations

import base64
import math
import posixpath
from contextlib import suppress
from typing import Any, Final, Literal, NoReturn, cast

from fly_machines.models import (
    FlyContainerConfig,
    FlyContainerDependency,
    FlyContainerHealthcheck,
    FlyExecHealthcheck,
    FlyFile,
)
from score_flyio.base.place import Path
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.files import read
from score_flyio.deploy.model import FileSource
from score_flyio.yaml.reader import Node, YamlError, read_yaml
from score_flyio.yaml.scalars import TIMESTAMP

USUAL_NAMES: Final = ("compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml")
"""Searched in this order when `[build.compose]` names no file."""

_CHECK_INTERVAL: Final = 30
"""Seconds; flyctl sends this constant for whatever interval the file names."""
_CHECK_TIMEOUT: Final = 10
"""Seconds, as above."""
_CONDITIONS: Final = {
    "service_started": "started",
    "service_healthy": "healthy",
    "service_completed_successfully": "exited_successfully",
}


def compose_containers(path: str, files: FileSource) -> list[FlyContainerConfig]:
    """The services of a compose file, sorted by name; none if no file is named or found."""
    path = compose_file(path, files)
    if not path:
        return []
    content = read(files, path, field=FIELD)
    services = read_services(content, path)
    depends_on = {name: _dependencies(name, s.get("depends_on")) for name, s in services.items()}
    built = [name for name, service in services.items() if service.get("build") is not None]
    if len(built) > 1:
        raise ConversionError(
            FIELD,
            "multiple_build_services",
            f"{path}: services {', '.join(sorted(built))} have a build; only one image is built",
            hint="name an image for all of them but one",
        )
    folder = posixpath.dirname(path)
    return [
        evolve(_container(name, service, folder, files), depends_on=depends_on[name] or None)
        for name, service in sorted(services.items())
    ]


def compose_file(path: str, files: FileSource) -> str:
    """What a path of `[build.compose]` means: none the first file that is there, if any is."""
    if path:
        return path
    for name in USUAL_NAMES:
        with suppress(OSError):
            files.read(name)
            return name
    return ""


def _container(
    name: str, service: dict[str, Any], folder: str, files: FileSource
) -> FlyContainerConfig:
    image = "." if service.get("build") is not None else text_of(service.get("image"))
    if not image:
        raise ConversionError(
            FIELD,
            "service_without_image",
            f"service {name!r} has neither image nor build",
            hint="give it an image",
        )
    environment = service.get("environment") or {}
    check = service.get("healthcheck")
    return FlyContainerConfig(
        name=name,
        image=image,
        env={key: text_of(item) for key, item in environment.items()} or None,
        cmd=_words(service.get("command")) or None,
        entrypoint=_words(service.get("entrypoint")) or None,
        user=text_of(service.get("user")) or None,
        files=_files(service.get("volumes"), folder, files) or None,
        healthchecks=None if check is None else [_healthcheck(name, check)],
    )


def _words(value: Any) -> list[str]:
    """What flyctl takes for texts, of a list or of one value."""
    items = value if isinstance(value, list) else [value]
    return [item.text for item in items if isinstance(item, Scalar) and item.is_text]


def _files(volumes: list[Any] | None, folder: str, source: FileSource) -> list[FlyFile]:
    found = []
    for volume in volumes or []:
        host, guest = _volume(text_of(volume))
        if not host:
            continue
        try:
            content = source.read(posixpath.join(folder, host))
        except OSError:
            continue  # a named volume, or a folder: flyctl goes on without it
        raw_value = base64.b64encode(content).decode("ascii")
        found.append(FlyFile(guest_path=guest, raw_value=raw_value))
    return found


def _volume(text: str) -> tuple[str, str]:
    """Host path and path in the container of `[HOST:]PATH[:ro|rw]`."""
    match text.split(":"):
        case [host, guest] if guest not in {"ro", "rw"}:
            return host, guest
        case [host, guest, _]:
            return host, guest
        case _:
            return "", ""


def _dependencies(name: str, value: Any) -> list[FlyContainerDependency]:
    if value is None:
        return []
    if isinstance(value, list):
        names = sorted(set(_words(value)))
        return [FlyContainerDependency(name=other, condition="started") for other in names]
    if not isinstance(value, Mapping) or not (value.only_texts or not value):
        refuse(f"depends_on of service {name!r} is neither a list nor a map", "write a list")
    found = []
    for other in sorted(value):
        details = value[other]
        known_keys = isinstance(details, Mapping) and details.only_texts
        condition = text_of(details.get("condition")) if known_keys else ""
        known = cast("Any", _CONDITIONS.get(condition, "started"))
        found.append(FlyContainerDependency(name=other, condition=known))
    return found


def _healthcheck(name: str, value: dict[str, Any]) -> FlyContainerHealthcheck:
    words = _words(value.get("test"))
    if isinstance(value.get("test"), list) and words[:1] in (["CMD"], ["CMD-SHELL"]):
        words = words[1:]
    return FlyContainerHealthcheck(
        name="",
        exec=FlyExecHealthcheck(command=words) if words else None,
        interval=_CHECK_INTERVAL if text_of(value.get("interval")) else None,
        timeout=_CHECK_TIMEOUT if text_of(value.get("timeout")) else None,
        failure_threshold=_retries(name, value.get("retries")),
    )


def _retries(name: str, value: Any) -> int | None:
    if value is None:
        return None
    is_number = isinstance(value, Scalar) and not value.is_text
    count = number_of(value.text) if is_number else math.nan
    if not math.isfinite(count):
        refuse(f"retries of service {name!r} is not a number", "write a whole number")
    return int(count) if count >= 1 else None


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
    for number in (lambda: int(plain, 0), lambda: int(plain, 8), lambda: float(plain)):
        try:
            return float(number())
        except (ValueError, OverflowError):
            continue
    return math.nan


def read_services(content: bytes, path: str) -> dict[str, dict[str, Any]]:
    """The services of a compose file, by name; scalars in them are `Scalar`, null is None."""
    try:
        document = read_yaml(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        refuse(f"{path} is not UTF-8 text", "save it as UTF-8")
    except YamlError as error:
        refuse(f"{path}:{error.line or 1}: not YAML: {error.message}", "fix the file at that place")
    root = _value(document.root, (), {key.path: key.kind for key in document.odd_keys})
    tree = {} if root is None else root
    if not isinstance(tree, dict):
        refuse(f"{path} is not a map", "write services: {NAME: {image: …}}")
    _check(tree, _TOP, path)
    services = tree.get("services")
    if not services:
        raise ConversionError(
            FIELD, "no_services", f"{path} has no services", hint="add a service with an image"
        )
    found = {name: {} if service is None else service for name, service in services.items()}
    for name, service in found.items():
        if not isinstance(service, dict):
            refuse(f"{path}: service {name!r} is not a map", "write NAME: {image: …}")
        _check(service, _SERVICE, f"{path}: service {name!r}")
        check = service.get("healthcheck") or {}
        _check(check, _HEALTHCHECK, f"{path}: healthcheck of service {name!r}")
    return found


def _check(section: dict[str, Any], shapes: dict[str, Shape], place: str) -> None:
    for name, shape in shapes.items():
        value = section.get(name)
        if value is not None and not _has_shape(value, shape):
            wanted = "a list of strings" if shape == "texts" else f"a {shape}"
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
