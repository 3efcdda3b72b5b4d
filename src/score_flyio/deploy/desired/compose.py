"""A compose file as the containers of one machine.

Which parts of a compose file count is flyctl's choice; the rest is ignored as flyctl ignores it.
"""

from __future__ import annotations

import base64
import math
import posixpath
from functools import partial
from typing import Any, Final, cast

from fly_machines.models import (
    FlyContainerConfig,
    FlyContainerDependency,
    FlyContainerHealthcheck,
    FlyExecHealthcheck,
    FlyFile,
)
from score_flyio.deploy.desired.compose_file import (
    FIELD,
    Mapping,
    Scalar,
    number_of,
    read_services,
    refuse,
    text_of,
)
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.files import read
from score_flyio.deploy.model import FileSource

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
    """The services of a compose file, sorted by name; none if no file is named or found.

    Raises:
        ConversionError: the file is missing, is no compose file, has no services, more than one
            that is built, or one with neither image nor build.
    """
    path = compose_file(path, files)
    if not path:
        return []
    content = read(files, path, field=FIELD)
    services = read_services(content, path)
    dependencies = {name: _dependencies(name, s.get("depends_on")) for name, s in services.items()}
    built = [name for name, service in services.items() if service.get("build") is not None]
    if len(built) > 1:
        raise ConversionError(
            FIELD,
            "multiple_build_services",
            f"{path}: services {', '.join(sorted(built))} have a build; only one image is built",
            hint="name an image for all of them but one",
        )
    folder = posixpath.dirname(path)
    containers = []
    for name in sorted(services):
        container = _container(name, services[name], folder, files)
        container.depends_on = dependencies[name] or None
        containers.append(container)
    return containers


def compose_file(path: str, files: FileSource) -> str:
    """What a path of `[build.compose]` means: none the first file that is there, if any is."""
    return path or next(filter(partial(_is_there, files), USUAL_NAMES), "")


def _is_there(files: FileSource, name: str) -> bool:
    try:
        files.read(name)
    except OSError:
        return False
    return True


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
    check = service.get("healthcheck")
    return FlyContainerConfig(
        name=name,
        image=image,
        env=_environment(service.get("environment")),
        cmd=_words(service.get("command")),
        entrypoint=_words(service.get("entrypoint")),
        user=text_of(service.get("user")) or None,
        files=_files(service.get("volumes"), folder, files) or None,
        healthchecks=None if check is None else [_healthcheck(name, check)],
    )


def _environment(value: dict[str, Any] | None) -> dict[str, str] | None:
    return {key: text_of(item) for key, item in (value or {}).items()} or None


def _words(value: Any) -> list[str] | None:
    if isinstance(value, list):
        words = [item.text for item in value if isinstance(item, Scalar) and item.is_text]
        return words or None
    return [value.text] if isinstance(value, Scalar) and value.is_text else None


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
        names = sorted({item.text for item in value if isinstance(item, Scalar) and item.is_text})
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
    words = _words(value.get("test")) or []
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
    count = math.nan
    if isinstance(value, Scalar) and not value.is_text:
        count = number_of(value.text)
    if not math.isfinite(count):
        refuse(f"retries of service {name!r} is not a number", "write a whole number")
    return int(count) if count >= 1 else None
