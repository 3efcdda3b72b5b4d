"""Plain values → YAML that every YAML reader understands the same way.

Text is quoted wherever any YAML version could take it for something else (`yes`, `012`, dates), so
the Go score-flyio reads back exactly what was written.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

_WORDS: Final = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})
_PLAIN: Final = re.compile(r"[A-Za-z_/$][A-Za-z0-9_./$@+-]*(?:[ #:][A-Za-z0-9_./$@+-]+)*")
_UNPRINTABLE: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
_LONGEST_KEY: Final = 1000
"""Characters; YAML allows 1024 for a key in the short form."""


def write_yaml(document: dict[str, Any] | list[Any], indent: str = "") -> str:
    """The document in block style, two spaces a level, keys in the order given."""
    lines: list[str] = []
    _block(document, indent, lines)
    return "\n".join(lines) + "\n"


def sorted_keys(value: Any) -> Any:
    """The value with the keys of all maps in it sorted."""
    match value:
        case dict():
            return {key: sorted_keys(value[key]) for key in sorted(value)}
        case list():
            return [sorted_keys(item) for item in value]
        case _:
            return value


def _block(value: Any, indent: str, lines: list[str]) -> None:
    if isinstance(value, dict) and value:
        _map(value, indent, lines)
    elif isinstance(value, list | tuple) and value:
        _list(value, indent, lines)
    else:
        lines.append(f"{indent}{_scalar(value)}")


def _map(value: dict[str, Any], indent: str, lines: list[str]) -> None:
    for key, item in value.items():
        text = _text(key)
        if len(text) > _LONGEST_KEY:
            lines.append(f"{indent}? {text}")
            text = ""
        if isinstance(item, dict | list | tuple) and item:
            lines.append(f"{indent}{text}:")
            _block(item, f"{indent}  ", lines)
        else:
            lines.append(f"{indent}{text}: {_scalar(item)}")


def _list(items: list[Any] | tuple[Any, ...], indent: str, lines: list[str]) -> None:
    for item in items:
        first = len(lines)
        _block(item, f"{indent}  ", lines)
        lines[first] = f"{indent}- {lines[first][len(indent) + 2 :]}"


def _scalar(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return _float(value)
        case str():
            return _text(value)
        case dict():
            return "{}"
        case list() | tuple():
            return "[]"
        case _:
            raise TypeError(f"{type(value).__name__} cannot be written as YAML")


def _float(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    mantissa, e, exponent = repr(value).partition("e")
    # YAML 1.1 takes a number without a point, or without a sign in the exponent, for text.
    return f"{mantissa if '.' in mantissa else f'{mantissa}.0'}{e}{exponent}"


def _text(text: str) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)
