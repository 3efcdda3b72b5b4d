"""A text value that cannot be shown by accident."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MASK: Final = "********"
SHORTEST_HIDDEN: Final = 4
"""Shorter values are found in ordinary words by chance and are not searched for."""


class Secret:
    """Holds a secret text; only `reveal()` gives it away.

    `str`, `repr`, `format` and pickling never contain the value, so a secret that slips into a
    message, a log or an event shows as `********`.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself. Call it only where the value leaves for its destination."""
        return self._value

    def __str__(self) -> str:
        return MASK

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        from hmac import compare_digest  # loads OpenSSL

        return compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> tuple[type, tuple[str, ...]]:
        msg = "a Secret cannot be pickled"
        raise TypeError(msg)


def masked(text: str, secrets: Iterable[Secret]) -> str:
    """The text with each secret in it masked, as it is and as JSON, `repr` and URLs write it."""
    values = {secret.reveal() for secret in secrets}
    values |= {line for value in values for line in value.splitlines()}
    hidden = sorted((v for v in values if len(v.strip()) >= SHORTEST_HIDDEN), key=len, reverse=True)
    if not hidden:
        return text
    import json
    from urllib.parse import quote, quote_plus

    for value in hidden:
        forms = {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
        forms |= {repr(value)[1:-1], quote(value, safe=""), quote(value), quote_plus(value)}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, MASK)
    return text
