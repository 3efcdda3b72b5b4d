"""What a macaroon says of itself: until when it is valid, and which discharges it needs.

The form is that of the vendor's public library: `fm2_` and base64 of msgpack
`[nonce, location, caveats, tail]`, the caveats flat as type, body, type, body. Nothing is verified:
that takes keys which only the platform has.
"""

from __future__ import annotations

import base64
import binascii
import struct
from typing import Any, Final

from score_flyio.base.record import field, frozen

PREFIX: Final = "fm2_"
_VALIDITY: Final = 4
"""A caveat with the window of time in which the macaroon is valid."""
_THIRD_PARTY: Final = 11
"""A caveat that a discharge of someone else has to satisfy."""


@frozen
class ThirdParty:
    """Where a discharge is to be had, and the ticket for it."""

    location: str
    ticket: bytes = field(repr=False)


@frozen(kw_only=True)
class Macaroon:
    """One token, as far as it tells."""

    key: bytes = field(repr=False)
    """In a discharge, the ticket that it is for."""
    not_after: float | None
    """Seconds since the epoch; None: it does not say."""
    third_parties: tuple[ThirdParty, ...]


def read_macaroon(token: str) -> Macaroon | None:
    """What the token says; None when it is of another kind, or not of the known form."""
    if not token.startswith(PREFIX):
        return None
    text = token.removeprefix(PREFIX).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
        (nonce, _location, caveats, *_tail), _ = _unpack(raw, 0)
        pairs = list(zip(caveats[::2], caveats[1::2], strict=True))  # types and bodies in turn
        return _macaroon(nonce, pairs)
    except (ValueError, TypeError, LookupError, struct.error, binascii.Error, RecursionError):
        return None


def _macaroon(nonce: Any, caveats: list[tuple[Any, Any]]) -> Macaroon:
    ends = [float(body[1]) for kind, body in caveats if kind == _VALIDITY]
    parties = [ThirdParty(str(b[0]), bytes(b[2])) for kind, b in caveats if kind == _THIRD_PARTY]
    return Macaroon(
        key=bytes(nonce[0]), not_after=min(ends, default=None), third_parties=tuple(parties)
    )


_NUMBERS: Final = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}  # fmt: skip
_CONSTANTS: Final = {0xC0: None, 0xC2: False, 0xC3: True}
_SIZED: Final = {
    0xC4: (bytes, ">B"), 0xC5: (bytes, ">H"), 0xC6: (bytes, ">I"),
    0xD9: (str, ">B"), 0xDA: (str, ">H"), 0xDB: (str, ">I"),
    0xDC: (list, ">H"), 0xDD: (list, ">I"), 0xDE: (dict, ">H"), 0xDF: (dict, ">I"),
}  # fmt: skip


def _unpack(data: bytes, at: int) -> tuple[Any, int]:
    """The value that begins at a place of msgpack data, and the place behind it."""
    kind, at = data[at], at + 1
    if kind <= 0x7F or kind >= 0xE0:
        return (kind if kind <= 0x7F else kind - 0x100), at
    if kind in _CONSTANTS:
        return _CONSTANTS[kind], at
    if kind in _NUMBERS:
        return _number(data, at, _NUMBERS[kind])
    if kind in _SIZED:
        shape, form = _SIZED[kind]
        size, at = _number(data, at, form)
        return _filled(data, at, shape, int(size))
    if kind <= 0xBF:
        shape = dict if kind <= 0x8F else list if kind <= 0x9F else str
        return _filled(data, at, shape, kind & (0x1F if shape is str else 0x0F))
    raise ValueError(f"unknown kind {kind:#x}")


def _number(data: bytes, at: int, form: str) -> tuple[Any, int]:
    return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)


def _filled(data: bytes, at: int, shape: type, size: int) -> tuple[Any, int]:
    if shape in (bytes, str):
        raw, end = data[at : at + size], at + size
        if end > len(data):
            raise ValueError("cut off")
        return (raw if shape is bytes else raw.decode()), end
    items: list[Any] = []
    for _ in range(size * (2 if shape is dict else 1)):
        item, at = _unpack(data, at)
        items.append(item)
    return (items if shape is list else dict(zip(items[::2], items[1::2], strict=True))), at
