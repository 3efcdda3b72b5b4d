"""The `*.provisioners.yaml` files of a project, and those that come with score-flyio."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from score_flyio.base.input_file import read_input
from score_flyio.base.printable import system_reason
from score_flyio.base.record import evolve
from score_flyio.errors import ConfigError, Problem, UsageError
from score_flyio.resources.define import BUILT_IN as BUILT_IN_PROVISIONERS
from score_flyio.resources.define import CODE
from score_flyio.resources.provisioner import Provisioner, ProvisionRequest
from score_flyio.resources.registry import Means, Offered
from score_flyio.resources.servers.native import ServerProvisioner
from score_flyio.resources.template import SUFFIX
from score_flyio.resources.template.entry import SERVER, Entry, read_entries
from score_flyio.resources.template.provisioner import TemplateProvisioner
from score_flyio.score.resources import JsonObject
from score_flyio.state.resources import CommandSpec, ProvisionerDefinition

DEFAULTS: Final = "defaults.provisioners.yaml"
BUILT_IN: Final = "score-flyio"
_LAST: Final = 10**10


def installed_in(folder: Path, means: Means) -> Offered:
    """The provisioners of the files in a folder, by name of the file.

    Raises ConfigError with everything that is wrong in all files.
    """
    entries: list[Entry] = []
    problems: list[Problem] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        name = str(Path(folder.name) / path.name)
        try:
            entries += read_entries(read_input(path), file=name, directory=folder.parent)
        except OSError as error:
            message = f"cannot be read: {system_reason(error)}"
            problems.append(Problem(message=message, file=name, code=CODE))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems=problems, code=CODE)
    return _offered(entries, means)


def built_in(means: Means) -> Offered:
    """The templates that come with score-flyio: those that make nothing."""
    return _coming_with_us([files(__package__) / DEFAULTS], means)


def servers(means: Means) -> Offered:
    """The types of servers that come with score-flyio."""
    folder = files("score_flyio.resources.servers") / "types"
    return _coming_with_us(sorted(folder.iterdir(), key=lambda path: path.name), means)


def _coming_with_us(paths: Iterable[Traversable], means: Means) -> Offered:
    entries: list[Entry] = []
    for path in paths:
        entries += read_entries(path.read_bytes(), file=BUILT_IN, directory=Path())
    return _offered(entries, means)


def built_in_server(name: str, means: Means) -> Provisioner:
    """The provisioner of one of these types."""
    return servers(means)[f"{SERVER}{BUILT_IN}/{name}"][1]


def _offered(entries: Iterable[Entry], means: Means) -> Offered:
    found: Offered = {}
    for entry in entries:
        definition = entry.definition
        if entry.uri in found:  # by an earlier file: then the file tells them apart
            definition = evolve(definition, id=f"{entry.uri} in {entry.file}")
        found[definition.id] = definition, _work(definition, entry, means)
    return found


def _work(definition: ProvisionerDefinition, entry: Entry, means: Means) -> Provisioner:
    """What does the work; a program may be one for score-compose or score-k8s, too."""
    spec = definition.spec
    if entry.server is not None:
        return ServerProvisioner(entry, means)
    if not isinstance(spec, CommandSpec):
        return TemplateProvisioner(entry, means.surroundings)
    from score_flyio.resources.kinds.command import CommandProvisioner
    from score_flyio.resources.protocol import for_other_tools

    def more(request: ProvisionRequest) -> JsonObject:
        return for_other_tools(request, means.surroundings().values(request.uid))

    ours = spec.args[:1] == (BUILT_IN_PROVISIONERS,)
    return CommandProvisioner(
        id=definition.id, spec=spec, timeout=means.timeout, more=None if ours else more
    )


def install(folder: Path, content: bytes, *, source: str, now: float) -> Path:
    """Put a file of provisioners into the folder, before those that are there.

    An older copy from the same `source` (a path or URL) is replaced. `now` is in seconds since the
    epoch.
    """
    from score_flyio.base.atomic import write_atomically

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
