"""Score files that are read whole, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from score_flyio.score.load import LoadedWorkload, read_score_file


def load_score_file(path: Path, **options: Any) -> LoadedWorkload:
    """As `read_score_file`, but what is wrong with the document is raised."""
    loaded = read_score_file(path, **options)
    loaded.raise_problems()
    return loaded
