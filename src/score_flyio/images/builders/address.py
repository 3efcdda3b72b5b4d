"""Where the Docker daemon is: `DOCKER_HOST` and its certificates, or one of the usual sockets."""

from __future__ import annotations

import ssl
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from score_flyio.base.record import field, frozen
from score_flyio.errors import ConfigError
from score_flyio.images.logins import Password

SOCKETS: Final = ("/var/run/docker.sock", "/run/podman/podman.sock")
"""Podman's daemon speaks the same language."""
PLAIN_PORT: Final = 2375
TLS_PORT: Final = 2376
"""Of a daemon at `tcp://HOST`, with or without TLS (Docker)."""
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
    """The daemon that the environment names, else one whose socket is there.

    Raises ConfigError when `DOCKER_HOST` or the certificates cannot be used.
    """
    host = environ.get("DOCKER_HOST", "").strip()
    if host:
        return _named(host, environ)
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


def _named(host: str, environ: Mapping[str, str]) -> DaemonAddress:
    scheme, _, rest = host.partition("://")
    if scheme == "unix" and rest.startswith("/"):
        return DaemonAddress(url="http://docker", socket=rest)
    if scheme == "ssh":
        raise ConfigError(
            "DOCKER_HOST: a daemon behind ssh:// cannot be reached from here",
            hint="forward its socket with ssh -L, or use --builder buildah",
            code="docker_host_invalid",
        )
    rest = rest.rstrip("/")
    try:
        port = urlsplit(f"//{rest}").port
    except ValueError:
        port = 0
    if scheme not in {"tcp", "http", "https"} or not rest or port == 0:
        raise ConfigError(
            f"DOCKER_HOST: {host!r} is not the address of a daemon",
            hint=_EXAMPLE,
            code="docker_host_invalid",
        )
    verified = bool(environ.get("DOCKER_TLS_VERIFY")) or scheme == "https"
    trust = _trust(environ) if verified else None
    if scheme == "tcp" and port is None:
        rest = f"{rest}:{TLS_PORT if verified else PLAIN_PORT}"
    return DaemonAddress(url=f"{'https' if verified else 'http'}://{rest}", trust=trust)


def _trust(environ: Mapping[str, str]) -> ssl.SSLContext:
    folder = environ.get("DOCKER_CERT_PATH") or f"{environ.get('HOME', '')}/.docker"
    files = {name: Path(folder) / f"{name}.pem" for name in ("ca", "cert", "key")}
    try:
        own = files["ca"] if files["ca"].exists() else None
        context = ssl.create_default_context(cafile=own)
        if files["cert"].exists():
            context.load_cert_chain(files["cert"], files["key"])
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"{folder}: the certificates for the Docker daemon cannot be used: "
            f"{getattr(error, 'strerror', None) or error}",
            hint="name their folder with DOCKER_CERT_PATH: ca.pem, cert.pem and key.pem",
            code="docker_host_invalid",
        ) from error
    return context
