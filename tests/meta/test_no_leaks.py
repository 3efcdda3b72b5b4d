"""The project's files name no machine, no registry and no way it was made."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.meta.source import ROOT, tracked_files

HOME = "/" + "root/"
FORBIDDEN = {
    "a path of one machine": re.compile(
        rf"(?<![\w.]){HOME}\w|/home/[a-z]\w*/|/Users/\w+/|/tmp/[\w.-]*(bash|claude|brief)|"
        rf"(?<![\w.~}}])/work/(main|shared|\.)"
    ),
    "a package registry": re.compile(r"pypi\.org|pythonhosted\.org|\bartifactory\b|\bdevpi\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
    "a token": re.compile(r"FlyV1 fm[12]_[A-Za-z0-9+/=]{40}|gh[pousr]_[A-Za-z0-9]{36}"),
}


@pytest.mark.parametrize("what", sorted(FORBIDDEN))
def test_no_file_has(what: str) -> None:
    here = Path(__file__)
    hits = []
    for path in tracked_files():
        if path == here:
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        hits += [f"{path.relative_to(ROOT)}: {m[0]}" for m in FORBIDDEN[what].finditer(text)]
    assert hits == []


def test_constraints_name_packages_and_versions_only() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    assert [
        line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", line)
    ] == []
