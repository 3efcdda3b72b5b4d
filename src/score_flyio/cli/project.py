"""Commands and the project they work on."""

from __future__ import annotations

import os
from pathlib import Path

from score_flyio.cli.context import CliContext
from score_flyio.engine.project import Project


def open_project(cli: CliContext) -> Project:
    """The project of the working directory, or what `--state` says.

    Its directory is relative where it can be, so that messages name files as they were typed.
    """
    directory = Path(os.path.relpath(cli.directory))
    return Project.open(directory, state=cli.state, environ=cli.environ)
