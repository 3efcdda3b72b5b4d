"""How a value looks inside a text: text as it is, everything else as compact JSON.

Keys are sorted, integers exact, whole floats without fraction, `<`, `>` and `&` plain; floats
otherwise as JavaScript and Go write them (`1e+21`, `1e-7`).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from score_flyio.base.secret import Secret


def render(value: Any) -> str:
    """A value as the text that a placeholder gives. Secrets are revealed."""
    match value:
        case str():
            return value
        case Secret():
            return value.reveal()
        case _:
            return _json(value)


def _json(value: Any) -> str:
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False)
        case Secret():
            return _json(value.reveal())
        case float():
            return _number(value)
        case Mapping():
            pairs = sorted(value.items())
            return "{" + ",".join(f"{_json(key)}:{_json(item)}" for key, item in pairs) + "}"
        case list() | tuple():
            return "[" + ",".join(map(_json, value)) + "]"
        case _:
            return json.dumps(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    from decimal import Decimal

    decimal = Decimal(repr(value)).normalize()
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return f"{decimal:f}"
    mantissa, _, exponent = f"{decimal:e}".partition("e")
    return f"{mantissa}e{int(exponent):+d}"
