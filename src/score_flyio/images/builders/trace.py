"""Progress of BuildKit as Docker passes it on: `StatusResponse` messages, in base64. Pure.

Field numbers: `api/services/control/control.proto` of BuildKit.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from score_flyio.base.record import define, field
from score_flyio.images.build import Progress
from score_flyio.images.builders.protobuf import fields

_VERTEX: Final = 1
_LOG: Final = 3
_DIGEST, _NAME, _CACHED, _STARTED, _ERROR = 1, 3, 4, 5, 7
_LOG_TEXT: Final = 4


@define
class Trace:
    """Turns messages into progress: steps, once more where they prove to be cached, and output."""

    _told: set[tuple[bytes, bool]] = field(factory=set, init=False)
    errors: list[str] = field(factory=list, init=False)
    """What went wrong, in BuildKit's words."""

    def read(self, message: str) -> Iterator[Progress]:
        """What one message tells; nothing, when it cannot be read."""
        try:
            for number, value in fields(base64.b64decode(message, validate=True)):
                if number == _VERTEX and isinstance(value, bytes):
                    yield from self._vertex(dict(fields(value)))
                elif number == _LOG and isinstance(value, bytes):
                    text = dict(fields(value)).get(_LOG_TEXT, b"")
                    for line in _text(text).splitlines():
                        if line.strip():
                            yield Progress(text=line.rstrip())
        except (ValueError, IndexError, binascii.Error):
            return

    def _vertex(self, vertex: dict[int, int | bytes]) -> Iterator[Progress]:
        if error := _text(vertex.get(_ERROR, b"")):
            self.errors.append(error)
        digest, cached = vertex.get(_DIGEST, b""), bool(vertex.get(_CACHED))
        if not isinstance(digest, bytes) or not (cached or _STARTED in vertex):
            return
        if (digest, cached) not in self._told:
            self._told.add((digest, cached))
            yield Progress(text=_text(vertex.get(_NAME, b"")), step=True, cached=cached)


def _text(value: int | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else ""
