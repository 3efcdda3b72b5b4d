"""Finding and reading a fly.toml on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from score_flyio.base.input_file import read_input
from score_flyio.base.printable import system_reason
from score_flyio.errors import ConfigError, Problem
from score_flyio.flytoml.document import FlyTomlDocument, read_fly_toml, refused
from score_flyio.flytoml.parse import FileFormat

NAMES: Final = ("fly.toml", "fly.json", "fly.yaml")
_FORMS: Final[dict[str, FileFormat]] = {".json": "json", ".yaml": "yaml"}


def find_fly_toml(path: Path | None = None, *, directory: Path | None = None) -> Path:
    """The config file to use: a file, a folder with a `fly.toml`, or that of the directory.

    Raises ConfigError: there is none.
    """
    if path is not None:
        candidates = [path, path / NAMES[0]]
    else:
        candidates = [(directory or Path()) / name for name in NAMES]
    for candidate in candidates:
        if candidate.exists() and not candidate.is_dir():
            return candidate
    file, hint = str(path) if path else None, "name the file with --config"
    message = "there is no fly.toml, fly.json or fly.yaml in this folder"
    if path is not None:
        hint = "check the path, relative to the present folder"
        message = "has no fly.toml in it" if path.is_dir() else "there is no such file"
    problem = Problem(message=message, file=file, hint=hint, code="file_not_found")
    raise ConfigError(problems=[problem])


def read_document(path: Path) -> FlyTomlDocument:
    """Read a config file, usable or not; the suffix tells its language.

    Raises ConfigError: the file cannot be read.
    """
    try:
        content = read_input(path)
    except OSError as error:
        problem = Problem(
            message=f"cannot be read: {system_reason(error)}",
            file=str(path),
            hint="check the path and its permissions",
            code="file_unreadable",
        )
        raise ConfigError(problems=[problem]) from error
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        message = f"not UTF-8 at byte {error.start}"
        return refused(str(path), "toml_syntax", message, "save the file as UTF-8", line)
    return read_fly_toml(text, file=str(path), form=_FORMS.get(path.suffix, "toml"))
