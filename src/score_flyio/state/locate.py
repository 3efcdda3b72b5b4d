"""From `--state` to a store.

Stores at other places come as entry points of the group `score_flyio.state_stores`: the name is the
URL's scheme, and it loads to a function from the URL to a `StateStore`.
"""

from __future__ import annotations

from pathlib import Path

from score_flyio.errors import ConfigError
from score_flyio.state.file import FOLDER, FileStore
from score_flyio.state.store import StateStore

ENTRY_POINTS = "score_flyio.state_stores"


def open_store(url: str | None, directory: Path) -> StateStore:
    """The store at `url`: a folder, or `SCHEME://…`; None: `.score-flyio` in `directory`.

    Raises ConfigError for a scheme that nothing serves.
    """
    if url is None:
        return FileStore(directory / FOLDER)
    scheme, separator, rest = url.partition("://")
    if not separator:
        return FileStore(directory / url)
    if scheme == "file":
        return FileStore(Path(rest))
    from importlib.metadata import entry_points

    for point in entry_points(group=ENTRY_POINTS, name=scheme):
        store: StateStore = point.load()(url)
        return store
    raise ConfigError(
        f"--state: nothing installed keeps state at {scheme}://",
        hint="give a folder, or install what adds this scheme",
    )
