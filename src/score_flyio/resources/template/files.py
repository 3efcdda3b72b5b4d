"""The `*.provisioners.yaml` files of a project, and those that come with score-flyio."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from score_flyio.base.input_file import read_input
from score_flyio.base.printable import system_reason
from score_flyio.base.record import frozen
from score_flyio.errors import ConfigError, Problem, UsageError
from score_flyio.resources.provisioner import Provisioner, ProvisionRequest
from score_flyio.resources.servers.native import ServerProvisioner
from score_flyio.resources.template import SUFFIX
from score_flyio.resources.template.entry import CODE, SERVER, Entry, read_entries
from score_flyio.resources.template.provisioner import TemplateProvisioner
from score_flyio.resources.template.surroundings import Surroundings
from score_flyio.score.resources import JsonObject
from score_flyio.state.resources import CommandSpec, InProcessSpec, ProvisionerDefinition

if TYPE_CHECKING:
    from score_flyio.resources.servers.access import FlyAccess

DEFAULTS: Final = "defaults.provisioners.yaml"
BUILT_IN: Final = "score-flyio"
_LAST: Final = 10**10


@frozen(kw_only=True)
class FileProvisioners:
    """The provisioners of files, in matching order."""

    definitions: tuple[ProvisionerDefinition, ...] = ()
    provisioners: dict[str, Provisioner]
    """What does the work of templates and servers, by id."""
    entries: tuple[Entry, ...] = ()


@frozen
class Project:
    """What provisioners in this process work with."""

    surroundings: Callable[[], Surroundings]
    access: Callable[[], FlyAccess]
    """The way to Fly, for servers."""
    timeout: float = math.inf
    """Seconds for one call of a command."""


def installed_in(folder: Path, project: Project) -> FileProvisioners:
    """The provisioners of the files in a folder, by name of the file.

    Raises ConfigError with everything that is wrong in all files.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            text = read_input(path).decode()
            entries += read_entries(text, file=_shown(path, folder), directory=folder.parent)
        except (OSError, UnicodeDecodeError) as error:
            reason = system_reason(error, "not UTF-8 text")
            message = f"cannot be read: {reason}"
            problems.append(Problem(message=message, file=_shown(path, folder), code=CODE))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems=problems, code=CODE)
    return _provisioners(tuple(entries), project)


def built_in(project: Project) -> FileProvisioners:
    """The templates that come with score-flyio: those that make nothing."""
    text = (files(__package__) / DEFAULTS).read_text(encoding="utf-8")
    return _provisioners(read_entries(text, file=BUILT_IN, directory=Path()), project)


def servers(project: Project) -> FileProvisioners:
    """The types of servers that come with score-flyio."""
    entries: list[Entry] = []
    folder = files("score_flyio.resources.servers") / "types"
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        text = path.read_text(encoding="utf-8")
        entries += read_entries(text, file=BUILT_IN, directory=Path())
    return _provisioners(tuple(entries), project)


def built_in_server(name: str, project: Project) -> Provisioner:
    """The provisioner of one of these types."""
    return servers(project).provisioners[f"{SERVER}{BUILT_IN}/{name}"]


def _shown(path: Path, folder: Path) -> str:
    return str(Path(folder.name) / path.name)


def _provisioners(entries: tuple[Entry, ...], project: Project) -> FileProvisioners:
    definitions: list[ProvisionerDefinition] = []
    provisioners: dict[str, Provisioner] = {}
    taken: set[str] = set()
    for entry in entries:
        # The uri is the id; should an earlier file have it too, the file tells them apart.
        id_ = entry.uri if entry.uri not in taken else f"{entry.uri} in {entry.file}"
        taken.add(id_)
        definitions.append(
            ProvisionerDefinition(
                id=id_,
                resource_type=entry.type,
                resource_class=entry.class_,
                resource_id=entry.id,
                spec=entry.command
                or InProcessSpec(source=entry.file, makes_nothing=entry.server is None),
                description=entry.description,
                params=entry.supported_params,
                outputs=(*entry.expected_outputs, *(entry.optional_outputs or ())),
                gives_no_others=entry.optional_outputs is not None,
            )
        )
        if entry.server is not None:
            provisioners[id_] = ServerProvisioner(entry, project.surroundings, project.access)
        elif entry.command is not None:
            provisioners[id_] = _command(id_, entry.command, project)
        else:
            provisioners[id_] = TemplateProvisioner(entry, project.surroundings)
    return FileProvisioners(
        definitions=tuple(definitions), provisioners=provisioners, entries=entries
    )


