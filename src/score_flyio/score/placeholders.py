r"""Placeholders `${…}`: parse, find the resources they need, substitute.

| Text | Result |
|---|---|
| `${REF}` | the value of REF |
| `$${REF}` | `${REF}` as it stands |
| `$$` otherwise | `$` |
| any other `$` | itself |

REF is split at dots; a dot inside a part is written `\.`. The result is not scanned again.
Whether a secret was used is told for every text of its own.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final, Protocol, TypeAlias

from score_flyio.base.place import Path
from score_flyio.base.record import field, frozen
from score_flyio.errors import PlaceholderError, Problem
from score_flyio.score.nowhere import LookupFailure, hint
from score_flyio.score.render import render

PENDING: Final = "(known after provisioning)"
"""What stands for an output of a resource that is not provisioned yet."""

_TOKEN: Final = re.compile(r"\$(\$\{[^}]*\})|(\$\$)|\$\{([^}]*)\}")
_ESCAPABLE: Final = re.compile(r"\$\{[^}]*\}|\$")


@frozen
class Reference:
    """A placeholder in a text."""

    text: str
    """What stands between `${` and `}`."""
    parts: tuple[str, ...]

    @property
    def resource(self) -> str | None:
        """Name of the resource it reads, where it names one."""
        named = self.parts[0] == "resources" and len(self.parts) > 1
        return self.parts[1] if named else None


Token: TypeAlias = str | Reference


def split_reference(text: str) -> tuple[str, ...]:
    r"""Splits at dots that have no backslash before them; `\.` becomes a dot inside a part."""
    return tuple(part.replace("\\.", ".") for part in re.split(r"(?<!\\)\.", text))


def parse(text: str) -> tuple[Token, ...]:
    """A text as literal pieces and references. Never fails."""
    tokens: list[Token] = []
    # Behind the last brace no placeholder ends, and looking for its end again and again takes long.
    braced = text.rfind("}") + 1
    end = 0
    for match in _TOKEN.finditer(text, 0, braced):
        literal = text[end : match.start()] + (match[1] or ("$" if match[2] else ""))
        if literal:
            tokens.append(literal)
        if match[3] is not None:
            tokens.append(Reference(match[3], split_reference(match[3])))
        end = match.end()
    if end < len(text):
        tokens.append(text[end:braced] + text[braced:].replace("$$", "$"))
    return tuple(tokens)


def references(text: str) -> tuple[Reference, ...]:
    """The placeholders of a text, in order."""
    return tuple(token for token in parse(text) if isinstance(token, Reference))


def references_in(value: Any) -> Iterator[tuple[Path, Reference]]:
    """The placeholders of all texts inside a structure, with their paths; keys do not count."""
    for path, text in _texts(value, ()):
        for reference in references(text):
            yield path, reference


def with_source(text: str) -> str:
    """The `source` of a volume: a bare `${resources.NAME}` means the resource's output `source`.

    So the examples of the specification have it.
    """
    match parse(text):
        case (Reference(parts=("resources", _)) as reference,):
            return f"${{{reference.text}.source}}"
        case _:
            return text


def escape(text: str) -> str:
    """Text that substitution turns back into exactly the given one."""
    braced = text.rfind("}") + 1
    return _ESCAPABLE.sub(r"$\g<0>", text[:braced]) + text[braced:].replace("$", "$$")


class ResourceOutputs(Protocol):
    """What substitution needs to know of a resource; secrets hide values of the same name."""

    @property
    def values(self) -> Mapping[str, Any]: ...

    @property
    def secrets(self) -> Mapping[str, Any]: ...


@frozen
class Lookup:
    """Where placeholders get their values from."""

    metadata: Mapping[str, Any]
    outputs: Mapping[str, ResourceOutputs] = field(factory=dict)
    """By resource name of the workload."""
    pending: Mapping[str, Collection[str] | None] = field(factory=dict)
    """Resources of which not every output is known yet: the others read as `PENDING`.

    With the names of all outputs they will have; None: any.
    """

    def find(self, reference: Reference) -> tuple[Any, bool]:
        """The value, and whether it is a secret. Raises LookupFailure: nothing is there."""
        root, *rest = reference.parts
        if root == "metadata":
            if not rest:
                raise LookupFailure("metadata_key_required", "names no metadata key")
            return _walk(self.metadata, reference.parts, 1, null_is_missing=False), False
        if root != "resources":
            raise LookupFailure("unknown_root", "must start with metadata. or resources.")
        if not rest:
            raise LookupFailure("resource_name_required", "names no resource")
        return self._output(reference.parts, *rest)

    def _output(self, parts: tuple[str, ...], name: str, *keys: str) -> tuple[Any, bool]:
        if name in self.pending and keys and not self._known(name, keys[0]):
            promised = self.pending[name]
            if promised is not None and keys[0] not in promised:
                raise _unknown(parts, 2, promised)
            return PENDING, False
        if name not in self.outputs and name not in self.pending:
            message = f'the workload has no resource "{name}"'
            there = (*self.outputs, *self.pending)
            raise LookupFailure("unknown_resource", message, at=1, known=there)
        outputs = self.outputs.get(name)
        if not keys:
            known = tuple(self.pending.get(name) or ())
            if outputs is not None:
                known += (*outputs.values, *outputs.secrets)
            message = f'names no output of resource "{name}"'
            raise LookupFailure("output_key_required", message, known=known)
        assert outputs is not None
        if keys[0] in outputs.secrets:
            try:
                return _walk(outputs.secrets, parts, 2, null_is_missing=True), True
            except LookupFailure:
                if keys[0] not in outputs.values:
                    raise
        return _walk(outputs.values, parts, 2, null_is_missing=True), False

    def _known(self, name: str, key: str) -> bool:
        outputs = self.outputs.get(name)
        return outputs is not None and (key in outputs.values or key in outputs.secrets)


@frozen
class SubstitutedText:
    """A text after substitution."""

    text: str = field(repr=False)
    secret: bool = False
    """Whether a secret went into it: then the whole text is secret."""


@frozen
class SubstitutedValue:
    """A structure after substitution."""

    value: Any = field(repr=False)
    secret_paths: frozenset[Path] = frozenset()
    """Paths of the texts that secrets went into."""


class SubstitutionError(PlaceholderError):
    """Placeholders that cannot be resolved: all of one text or structure."""


def substitute(text: str, lookup: Lookup) -> SubstitutedText:
    """Puts values in place of placeholders.

    Raises SubstitutionError: with every placeholder that cannot be resolved.
    """
    findings: list[Problem] = []
    result = _substitute(text, lookup, (), findings)
    if findings:
        raise SubstitutionError(problems=findings)
    return result


def substitute_in(value: Any, lookup: Lookup) -> SubstitutedValue:
    """Substitutes each text inside a structure; keys and other values stay.

    Raises SubstitutionError: with every placeholder that cannot be resolved, and its path.
    """
    findings: list[Problem] = []
    secret_paths: set[Path] = set()

    def walk(item: Any, path: Path) -> Any:
        match item:
            case str():
                result = _substitute(item, lookup, path, findings)
                if result.secret:
                    secret_paths.add(path)
                return result.text
            case dict():
                return {key: walk(child, (*path, key)) for key, child in item.items()}
            case list():
                return [walk(child, (*path, index)) for index, child in enumerate(item)]
            case _:
                return item

    substituted = walk(value, ())
    if findings:
        raise SubstitutionError(problems=findings)
    return SubstitutedValue(substituted, frozenset(secret_paths))


def _substitute(text: str, lookup: Lookup, path: Path, findings: list[Problem]) -> SubstitutedText:
    pieces: list[str] = []
    secret = False
    for token in parse(text):
        if isinstance(token, str):
            pieces.append(token)
            continue
        try:
            value, of_secret = lookup.find(token)
        except LookupFailure as failure:
            findings.append(unresolved(token, failure, path))
        else:
            pieces.append(render(value))
            secret = secret or of_secret
    return SubstitutedText("".join(pieces), secret)


def unresolved(reference: Reference, failure: LookupFailure, path: Path) -> Problem:
    """The problem of a reference that leads nowhere."""
    return Problem(
        kind=failure.kind,
        path=path,
        message=f"placeholder ${{{reference.text}}}: {failure}",
        hint=hint(reference.text, reference.parts, failure),
        code="placeholder_invalid",
        subject=reference.text,
    )


def _walk(
    tree: Mapping[str, Any], parts: tuple[str, ...], at: int, *, null_is_missing: bool
) -> Any:
    """The value that the parts from one on lead to."""
    value: Any = tree
    for index, key in enumerate(parts[at:], at):
        if value is None and null_is_missing:
            message = f'"{parts[index - 1]}" is null, nothing is inside'
            raise LookupFailure("unknown_key", message, at=index)
        if not isinstance(value, Mapping):
            message = f'"{parts[index - 1]}" is not a map, "{key}" is not in it'
            raise LookupFailure("not_a_map", message, at=index)
        if key not in value:
            raise _unknown(parts, index, value)
        value = value[key]
    return value


def _unknown(parts: tuple[str, ...], at: int, known: Collection[str]) -> LookupFailure:
    there = ", ".join(sorted(known)) or "nothing"
    message = f'there is no "{parts[at]}" (there is: {there})'
    return LookupFailure("unknown_key", message, at=at, known=known)


def _texts(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    match value:
        case str():
            yield path, value
        case dict():
            for key, item in value.items():
                yield from _texts(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from _texts(item, (*path, index))
