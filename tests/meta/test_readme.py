"""What the README shows works."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from score_flyio.cli.main import run
from tests.meta.source import ROOT
from website.pages import repository

README = (ROOT / "README.md").read_text()


def test_the_library_example_deploys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    shutil.copytree(ROOT / "samples" / "worker", tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SCORE_FLYIO_TARGET", "emulator")
    assert run(["-q", "init", "--fly-app-prefix", "readme-"], {}) == 0
    done = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert "run_finished" in done.stdout


def test_every_file_linked_to_exists() -> None:
    assert (
        re.findall(r"\]\((?!https://)[^)]*\)|^\[.*\]: (?!https://).*", README, re.MULTILINE) == []
    )
    raw = repository().replace("https://github.com", "https://raw.githubusercontent.com")
    ours = rf"(?:{re.escape(repository())}/(?:blob|tree)|{re.escape(raw)})/main/([^)#\s]+)"
    links = set(re.findall(ours, README))
    assert {link for link in links if not (ROOT / link).exists()} == set()
    assert {"CHANGELOG.md", "docs/tutorial.md", "LICENSE"} <= links
    assert {"docs/pictures/board.svg", "docs/pictures/report.png"} <= links


def test_every_name_of_a_link_is_defined() -> None:
    used = set(re.findall(r"\]\[([a-z-]+)\]", README))
    assert used == set(re.findall(r"^\[([a-z-]+)\]: ", README, re.MULTILINE))
