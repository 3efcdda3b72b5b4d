"""Files of containers: the content of each, and its form in a fly.toml."""

from __future__ import annotations

import base64
import binascii
import errno
import posixpath
from typing import Any

from score_flyio.base.place import Path
from score_flyio.base.printable import system_reason
from score_flyio.base.record import evolve, frozen
from score_flyio.base.secret import Secret
from score_flyio.convert.draft import Draft, digest
from score_flyio.errors import Problem
from score_flyio.flytoml.names import is_secret_name
from score_flyio.flytoml.spec import FileSpec
from score_flyio.score.model import Container, FileMount
from score_flyio.score.nowhere import MEANT
from score_flyio.score.placeholders import PENDING


@frozen(kw_only=True)
class FileContent:
    """Where the bytes of a file come from: one of the three is set."""

    target: str
    data: bytes | None = None
    local_path: str | None = None
    """A file to be taken as it is, relative to the working folder."""
    secret_name: str | None = None
    """An app secret with the bytes in base64."""
    mode: str | None = None
    """Permission bits, octal."""


def contents(draft: Draft, container: Container) -> list[FileContent]:
    """The files of a container, in order; those that cannot be had are noted as problems."""
    return [each for file in container.files if (each := _content(draft, container, file))]


def file_spec(draft: Draft, container: Container, content: FileContent) -> FileSpec:
    """The file as `[[files]]` entry; bytes that are not text go to a side file."""
    local_path, text = content.local_path or "", None
    if content.data is not None:
        try:
            text = content.data.decode()
        except UnicodeDecodeError:
            local_path = posixpath.join(draft.side_folder, _side_name(draft, container, content))
            draft.side_files[local_path] = content.data
    return FileSpec(
        guest_path=content.target,
        local_path=local_path,
        secret_name=content.secret_name or "",
        raw_value=text,
    )


def container_file(content: FileContent) -> dict[str, Any]:
    """The file as an entry of a container in a machine config."""
    entry: dict[str, Any] = {"guest_path": content.target}
    if content.secret_name is not None:
        entry["secret_name"] = content.secret_name
    elif content.local_path is not None:
        entry["local_path"] = content.local_path
    else:
        entry["raw_value"] = _base64(content.data or b"")
    if content.mode is not None:
        entry["mode"] = int(content.mode, 8)
    return entry


def _content(draft: Draft, container: Container, file: FileMount) -> FileContent | None:
    path: Path = ("containers", container.name, "files", file.target)
    draft.refuse_relative(file.target, path)
    if file.binary_content is not None:
        return _binary(draft, file, (*path, "binaryContent"))
    if file.source is not None:
        return _sourced(draft, container, file, (*path, "source"))
    assert file.content is not None
    if file.no_expand:
        return FileContent(target=file.target, data=file.content.encode(), mode=file.mode)
    return _expanded(draft, container, file, file.content, (*path, "content"))


def _binary(draft: Draft, file: FileMount, path: Path) -> FileContent | None:
    try:
        data = base64.b64decode("".join((file.binary_content or "").split()), validate=True)
    except (binascii.Error, ValueError):
        draft.fail("file_invalid", path, "is not standard base64", "encode the bytes as base64")
        return None
    return FileContent(target=file.target, data=data, mode=file.mode)


def _sourced(draft: Draft, container: Container, file: FileMount, path: Path) -> FileContent | None:
    local_path = draft.beside(file.source or "")
    as_is = FileContent(target=file.target, local_path=local_path, mode=file.mode)
    try:
        data = draft.read_file(local_path)
        if file.no_expand:
            return as_is
        text = data.decode("utf-8")
    except OSError as error:
        reason = system_reason(error)
        hint = "the path is relative to the Score file"
        if error.errno == errno.EACCES and "outside" in reason:
            hint = "copy it beside the Score file, or allow its folder with SCORE_FLYIO_FILES_FROM"
        draft.fail("file_unreadable", path, f"{local_path} cannot be read: {reason}", hint)
        return None
    except UnicodeDecodeError:
        return as_is
    before = len(draft.findings)
    expanded = _expanded(draft, container, file, text, path)
    draft.findings[before:] = [
        _in_source(problem, local_path, text) for problem in draft.findings[before:]
    ]
    return as_is if expanded.data == data else expanded


def _in_source(problem: Problem, name: str, text: str) -> Problem:
    """The problem of a placeholder in a file that is likely to have `${…}` of its own."""
    line = text.count("\n", 0, text.find(f"${{{problem.subject}}}")) + 1
    return evolve(
        problem,
        message=f"{name}, line {line}: {problem.message}",
        hint=problem.hint
        if problem.kind in MEANT
        else "set noExpand: true where the file has ${…} of its own",
    )


def _expanded(
    draft: Draft, container: Container, file: FileMount, text: str, path: Path
) -> FileContent:
    result = draft.substituted(text, path)
    plain = FileContent(target=file.target, data=result.text.encode(), mode=file.mode)
    if not result.secret and PENDING not in result.text:
        return plain
    name = _secret_name(draft.workload.name + container.name + file.target)
    secret = FileContent(target=file.target, secret_name=name, mode=file.mode)
    if PENDING in result.text and name in draft.kept:
        return secret
    if not result.secret:
        return plain
    draft.secrets[name] = Secret(_base64(result.text.encode()))
    message = f"file {file.target} of {container.name} has secrets in it: it is kept as app secret"
    draft.remark("secret_file", f"{message} {name}", subject=file.target)
    return secret


def _secret_name(key: str) -> str:
    """The name that the Go tool gives, where Fly takes it: secrets begin with no digit."""
    name = digest(key)
    return name if is_secret_name(name) else f"file_{name}"


def _side_name(draft: Draft, container: Container, content: FileContent) -> str:
    key = f"{container.name}\0{content.target}"
    return f"fly_{draft.workload.name}.{digest(key)[:12]}.bin"


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
