"""Values as Go's default formatting prints them.

flyctl turns values that should have been text into text that way.
"""

from __future__ import annotations

import datetime as dt
import math
from typing import Any


def text_of(value: Any) -> str:
    """What Go prints for a value read from TOML, JSON or YAML."""
    match value:
        case str():
            return value
        case None:
            return "<nil>"
        case bool():
            return "true" if value else "false"
        case float():
            return float_text(value)
        case dt.datetime() if value.tzinfo is not None:
            return _zoned(value)
        case dt.datetime() | dt.date() | dt.time():
            return iso_text(value)
        case list():
            return f"[{' '.join(text_of(item) for item in value)}]"
        case dict():
            pairs = (f"{key}:{text_of(item)}" for key, item in sorted(value.items()))
            return f"map[{' '.join(pairs)}]"
        case _:
            return str(value)


def float_text(value: float) -> str:
    """Shortest exact digits, with an exponent below 0.0001 and from 1000000 on."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    from decimal import Decimal

    sign, digits, _ = Decimal(repr(value)).normalize().as_tuple()
    exponent = Decimal(repr(value)).adjusted()
    if -4 <= exponent < 6:
        return plain_decimal(value)
    mantissa = "".join(map(str, digits))
    point = f".{mantissa[1:]}" if len(mantissa) > 1 else ""
    return f"{'-' if sign else ''}{mantissa[0]}{point}e{exponent:+03d}"


def plain_decimal(value: float) -> str:
    """Shortest exact digits, never an exponent, no point for whole numbers."""
    from decimal import Decimal

    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def iso_text(value: dt.date | dt.time) -> str:
    """RFC 3339, fractions without trailing zeros."""
    text = value.isoformat()
    head, point, tail = text.partition(".")
    if point:
        digits, zone = tail[:6], tail[6:]
        text = f"{head}.{digits.rstrip('0')}{zone}"
    return text.replace("+00:00", "Z")


def _zoned(value: dt.datetime) -> str:
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    offset = value.strftime("%z")
    zone = "UTC" if offset == "+0000" else offset
    return f"{value:%Y-%m-%d %H:%M:%S}{fraction} {offset} {zone}"
