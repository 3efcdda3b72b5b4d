"""Deprecated forms of a Score document → current ones.

| Found | Becomes |
|---|---|
| `files`, `volumes` as a list | a map by `target` |
| file `content` as a list of lines (in a list of files) | text, lines joined |
| `read_only` of a volume (in a list of volumes) | `readOnly` |
"""

from __future__ import annotations

from typing import Any

from score_flyio.base.place import Path, quoted, shown
from score_flyio.base.record import define, field
from score_flyio.errors import Problem
from score_flyio.score.render import render
from score_flyio.score.schema import broken_at


@define
class Upgraded:
    """A document without deprecated forms."""

    document: dict[str, Any]
    notices: list[Problem] = field(factory=list)
    """What was written otherwise; lists instead of maps are too usual to mention."""
    findings: list[Problem] = field(factory=list)
    origins: dict[Path, Path] = field(factory=dict)
    """Path of what an upgrade made → path of what it was made from."""

    def tell(self, kind: str, path: Path, instead: str) -> None:
        """Note that something was written in a deprecated form."""
        place = ".".join(map(str, path))
        message = f"{place} is written in a deprecated form; write {instead}"
        self.notices.append(Problem(code="upgraded", kind=kind, subject=place, message=message))


def upgrade(document: dict[str, Any]) -> Upgraded:
    """Upgrades deprecated forms. What else is wrong with the document does not matter here."""
    upgraded = Upgraded(document)
    containers = document.get("containers")
    if not isinstance(containers, dict):
        return upgraded
    upgraded.document = {
        **document,
        "containers": {
            name: _container(container, name, upgraded) for name, container in containers.items()
        },
    }
    return upgraded


def _container(container: Any, name: str, upgraded: Upgraded) -> Any:
    if not isinstance(container, dict):
        return container
    changed = dict(container)
    for key, rewrite in (("files", _file), ("volumes", _volume)):
        if isinstance(items := container.get(key), list):
            path = ("containers", name, key)
            rewritten = [
                rewrite(item, (*path, index), upgraded) if isinstance(item, dict) else item
                for index, item in enumerate(items)
            ]
            changed[key] = _by_target(rewritten, path, upgraded)
    return changed


def _file(item: dict[str, Any], path: Path, upgraded: Upgraded) -> dict[str, Any]:
    content = item.get("content")
    if not isinstance(content, list):
        return item
    upgraded.tell("lines_joined", (*path, "content"), "one text")
    return {**item, "content": "\n".join(render(line) for line in content)}


def _volume(item: dict[str, Any], path: Path, upgraded: Upgraded) -> dict[str, Any]:
    if not isinstance(item.get("read_only"), bool):
        return item
    old = (*path, "read_only")
    upgraded.tell("renamed_readOnly", old, "readOnly")
    upgraded.origins[*path[:-1], str(item.get("target")), "readOnly"] = old
    renamed = {key: value for key, value in item.items() if key != "read_only"}
    return {**renamed, "readOnly": item["read_only"]}


def _by_target(items: list[Any], path: Path, upgraded: Upgraded) -> dict[str, Any]:
    by_target: dict[str, Any] = {}
    for index, item in enumerate(items):
        place = (*path, index)
        finding = _unusable(item, by_target, place)
        if finding:
            upgraded.findings.append(finding)
            continue
        target = item["target"]
        by_target[target] = {key: value for key, value in item.items() if key != "target"}
        upgraded.origins[(*path, target)] = place
    return by_target


def _unusable(item: Any, by_target: dict[str, Any], place: Path) -> Problem | None:
    if not isinstance(item, dict):
        return broken_at("type", place, f"must be a map, not {shown(item)}")
    if "target" not in item:
        hint = 'add "target", or write a map by target'
        return broken_at("required", place, '"target" is missing', hint, "target")
    target, place = item["target"], (*place, "target")
    if not isinstance(target, str) or not target:
        message = f"must be text that is not empty, not {shown(target)}"
        return broken_at("type", place, message)
    if target in by_target:
        return broken_at("duplicate", place, f"target {quoted(target)} is given twice")
    return None
