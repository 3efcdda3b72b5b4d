"""Where the Docker daemon is: `DOCKER_HOST`, a context of Docker, or one of the usual sockets."""

from __future__ import annotations

import json
import ssl
import stat
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from score_flyio.base.input_file import read_input
from score_flyio.base.printable import system_reason
from score_flyio.base.record import field, frozen
from score_flyio.errors import ConfigError
from score_flyio.images.login_files import docker_folder, docker_settings
from score_flyio.images.logins import Password

VARIABLE: Final = "DOCKER_HOST"
CONTEXT_VARIABLE: Final = "DOCKER_CONTEXT"
CONTEXT_CODE: Final = "docker_context_invalid"
DEFAULT: Final = "default"
"""The context that is none: the environment, and the usual sockets."""
SOCKETS: Final = ("/var/run/docker.sock", "/run/podman/podman.sock")
"""Podman's daemon speaks the same language."""
PLAIN_PORT: Final = 2375
TLS_PORT: Final = 2376
"""Of a daemon at `tcp://HOST`, with or without TLS (Docker)."""
_PIPE: Final = "npipe:"
"""How contexts name a daemon on Windows that has no other address: out of our reach."""


@frozen(kw_only=True)
class DaemonAddress:
    """How to reach a daemon."""

    url: str
    """Base of all paths."""
    socket: str | None = None
    trust: ssl.SSLContext | None = field(default=None, repr=False, eq=False)
    login: tuple[str, Password] | None = None
    """User, and what gives the password."""

    @property
    def shown(self) -> str:
        """For messages."""
        return f"unix://{self.socket}" if self.socket else self.url


@frozen(kw_only=True)
class _Named:
    """A daemon that somebody named, in a variable or a context."""

    host: str
    """As in `DOCKER_HOST`; empty in contexts that name none."""
    place: str
    """Where that stands, for messages."""
    certificates: Path | None
    """The folder with those for TLS, where it is meant to have any."""
    unverified: bool = False
    """Whether any certificate of the daemon will do."""
    hint: str
    """What helps where the certificates cannot be used."""


def find_daemon(environ: Mapping[str, str]) -> DaemonAddress | None:
    """The daemon that the environment names, else that of Docker's context, else a usual socket.

    Raises ConfigError when what was chosen, or its certificates, cannot be used.
    """
    if host := environ.get(VARIABLE, "").strip():
        encrypted = environ.get("DOCKER_TLS_VERIFY") or host.startswith("https:")
        folder = Path(environ.get("DOCKER_CERT_PATH") or f"{environ.get('HOME', '')}/.docker")
        named = _Named(
            host=host,
            place=VARIABLE,
            certificates=folder if encrypted else None,
            hint="name their folder with DOCKER_CERT_PATH: ca.pem, cert.pem and key.pem",
        )
        return _address(named)
    context = _chosen_context(environ)
    if context is not None and context.host:
        return None if context.host.startswith(_PIPE) else _address(context)
    folders = (environ.get("XDG_RUNTIME_DIR"), environ.get("HOME"))
    own = ("podman/podman.sock", ".docker/run/docker.sock")
    usual = [f"{folder}/{name}" for folder, name in zip(folders, own, strict=True) if folder]
    for path in (*SOCKETS, *usual):
        if _is_socket(path):
            return DaemonAddress(url="http://docker", socket=path)
    return None


def _chosen_context(environ: Mapping[str, str]) -> _Named | None:
    """The context that `DOCKER_CONTEXT` names, else that of `docker context use`.

    Raises ConfigError when it is not there, or its file cannot be read.
    """
    name, place = environ.get(CONTEXT_VARIABLE, "").strip(), CONTEXT_VARIABLE
    if not name and (settings := docker_settings(environ)) is not None:
        name, place = str(settings.config.get("currentContext") or ""), settings.place
    folder = docker_folder(environ)
    if folder is None or name in {"", DEFAULT}:
        return None
    key = sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
    file = folder / "contexts" / "meta" / key / "meta.json"
    endpoint = _endpoint(file, f"{place}: the Docker context {name!r}")
    tls = folder / "contexts" / "tls" / key / "docker"
    return _Named(
        host=str(endpoint.get("Host") or "").strip(),
        place=f"{file}: Endpoints.docker.Host",
        certificates=tls if tls.is_dir() else None,
        unverified=endpoint.get("SkipTLSVerify") is True,
        hint="make it anew with docker context create",
    )


def _endpoint(file: Path, subject: str) -> Mapping[str, Any]:
    try:
        return {**json.loads(read_input(file))["Endpoints"]["docker"]}
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


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        return False


def _address(named: _Named) -> DaemonAddress:
    """The daemon of an address; certificates are read for those that can have TLS."""
    scheme, _, rest = named.host.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return DaemonAddress(url="http://docker", socket=rest)
    if scheme == "ssh":
        raise ConfigError(
            f"{named.place}: a daemon behind ssh:// cannot be reached from here",
            hint=f"forward its socket with ssh -L and name that with {VARIABLE}, "
            "or use --builder buildah",
            code="docker_host_invalid",
        )
    rest = rest.rstrip("/")
    try:
        port = urlsplit(f"//{rest}").port
    except ValueError:
        port = 0
    if scheme not in {"tcp", "http", "https"} or not rest or port == 0:
        raise ConfigError(
            f"{named.place}: {named.host!r} is not the address of a daemon",
            hint="give unix:///PATH, tcp://HOST:PORT or https://HOST",
            code="docker_host_invalid",
        )
    encrypted = named.certificates or named.unverified or scheme == "https"
    if scheme == "tcp" and port is None:
        rest = f"{rest}:{TLS_PORT if encrypted else PLAIN_PORT}"
    if not encrypted:
        return DaemonAddress(url=f"http://{rest}")
    return DaemonAddress(url=f"https://{rest}", trust=_trust(named))


def _trust(named: _Named) -> ssl.SSLContext:
    """With the certificates of its folder, where they are there."""
    folder = named.certificates
    files = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")} if folder else {}
    there = {name: file for name, file in files.items() if file.exists()}
    try:
        context = ssl.create_default_context(cafile=there.get("ca"))
        if "cert" in there:
            context.load_cert_chain(files["cert"], files["key"])
    except OSError as error:
        raise ConfigError(
            f"{folder}: the certificates for the Docker daemon cannot be used: "
            f"{system_reason(error)}",
            hint=named.hint,
            code="docker_host_invalid",
        ) from error
    if named.unverified:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context
