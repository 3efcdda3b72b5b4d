"""Addresses of servers: read by one rule, shown without what they may hide.

A URL can carry a password before its host and a key in its query. Neither ever shows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import SplitResult, urlsplit

from score_flyio.base.record import frozen
from score_flyio.errors import ConfigError

PRIVATE_ZONE: Final = ".internal"
"""Names of Fly's private network, which is encrypted by itself and has no TLS."""
_NO_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2}).{0,2}")


@frozen(kw_only=True)
class WebAddress:
    """The parts of an http or https URL."""

    parts: SplitResult
    """Scheme and host in lower case; user, password and fragment taken off."""
    user: str | None = None
    password: str | None = None

    @property
    def url(self) -> str:
        """The URL that is called, without user, password and fragment."""
        return self.parts.geturl()

    @property
    def shown(self) -> str:
        """The URL for messages: no query either."""
        return self.parts._replace(query="").geturl()

    @property
    def root(self) -> WebAddress:
        """Of an API: without `/v1`, slashes at the end, user, password and query."""
        path = self.parts.path.rstrip("/").removesuffix("/v1").rstrip("/")
        return WebAddress(parts=self.parts._replace(path=path, query=""))

    @property
    def encrypted(self) -> bool:
        """Whether it is spoken to over TLS."""
        return self.parts.scheme == "https"


def read_web_address(
    text: str, *, name: str, example: str, code: str, confidential: bool = False
) -> WebAddress:
    """Take an address apart, whatever the spelling of its scheme and host, and space around it.

    `name` says where it was given, such as an option; an `example` would do. To a `confidential`
    one secrets are sent: it is encrypted, or stays on this machine or Fly's private network.

    Raises ConfigError for no http or https URL, for a percent sign in its path that begins
    nothing, as a client would call another path, and for a confidential one over plain http. The
    message shows neither password nor query.
    """
    text = text.strip()
    try:
        parts = urlsplit(text)
        valid = bool(parts.scheme.lower() in {"http", "https"} and parts.hostname)
        valid = valid and text.isprintable() and " " not in text and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(
            f"{name}: {shown_url(text)!r} is not an http or https address",
            hint=f"give one such as {example}",
            code=code,
        )
    if no_escape := _NO_ESCAPE.search(parts.path):
        raise ConfigError(
            f"{name}: {shown_url(text)!r}: {no_escape[0]!r} in its path stands for no character",
            hint="write a percent sign as %25",
            code=code,
        )
    address = WebAddress(
        parts=parts._replace(
            scheme=parts.scheme.lower(),
            netloc=parts.netloc.rpartition("@")[2].lower(),
            fragment="",
        ),
        user=parts.username,
        password=parts.password,
    )
    host = parts.hostname or ""
    private = is_loopback(host) or host.endswith(PRIVATE_ZONE)
    if confidential and not address.encrypted and not private:
        raise ConfigError(
            f"{name}: {address.shown!r} is not encrypted",
            hint=f"use https://; http:// is for this machine and for {PRIVATE_ZONE} names only",
            code=code,
        )
    return address


@lru_cache(maxsize=64)
def is_loopback(host: str | None) -> bool:
    """Whether what is sent to this host stays on this machine."""
    if host is None:
        return False
    from ipaddress import IPv6Address, ip_address

    try:
        address = ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


def shown_url(text: str) -> str:
    """A URL for messages: without user, password, query and fragment, however broken it is."""
    text = "".join(filter(str.isprintable, text))
    for end in "?#":
        text = text.partition(end)[0]
    scheme, separator, rest = text.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}"
