"""States of targets other than Fly itself: an emulator's releases and resources are its own.

What people set up is shared: the prefix, the provisioners, and the workloads of the project as long
as the target has none of that name. It is only read.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Final

from score_flyio.base.event_loop import in_thread
from score_flyio.state.file import FileStore
from score_flyio.state.model import FLY, PREFIX_KEY, ProjectState
from score_flyio.state.store import StateStore, not_initialised

TARGETS: Final = "targets"
TARGET_VARIABLE: Final = "SCORE_FLYIO_TARGET"
"""Where runs go: `fly`, `emulator`, or an address."""
_ODD: Final = re.compile(r"[^a-z0-9.-]+")


def kept_as(text: str | None, environ: Mapping[str, str]) -> str:
    """The target whose state a run reads and writes, by what was chosen or the environment says.

    Raises ConfigError for an address that is none.
    """
    named = "--target" if text else TARGET_VARIABLE
    text = text or environ.get(TARGET_VARIABLE) or FLY
    if not text.lower().startswith(("http://", "https://")):
        return text
    from score_flyio.net.web_address import read_web_address

    example = "http://127.0.0.1:4280"
    address = read_web_address(text, name=named, example=example, code="target_unknown")
    return address.root.url


def folder_name(target: str) -> str:
    """The folder of a target below `targets`: `emulator`, or host and port of an address."""
    name = target.lower().partition("://")[2] or target.lower()
    return _ODD.sub("-", name).strip("-.") or "other"


class TargetStore:
    """The state of one target, beside that of the project."""

    def __init__(self, project: StateStore, folder: Path, target: str) -> None:
        """`folder` is where the project keeps its files; `target` is `emulator` or an address."""
        self.project = project
        self._target = target
        self._folder = folder / TARGETS / folder_name(target)
        self._own = FileStore(self._folder)

    async def load(self) -> ProjectState | None:
        """The state, with what is shared; None where there is no project."""
        shared = await self.project.load()
        if shared is None:
            return None
        state = await self._own.load() or ProjectState.new(shared.app_prefix)
        state.target = self._target
        state.app_prefix = shared.app_prefix
        state.shared = {**state.shared, PREFIX_KEY: shared.app_prefix}
        state.provisioners = shared.provisioners
        state.default_provisioners = shared.default_provisioners
        others = {n: mark for n, mark in shared.overridden.items() if n not in state.workloads}
        state.overridden = {**others, **state.overridden}
        state.workloads = {**shared.workloads, **state.workloads}
        return state

    async def save(self, state: ProjectState) -> None:
        """Replace what is kept of the target; the project's own state stays as it is."""
        await self._own.save(state)

    @asynccontextmanager
    async def lock(self, owner: str) -> AsyncIterator[None]:
        """Hold the target's state alone; what others do elsewhere goes on."""
        if await self.project.load() is None:
            raise not_initialised()
        await in_thread(partial(Path.mkdir, mode=0o700, parents=True, exist_ok=True), self._folder)
        async with self._own.lock(owner):
            yield
