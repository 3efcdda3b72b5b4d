"""Reads Score files: the only module of this package that opens files."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path as FilePath
from typing import Any, Final

from score_flyio.base.input_file import read_input
from score_flyio.base.place import MOST_LEVELS, kind_of, too_deep
from score_flyio.base.printable import system_reason
from score_flyio.base.record import evolve, field, frozen
from score_flyio.errors import Problem, ScoreFileError, UsageError
from score_flyio.score.model import (
    Before,
    Compute,
    Container,
    ExecProbe,
    FileMount,
    HttpProbe,
    Port,
    Probe,
    Quantities,
    ResourceRequest,
    VolumeMount,
    Workload,
)
from score_flyio.score.origin import Origin, Override, of_property
from score_flyio.score.partial import UsablePart
from score_flyio.score.placeholders import with_source
from score_flyio.score.schema import broken_at
from score_flyio.score.upgrade import Upgraded, upgrade
from score_flyio.score.validate import BAD_PARAMS, examined
from score_flyio.yaml.reader import YamlDocument, YamlError, read_yaml

_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
"""How a file begins that some editors and shells of Windows write."""
_CAPITAL: Final = re.compile("[A-Z]")


@frozen(kw_only=True)
class LoadedWorkload:
    """A workload, and where it comes from."""

    workload: Workload
    document: dict[str, Any] = field(repr=False)
    """After overrides, upgrade and image, placeholders untouched: what the state keeps."""
    file: str
    """The Score file as the user named it."""
    notices: tuple[Problem, ...] = ()
    problems: tuple[Problem, ...] = ()
    """What is wrong with it; the workload is then that of the usable part of the document."""
    usable: UsablePart = field(kw_only=True, repr=False)
    origin: Origin = field(kw_only=True, repr=False, eq=False)
    """Where its values were written."""

    def with_document(self, document: dict[str, Any]) -> LoadedWorkload:
        """The same with another document, which is right in form."""
        return evolve(self, document=document, workload=workload_of(document))

    def raise_problems(self) -> None:
        if self.problems:
            raise ScoreFileError(problems=self.problems)


def read_score_file(
    path: str | os.PathLike[str],
    *,
    overrides_file: str | os.PathLike[str] | None = None,
    override_properties: Sequence[str] = (),
    image: str | None = None,
    params_later: bool = False,
) -> LoadedWorkload:
    """Reads, overrides, upgrades and validates a Score file.

    What is wrong with the document is in `problems`: there may be more to find.

    Args:
        path: The Score file.
        overrides_file: YAML map laid over the document first.
        override_properties: `PATH=VALUE` texts, applied in order after that.
        image: Replaces the image of every container whose image is `.`; as `NAME=IMAGE`, that of
            one container.
        params_later: Leave wrong placeholders in the params of resources to provisioning, where
            they stop only the resources that have them.

    Raises:
        ScoreFileError: a file that cannot be read, or an override that cannot be applied; `code`
            tells which: `score_file_unreadable`, `score_file_undecodable`,
            `override_file_invalid`, `override_property_invalid` and others.
    """
    file = os.fspath(path)
    source = _read_document(file, "score_file_unreadable", "score_file_undecodable")
    _refuse_odd_keys(source, file, "score_file_undecodable", kinds=("a list", "a map"))
    document: dict[str, Any] = source.value or {}
    overrides: list[Override] = []
    if overrides_file is not None or override_properties:
        document, overrides = _overridden(document, overrides_file, override_properties)
    upgraded = upgrade(document)
    origin = Origin(file=file, source=source, overrides=tuple(overrides), upgraded=upgraded.origins)
    loaded = _examined(upgraded, origin, params_later=params_later)
    return loaded if image is None or loaded.problems else _with_image(loaded, image)


def workload_from_document(document: dict[str, Any], file: str) -> LoadedWorkload:
    """A workload that was stored before, such as in the state; deprecated forms are upgraded.

    Raises ScoreFileError: the document does not match the present rules.
    """
    upgraded = upgrade(document)
    loaded = _examined(upgraded, Origin(file=file))
    loaded.raise_problems()
    return loaded


def _overridden(
    document: dict[str, Any], file: str | os.PathLike[str] | None, properties: Sequence[str]
) -> tuple[dict[str, Any], list[Override]]:
    from score_flyio.score.overrides import apply_property, merge_map, parse_property, written

    laid_over: list[Override] = []
    if file is not None:
        code, name = "override_file_invalid", os.fspath(file)
        overrides = _read_document(name, code, code)
        _refuse_odd_keys(overrides, name, code)
        document = merge_map(document, overrides.value or {})
        laid_over.append(Override(name=name, source=overrides))
    for text in filter(None, properties):  # as of any option, an empty value means none was given
        path, value = parse_property(text)
        changed = apply_property(document, path, value)
        laid_over.append(of_property(f"--override-property {written(path)}", document, path))
        document = changed
    return document, laid_over


def _examined(upgraded: Upgraded, origin: Origin, *, params_later: bool = False) -> LoadedWorkload:
    """The workload of a document, or of its usable part, and all that is wrong with it."""
    document = upgraded.document
    if too_deep(document):
        message = f"maps and lists are nested deeper than {MOST_LEVELS} levels"
        problem = broken_at("too_deep", (), message, "make it flatter")
        raise ScoreFileError(problems=(origin.located(problem),))
    found, usable = examined(document, [*_odd_key_findings(origin.source), *upgraded.findings])
    if params_later and all(finding.code == BAD_PARAMS for finding in found):
        found = []
    return LoadedWorkload(
        workload=workload_of(usable.document),
        document=usable.document,
        file=origin.file,
        notices=tuple(upgraded.notices),
        problems=tuple(map(origin.located, found)),
        usable=usable,
        origin=origin,
    )


def _read_document(file: str, unreadable: str, undecodable: str) -> YamlDocument:
    """One YAML map (or nothing) from a file."""

    def refused(
        message: str, hint: str, line: int | None = None, *, code: str = undecodable
    ) -> ScoreFileError:
        problem = Problem(file=file, line=line, message=message, hint=hint, code=code)
        return ScoreFileError(problems=(problem,))

    try:
        data = read_input(FilePath(file))
        text = data.decode("utf-16" if data.startswith(_UTF_16) else "utf-8")
        document = read_yaml(text)
    except OSError as error:
        hint = "check the path, relative to the present folder"
        raise refused(f"cannot be read: {system_reason(error)}", hint, code=unreadable) from error
    except UnicodeDecodeError as error:
        message = f"is not {error.encoding.upper()} text: wrong byte at position {error.start}"
        raise refused(message, "save it as UTF-8") from error
    except YamlError as error:
        hint = "keys must be unique" if error.category == "duplicate_key" else "fix the YAML"
        raise refused(error.message, hint, error.line) from error
    if document.second_document:
        hint = "keep one workload a file; several files can be given"
        raise refused("has a second YAML document", hint, document.second_document)
    if not isinstance(document.value, dict | None):
        message = f"must be a YAML map, not {kind_of(document.value)}"
        raise refused(message, "start with KEY: VALUE lines", 1)
    return document


def _refuse_odd_keys(
    document: YamlDocument, file: str, code: str, *, kinds: tuple[str, ...] = ()
) -> None:
    problems = tuple(
        Problem(
            file=file,
            line=key.line,
            path=key.path,
            message=f"the key is {key.kind}, not text",
            hint="put it in quotes",
            code=code,
        )
        for key in document.odd_keys
        if not kinds or key.kind in kinds
    )
    if problems:
        raise ScoreFileError(problems=problems)


def _odd_key_findings(source: YamlDocument | None) -> Iterable[Problem]:
    for key in source.odd_keys if source else ():
        message = f"the key is {key.kind}, not text"
        yield broken_at("key_type", key.path, message, "put it in quotes")


def _with_image(loaded: LoadedWorkload, image: str) -> LoadedWorkload:
    """The workload with an image for each container whose image is `.`, or for the named one.

    Raises UsageError: nothing says which container it is for.
    """
    name, named, reference = image.rpartition("=")
    containers = loaded.document["containers"]
    chosen = {name} if named else {n for n, each in containers.items() if each["image"] == "."}
    if not chosen <= containers.keys() or (not chosen and len(containers) > 1):
        wrong = f"has no container {name!r}" if named else "has several containers, and none with ."
        raise UsageError(
            f"--image {image}: {loaded.file} {wrong}",
            hint=f"name one of its containers: --image NAME=IMAGE, NAME one of "
            f"{', '.join(containers)}",
        )
    if not chosen:
        return evolve(loaded, notices=(*loaded.notices, _kept(image, loaded)))
    changed = {n: {**containers[n], "image": reference} for n in chosen}
    return loaded.with_document({**loaded.document, "containers": {**containers, **changed}})


def _kept(image: str, loaded: LoadedWorkload) -> Problem:
    ((name, container),) = loaded.document["containers"].items()
    return Problem(
        file=loaded.file,
        path=("containers", name, "image"),
        message=f"--image {image} replaces only an image `.`: fly.toml keeps {container['image']}",
        hint=f"to replace it: --image {name}={image}",
        code="image_kept",
    )


def workload_of(document: dict[str, Any]) -> Workload:
    """The workload of a validated document."""
    ports = document.get("service", {}).get("ports", {})
    return Workload(
        name=document["metadata"]["name"],
        metadata=document["metadata"],
        containers={
            name: _container(name, container) for name, container in document["containers"].items()
        },
        ports=tuple(_port(name, port) for name, port in ports.items()),
        resources={
            name: ResourceRequest(name=name, **_members(resource))
            for name, resource in document.get("resources", {}).items()
        },
    )


def _container(name: str, container: dict[str, Any]) -> Container:
    compute = container.get("resources")
    return Container(
        name=name,
        image=container["image"],
        command=tuple(container.get("command", ())),
        args=tuple(container.get("args", ())),
        variables=container.get("variables", {}),
        files=tuple(
            FileMount(target=target, **_members(file))
            for target, file in container.get("files", {}).items()
        ),
        volumes=tuple(
            VolumeMount(target=target, **_members({**each, "source": with_source(each["source"])}))
            for target, each in container.get("volumes", {}).items()
        ),
        before=tuple(
            Before(container=other, ready=entry["ready"])
            for other, entry in container.get("before", {}).items()
        ),
        resources=None
        if compute is None
        else Compute(**{key: Quantities(**each) for key, each in compute.items()}),
        liveness_probe=_probe(container.get("livenessProbe")),
        readiness_probe=_probe(container.get("readinessProbe")),
    )


def _members(item: dict[str, Any]) -> dict[str, Any]:
    """A map of the document, its keys as our classes have them: `noExpand` is `no_expand`."""
    names = {"class": "class_"}
    return {
        names.get(key) or _CAPITAL.sub(r"_\g<0>", key).lower(): value for key, value in item.items()
    }


def _probe(probe: dict[str, Any] | None) -> Probe | None:
    if probe is None:
        return None
    http = probe.get("httpGet")
    command = probe.get("exec")
    return Probe(
        http=None if http is None else _http_probe(http),
        exec=None if command is None else ExecProbe(command=tuple(command["command"])),
    )


def _http_probe(probe: dict[str, Any]) -> HttpProbe:
    return HttpProbe(
        path=probe["path"],
        port=int(probe["port"]),
        scheme=probe.get("scheme"),
        host=probe.get("host"),
        headers=tuple((each["name"], each["value"]) for each in probe.get("httpHeaders", ())),
    )


def _port(name: str, port: dict[str, Any]) -> Port:
    return Port(
        name=name,
        port=int(port["port"]),
        target_port=int(port.get("targetPort", port["port"])),
        protocol=port.get("protocol", "TCP"),
    )
