"""Unknown names in a fly.toml.

Compares exact names after legacy normalisation. Like flyctl it does not look into `services`,
`mounts`, `vm` and `metrics`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from score_flyio.base.document import Document
from score_flyio.base.record import Factory, frozen
from score_flyio.flytoml.parse import Tree
from score_flyio.flytoml.schema import Shape, keys_of
from score_flyio.flytoml.spec import AppSpec

_UNSEEN: Final = frozenset({"services", "mounts", "vm", "metrics"})


@frozen(kw_only=True)
class StrictReport(Document):
    """Outcome of strict mode, with the names of the outcome file of flyctl."""

    valid: bool
    """No unknown name, and valid by the ordinary rules."""
    unrecognized_sections: tuple[str, ...] = ()
    """Unknown top-level names."""
    unrecognized_keys: dict[str, tuple[str, ...]] = Factory(dict)
    """Path of a section, with list indices → unknown names in it."""


def strict_check(tree: Tree, *, valid: bool) -> StrictReport:
    """Look for unknown names in a normalised tree of a file that is `valid` by other rules."""
    known = keys_of(AppSpec)
    unknown: dict[str, tuple[str, ...]] = {}
    for name in known.keys() & tree.keys() - _UNSEEN:
        unknown |= _unknown(known[name].shape, tree[name], name)
    sections = tuple(sorted(tree.keys() - known.keys()))
    return StrictReport(
        valid=valid and not sections and not unknown,
        unrecognized_sections=sections,
        unrecognized_keys=dict(sorted(unknown.items())),
    )


def _unknown(shape: Shape, raw: Any, path: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Paths of sections with the unknown names in each."""
    if shape.section is not None and isinstance(raw, dict):
        known = keys_of(shape.section)
        if names := sorted(raw.keys() - known.keys()):
            yield path, tuple(names)
        for name in raw.keys() & known.keys():
            yield from _unknown(known[name].shape, raw[name], f"{path}.{name}")
    elif shape.kind == "list" and shape.item is not None and isinstance(raw, list):
        for index, item in enumerate(raw):
            yield from _unknown(shape.item, item, f"{path}[{index}]")
    elif shape.kind == "map" and shape.item is not None and isinstance(raw, dict):
        for name, item in raw.items():
            yield from _unknown(shape.item, item, f"{path}.{name}")
