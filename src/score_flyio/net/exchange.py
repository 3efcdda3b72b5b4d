"""One request and its answer, or why there is none, for whoever sends thousands to one place.

Nothing here needs httpx, whose import takes a tenth of a short command: it is asked for where the
environment names a proxy.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

from score_flyio.base.record import field, frozen

NEVER_SENT: Final = frozenset(
    {
        "ConnectError",
        "ConnectTimeout",
        "PoolTimeout",
        "ProxyError",
        "UnsupportedProtocol",
        "LocalProtocolError",
    }
)
"""Errors, by the names that httpx has for them, after which nothing was carried out."""
_BROKEN: Final = "it broke off before the answer was there"
_NONE: Final = "no connection came about"
_WORDS: Final[Mapping[str, str]] = {
    "ConnectError": _NONE,
    "ConnectTimeout": _NONE,
    "ReadError": _BROKEN,
    "ReadTimeout": "the answer did not come, or not to its end",
    "RemoteProtocolError": "it ended in the middle of the answer, or what came is no HTTP",
    "WriteError": _BROKEN,
}
"""By the names that httpx has for errors."""
CONNECT_SECONDS: Final = 15.0
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS


@frozen(kw_only=True)
class Asked:
    """A request."""

    method: str
    url: str
    """With the query, and escaped."""
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)
    seconds: float
    """How long the answer may take, once there is a connection."""
    brief: bool = False
    """Whether the other side has nothing to do but to answer."""


@frozen(kw_only=True)
class Answered:
    """An answer with all of its body."""

    status: int
    headers: Mapping[str, str]
    """By names in lower case."""
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as a text."""
        _, _, charset = self.headers.get("content-type", "").partition("charset=")
        try:
            return self.body.decode(charset.strip(' "') or "utf-8", errors="replace")
        except LookupError:
            return self.body.decode(errors="replace")


class NoAnswerError(Exception):
    """There is no answer; its text is the kind, by the name that httpx has for it.

    The cause is the error of the library.
    """

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.late = kind.endswith("Timeout")
        self.sent = kind not in NEVER_SENT


class UnreadableError(Exception):
    """What was answered, or the request itself, is no HTTP; its text is the kind."""


def network_reason(error: BaseException) -> str:
    """The reason behind the exception of a library.

    The library's own text is not used: it may show what was sent.
    """
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted: {cause.verify_message}"
        if isinstance(cause, socket.gaierror):
            return "its name is not known"
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno).lower()
    kind = str(error) if isinstance(error, NoAnswerError) else type(error).__name__
    return _WORDS.get(kind, kind)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        if isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        else:
            error = error.__cause__ or error.__context__


class Network(Protocol):
    """Carries requests."""

    async def exchange(self, asked: Asked) -> Answered:
        """Send one request. Raises NoAnswerError, and UnreadableError for what cannot be read."""

    async def aclose(self) -> None:
        """Close what is open."""


def open_network(*, encrypted: bool) -> Network:
    """The network, as the environment says it is reached."""
    trust = _certificates() if encrypted else trusting_nobody()
    named = any(name.lower().endswith("_proxy") for name in os.environ)
    # Elsewhere, systems have settings beside the environment.
    if named or sys.platform in ("win32", "darwin"):
        from urllib.request import getproxies

        if getproxies():
            from score_flyio.net.http import through_proxies

            return through_proxies(trust)
    from score_flyio.net.connections import Connections  # imports h11, and what anyio has for TLS

    return Connections(trust)


def _certificates() -> ssl.SSLContext:
    """The certificates that httpx trusts."""
    file, folder = os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    if file or folder:
        return ssl.create_default_context(cafile=file or None, capath=None if file else folder)
    import certifi

    return ssl.create_default_context(cafile=certifi.where())


def trusting_nobody() -> ssl.SSLContext:
    """For plain HTTP: should TLS be spoken after all, no certificate counts."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def decoded(body: bytes, encoding: str) -> bytes:
    """A body without its content encoding, of those that are asked for.

    Raises UnreadableError.
    """
    if encoding not in ("gzip", "deflate") or not body:
        return body
    for bits in (_GZIP_OR_ZLIB, -zlib.MAX_WBITS):
        try:
            return zlib.decompress(body, bits)
        except zlib.error:
            continue
    raise UnreadableError("DecodingError")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the `retry-after` header asks for; a date in it is compared with `date`."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        from email.utils import parsedate_to_datetime

        try:
            wanted = parsedate_to_datetime(text)
            seconds = (wanted - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
        except (TypeError, ValueError):
            return None
    return seconds if 0 <= seconds < float("inf") else None
