"""What a macaroon says of itself: until when it is valid, and which discharges it needs.

The form is that of the vendor's public library: `fm2_` and base64 of msgpack
`[nonce, location, caveats, tail]`, the caveats flat as type, body, type, body. Nothing is verified:
that takes keys which only the platform has.
"""

from __future__ import annotations

import base64
import struct
from io import BytesIO
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
        nonce, _location, caveats, *_tail = _unpack(BytesIO(raw))
        pairs = list(zip(caveats[::2], caveats[1::2], strict=True))  # types and bodies in turn
        ends = [float(body[1]) for kind, body in pairs if kind == _VALIDITY]
        parties = [ThirdParty(str(b[0]), bytes(b[2])) for kind, b in pairs if kind == _THIRD_PARTY]
        return Macaroon(
            key=bytes(nonce[0]), not_after=min(ends, default=None), third_parties=tuple(parties)
        )
    except (ValueError, TypeError, LookupError, struct.error, RecursionError):
        return None


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


def _unpack(data: BytesIO) -> Any:
    """The next value of msgpack data."""
    kind = _take(data, 1)[0]
    if kind <= 0x7F or kind >= 0xE0:
        return kind if kind <= 0x7F else kind - 0x100
    if kind in _CONSTANTS:
        return _CONSTANTS[kind]
    if kind in _NUMBERS:
        return _number(data, _NUMBERS[kind])
    if kind in _SIZED:
        shape, form = _SIZED[kind]
        size = int(_number(data, form))
    elif kind <= 0xBF:
        shape = dict if kind <= 0x8F else list if kind <= 0x9F else str
        size = kind & (0x1F if shape is str else 0x0F)
    else:
        raise ValueError(f"unknown kind {kind:#x}")
    if shape in (bytes, str):
        raw = _take(data, size)
        return raw if shape is bytes else raw.decode()
    items = [_unpack(data) for _ in range(size * (2 if shape is dict else 1))]
    return items if shape is list else dict(zip(items[::2], items[1::2], strict=True))


def _number(data: BytesIO, form: str) -> Any:
    return struct.unpack(form, _take(data, struct.calcsize(form)))[0]


def _take(data: BytesIO, size: int) -> bytes:
    taken = data.read(size)
    if len(taken) < size:
        raise ValueError("cut off")
    return taken
