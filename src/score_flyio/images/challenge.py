"""What a registry asks for when it answers 401. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

from attrs import field, frozen

_CHALLENGE: Final = re.compile(r"\b(basic|bearer)\s+(?=\w+=)", re.IGNORECASE)
_PARAMETER: Final = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^\s,"]+))')

Scheme: TypeAlias = Literal["none", "basic", "bearer"]


@frozen(kw_only=True)
class Challenge:
    """How to log in."""

    scheme: Scheme
    parameters: Mapping[str, str] = field(factory=dict)

    @property
    def realm(self) -> str:
        """Where a token is to be had."""
        return self.parameters.get("realm", "")


NO_LOGIN: Final = Challenge(scheme="none")


def challenge_of(header: str) -> Challenge:
    """The challenge of a `WWW-Authenticate` header; of several, Bearer before Basic."""
    found: dict[str, Challenge] = {}
    _, *parts = _CHALLENGE.split(header)
    for name, text in zip(parts[::2], parts[1::2], strict=True):
        given = {key.lower(): quoted or bare for key, quoted, bare in _PARAMETER.findall(text)}
        scheme: Scheme = "bearer" if name.lower() == "bearer" else "basic"
        found[scheme] = Challenge(scheme=scheme, parameters=given)
    return found.get("bearer") or found.get("basic") or NO_LOGIN
