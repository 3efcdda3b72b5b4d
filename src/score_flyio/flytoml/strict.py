"""Unknown names in a fly.toml.

Compares exact names after legacy normalisation. Like flyctl it does not look into `services`,
`mounts`, `vm` and `metrics`.
"""

from __future__ import annotations

from typing import Any, Final

from score_flyio.base.document import Document
from score_flyio.base.record import Factory, define, frozen
from score_flyio.flytoml.schema import Shape, keys_of
from score_flyio.flytoml.spec import AppSpec
from score_flyio.flytoml.tree import Tree

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
    """Look for unknown names in a normalised tree.

    Args:
        tree: the tree after legacy normalisation.
        valid: whether the file passed ordinary validation.
    """
    known = keys_of(AppSpec)
    search = _Search({})
    for name in sorted(known.keys() & tree.keys() - _UNSEEN):
        search.visit(known[name].shape, tree[name], name)
    sections = tuple(sorted(tree.keys() - known.keys()))
    return StrictReport(
        valid=valid and not sections and not search.unknown,
        unrecognized_sections=sections,
        unrecognized_keys=dict(sorted(search.unknown.items())),
    )


@define
class _Search:
    unknown: dict[str, tuple[str, ...]]

    def visit(self, shape: Shape, raw: Any, path: str) -> None:
        if shape.section is not None and isinstance(raw, dict):
            self._section(shape.section, raw, path)
        elif shape.item is None:
            return
        elif shape.kind == "list" and isinstance(raw, list):
            for index, item in enumerate(raw):
                self.visit(shape.item, item, f"{path}[{index}]")
        elif shape.kind == "map" and isinstance(raw, dict):
            for name, item in raw.items():
                self.visit(shape.item, item, f"{path}.{name}")

    def _section(self, section: type, raw: Tree, path: str) -> None:
        known = keys_of(section)
        if unknown := sorted(raw.keys() - known.keys()):
            self.unknown[path] = tuple(unknown)
        for name in raw.keys() & known.keys():
            self.visit(known[name].shape, raw[name], f"{path}.{name}")
