"""Contexts of Docker, as `docker context` keeps them: where a daemon is, and its certificates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from score_flyio.base.input_file import read_input
from score_flyio.base.printable import system_reason
from score_flyio.base.record import frozen
from score_flyio.errors import ConfigError
from score_flyio.images.login_files import docker_folder, docker_settings

VARIABLE: Final = "DOCKER_CONTEXT"
CONTEXT_CODE: Final = "docker_context_invalid"
DEFAULT: Final = "default"
"""The context that is none: the environment, and the usual sockets."""


@frozen(kw_only=True)
class DockerContext:
    """What a context says of its daemon."""

    place: str
    """Where the address stands, for messages."""
    host: str
    """As in `DOCKER_HOST`."""
    certificates: Path | None
    """The folder with those for the daemon, where it has any."""
    unverified: bool
    """Whether any certificate of the daemon will do."""


def chosen_context(environ: Mapping[str, str]) -> DockerContext | None:
    """The one that `DOCKER_CONTEXT` names, else that of `docker context use`; None for `default`.

    Raises ConfigError when it is not there, or its file cannot be read.
    """
    name, place = environ.get(VARIABLE, "").strip(), VARIABLE
    if not name and (settings := docker_settings(environ)) is not None:
        name, place = str(settings.config.get("currentContext") or ""), settings.place
    folder = docker_folder(environ)
    if folder is None or name in {"", DEFAULT}:
        return None
    key = sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    file = folder / "contexts" / "meta" / key / "meta.json"
    endpoint = _endpoint(file, f"{place}: the Docker context {name!r}")
    tls = folder / "contexts" / "tls" / key / "docker"
    return DockerContext(
        place=f"{file}: Endpoints.docker.Host",
        host=str(endpoint.get("Host") or "").strip(),
        certificates=tls if tls.is_dir() else None,
        unverified=endpoint.get("SkipTLSVerify") is True,
    )


def _endpoint(file: Path, subject: str) -> Mapping[str, Any]:
    try:
        endpoint = json.loads(read_input(file))["Endpoints"]["docker"]
        if isinstance(endpoint, dict):
            return endpoint
        reason = f"{file} has no Endpoints.docker"
    except FileNotFoundError:
        reason = "it is not there"
    except (KeyError, TypeError):
        reason = f"{file} has no Endpoints.docker"
    except (OSError, ValueError, RecursionError) as error:
        told = system_reason(error, "it is not JSON")
        reason = f"{file} cannot be read: {told}"
    raise ConfigError(
        f"{subject} cannot be used: {reason}",
        hint="choose one of docker context ls with docker context use or DOCKER_CONTEXT, "
        "or name the daemon with DOCKER_HOST",
        code=CONTEXT_CODE,
    )
