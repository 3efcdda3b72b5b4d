"""Values as Go's default formatting prints them.

flyctl turns values that should have been text into text that way.
"""

from __future__ import annotations

import math
import re
from datetime import date, datetime, time
from typing import Any, Final

Time = date | time
"""A date, a time of day, or both."""
_LOWEST: Final = -(2**63)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


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
        case date() | time():
            return _shown(value)
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

    number = Decimal(repr(value)).normalize()
    if -4 <= number.adjusted() < 6:
        return f"{number:f}"
    mantissa, _, exponent = f"{number:e}".partition("e")
    return f"{mantissa}e{int(exponent):+03d}"


def time_text(value: Time) -> str:
    """RFC 3339: where a text is wanted."""
    text = re.sub(r"(?<=\.)([0-9]*[1-9])0+", r"\1", value.isoformat())
    return f"{text.removesuffix('+00:00')}Z" if text.endswith("+00:00") else text


def _shown(value: Time) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        return time_text(value)
    zone, moment = value.strftime("%z"), time_text(value.replace(tzinfo=None))
    return f"{moment.replace('T', ' ')} {zone} {'UTC' if zone == '+0000' else zone}"


def int64(number: float) -> int:
    """A number without its fraction; what 64 bits cannot hold becomes the lowest one.

    That is what the processor makes of it on which flyctl mostly runs.
    """
    if not math.isfinite(number):
        return _LOWEST
    whole = int(number)
    return whole if _LOWEST <= whole < -_LOWEST else _LOWEST


def wrapped(number: int) -> int:
    """The low 64 bits of a product, which is all that Go keeps."""
    return (number - _LOWEST) % 2**64 + _LOWEST


def well_formed(value: Any) -> Any:
    """A value read from JSON or YAML, with keys that are texts and no half characters.

    Go has U+FFFD in their place; no file could be written with them.
    """
    if isinstance(value, dict):
        return {well_formed(str(key)): well_formed(item) for key, item in value.items()}
    if isinstance(value, list):
        return [well_formed(item) for item in value]
    return _SURROGATE.sub("\ufffd", value) if isinstance(value, str) else value
