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
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from score_flyio.base.place import Path, leaves, with_leaves
from score_flyio.base.record import field, frozen
from score_flyio.errors import PlaceholderError, Problem
from score_flyio.score.nowhere import LookupFailure, hint
from score_flyio.score.render import render

if TYPE_CHECKING:
    from score_flyio.score.resources import Outputs

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


def references_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, Reference]]:
    """The placeholders of all texts inside what is at a path, with theirs; keys do not count."""
    for place, text in leaves(value, path):
        for token in parse(text) if isinstance(text, str) else ():
            if isinstance(token, Reference):
                yield place, token


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


@frozen
class Lookup:
    """Where placeholders get their values from."""

    metadata: Mapping[str, Any]
    outputs: Mapping[str, Outputs] = field(factory=dict)
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
        outputs, promised = self.outputs.get(name), self.pending.get(name)
        if outputs is None and name not in self.pending:
            message = f'the workload has no resource "{name}"'
            named = (*self.outputs, *self.pending)
            raise LookupFailure("unknown_resource", message, at=1, known=named)
        there = outputs.names if outputs is not None else ()
        if not keys:
            message = f'names no output of resource "{name}"'
            known = (*(promised or ()), *there)
            raise LookupFailure("output_key_required", message, known=known)
        if name in self.pending and keys[0] not in there:
            if promised is not None and keys[0] not in promised:
                raise _unknown(parts, 2, promised)
            return PENDING, False
        assert outputs is not None
        if keys[0] in outputs.secrets:
            try:
                return _walk(outputs.secrets, parts, 2, null_is_missing=True), True
            except LookupFailure:
                if keys[0] not in outputs.values:
                    raise
        return _walk(outputs.values, parts, 2, null_is_missing=True), False


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


def substitute_in(value: Any, lookup: Lookup) -> SubstitutedValue:
    """Substitutes each text inside a structure; keys and other values stay.

    Raises PlaceholderError: with every placeholder that cannot be resolved, and its path.
    """
    findings: list[Problem] = []
    secret_paths: set[Path] = set()

    def changed(path: Path, item: Any) -> Any:
        if not isinstance(item, str):
            return item
        result = substitute(item, lookup, path, findings)
        if result.secret:
            secret_paths.add(path)
        return result.text

    substituted = with_leaves(value, changed)
    if findings:
        raise PlaceholderError(problems=findings)
    return SubstitutedValue(substituted, frozenset(secret_paths))


def substitute(text: str, lookup: Lookup, path: Path, findings: list[Problem]) -> SubstitutedText:
    """Puts values in place of placeholders; those that cannot be resolved stay, as findings."""
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
            pieces.append(f"${{{token.text}}}")
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
