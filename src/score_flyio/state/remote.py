"""The project state as one object at another place.

Every write names the version it replaces, so that nothing another run saved is overwritten. What
a run cannot save there it leaves in a file of the project's folder.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import anyio
from anyio import to_thread

from score_flyio.base.clock import Clock, SystemClock
from score_flyio.base.record import Factory, define, field
from score_flyio.errors import StateConflict, StateCorrupt, StateError
from score_flyio.errors.unwrap import beside
from score_flyio.state import remote_lock
from score_flyio.state.aside import Aside
from score_flyio.state.blobs import Blobs, Found, Listed, ListedBlobs, Refused, delete, read, write
from score_flyio.state.deployments_form import dump_document, load_document
from score_flyio.state.encrypted import EncryptedForm, PlainForm
from score_flyio.state.model import ProjectState
from score_flyio.state.store import SavedVersion, Warn

HISTORY: Final = ".history/"
STAMP: Final = "%Y%m%dT%H%M%SZ"
SAVE_SECONDS: Final = 45.0
"""For one save with all its repeats: less than a cancelled run has for it."""
HISTORY_SECONDS: Final = 10.0
"""For what becomes history then."""
VERSIONS_KEPT: Final = 20
"""Earlier versions that are kept, the newest."""


@define(eq=False)
class RemoteStore:
    """Keeps the state in one object, and its lock in another beside it."""

    _blobs: Blobs
    _form: PlainForm | EncryptedForm = field(kw_only=True)
    _folder: Path = field(kw_only=True)
    """Where a state goes that cannot be saved."""
    _clock: Clock = field(factory=SystemClock, kw_only=True)
    _aside: Aside = field(
        default=Factory(lambda self: Aside(self._folder), takes_self=True), init=False
    )
    _present: Found | None = field(default=None, init=False)
    _document: bytes | None = field(default=None, init=False)
    """What `_present` holds."""
    _held: remote_lock.HeldLock | None = field(default=None, init=False)
    _based: bool = field(default=False, init=False)
    """Whether the run that holds the lock knows what its saves replace."""

    async def load(self) -> ProjectState | None:
        held = self._held
        found = await read(self._blobs, "")
        document, state = (None, None) if found is None else await self._opened(found.data)
        # Whoever only looks while a run is at work changes nothing of what its saves replace.
        if held is self._held and not self._based:
            self._take_note(found, document)
            self._based = held is not None
        return state

    def _take_note(self, found: Found | None, document: bytes | None) -> None:
        self._present, self._document = found, document

    async def _opened(self, data: bytes) -> tuple[bytes, ProjectState]:
        # Off the event loop: a key is derived slowly on purpose.
        document = await to_thread.run_sync(self._form.open, data, self._blobs.shown)
        try:
            text = document.decode()
        except UnicodeDecodeError as error:
            raise StateCorrupt(f"{self._blobs.shown}: it is not UTF-8 text") from error
        return document, load_document(text, self._blobs.shown)

    async def save(self, state: ProjectState) -> None:
        document = dump_document(state).encode()
        if document != self._document:
            async with self._aside.instead(lambda: document):
                await self._save(document)

    async def _save(self, document: bytes) -> None:
        data = await to_thread.run_sync(self._form.seal, document, self._blobs.shown)
        replaces = None if self._present is None else self._present.etag
        with anyio.move_on_after(SAVE_SECONDS):
            if self._held is not None:
                await self._held.check()
            try:
                etag = await write(self._blobs, "", data, replaces=replaces)
            except Refused as error:
                raise StateConflict(
                    f"{self._blobs.shown}: someone else changed the state since this run read it"
                ) from error
            self._present = Found(data=data, etag=etag)
            self._document = document
            return
        raise StateError(f"{self._blobs.shown}: the state was not saved in {SAVE_SECONDS:g} s")

    @asynccontextmanager
    async def lock(self, owner: str) -> AsyncIterator[None]:
        held = await remote_lock.take(self._blobs, owner, self._clock)
        self._held, self._based = held, False
        try:
            async with beside(held.keep):
                yield
        finally:
            self._held, self._based = None, False
            await held.give_back()

    async def unlock(self) -> str | None:
        return await remote_lock.unlock(self._blobs)


@define(eq=False)
class RemoteStoreWithHistory(RemoteStore):
    """Keeps what was there before each run too, the newest versions of it."""

    _blobs: ListedBlobs
    _warn: Warn | None = field(default=None, kw_only=True)
    _before: Found | None = field(default=None, init=False)
    """What this run found, until it is kept."""

    def _take_note(self, found: Found | None, document: bytes | None) -> None:
        super()._take_note(found, document)
        self._before = found

    async def save(self, state: ProjectState) -> None:
        await super().save(state)
        kept = self._before
        if kept is not None and kept is not self._present:
            self._before = None
            await self._keep_if_possible(kept)

    async def _keep_if_possible(self, found: Found) -> None:
        """The state itself is saved by then: nothing fails for want of what was there before."""
        why = f"there was no answer in {HISTORY_SECONDS:g} s"
        with anyio.move_on_after(HISTORY_SECONDS):
            try:
                await self._keep(found)
            except StateError as error:
                why = error.message
            else:
                return
        if self._warn is not None:
            self._warn(
                f"{self._blobs.shown}: the state is saved, but what was there before it may be "
                f"missing from state history: {why}"
            )

    async def _keep(self, found: Found) -> None:
        now = self._clock.time()
        saved = datetime.fromtimestamp(now if found.at is None else found.at, tz=UTC)
        # Places tell the time in whole seconds; what follows keeps the order within one.
        name = f"{HISTORY}{saved.strftime(STAMP)}-{int(now * 1e6):x}"
        await write(self._blobs, name, found.data, replaces=None)
        for old in (await self._versions())[VERSIONS_KEPT:]:
            there = await read(self._blobs, old.name)
            if there is not None:
                await delete(self._blobs, old.name, there.etag)

    async def _versions(self) -> list[Listed]:
        listed = await self._blobs.listed(HISTORY)
        return sorted(listed, key=lambda item: item.name, reverse=True)

    async def history(self) -> Sequence[SavedVersion]:
        present = await read(self._blobs, "")
        versions = [_version(item) for item in await self._versions()]
        if present is None:
            return versions
        size = len(present.data)
        return [SavedVersion(id="current", saved=present.at, size=size, current=True), *versions]

    async def earlier(self, id: str) -> ProjectState | None:  # noqa: A002  # as SavedVersion has it
        found = await read(self._blobs, "" if id == "current" else f"{HISTORY}{id}")
        return None if found is None else (await self._opened(found.data))[1]


def _version(item: Listed) -> SavedVersion:
    id_ = item.name.removeprefix(HISTORY)
    try:
        saved = datetime.strptime(id_.partition("-")[0], STAMP).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return SavedVersion(id=id_, saved=None, size=item.size)
    return SavedVersion(id=id_, saved=saved, size=item.size)
