"""JSON Schema of documents, made from their classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from score_flyio.base.document import Documented, members
from score_flyio.base.record import define, field

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
Form: TypeAlias = Any
"""A type, or a tuple of classes whose members stand together in one document."""
_NAMES: Final = {str: "string", bool: "boolean", int: "integer", float: "number", NoneType: "null"}


@define
class Definitions:
    """Schemas of types; that of each class once, under its name."""

    found: dict[str, Any] = field(factory=dict)

    def of(self, hint: Form) -> dict[str, Any]:
        """The schema of a type."""
        origin: Any = get_origin(hint)
        parts = get_args(hint)
        if hint is Any:
            return {}
        if isinstance(hint, tuple):
            return self._members(hint)
        if hint in _NAMES:
            return {"type": _NAMES[hint]}
        if origin is Literal:
            return {"enum": list(parts)}
        if origin in {UnionType, Union}:
            return {"anyOf": [self.of(part) for part in parts]}
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return {"type": "object", "additionalProperties": self.of(parts[1])}
        if isinstance(origin, type) and issubclass(origin, Sequence):
            return {"type": "array", "items": self.of(parts[0])}
        return self._reference(written(hint))

    def _reference(self, cls: type[Any]) -> dict[str, Any]:
        if cls.__name__ not in self.found:
            self.found[cls.__name__] = {}  # it may have members of its own kind
            self.found[cls.__name__] = self._members((cls,))
        return {"$ref": f"#/$defs/{cls.__name__}"}

    def _members(self, classes: Sequence[type[Any]]) -> dict[str, Any]:
        shown = [written(cls) for cls in classes]
        members = {name: part for cls in shown for name, part in members_of(cls).items()}
        return {
            "type": "object",
            "description": " ".join(" ".join((cls.__doc__ or "").split()) for cls in shown),
            "properties": {name: self.of(hint) for name, (hint, _) in members.items()},
            "required": [name for name, (_, always) in members.items() if always],
            "additionalProperties": False,
        }


def members_of(cls: type[Any]) -> dict[str, tuple[Any, bool]]:
    """The type of each member of a class, and whether a document always has it."""
    hints = get_type_hints(cls)
    found = {}
    for name, always in members(cls).items():
        hint = hints.get(name) or get_type_hints(getattr(cls, name).fget)["return"]
        found[name.rstrip("_")] = (hint if always else without_none(hint), always)
    return found


def without_none(hint: Any) -> Any:
    """A type without None."""
    parts = [part for part in get_args(hint) if part is not NoneType]
    return parts[0] if isinstance(hint, UnionType) and len(parts) == 1 else hint


def written(cls: type[Any]) -> type[Any]:
    """The class of what is written for objects of a class."""
    if not issubclass(cls, Documented):
        return cls
    method: Callable[..., Any] = cls.document
    form: type[Any] = get_type_hints(method)["return"]
    return form


def schema(title: str, *forms: Form) -> dict[str, Any]:
    """The schema of a document that has one of these forms."""
    definitions = Definitions()
    any_of = [definitions.of(form) for form in forms]
    found = definitions.found
    return {"$schema": DIALECT, "title": title, "anyOf": any_of} | (
        {"$defs": dict(sorted(found.items()))} if found else {}
    )
