"""`.dockerignore` files, as Docker's own matcher reads them. Pure.

A pattern leaves out what it matches and everything below; the last pattern that matches decides.
As with BuildKit, a folder that is left out is looked into where a pattern with `!` may match in it.
"""

from __future__ import annotations

import posixpath
import re
from itertools import groupby
from typing import Final

from score_flyio.base.record import frozen
from score_flyio.errors import InputError, Problem

_NOTHING: Final = re.compile(r"(?!)")
_SUFFIX: Final = re.compile(r"\*\*[^/*?\[\]\\][^*?\[\]\\]*", re.DOTALL)
"""What BuildKit compares with the end of a path; before other characters, `**` is whole folders."""
_TOKEN: Final = re.compile(
    r"(?P<folders>\*\*/?)|(?P<letters>\*)|(?P<letter>\?)|(?P<set>\[)"
    r"|\\(?P<escaped>.?)|(?P<plain>[^*?\[\\]+)",
    re.DOTALL,
)


@frozen
class _Pattern:
    keeps: bool
    """Whether it starts with `!`."""
    text: str
    regex: str


@frozen(kw_only=True)
class IgnoreRules:
    """What is left out of a build context."""

    runs: tuple[tuple[bool, re.Pattern[str]], ...] = ()
    """Neighbouring patterns of one kind as one, the last first: whether they keep, and what."""
    kept_below: re.Pattern[str] = _NOTHING
    """Folders in which a pattern with `!` may match."""
    text: str = ""
    """The patterns in the form in which every builder reads them alike."""

    def leaves_out(self, path: str) -> bool:
        """Whether a path, relative to the context and with `/`, is left out."""
        for keeps, regex in self.runs:
            if regex.fullmatch(path):
                return not keeps
        return False

    def leaves_out_all_of(self, folder: str) -> bool:
        """Whether nothing below a folder that is left out can be in the context."""
        return not self.kept_below.fullmatch(folder)


def read_rules(text: str, *, file: str) -> IgnoreRules:
    """The rules of a file.

    Raises InputError with the lines of patterns that cannot be read.
    """
    patterns: list[_Pattern] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), start=1):
        try:
            patterns += _read(line)
        except ValueError as error:
            problem = Problem(
                message=f"{line.strip()!r} is not a pattern: {error}",
                file=file,
                line=number,
                hint=r"put \ before a character that stands for itself",
                code="ignore_file_invalid",
            )
            problems.append(problem)
    if problems:
        raise InputError(problems=problems)
    runs = [
        (keeps, re.compile(f"(?s:(?:{'|'.join(each.regex for each in run)})(?:/.*)?)"))
        for keeps, run in groupby(patterns, key=lambda pattern: pattern.keeps)
    ]
    folders = "|".join(_folders(each.text) for each in patterns if each.keeps and each.text)
    return IgnoreRules(
        runs=tuple(reversed(runs)),
        kept_below=re.compile(f"(?s:{folders})") if folders else _NOTHING,
        text="".join(map(_written, patterns)),
    )


def _read(line: str) -> list[_Pattern]:
    """The pattern of a line; none for a comment or nothing."""
    if line.startswith("#"):
        return []
    text = line.strip()
    keeps = text.startswith("!")
    text = text.removeprefix("!").strip()
    if not text:
        if keeps:
            raise ValueError("there is nothing after the !")
        return []
    # An escaped slash is a slash, too.
    text = posixpath.normpath(
        re.sub(r"\\(.)", lambda pair: "/" if pair[1] == "/" else pair[0], text)
    )
    # Two slashes at the front stay after normalising.
    text = posixpath.normpath(text.lstrip("/").strip() or "/")
    return [_Pattern(keeps=keeps, text=text, regex=_regex(text))]


def _written(pattern: _Pattern) -> str:
    """A line without what podman and buildah take literally: slashes in front, and spaces."""
    if pattern.text == "." or pattern.text.startswith("/"):
        return ""  # no path is like that
    return f"{'!' if pattern.keeps else ''}./{pattern.text}\n"


def pattern_of(path: str) -> str:
    """A line that leaves out this path, and no other one."""
    return "/" + re.sub(r"([*?\[\\])", r"\\\1", path)


def _regex(text: str) -> str:
    """A pattern of Go's `filepath.Match`, with `**` beside, as a regular expression."""
    if _SUFFIX.fullmatch(text):
        return f".*{re.escape(text[2:])}"
    found, at = "", 0
    while token := _TOKEN.match(text, at):
        at = token.end()
        if token["folders"]:
            found += ".*" if at == len(text) else "(?:.*/)?"
        elif token["letters"]:
            found += "[^/]*"
        elif token["letter"]:
            found += "[^/]"
        elif token["set"]:
            letters, at = _class(text, at)
            found += letters
        elif plain := token["plain"] or token["escaped"]:
            found += re.escape(plain)
        else:
            raise ValueError("there is nothing after the \\")
    return found


def _class(text: str, start: int) -> tuple[str, int]:
    """The characters between `[` and `]`, and where the text goes on."""
    negated = text[start : start + 1] == "^"
    at, ranges = start + negated, ""
    while text[at : at + 1] != "]":
        low, at = _character(text, at)
        high = low
        if text[at : at + 1] == "-":
            high, at = _character(text, at + 1)
        if high < low:
            raise ValueError(f"the range {low}-{high} goes down")
        ranges += re.escape(low) if high == low else f"{re.escape(low)}-{re.escape(high)}"
    if not ranges:
        raise ValueError("there is nothing between [ and ]")
    return f"[{'^' if negated else ''}{ranges}]", at + 1


def _character(text: str, at: int) -> tuple[str, int]:
    at += text[at : at + 1] == "\\"
    if at >= len(text):
        raise ValueError("the [ has no ]")
    if text[at] in "]-" and text[at - 1] != "\\":
        raise ValueError(f"{text[at]} cannot end a range")
    return text[at], at + 1


def _folders(text: str) -> str:
    """The folders in which a pattern may match: those of each of its parts, and those below."""
    if "[" in text:  # what stands between brackets may be a slash
        return ".*"
    found = ".*"
    for part in reversed(text.split("/")):
        found = ".*" if "**" in part else rf"{_regex(part)}(?:/{found})?"
    return found