def _command(id_: str, spec: CommandSpec, project: Project) -> Provisioner:
    """A program, which may be one for score-compose or score-k8s, too."""
    from score_flyio.resources.define import BUILT_IN as OURS
    from score_flyio.resources.kinds.command import CommandProvisioner
    from score_flyio.resources.protocol import for_other_tools

    def more(request: ProvisionRequest) -> JsonObject:
        return for_other_tools(request, project.surroundings().values(request.uid))

    ours = spec.args[:1] == (OURS,)
    return CommandProvisioner(
        id=id_, spec=spec, timeout=project.timeout, more=None if ours else more
    )


def install(folder: Path, content: bytes, *, source: str, now: float) -> Path:
    """Put a file of provisioners into the folder, before those that are there.

    An older copy from the same `source` (a path or URL) is replaced. `now` is in seconds since the
    epoch. Raises ConfigError when something in the file is wrong; then nothing changes.
    """
    from score_flyio.base.atomic import write_atomically

    check(content, source=source, directory=folder.parent)
    mark = hashlib.sha256(source.encode()).hexdigest()[:8]
    older = [path for path in folder.glob(f"*{SUFFIX}") if path.name.split(".")[1:2] == [mark]]
    path = folder / f"{_before(folder, now)}.{mark}.{_stem(source)}{SUFFIX}"
    write_atomically(path, content)
    for other in older:
        if other != path:
            other.unlink(missing_ok=True)
    return path


def _before(folder: Path, now: float) -> int:
    """A number that comes before those of all files there, also of ones of the same moment."""
    numbers = (path.name.partition(".")[0] for path in folder.glob(f"*{SUFFIX}"))
    return min(_LAST - int(now), *(int(n) - 1 for n in numbers if n.isdecimal()), _LAST)


def check(content: bytes, *, source: str, directory: Path) -> None:
    """Raises ConfigError with everything that is wrong in a file of provisioners."""
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        problem = Problem(message="not UTF-8 text", file=source, code=CODE)
        raise ConfigError(problems=[problem], code=CODE) from error
    read_entries(text, file=source, directory=directory)


def _stem(source: str) -> str:
    name = Path(urlsplit(source).path).name.removesuffix(SUFFIX).removesuffix(".yaml")
    return re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")[:40] or "stdin"


async def fetch(
    source: str, *, directory: Path, stdin: Callable[[], str]
) -> list[tuple[str, bytes]]:
    """The files of provisioners that a source names, with their content.

    It is a path, `file://` and a path, a folder with such files, an http(s) URL, or `-` for stdin.
    Raises UsageError for anything else, and ConfigError when it cannot be read.
    """
    if source == "-":
        return [(source, stdin().encode())]
    scheme = source.partition("://")[0] if "://" in source else ""
    if scheme in {"http", "https"}:
        from score_flyio.resources.kinds.download import download

        return [(source, await download(source))]
    path = directory / source.removeprefix("file://")
    if scheme not in {"", "file"}:
        raise UsageError(
            f"--provisioners: {scheme}:// is not supported",
            hint="give a path or folder, an http or https URL, or - for stdin",
        )
    try:
        if not path.is_dir():
            return [(source, read_input(path))]
        inside = sorted(path.glob(f"*{SUFFIX}"))
        found = [(str(Path(source) / each.name), read_input(each)) for each in inside]
    except OSError as error:
        raise ConfigError(
            f"--provisioners: {source} cannot be read: {system_reason(error)}", code=CODE
        ) from error
    if not found:
        raise ConfigError(f"--provisioners: {source} has no *{SUFFIX}", code=CODE)
    return found
