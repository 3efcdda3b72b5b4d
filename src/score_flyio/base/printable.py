"""Text of others, such that it drives neither a terminal nor a CI system that reads the log.

Image names, values, answers of an API and names of files come from whoever wrote them: an escape
sequence can repaint a terminal, a line break can forge a line of a plan, and a line that starts
with `::` is a command to GitHub's runner (`##[` to others').
"""

from __future__ import annotations

import re
from typing import Final

_UNSAFE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Control characters but tab and line feed, and what changes the direction of text or hides."""
_COMMAND: Final = re.compile(r"^(\s*)(?=::|##)", re.MULTILINE)
_DIGEST: Final = re.compile(r"(@sha256:[0-9a-f]{12})[0-9a-f]{52}")
_SHORT: Final = {"\r": r"\r", "\n": r"\n", "\t": r"\t"}


def printable(text: str) -> str:
    """The text with everything escaped that is not plainly a letter, a sign or a line."""
    text = _UNSAFE.sub(_escaped, text)
    return _COMMAND.sub(r"\1\\", text) if ("::" in text or "##" in text) else text


def one_line(text: str) -> str:
    """The text as it stands within a line: line breaks and tabs are escaped too."""
    text = _UNSAFE.sub(_escaped, text)
    return text.replace("\n", r"\n").replace("\t", r"\t")


def short_digests(text: str) -> str:
    """A text whose digests are as long as people compare."""
    return _DIGEST.sub(r"\1", text)


def printable_json(text: str) -> str:
    """A JSON document, its strings without characters that act; it stays the same document."""
    return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    if char in _SHORT:
        return _SHORT[char]
    return f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"


def system_reason(error: Exception, otherwise: str = "") -> str:
    """Why the system refuses something, as a part of a sentence: without a capital.

    Of an error that is not the system's: `otherwise`, or what it says.
    """
    said = getattr(error, "strerror", None) or ("" if otherwise else str(error))
    return f"{said[:1].lower()}{said[1:]}" or otherwise
