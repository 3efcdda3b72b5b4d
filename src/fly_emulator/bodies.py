"""The JSON of a request's body, taken as strictly as the platform's own decoder takes it."""

from __future__ import annotations

import base64
import json
import math
from typing import Any, Final

from fly_emulator.records import Json
from fly_emulator.wire import Refusal

_DEEPEST: Final = 64
"""Nesting that is followed; no document of the API comes near it."""


def json_object(body: bytes) -> Json:
    """The JSON object of a body, empty where that is. Raises Refusal: it is something else."""
    if not body:
        return {}
    if body.count(b"{") + body.count(b"[") > _DEEPEST:
        _check_depth(body)
    try:
        document = json.loads(body, parse_constant=_no_number, parse_float=_finite)
        if b"\\ud" in body.lower():
            json.dumps(document, ensure_ascii=False).encode()
    except ValueError as error:
        raise Refusal(400, f"request body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise Refusal(400, "request body is not a JSON object")
    return document


def to_base64(content: bytes) -> str:
    """Bytes as documents have them."""
    return base64.b64encode(content).decode()


def from_base64(document: Json, name: str, *, below: str = "") -> bytes:
    """The bytes of a member `below` a place; missing, there are none. Raises Refusal: no base64."""
    try:
        return base64.b64decode(document.get(name) or "", validate=True)
    except (ValueError, TypeError) as error:
        raise Refusal(400, f"invalid {below}{name}: not base64") from error


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is not a number")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else float(_no_number(text))


def _check_depth(body: bytes) -> None:
    """Refuse what is nested so deeply that nobody could mean it. Raises Refusal."""
    depth, quoted, escaped = 0, False, False
    for byte in body:
        if quoted:
            quoted = escaped or byte != ord('"')
            escaped = byte == ord("\\") and not escaped
        elif byte == ord('"'):
            quoted = True
        elif byte in b"{[":
            depth += 1
            if depth > _DEEPEST:
                raise Refusal(400, f"request body is nested more than {_DEEPEST} deep")
        elif byte in b"}]":
            depth -= 1
