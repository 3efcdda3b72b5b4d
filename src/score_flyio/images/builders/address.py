"""Where the Docker daemon is: `DOCKER_HOST`, a context of Docker, or one of the usual sockets."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from score_flyio.base.printable import system_reason
from score_flyio.base.record import field, frozen
from score_flyio.errors import ConfigError
from score_flyio.images.builders.docker_context import DockerContext, chosen_context
from score_flyio.images.logins import Password

VARIABLE: Final = "DOCKER_HOST"
SOCKETS: Final = ("/var/run/docker.sock", "/run/podman/podman.sock")
"""Podman's daemon speaks the same language."""
PLAIN_PORT: Final = 2375
TLS_PORT: Final = 2376
"""Of a daemon at `tcp://HOST`, with or without TLS (Docker)."""
_PIPE: Final = "npipe:"
"""How contexts name a daemon on Windows that has no other address: out of our reach."""
_EXAMPLE: Final = "give unix:///PATH, tcp://HOST:PORT or https://HOST"


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


def find_daemon(environ: Mapping[str, str]) -> DaemonAddress | None:
    """The daemon that the environment names, else that of Docker's context, else a usual socket.

    Raises ConfigError when what was chosen, or its certificates, cannot be used.
    """
    if host := environ.get(VARIABLE, "").strip():
        verified = bool(environ.get("DOCKER_TLS_VERIFY")) or host.startswith("https:")
        folder = Path(environ.get("DOCKER_CERT_PATH") or f"{environ.get('HOME', '')}/.docker")
        hint = "name their folder with DOCKER_CERT_PATH: ca.pem, cert.pem and key.pem"
        return _named(host, VARIABLE, lambda: _trust(folder, hint) if verified else None)
    context = chosen_context(environ)
    if context is not None and context.host:
        if context.host.startswith(_PIPE):
            return None
        return _named(context.host, context.place, lambda: _trust_of(context))
    folders = (environ.get("XDG_RUNTIME_DIR"), environ.get("HOME"))
    own = ("podman/podman.sock", ".docker/run/docker.sock")
    usual = [f"{folder}/{name}" for folder, name in zip(folders, own, strict=True) if folder]
    for path in (*SOCKETS, *usual):
        if _is_socket(path):
            return DaemonAddress(url="http://docker", socket=path)
    return None


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(Path(path).stat().st_mode)
    except OSError:
        return False


def _named(host: str, place: str, trust_for: Callable[[], ssl.SSLContext | None]) -> DaemonAddress:
    """The daemon of an address; certificates are read for those that can have TLS."""
    scheme, _, rest = host.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return DaemonAddress(url="http://docker", socket=rest)
    if scheme == "ssh":
        raise ConfigError(
            f"{place}: a daemon behind ssh:// cannot be reached from here",
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
            f"{place}: {host!r} is not the address of a daemon",
            hint=_EXAMPLE,
            code="docker_host_invalid",
        )
    trust = trust_for()
    if scheme == "tcp" and port is None:
        rest = f"{rest}:{TLS_PORT if trust else PLAIN_PORT}"
    return DaemonAddress(url=f"{'https' if trust else 'http'}://{rest}", trust=trust)


def _trust_of(context: DockerContext) -> ssl.SSLContext | None:
    encrypted = context.certificates or context.unverified or context.host.startswith("https:")
    if not encrypted:
        return None
    hint = "make it anew with docker context create"
    trust = _trust(context.certificates, hint)
    if context.unverified:
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return trust


def _trust(folder: Path | None, hint: str) -> ssl.SSLContext:
    """With the certificates of a folder, where they are there."""
    files = {name: folder / f"{name}.pem" for name in ("ca", "cert", "key")} if folder else {}
    there = {name: file for name, file in files.items() if file.exists()}
    try:
        context = ssl.create_default_context(cafile=there.get("ca"))
        if "cert" in there:
            context.load_cert_chain(files["cert"], files["key"])
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{folder}: the certificates for the Docker daemon cannot be used: "
            f"{system_reason(error)}",
            hint=hint,
            code="docker_host_invalid",
        ) from error
    return context
