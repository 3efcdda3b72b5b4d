"""Build contexts: the files of a folder as one tar, never all of it in memory.

Files may come, go and change meanwhile. One that is gone is left out; one that has become shorter
than its header says ends the build.
"""

from __future__ import annotations

import hashlib
import os
import stat
import tarfile
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final

import anyio
import anyio.from_thread

from score_flyio.base.printable import system_reason
from score_flyio.base.record import field, frozen
from score_flyio.errors import ImageError
from score_flyio.images.dockerignore import IgnoreRules

BLOCK: Final = 1024 * 1024
"""About how many bytes of a tar come at once."""
LARGEST: Final = 8 * 1024**3
"""Bytes of a context; the root file system of a machine is not larger."""
_TYPES: Final = {
    stat.S_IFREG: tarfile.REGTYPE,
    stat.S_IFDIR: tarfile.DIRTYPE,
    stat.S_IFLNK: tarfile.SYMTYPE,
    stat.S_IFIFO: tarfile.FIFOTYPE,
}
"""What can be in a context: neither sockets nor devices."""
# Never wait for the other end of what was a file when it was listed, nor follow it elsewhere.
_OPEN: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0)


@frozen(kw_only=True)
class Entry:
    """One file, folder or link."""

    path: str
    """Relative to the context, with `/`; bytes that are no UTF-8 as surrogates."""
    type: bytes
    mode: int
    size: int
    mtime: int
    target: str = ""
    """Where a link leads."""
    content: bytes | None = field(default=None, repr=False)
    """Of a file that is added to those of the folder."""


@frozen(kw_only=True)
class Context:
    """What is sent to a builder."""

    root: Path
    entries: tuple[Entry, ...]

    @property
    def size(self) -> int:
        """Bytes of all files in the folder."""
        return sum(entry.size for entry in self.entries if entry.content is None)


def added_entry(path: str, content: bytes) -> Entry:
    """A file beside those of the folder."""
    return Entry(
        path=path, type=tarfile.REGTYPE, mode=0o644, size=len(content), mtime=0, content=content
    )


def list_context(root: Path, rules: IgnoreRules, *added: Entry, largest: int = LARGEST) -> Context:
    """What is in a folder and is not left out, in order, and what is added.

    Raises ImageError when the folder cannot be read, or is larger than `largest` bytes.
    """
    try:
        entries = (*_entries(root, "", rules), *added)
    except OSError as error:
        raise _unreadable(error) from error
    context = Context(root=root, entries=entries)
    if context.size > largest:
        raise _too_large(context, largest)
    return context


def tar_of(context: Context) -> Iterator[bytes]:
    """The tar of a context, block by block. Raises ImageError for files that changed."""
    buffer = bytearray()
    for entry in context.entries:
        for piece in _packed(context.root, entry):
            buffer += piece
            if len(buffer) >= BLOCK:
                yield bytes(buffer)
                buffer.clear()
    yield bytes(buffer) + bytes(2 * tarfile.BLOCKSIZE)


def hash_of(context: Context) -> str:
    """A digest of names, modes and contents; not of times, which no build depends on."""
    found = hashlib.sha256()
    for entry in context.entries:
        content = content_of(context.root, entry)
        if (first := next(content, None)) is not None:
            texts = (entry.path, entry.target)
            name, target = (text.encode("utf-8", "surrogateescape") for text in texts)
            sizes = len(name), len(target), entry.size
            found.update(b"%d %d %d %b%b%b%o " % (*sizes, name, target, entry.type, entry.mode))
            for block in chain((first,), content):
                found.update(block)
    return found.hexdigest()


async def in_thread(blocks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """What an iterator gives, each block read in a thread."""
    while (block := await anyio.to_thread.run_sync(next, blocks, None)) is not None:
        yield block


def _end_if_cancelled() -> None:
    """Ends the work in this thread when the task that waits for it is cancelled."""
    with suppress(RuntimeError):  # this is no thread that a task waits for
        anyio.from_thread.check_cancelled()


def _entries(root: Path, folder: str, rules: IgnoreRules) -> Iterator[Entry]:
    _end_if_cancelled()
    with os.scandir(root / folder) as found:
        below = sorted(found, key=lambda entry: os.fsencode(entry.name))
    for item in below:
        path = f"{folder}/{item.name}" if folder else item.name
        out = rules.leaves_out(path)
        is_folder = item.is_dir(follow_symlinks=False)
        if out and (not is_folder or rules.leaves_out_all_of(path)):
            continue
        try:
            if not out and (entry := _entry(path, item)) is not None:
                yield entry
            if is_folder:
                yield from _entries(root, path, rules)
        except FileNotFoundError:
            continue


def _entry(path: str, item: os.DirEntry[str]) -> Entry | None:
    found = item.stat(follow_symlinks=False)
    kind = _TYPES.get(stat.S_IFMT(found.st_mode))
    if kind is None:
        return None
    return Entry(
        path=path,
        type=kind,
        mode=stat.S_IMODE(found.st_mode),
        size=found.st_size if kind == tarfile.REGTYPE else 0,
        mtime=max(0, int(found.st_mtime)),
        target=str(Path(item.path).readlink()) if kind == tarfile.SYMTYPE else "",
    )


def _packed(root: Path, entry: Entry) -> Iterator[bytes]:
    content = content_of(root, entry)
    if (first := next(content, None)) is not None:
        yield from chain((_header(entry), first), content, (_padding(entry.size),))


def content_of(root: Path, entry: Entry) -> Iterator[bytes]:
    """As many bytes as the file had when it was listed; nothing at all when it is gone."""
    if entry.content is not None or entry.type != tarfile.REGTYPE:
        yield entry.content or b""
        return
    _end_if_cancelled()
    rest = entry.size
    try:
        number = os.open(root / entry.path, _OPEN)
        with os.fdopen(number, "rb", buffering=0) as file:
            if rest == 0:
                yield b""
            while rest:
                block = file.read(min(rest, BLOCK))
                if not block:
                    raise ImageError(
                        f"{root / entry.path}: it became shorter while it was read",
                        hint="build again when nothing writes there, or put it into .dockerignore",
                        code="context_changed",
                    )
                rest -= len(block)
                _end_if_cancelled()
                yield block
    except FileNotFoundError:
        return
    except OSError as error:
        raise _unreadable(error) from error


def _header(entry: Entry) -> bytes:
    info = tarfile.TarInfo(entry.path)
    info.type, info.mode, info.size = entry.type, entry.mode, entry.size
    info.mtime, info.linkname = entry.mtime, entry.target
    # GNU's form has names of any length and any bytes, and sizes beyond 8 GiB.
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _unreadable(error: OSError) -> ImageError:
    return ImageError(
        f"{error.filename or 'the build context'}: cannot be read: {system_reason(error)}",
        hint="correct its rights, or put it into .dockerignore",
        code="context_unreadable",
    )


def _too_large(context: Context, largest: int) -> ImageError:
    sizes: Counter[str] = Counter()
    for entry in context.entries:
        sizes[entry.path.partition("/")[0]] += entry.size
    shown = ", ".join(f"{path} ({_megabytes(size)})" for path, size in sizes.most_common(5))
    return ImageError(
        f"{context.root}: the build context has {_megabytes(context.size)}, more than "
        f"{_megabytes(largest)}; the largest in it: {shown}",
        hint="put what the build does not need into .dockerignore",
        code="context_too_large",
    )


def _megabytes(size: int) -> str:
    return f"{size / 1024**2:.0f} MB"
