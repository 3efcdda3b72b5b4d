"""Objects at another place, read and written with conditions: what a remote store stands on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, Protocol, TypeVar

import anyio

from score_flyio.base.record import frozen
from score_flyio.errors import StateError

T = TypeVar("T")

PAUSES: Final = (0.2, 1.0, 3.0)
"""Seconds before each repeat of a call that may have got lost."""


@frozen(kw_only=True)
class Found:
    """An object as it was read."""

    data: bytes
    etag: str
    """What the place calls this version of the object."""
    at: float | None = None
    """When it was written, in seconds since the epoch."""


@frozen(kw_only=True)
class Listed:
    """An object in a listing."""

    name: str
    size: int


class Blobs(Protocol):
    """The state's object and those beside it.

    A name is what follows the address of the state: empty for the state itself, or `.lock`.
    """

    shown: str
    """The address for messages, without credentials."""

    async def read(self, name: str) -> Found | None:
        """The object, or None. Raises Unavailable, and StateError when it is refused."""
        ...

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str:
        """Write the object if its version is `replaces` (None: if it is not there).

        Returns the new version; empty where the answer named none. Raises Refused when the object
        is not as expected, Unavailable, and StateError.
        """
        ...

    async def delete(self, name: str, etag: str) -> None:
        """Delete the object; one that is not there is no error. Raises as `write`."""
        ...


class ListedBlobs(Blobs, Protocol):
    """At a place that can list its objects."""

    async def listed(self, prefix: str) -> Sequence[Listed]:
        """The objects whose names start with the prefix. Raises Unavailable and StateError."""
        ...


class Refused(StateError):
    """The object was not as a conditional write or delete expected it."""

    code = "state_conflict"


class Unavailable(StateError):
    """The place gave no answer, or said that it has a fault; it may have carried out the call."""

    code = "state_unavailable"


async def again(call: Callable[[], Awaitable[T]]) -> T:
    """Call, and again where there was no answer; for calls that may be carried out twice."""
    for pause in PAUSES:
        try:
            return await call()
        except Unavailable:
            await anyio.sleep(pause)
    return await call()


async def read(blobs: Blobs, name: str) -> Found | None:
    """Read, again where there was no answer. Raises StateError."""
    return await again(lambda: blobs.read(name))


async def delete(blobs: Blobs, name: str, etag: str) -> None:
    """Delete, again where there was no answer; what is gone by then is deleted.

    Raises Refused and StateError.
    """
    try:
        await again(lambda: blobs.delete(name, etag))
    except Refused:
        if await read(blobs, name) is not None:
            raise


async def write(blobs: Blobs, name: str, data: bytes, *, replaces: str | None) -> str:
    """Write, again where there was no answer; returns the new version.

    A write whose answer got lost, or names no version, is recognised by what is there. Raises
    Refused and StateError.
    """
    for pause in (*PAUSES, None):
        try:
            if etag := await blobs.write(name, data, replaces=replaces):
                return etag
            failure: StateError = Refused(f"{blobs.shown}{name}: someone else changed it")
        except (Refused, Unavailable) as error:
            failure = error
        if isinstance(failure, Refused):
            there = await read(blobs, name)
            if there is not None and there.data == data:
                return there.etag
            if (there and there.etag) != replaces:
                raise failure
        if pause is None:
            raise failure
        await anyio.sleep(pause)
    raise AssertionError("the last try returns or raises")
