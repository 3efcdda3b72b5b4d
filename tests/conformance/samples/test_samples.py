"""The samples do what their READMEs say: their commands write the files that stand beside them."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest

from score_flyio.cli.main import run

SAMPLES = Path(__file__).resolve().parents[3] / "samples"
FOLDERS = sorted(path.parent for path in SAMPLES.glob("*/README.md"))


def commands(readme: Path) -> list[list[str]]:
    """The `$ score-flyio …` lines of a README."""
    lines = readme.read_text().splitlines()
    return [shlex.split(line)[2:] for line in lines if line.startswith("$ score-flyio ")]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_sample(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = shutil.copytree(
        folder, tmp_path / folder.name, ignore=shutil.ignore_patterns("fly_*.toml", ".score-flyio")
    )
    monkeypatch.chdir(project)
    for command in commands(folder / "README.md"):
        assert run(command, {}) == 0, command
    written = {path.name: path.read_text() for path in project.glob("fly_*.toml")}
    assert written == {path.name: path.read_text() for path in folder.glob("fly_*.toml")}
    assert written
    for world in project.glob(".score-flyio/emulator/world.json"):
        assert json.loads(world.read_text())["apps"] == []


def test_every_written_file_is_valid(capsys: pytest.CaptureFixture[str]) -> None:
    files = sorted(SAMPLES.glob("*/fly_*.toml"))
    assert files
    for file in files:
        assert run(["config", "validate", "--strict", "--config", str(file)], {}) == 0, file


def test_the_samples_are_listed() -> None:
    listed = (SAMPLES / "README.md").read_text()
    assert [folder.name for folder in FOLDERS if f"]({folder.name})" not in listed] == []
