"""`[[files]]`: files that the platform writes into every machine of the app."""

from __future__ import annotations

import base64
from collections.abc import Iterable

from fly_machines.models import FlyFile
from score_flyio.base.printable import system_reason
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.model import FileSource
from score_flyio.flytoml.spec import FileSpec


def merged_files(
    entries: Iterable[FileSpec], source: FileSource, *, first: int = 0
) -> list[FlyFile] | None:
    """The files of an app, merged by guest path; their `processes` lists have no effect.

    A later entry takes the place of an earlier one of the same path; a later entry without content
    deletes it. `first` is the index of the first entry.
    """
    files: dict[str | None, FlyFile] = {}
    for index, entry in enumerate(entries, first):
        file = _file(entry, source, f"files[{index}]")
        if file.guest_path in files and file.raw_value is None and file.secret_name is None:
            del files[file.guest_path]
        else:
            files[file.guest_path] = file
    return list(files.values()) or None


def read_encoded(source: FileSource, path: str, *, field: str) -> str:
    """The bytes of a local file in base64; `field` is the key that names it."""
    return base64.b64encode(read(source, path, field=field)).decode("ascii")


def read(source: FileSource, path: str, *, field: str) -> bytes:
    """The bytes of a local file; `field` is the key that names it."""
    try:
        return source.read(path)
    except OSError as error:
        raise ConversionError(
            field,
            "file_not_found",
            f"cannot read {path!r}: {system_reason(error)}",
            hint="paths are relative to the working directory",
        ) from error


def _file(entry: FileSpec, source: FileSource, place: str) -> FlyFile:
    file = FlyFile(guest_path=entry.guest_path or None)
    if entry.local_path:
        file.raw_value = read_encoded(source, entry.local_path, field=f"{place}.local_path")
    elif entry.secret_name:
        file.secret_name = entry.secret_name
    elif entry.raw_value is not None:
        file.raw_value = base64.b64encode(entry.raw_value.encode()).decode("ascii")
    return file
