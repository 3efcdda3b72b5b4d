"""Numbers, times, words and escapes of TOML."""

from __future__ import annotations

import calendar
import re
from typing import Final

from attrs import frozen

TOKEN: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[Tt ](?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?P<fraction>\.[0-9]+)?)?)"
    r"(?P<zone>[Zz]|[+-][0-9]{2}:[0-9]{2})?)?"
)
LONE_TOKEN: Final = re.compile(
    r"(?P<time>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?P<fraction>\.[0-9]+)?)?)|[A-Za-z0-9_+.-]+"
)
_LONGEST: Final = 400
"""Characters of a whole number, `_` included; more digits than 64 bits can hold."""
_INTEGER: Final = re.compile(r"[+-]?(?:0|[1-9](?:_?[0-9])*)")
_BASED: Final = re.compile(
    r"0(?:x[0-9A-Fa-f](?:_?[0-9A-Fa-f])*|o[0-7](?:_?[0-7])*|b[01](?:_?[01])*)"
)
_FLOAT: Final = re.compile(
    r"[+-]?(?:0|[1-9](?:_?[0-9])*)(?:\.[0-9](?:_?[0-9])*)?(?:[eE][+-]?[0-9](?:_?[0-9])*)?"
    r"|[+-]?(?:inf|nan)"
)
_ESCAPE: Final = re.compile(
    r"\\(?:(?P<fold>[ \t]*\r?\n[ \t\r\n]*)"
    r"|x(?P<two>[0-9A-Fa-f]{2})|u(?P<four>[0-9A-Fa-f]{4})|U(?P<eight>[0-9A-Fa-f]{8})|(?P<sign>.?))"
)
_SIGNS: Final = {
    "b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\",
}  # fmt: skip


@frozen
class TomlTime:
    """A date, a time, or both."""

    text: str
    """RFC 3339: where a text is wanted."""
    shown: str
    """As Go prints it: where any value becomes a text."""


def scalar(match: re.Match[str]) -> bool | int | float | TomlTime | None:
    """The value of a token, None if it has none."""
    groups, word = match.groupdict(), match.group()
    if groups.get("date") or groups.get("time"):
        return _time(groups)
    if word in {"true", "false"}:
        return word == "true"
    if len(word) > _LONGEST and not _FLOAT.fullmatch(word):
        return None
    if _INTEGER.fullmatch(word):
        return int(word) if len(word) <= _LONGEST else None
    if _BASED.fullmatch(word):
        return int(word, 0)
    return float(word) if _FLOAT.fullmatch(word) else None


def unescaped(text: str) -> str | None:
    """A text in double quotes, None if it has an unknown escape."""
    unknown = False

    def replaced(match: re.Match[str]) -> str:
        nonlocal unknown
        if match["fold"] is not None:
            return ""
        code = match["two"] or match["four"] or match["eight"]
        if code is None:
            unknown |= match["sign"] not in _SIGNS
            return _SIGNS.get(match["sign"], "")
        point = int(code, 16)
        valid = point < 0xD800 or 0xDFFF < point <= 0x10FFFF
        unknown |= not valid
        return chr(point) if valid else ""

    found = _ESCAPE.sub(replaced, text)
    return None if unknown else found


def _time(groups: dict[str, str | None]) -> TomlTime | None:
    date, time, zone = groups.get("date"), groups.get("time"), groups.get("zone")
    if (date and not _is_date(date)) or (time and not _is_time(time)):
        return None
    if time is None:
        return TomlTime(date or "", date or "")
    whole = f"{time[:8]}:00" if len(time) == 5 else time[:8]
    fraction = (groups.get("fraction") or "")[:10]
    if zone is None:
        text = f"{date}T{whole}{fraction}" if date else f"{whole}{fraction}"
        return TomlTime(text, text)
    hours, _, minutes = zone[1:].partition(":")
    if zone not in "Zz" and not (int(hours) < 24 and int(minutes) < 60):
        return None
    fraction = fraction.rstrip("0").rstrip(".")
    utc = zone in "Zz" or zone[1:] == "00:00"
    offset = "+0000" if utc else zone.replace(":", "")
    return TomlTime(
        f"{date}T{whole}{fraction}{'Z' if utc else zone}",
        f"{date} {whole}{fraction} {offset} {'UTC' if utc else offset}",
    )


def _is_date(date: str) -> bool:
    year, month, day = map(int, date.split("-"))
    if not 1 <= month <= 12:
        return False
    # years 0 to 3 have no calendar of their own, but 400 years later all is the same
    return 1 <= day <= calendar.monthrange(year % 400 + 400, month)[1]


def _is_time(time: str) -> bool:
    hours, minutes, *seconds = time.split(":")
    return int(hours) < 24 and int(minutes) < 60 and all(float(s) < 60 for s in seconds)
