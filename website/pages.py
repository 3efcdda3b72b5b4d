"""Which pages there are: those of `docs` and of the top folder, and those made from the code."""

import posixpath
import re
import tomllib
from collections.abc import Callable
from functools import cache
from typing import Any

from score_flyio.events.schema import json_schema
from website import annotations, api, commands, environment, errors, events, faults, outputs
from website.source import ROOT

GENERATED: dict[str, Callable[[], str]] = {
    "reference/annotations.md": annotations.page,
    "reference/api.md": api.page,
    "reference/commands.md": commands.page,
    "reference/environment.md": environment.page,
    "reference/errors.md": errors.page,
    "reference/events.md": events.page,
    "reference/faults.md": faults.page,
    "reference/outputs.md": outputs.page,
}
"""Pages made from the code."""
SCHEMAS: dict[str, Callable[[], dict[str, Any]]] = {
    "reference/events.schema.json": json_schema,
    **outputs.SCHEMAS,
}
"""Schemas of what programs read, made from the classes."""
FROM_THE_TOP: dict[str, str] = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
}
"""Pages that are files of the top folder."""
_LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#)([^)\s#]+)")


@cache
def repository() -> str:
    """Where the project is."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    address: str = project["urls"]["Source"]
    return address


def moved() -> dict[str, str]:
    """The pages that people wrote, by their place in the site, with links that fit there."""
    files = {f"docs/{file.name}": file.name for file in (ROOT / "docs").glob("*.md")}
    return {
        page: _LINK.sub(
            lambda match, own=path: _led(match[1], own),  # type: ignore[misc]
            (ROOT / path).read_text(encoding="utf-8"),
        )
        for path, page in (files | FROM_THE_TOP).items()
    }


def _led(link: str, own: str) -> str:
    """Where a link of a file leads in the site; what the site has not is in the repository."""
    path = posixpath.normpath(posixpath.join(posixpath.dirname(own), link))
    if path in FROM_THE_TOP:
        return FROM_THE_TOP[path]
    if path.startswith("docs/"):
        return path.removeprefix("docs/")
    kind = "tree" if (ROOT / path).is_dir() else "blob"
    return f"{repository()}/{kind}/main/{path}"
