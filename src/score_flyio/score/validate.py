"""Rules across the fields of a document that matches the schema: placeholders and `before`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from score_flyio.base.place import Path, quoted
from score_flyio.base.record import evolve
from score_flyio.errors import InputError, Problem
from score_flyio.images.reference import ImageReference
from score_flyio.score.nowhere import LookupFailure
from score_flyio.score.partial import UsablePart, usable_part
from score_flyio.score.placeholders import (
    Lookup,
    Reference,
    references_in,
    unresolved,
    with_source,
)
from score_flyio.score.schema import broken, schema_findings

BAD_PARAMS: Final = "params_substitution_failed"
"""The code of placeholders in params that lead nowhere."""
_PART: Final = re.compile(r"[A-Za-z0-9_-]+")
_DOTTED_PART: Final = re.compile(r"[A-Za-z0-9_./-]+")


def examined(
    document: dict[str, Any], found: Sequence[Problem]
) -> tuple[list[Problem], UsablePart]:
    """Everything wrong with a document whose deprecated forms are upgraded, and what is usable.

    Rules across fields hold for what has the right form. `found` is what the upgrade found.
    """
    wrong = [*found, *schema_findings(document)]
    usable = usable_part(document, wrong) if wrong else UsablePart(document=document)
    across = (
        *_placeholder_findings(usable.document),
        *_before_findings(usable.document),
        *_healthy_findings(usable.document),
        *_image_findings(usable.document),
    )
    return [*wrong, *(each for each in across if not usable.is_to_blame(each))], usable


def params_findings(
    document: dict[str, Any], outputs: Mapping[str, Collection[str] | None]
) -> Iterator[Problem]:
    """Placeholders in the params of resources that read an output which will not be there.

    `outputs` has the names of all that a resource will have, where that is known.
    """
    lookup = Lookup(document["metadata"], pending=outputs)
    for path, reference in _in_params(document):
        if reference.resource in outputs and (failure := _failure(reference, lookup)):
            yield _coded(unresolved(reference, failure, path), reference)


def _failure(reference: Reference, lookup: Lookup) -> LookupFailure | None:
    try:
        lookup.find(reference)
    except LookupFailure as failure:
        return failure
    return None


def _healthy_findings(document: dict[str, Any]) -> Iterator[Problem]:
    """Containers that others wait for until they are healthy, without a probe to tell."""
    for name, container in document["containers"].items():
        if "livenessProbe" in container or "readinessProbe" in container:
            continue
        for other, entry in container.get("before", {}).items():
            if entry["ready"] == "healthy":
                yield broken(
                    "before_without_probe",
                    ("containers", name, "before", other, "ready"),
                    f'"{other}" waits until "{name}" is healthy, but "{name}" has no probe',
                    f'give "{name}" a readinessProbe, or wait for started or complete',
                    subject=other,
                )


def _image_findings(document: dict[str, Any]) -> Iterator[Problem]:
    """Images that are no names of images; `.` stands for one that is built."""
    for name, container in document["containers"].items():
        if container["image"] == ".":
            continue
        try:
            ImageReference.parse(container["image"])
        except InputError as error:
            yield Problem(
                kind="image_invalid",
                path=("containers", name, "image"),
                message=error.message,
                hint=error.hint,
                code=error.code,
            )


def _in_params(document: dict[str, Any]) -> Iterator[tuple[Path, Reference]]:
    for name, resource in document.get("resources", {}).items():
        yield from references_in(resource.get("params"), ("resources", name, "params"))


def _placeholders(document: dict[str, Any]) -> Iterator[tuple[Path, Reference]]:
    yield from _in_params(document)
    for name, container in document["containers"].items():
        base: Path = ("containers", name)
        yield from references_in(container.get("variables"), (*base, "variables"))
        for target, file in container.get("files", {}).items():
            if not file.get("noExpand"):
                yield from references_in(file.get("content"), (*base, "files", target, "content"))
        for target, volume in container.get("volumes", {}).items():
            source = volume["source"]
            bare = with_source(source) != source
            for path, reference in references_in(source, (*base, "volumes", target, "source")):
                # Told as it is written, looked up as what it means.
                meant = (*reference.parts, "source") if bare else reference.parts
                yield path, evolve(reference, parts=meant)


def _placeholder_findings(document: dict[str, Any]) -> Iterator[Problem]:
    """Those in the params of resources come first, as they are needed first."""
    # What is known before resources are provisioned: that they will have some outputs.
    resources = document.get("resources", {})
    lookup = Lookup(document["metadata"], pending=dict.fromkeys(resources))
    for path, reference in _placeholders(document):
        if wrong := _wrong_with(reference, lookup):
            yield _coded(unresolved(reference, wrong, path), reference)


def _coded(finding: Problem, reference: Reference) -> Problem:
    """Params of resources have error codes of their own."""
    if finding.path[0] != "resources":
        return finding
    unknown = finding.kind == "unknown_resource" and reference.resource is not None
    code = "resource_reference_unknown" if unknown else BAD_PARAMS
    return evolve(finding, code=code)


def _wrong_with(reference: Reference, lookup: Lookup) -> LookupFailure | None:
    failure, resources = _failure(reference, lookup), lookup.pending
    if not _is_well_formed(reference):
        # Keys may be any text, but spaces around one are more likely to be a mistake.
        if failure is None and all(part and part == part.strip() for part in reference.parts):
            return None
        message = "is not of the form metadata.KEY or resources.NAME.OUTPUT"
        return LookupFailure("malformed", message)
    root, name = reference.parts[:2]
    if root not in ("metadata", "resources"):
        return LookupFailure("unsupported_root", "must start with metadata. or resources.")
    if root == "resources" and name not in resources:
        known = ", ".join(resources) or "none"
        message = f"there is no resource {quoted(name)} (there is: {known})"
        return LookupFailure("unknown_resource", message, at=1, known=resources)
    return failure


def _is_well_formed(reference: Reference) -> bool:
    r"""Names joined by dots; a part with `\.` in it, and an annotation's key, may have more."""
    parts = reference.parts
    annotation = parts[:2] == ("metadata", "annotations")
    patterns = (_DOTTED_PART if "." in part or annotation else _PART for part in parts)
    matches = (pattern.fullmatch(part) for pattern, part in zip(patterns, parts, strict=True))
    return len(parts) > 1 and all(matches)


def _before_findings(document: dict[str, Any]) -> Iterator[Problem]:
    containers = document["containers"]
    edges: dict[str, list[str]] = {name: [] for name in containers}
    for name, container in containers.items():
        for other in container.get("before", {}):
            path = ("containers", name, "before", other)
            if other == name:
                message = f'"{name}" cannot come before itself'
                yield broken("before_self", path, message, subject=other)
            elif other not in containers:
                message = f'there is no container "{other}" (there is: {", ".join(containers)})'
                yield broken("before_unknown", path, message, subject=other)
            else:
                edges[name].append(other)
    cycle = _cycle(edges)
    if cycle:
        message = f"containers wait for each other in a circle: {' before '.join(cycle)}"
        path = ("containers", cycle[0], "before", cycle[1])
        hint = "take one of these out"
        yield broken("before_cycle", path, message, hint)


def _cycle(edges: dict[str, list[str]]) -> list[str] | None:
    """A cycle as names in order, the first one again at the end."""
    from graphlib import CycleError, TopologicalSorter

    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        *cycle, _ = reversed(error.args[1])  # each comes before the one that follows it
        first = cycle.index(min(cycle))
        return [*cycle[first:], *cycle[: first + 1]]
    return None
