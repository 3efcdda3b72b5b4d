"""Where logins are kept: `DOCKER_AUTH_CONFIG`, Docker's `config.json`, podman's `auth.json`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from score_flyio.base.input_file import read_input
from score_flyio.base.printable import system_reason
from score_flyio.base.record import frozen
from score_flyio.errors import ConfigError

IN_THE_ENVIRONMENT: Final = "DOCKER_AUTH_CONFIG"
"""The variable with a whole `config.json`, which Docker and the runners of CI know."""


@frozen(kw_only=True)
class LoginFile:
    """Settings with logins, and where they are, for messages."""

    place: str
    """A file or a variable."""
    program: str
    """What logs in there; empty for a variable."""
    config: Mapping[str, Any]


def docker_folder(environ: Mapping[str, str]) -> Path | None:
    """Where Docker keeps its settings."""
    if named := environ.get("DOCKER_CONFIG"):
        return Path(named)
    home = _home(environ)
    return home / ".docker" if home else None


def docker_settings(environ: Mapping[str, str]) -> LoginFile | None:
    """Docker's `config.json`, if it is there. Raises ConfigError when it cannot be read."""
    folder = docker_folder(environ)
    if folder is None:
        return None
    hint = "correct it, or name another folder with DOCKER_CONFIG"
    return _read(folder / "config.json", "Docker's settings", "docker", hint)


def login_files(environ: Mapping[str, str]) -> list[LoginFile]:
    """All that are there; the first that has a login counts.

    Podman's is buildah's and skopeo's, too. Raises ConfigError when one cannot be read.
    """
    found: list[LoginFile | None] = []
    if text := environ.get(IN_THE_ENVIRONMENT, "").strip():
        hint = "it is the JSON of a Docker config.json, with the logins under auths"
        config = _parsed(text, IN_THE_ENVIRONMENT, "logins", hint)
        found.append(LoginFile(place=IN_THE_ENVIRONMENT, program="", config=config))
    found.append(docker_settings(environ))
    hint = "correct it, or name another file with REGISTRY_AUTH_FILE"
    found += [_read(file, "logins", "podman", hint) for file in _of_podman(environ)]
    return [file for file in found if file is not None]


def _home(environ: Mapping[str, str]) -> Path | None:
    home = environ.get("HOME") or environ.get("USERPROFILE")
    return Path(home) if home else None


def _of_podman(environ: Mapping[str, str]) -> list[Path]:
    """The file that is named, else those of the usual places that are there for us."""
    if named := environ.get("REGISTRY_AUTH_FILE"):
        return [Path(named)]
    home = _home(environ)
    if home is None:
        return []
    runtime = environ.get("XDG_RUNTIME_DIR")
    own = Path("/run/containers") / str(getattr(os, "getuid", int)())
    settings = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    folders = (Path(runtime) / "containers" if runtime else own, settings / "containers")
    files = [folder / "auth.json" for folder in folders]
    return [file for file in files if os.access(file, os.R_OK)]


def _read(path: Path, what: str, program: str, hint: str) -> LoginFile | None:
    try:
        content = read_input(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise _unusable(str(path), what, system_reason(error), hint) from None
    return LoginFile(place=str(path), program=program, config=_parsed(content, path, what, hint))


def _parsed(content: str | bytes, place: object, what: str, hint: str) -> Mapping[str, Any]:
    """What a file says. No part of it is shown: there are passwords in it."""
    try:
        config = json.loads(content)
    except json.JSONDecodeError as error:
        reason = f"line {error.lineno}, column {error.colno}: {error.msg}"
    except UnicodeDecodeError:
        reason = "it is not UTF-8"
    except RecursionError:
        reason = "it is nested too deeply"
    else:
        if not isinstance(config, dict):
            raise _unusable(place, what, "it is not a JSON object", hint)
        for name in ("auths", "credHelpers"):
            if not isinstance(config.get(name) or {}, dict):
                raise _unusable(place, what, f"{name} is not a JSON object", hint)
        return config
    raise _unusable(place, what, reason, hint)


def _unusable(place: object, what: str, reason: str, hint: str) -> ConfigError:
    message = f"{place}: cannot be read as {what} ({reason})"
    return ConfigError(message, hint=hint, code="docker_config_invalid")
