"""What a registry asks for when it answers 401. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

from score_flyio.base.record import frozen

_PART: Final = re.compile(
    r'(?P<name>[\w-]+)\s*=\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<bare>[^\s,"]+))|(?P<scheme>[\w-]+)'
)
"""A parameter, or the name of a scheme."""

Scheme: TypeAlias = Literal["none", "basic", "bearer"]


@frozen(kw_only=True)
class Challenge:
    """How to log in."""

    scheme: Scheme
    realm: str = ""
    """Where a token is to be had."""
    service: str = ""


def challenge_of(header: str) -> Challenge:
    """The challenge of a `WWW-Authenticate` header; of several, Bearer before Basic."""
    found: dict[str, dict[str, str]] = {}
    given: dict[str, str] = {}
    for part in _PART.finditer(header):
        if part["scheme"] is not None:
            given = found.setdefault(part["scheme"].lower(), {})
        elif part["quoted"] is not None:
            given[part["name"].lower()] = re.sub(r"\\(.)", r"\1", part["quoted"])
        else:
            given[part["name"].lower()] = part["bare"].strip("'")
    scheme: Scheme
    for scheme in ("bearer", "basic"):
        if scheme in found:
            given = found[scheme]
            realm, service = given.get("realm", ""), given.get("service", "")
            return Challenge(scheme=scheme, realm=realm, service=service)
    return Challenge(scheme="none")
