"""The project state in files of the project's folder.

`.score-flyio/state.yaml` is what the Go score-flyio knows, `.score-flyio/deployments.yaml` the
rest. The lock is on the folder itself and ends with the process that holds it; the file `lock` in
it only tells who that is.
"""

from __future__ import annotations

import errno
import os
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from score_flyio.base.atomic import is_private, write_atomically
from score_flyio.base.clock import Clock, SystemClock, rfc3339
from score_flyio.base.event_loop import in_thread
from score_flyio.base.folder_lock import lock_folder
from score_flyio.base.own_folder import OWN_FOLDER
from score_flyio.base.printable import system_reason
from score_flyio.errors import StateError, StateLocked
from score_flyio.state.aside import Aside
from score_flyio.state.deployments_form import dump_deployments, dump_document, load_deployments
from score_flyio.state.model import ProjectState
from score_flyio.state.store import not_initialised
from score_flyio.state.yaml_form import dump_state, load_state

STATE_FILE: Final = "state.yaml"
DEPLOYMENTS_FILE: Final = "deployments.yaml"
LOCK_FILE: Final = "lock"
RESERVE_FILE: Final = "reserve"
RESERVE: Final = 128 * 1024
"""Bytes kept free for what a run will have to save, beside twice of what is there already."""
_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class FileStore:
    """Keeps the state in `folder`, usually `.score-flyio`, for its owner only."""

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self.folder = folder
        self._shown = f"{folder}/"
        self._own = folder.name == OWN_FOLDER
        """Whether the folder is there for the state alone, so that its mode is ours."""
        self._clock = clock or SystemClock()
        self._aside = Aside(folder)
        self._written: dict[str, str] = {}
        """What the files hold, as far as nobody else can read them."""

    async def load(self) -> ProjectState | None:
        self._written.clear()
        text = await in_thread(self._read, STATE_FILE)
        if text is None:
            return None
        state = load_state(text, self._shown + STATE_FILE)
        rest = await in_thread(self._read, DEPLOYMENTS_FILE)
        if rest is not None:
            load_deployments(state, rest, self._shown + DEPLOYMENTS_FILE)
        return state

    async def save(self, state: ProjectState) -> None:
        texts = {DEPLOYMENTS_FILE: dump_deployments(state), STATE_FILE: dump_state(state)}
        changed = {
            name: text
            for name, text in texts.items()
            if text is not None and self._written.get(name) != text
        }
        if changed:
            async with self._aside.instead(lambda: dump_document(state).encode()):
                await in_thread(self._write, changed)
            self._written |= changed
        if texts[DEPLOYMENTS_FILE] is None:  # so nothing older may come back
            remove = partial(Path.unlink, missing_ok=True)
            await in_thread(remove, self.folder / DEPLOYMENTS_FILE)
            self._written.pop(DEPLOYMENTS_FILE, None)

    def _read(self, name: str) -> str | None:
        path = self.folder / name
        try:
            text = _read_regular(path).decode()
            if is_private(path) and (is_private(self.folder) or not self._own):
                self._written[name] = text
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            reason = system_reason(error, "it is not UTF-8 text")
            linked = getattr(error, "errno", None) == errno.ELOOP
            raise StateError(
                f"{self._shown}{name} cannot be read: {reason}",
                hint="link the whole folder, or name the real one with --state" if linked else "",
                code="state_invalid",
            ) from error
        return text

    def _write(self, texts: dict[str, str]) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._own and not is_private(self.folder):
                self.folder.chmod(0o700)
            try:
                self._put(texts)
            except OSError as error:
                reserve = self.folder / RESERVE_FILE
                if error.errno not in _FULL or not reserve.exists():
                    raise
                reserve.unlink()
                self._put(texts)
        except OSError as error:
            raise StateError(
                f"{self._shown} cannot be written: {system_reason(error)}",
                hint="check the permissions and the room on the disk",
            ) from error

    def _put(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            write_atomically(self.folder / name, text.encode())

    @asynccontextmanager
    async def lock(self, owner: str) -> AsyncIterator[None]:
        number = await in_thread(self._take, owner)
        try:
            yield
        finally:
            for name in (LOCK_FILE, RESERVE_FILE):
                (self.folder / name).unlink(missing_ok=True)
            os.close(number)

    def _take(self, owner: str) -> int:
        try:
            number = lock_folder(self.folder)
        except FileNotFoundError as error:
            raise not_initialised() from error
        except OSError as error:
            raise StateError(f"{self._shown} cannot be locked: {system_reason(error)}") from error
        if number is None:
            raise StateLocked(
                f"the project state is locked by {self.holder() or 'another run'}",
                hint="wait until it has ended; a lock never outlives its process",
            )
        since = rfc3339(self._clock.time())
        text = f"{owner} (process {os.getpid()} on {platform.node()}) since {since}\n"
        # Have room for what the run will make, or find out before it makes anything.
        size = RESERVE + 2 * sum(len(text) for text in self._written.values())
        try:
            write_atomically(self.folder / LOCK_FILE, text.encode(), durable=False)
            write_atomically(self.folder / RESERVE_FILE, os.urandom(size), durable=False)
        except OSError as error:
            os.close(number)
            raise StateError(f"{self._shown} cannot be locked: {system_reason(error)}") from error
        return number

    def holder(self) -> str | None:
        """Who holds the lock and since when, as far as they told."""
        try:
            return (self.folder / LOCK_FILE).read_text(encoding="utf-8").strip() or None
        except OSError:
            return None


def _read_regular(path: Path) -> bytes:
    """What is in a file. Raises OSError for a symbolic link, a device or a pipe."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link, which a save would replace")
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not a regular file")
    return path.read_bytes()
