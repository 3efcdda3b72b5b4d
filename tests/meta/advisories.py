"""`python -m tests.meta.advisories FILE|FOLDER`: takes known holes from an export of the OSV database.

The database is at osv.dev, which exports a folder of JSON files for PyPI; nothing is fetched here.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from attrs import frozen

from tests.meta.source import ROOT
from tests.meta.test_dependencies import PROJECT, name_of

LIST: Final = ROOT / "tests/meta/advisories.toml"
HEAD: Final = """\
# Known holes of what is declared: the version that closes each, and its advisory.
# `make advisories FROM=FILE|FOLDER` adds those of an export of the OSV database.
"""


@frozen(order=True)
class Hole:
    """A known hole of a package."""

    name: str
    fixed: str
    """The first version without it."""
    advisory: str


def declared() -> set[str]:
    """The packages that the project asks for."""
    extras = PROJECT["optional-dependencies"].values()
    return {name_of(item) for items in (PROJECT["dependencies"], *extras) for item in items}


def holes_in(document: Any) -> Iterator[Hole]:
    """The holes of an OSV record; none where it was withdrawn, or nothing closes it."""
    if document.get("withdrawn"):
        return
    names = [document["id"], *document.get("aliases", ())]
    advisory = next((name for name in names if name.startswith("CVE-")), names[0])
    for affected in document.get("affected", ()):
        package = affected.get("package", {})
        if package.get("ecosystem") != "PyPI":
            continue
        events = [
            event
            for each in affected.get("ranges", ())
            if each.get("type") == "ECOSYSTEM"
            for event in each.get("events", ())
        ]
        fixed = [event["fixed"] for event in events if "fixed" in event]
        if fixed:
            yield Hole(name_of(package["name"]), max(fixed, key=numbers), advisory)


def numbers(version: str) -> tuple[int, ...]:
    """A version such that `3.1` is below `3.1.6`, and `3` is as `3.0.0`; what else is in it is left out."""
    parts = [int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")]
    return (*parts, *[0] * (4 - len(parts)))


def documents(source: Path) -> Iterator[Any]:
    """The records in a file (one, or a list) or in the files of a folder."""
    for path in sorted(source.glob("*.json")) if source.is_dir() else [source]:
        document = json.loads(path.read_text(encoding="utf-8"))
        found = document.get("vulns", [document]) if isinstance(document, dict) else document
        yield from found


def known(text: str) -> set[Hole]:
    """The holes of a list as it is kept."""
    return {Hole(**hole) for hole in tomllib.loads(text).get("hole", ())}


def written(holes: set[Hole]) -> str:
    """The list as it is kept."""
    blocks = [
        f'\n[[hole]]\nname = "{hole.name}"\nfixed = "{hole.fixed}"\nadvisory = "{hole.advisory}"\n'
        for hole in sorted(holes, key=lambda hole: (hole.name, numbers(hole.fixed), hole.advisory))
    ]
    return HEAD + "".join(blocks)


def main(source: str) -> int:
    """Adds what the export knows of the packages that are declared."""
    here = known(LIST.read_text(encoding="utf-8"))
    names = declared()
    found = {hole for each in documents(Path(source)) for hole in holes_in(each)}
    new = {hole for hole in found if hole.name in names} - here
    LIST.write_text(written(here | new), encoding="utf-8")
    for hole in sorted(new):
        sys.stdout.write(f"new: {hole.advisory}, closed in {hole.name} {hole.fixed}\n")
    sys.stdout.write(f"{len(here | new)} known holes\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
