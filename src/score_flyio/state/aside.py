"""Where a state goes that cannot be saved at its place."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from score_flyio.base.atomic import write_atomically
from score_flyio.base.event_loop import in_thread
from score_flyio.base.printable import system_reason
from score_flyio.errors import StateError

UNSAVED_FILE: Final = "unsaved.yaml"


class Aside:
    """Keeps what a run knows in a file of `folder`, or of the system's temporary folder."""

    def __init__(self, folder: Path) -> None:
        self._beside = folder / UNSAVED_FILE
        self._name = f"score-flyio-unsaved-{os.urandom(4).hex()}.yaml"
        self._written: set[Path] = set()

    @asynccontextmanager
    async def instead(self, document: Callable[[], bytes]) -> AsyncIterator[None]:
        """Keeps a document that cannot be saved inside, and forgets it where one is saved."""
        try:
            yield
        except StateError as error:
            kept = await in_thread(self._keep, document())
            error.hint = "; ".join(filter(None, (error.hint, kept)))
            raise
        while self._written:
            self._written.pop().unlink(missing_ok=True)

    def _keep(self, document: bytes) -> str:
        """Write it to the first place that takes it; returns the hint for the user."""
        import tempfile

        refused: list[str] = []
        for path in (self._beside, Path(tempfile.gettempdir()) / self._name):
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                write_atomically(path, document)
            except OSError as error:
                refused.append(f"{path} cannot be written either: {system_reason(error)}")
                continue
            self._written.add(path)
            return (
                f"what this run knows is in {path}: compare it with what score-flyio state pull "
                "prints, and put the right one there with score-flyio state push FILE"
            )
        return "; ".join(refused)
