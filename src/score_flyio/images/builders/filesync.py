"""Sends a folder to BuildKit: a list of what is there, then each file that it asks for.

The messages are those of fsutil (`types/wire.proto`, `types/stat.proto`), each in a frame of gRPC.
"""

from __future__ import annotations

import struct
import tarfile
from collections import deque
from collections.abc import Iterator
from itertools import chain
from pathlib import PurePosixPath
from typing import Final

from score_flyio.base.record import define, field
from score_flyio.errors import ImageError
from score_flyio.images.builders.protobuf import encoded, fields, text_of
from score_flyio.images.context import BLOCK, Context, Entry, content_of

_STAT, _REQUEST, _DATA, _END, _ERROR = range(5)
_TYPE, _ENTRY, _NUMBER, _CONTENT = 1, 2, 3, 4
_MODES: Final = {tarfile.DIRTYPE: 1 << 31, tarfile.SYMTYPE: 1 << 27, tarfile.FIFOTYPE: 1 << 25}
"""Bits for types and for rights beyond 0o777, as Go has them."""
_RIGHTS: Final = {0o4000: 1 << 23, 0o2000: 1 << 22, 0o1000: 1 << 20}


def framed(message: bytes) -> bytes:
    """A message in a frame of gRPC."""
    return struct.pack(">BI", 0, len(message)) + message


@define
class Sending:
    """One folder on its way."""

    context: Context
    _received: bytearray = field(factory=bytearray, init=False)
    _wanted: deque[int] = field(factory=deque, init=False)
    """Files that were asked for, by their place in the list."""
    _ended: bool = field(default=False, init=False)

    def take(self, received: bytes) -> None:
        """What the daemon says. Raises ImageError when it has no use for the folder."""
        self._received += received
        while len(self._received) >= 5:
            size = int.from_bytes(self._received[1:5], "big")
            if len(self._received) < 5 + size:
                return
            message = dict(fields(bytes(self._received[5 : 5 + size])))
            del self._received[: 5 + size]
            kind, number = message.get(_TYPE, _STAT), message.get(_NUMBER, 0)
            if kind == _REQUEST and isinstance(number, int):
                self._wanted.append(number)
            elif kind == _END:
                self._ended = True
            elif kind == _ERROR:
                said = text_of(message.get(_CONTENT))
                raise ImageError(
                    f"{self.context.root}: the daemon does not take the build context: {said}",
                    hint="see whether it has room left",
                    code="build_failed",
                )

    def frames(self) -> Iterator[bytes]:
        """What it is told, some frames at a time; none while it has to say something first.

        Raises ImageError for files that changed.
        """
        entries = list(_with_folders(self.context.entries))
        buffer = bytearray()
        for entry in entries:
            buffer += _frame({_TYPE: _STAT, _ENTRY: _stat(entry)})
            if len(buffer) >= BLOCK:
                yield bytes(buffer)
                buffer.clear()
        yield bytes(buffer) + _frame({_TYPE: _STAT})
        while not self._ended:
            while self._wanted:
                number = self._wanted.popleft()
                for block in self._content(entries[number]):
                    yield _frame({_TYPE: _DATA, _NUMBER: number, _CONTENT: block})
                yield _frame({_TYPE: _DATA, _NUMBER: number})
            yield b""
        yield _frame({_TYPE: _END})

    def _content(self, entry: Entry) -> Iterator[bytes]:
        content = content_of(self.context.root, entry)
        if (first := next(content, None)) is None:
            raise ImageError(
                f"{self.context.root / entry.path}: it was removed while it was read",
                hint="build again when nothing writes there, or put it into .dockerignore",
                code="context_changed",
            )
        yield from filter(None, chain((first,), content))  # an empty block would end the file


def _with_folders(entries: tuple[Entry, ...]) -> Iterator[Entry]:
    """With the folders that are left out, but have something in them that is not."""
    told = {"."}
    for entry in entries:
        for folder in [*PurePosixPath(entry.path).parents][::-1]:
            if str(folder) not in told:
                told.add(str(folder))
                yield Entry(
                    path=str(folder), type=tarfile.DIRTYPE, mode=0o755, size=0, mtime=entry.mtime
                )
        told.add(entry.path)
        yield entry


def _frame(packet: dict[int, str | bytes | int]) -> bytes:
    return framed(encoded(packet))


def _stat(entry: Entry) -> bytes:
    mode = entry.mode & 0o777 | _MODES.get(entry.type, 0)
    mode |= sum(bit for right, bit in _RIGHTS.items() if entry.mode & right)
    path, target = (text.encode("utf-8", "surrogateescape") for text in (entry.path, entry.target))
    return encoded({1: path, 2: mode, 5: entry.size, 6: entry.mtime * 10**9, 7: target})
