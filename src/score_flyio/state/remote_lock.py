"""The lock of a remote store: an object that can be created once, and that time ends.

Whoever holds it renews it in the background, so that only the lock of a run that died gets old.
"""

from __future__ import annotations

import json
import os
import platform
from contextlib import suppress
from datetime import datetime
from typing import Final

import anyio

from score_flyio.base.clock import Clock, rfc3339
from score_flyio.base.record import define, evolve, frozen, values
from score_flyio.errors import StateConflict, StateError, StateLocked
from score_flyio.state.blobs import Blobs, Found, Refused, again, delete, read, write

NAME: Final = ".lock"
LASTS: Final = 120.0
"""Seconds from the last renewal to the end of the lock."""
RENEW_EVERY: Final = 30.0
"""Seconds."""
MARGIN: Final = 300.0
"""Seconds by which the clocks of two runs may differ: so much later a lock may be taken over."""
PATIENCE: Final = 20.0
"""Seconds to finish taking the lock, or giving it back, after the run was cancelled."""


@frozen(kw_only=True)
class Holder:
    """Who holds a lock."""

    id: str
    owner: str
    host: str
    process: int
    since: float
    """Seconds since the epoch, as all times here."""
    expires: float
    renewals: int = 0
    """How often it was renewed, so that every renewal has a text of its own."""

    def __str__(self) -> str:
        return f"{self.owner} (process {self.process} on {self.host}) since {rfc3339(self.since)}"

    def dump(self) -> bytes:
        """The text of the lock's object."""
        times = {"since": rfc3339(self.since), "expires": rfc3339(self.expires)}
        return json.dumps(values(self) | times, indent=2).encode() + b"\n"

    @classmethod
    def of(cls, found: Found | None) -> Holder | None:
        """Reads what `dump` wrote; None for anything else."""
        try:
            known = json.loads(found.data if found else b"")
            return cls(
                id=str(known["id"]),
                owner=str(known["owner"]),
                host=str(known["host"]),
                process=int(known["process"]),
                since=datetime.fromisoformat(known["since"]).timestamp(),
                expires=datetime.fromisoformat(known["expires"]).timestamp(),
                renewals=int(known.get("renewals", 0)),
            )
        except (ValueError, KeyError, TypeError):
            return None


@define
class HeldLock:
    """A lock that this run holds, as long as it is renewed and nobody takes it away."""

    blobs: Blobs
    clock: Clock
    holder: Holder
    etag: str
    lost: bool = False
    """Whether someone took it away."""

    async def keep(self) -> None:
        """Renew it for ever, or until someone took it away."""
        while not self.lost:
            await anyio.sleep(RENEW_EVERY)
            # Without an answer there is still time: the next renewal comes before the end.
            with suppress(StateError):
                await self.renew()

    async def check(self) -> None:
        """Notice whether it was taken away. Raises StateConflict, and StateError."""
        if not self.lost:
            self.lost = not self._mine(await read(self.blobs, NAME))
        if self.lost:
            raise StateConflict(f"{self.blobs.shown}: the lock of this run was taken away")

    async def renew(self) -> None:
        """Make it last from now on, or notice that it is lost. Raises StateError."""
        renewed = evolve(
            self.holder,
            expires=self.clock.time() + LASTS,
            renewals=self.holder.renewals + 1,
        )
        try:
            self.etag = await write(self.blobs, NAME, renewed.dump(), replaces=self.etag)
        except Refused as error:
            there = await read(self.blobs, NAME)
            if there is None or not self._mine(there):
                self.lost = True
            elif there.etag == self.etag:
                raise _unconditional(
                    self.blobs, f"it refuses the version that it names itself ({self.etag})"
                ) from error
            else:
                # The answer to an earlier renewal got lost, and with it the version.
                self.etag = there.etag
                await self.renew()
            return
        self.holder = renewed

    async def give_back(self) -> None:
        """Delete it, unless it is someone else's by now; bounded in time, also when cancelled."""
        # Where it fails, time ends the lock; the result of the run does not depend on it.
        with anyio.move_on_after(PATIENCE, shield=True), suppress(StateError):
            there = await read(self.blobs, NAME)
            # After its end another run may take it between this look and the deletion.
            in_time = self.clock.time() < self.holder.expires
            if there is not None and self._mine(there) and in_time:
                await delete(self.blobs, NAME, there.etag)

    def _mine(self, there: Found | None) -> bool:
        holder = Holder.of(there)
        return holder is not None and holder.id == self.holder.id


async def take(blobs: Blobs, owner: str, clock: Clock) -> HeldLock:
    """Take the lock. Raises StateLocked, and StateError when the place cannot lock."""
    now = clock.time()
    holder = Holder(
        id=os.urandom(16).hex(),
        owner=owner,
        host=platform.node(),
        process=os.getpid(),
        since=now,
        expires=now + LASTS,
    )
    there = await read(blobs, NAME)
    known = Holder.of(there)
    if there is not None and (known is None or now <= known.expires + MARGIN):
        raise _locked(blobs, there)
    with anyio.move_on_after(PATIENCE, shield=True):
        try:
            etag = await write(blobs, NAME, holder.dump(), replaces=there.etag if there else None)
        except Refused as error:
            raise _locked(blobs, await read(blobs, NAME)) from error
        held = HeldLock(blobs, clock, holder, etag)
        try:
            await _check_conditions(held)
        except BaseException:
            await held.give_back()
            raise
        return held
    raise StateError(f"{blobs.shown}: the state could not be locked within {PATIENCE:g} s")


def _locked(blobs: Blobs, there: Found | None) -> StateLocked:
    holder = Holder.of(there)
    end = f" (if it died, its lock ends at {rfc3339(holder.expires + MARGIN)})" if holder else ""
    return StateLocked(
        f"the project state {blobs.shown} is locked by {holder or 'another run'}",
        hint=f"wait until that run has ended{end}, or take the lock away with: "
        "score-flyio state unlock",
    )


async def _check_conditions(held: HeldLock) -> None:
    """Try out on the lock what keeps two runs apart: many places ignore one condition or both."""
    first = held.etag
    if not await _refuses(held, replaces=None):
        raise _unconditional(
            held.blobs, "it overwrites what is there although it was asked not to (If-None-Match)"
        )
    await held.renew()
    if not held.lost and not await _refuses(held, replaces=first):
        raise _unconditional(
            held.blobs,
            "it overwrites a newer version than it was asked to (If-Match), or calls two versions "
            f"by one name ({first})",
        )


async def _refuses(held: HeldLock, *, replaces: str | None) -> bool:
    try:
        await again(lambda: held.blobs.write(NAME, held.holder.dump(), replaces=replaces))
    except Refused:
        return True
    return False


def _unconditional(blobs: Blobs, why: str) -> StateError:
    return StateError(
        f"{blobs.shown}: {why}, so two runs could change the state at once",
        hint="keep the state where conditional requests (If-Match, If-None-Match) work",
        code="state_unconditional",
    )


async def unlock(blobs: Blobs) -> str | None:
    """Take the lock away from whoever holds it, and tell who that was. Raises StateError."""
    there = await read(blobs, NAME)
    if there is None:
        return None
    await delete(blobs, NAME, there.etag)
    return str(Holder.of(there) or "an unknown run")
