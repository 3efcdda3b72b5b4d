"""What programs read: attrs objects as JSON documents.

A class is written field by field, or by the members that it names. One that looks different there
has a method `document`, which gives what is written in its place; the class that the method is
annotated with says how it looks, so that `base.json_schema` knows it, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from score_flyio.base.record import fields

MAY_BE_MISSING: Final = {"may_be_missing": True}
"""Metadata of a field that is left out where it is None."""


class Document:
    """Base of classes that are written as they are."""

    __slots__ = ()
    written: ClassVar[tuple[str, ...]] = ()
    """The fields and properties that are members; without any, all fields are."""

    def to_json(self) -> dict[str, Any]:
        """The members, down to texts, numbers, lists and maps."""
        return {
            name.rstrip("_"): value
            for name, always in members(type(self)).items()
            if (value := to_json(getattr(self, name))) is not None or always
        }


class Documented:
    """Base of classes that look different: `document` gives what is written."""

    __slots__ = ()

    def document(self) -> Document:
        """What is written in its place."""
        raise NotImplementedError

    def to_json(self) -> dict[str, Any]:
        """The document, as JSON."""
        return self.document().to_json()


def members(cls: type[Any]) -> dict[str, bool]:
    """Whether a document always has them, by their names here: `class_` stands for `class`."""
    always = {each.name: not each.metadata.get("may_be_missing") for each in fields(cls)}
    return {name: always.get(name, True) for name in getattr(cls, "written", ()) or always}


def to_json(value: Any) -> Any:
    """A value as JSON has it; what it knows nothing of stays, such as a `Secret`."""
    if isinstance(value, Document | Documented):
        return value.to_json()
    if isinstance(value, Mapping):
        return {key: to_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(each) for each in value]
    return value


def merged(documents: Iterable[Document | Documented]) -> dict[str, Any]:
    """The members of all of them as one document; the last one counts."""
    return {name: value for each in documents for name, value in each.to_json().items()}
