"""The value of a YAML scalar, by the rules of Go's yaml.v3, which the other Score tools use.

YAML 1.2 words for booleans and null, the octal spellings of both YAML 1.1 and 1.2, no base 60.
Dates stay text: yaml.v3 makes timestamps of them, which no place of a Score file accepts.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from typing import Any, Final

_PREFIX: Final = "tag:yaml.org,2002:"

_WORDS: Final[dict[str, Any]] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMBER_START: Final = frozenset("+-.0123456789")
_INTEGERS: Final = (
    (re.compile(r"([+-]?)0[xX]([0-9a-fA-F]+)"), 16),
    (re.compile(r"([+-]?)0[bB]([01]+)"), 2),
    (re.compile(r"([+-]?)0[oO]?([0-7]+)"), 8),
    (re.compile(r"([+-]?)(0|[1-9][0-9]*)"), 10),
)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BETWEEN_DIGITS: Final = re.compile(r"(?<=[0-9])_(?=[0-9])")
_LEAST: Final = -(2**63)
_LARGEST: Final = 2**64 - 1
TIMESTAMP: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_MOST_DIGITS: Final = 1000
"""Longer digits are kept as text; Python refuses to convert them."""


def resolve_plain(text: str, *, exact: bool = False) -> Any:
    """The value of an unquoted scalar without a tag.

    Whole numbers of more than 64 bits are floats, unless they must be `exact`.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBER_START or len(text) > _MOST_DIGITS:
        return text
    digits = _BETWEEN_DIGITS.sub("", text) if text[0] == "." else text.replace("_", "")
    for pattern, base in _INTEGERS:
        if match := pattern.fullmatch(digits):
            whole = int(match[1] + match[2], base)
            if exact or _LEAST <= whole <= _LARGEST:
                return whole
    if _FLOAT.fullmatch(digits) and math.isfinite(number := float(digits)):
        return number
    return text


def resolve_tagged(tag: str, text: str) -> Any:
    """The value of a scalar with an explicit tag. Unknown tags give text.

    Raises ValueError: the text is not what the tag says.
    """
    name = tag.removeprefix(_PREFIX) if tag.startswith(_PREFIX) else ""
    if name == "binary":
        return _binary(text)
    if name == "timestamp" and not TIMESTAMP.fullmatch(text):
        raise ValueError(f"`{text}` is not !!{name}")
    expected = {"int": int, "bool": bool, "null": type(None), "float": float}.get(name)
    if expected is None:
        return text
    value = resolve_plain(text)
    if expected is float and type(value) is int:
        value = float(value)
    if type(value) is not expected:
        raise ValueError(f"`{text}` is not !!{name}")
    return value


def _binary(text: str) -> str:
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("!!binary must be base64 of UTF-8 text") from error
