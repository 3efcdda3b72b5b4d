"""The wheel has what the package needs, and no more."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.meta.source import ROOT


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names of the files in a freshly built wheel."""
    target = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = target.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def package_files(root: Path, package: str) -> set[str]:
    files = (root / package).rglob("*")
    return {
        path.relative_to(root).as_posix()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.mark.parametrize(
    ("root", "package"),
    [("src", "score_flyio"), ("src", "fly_emulator"), ("generated", "fly_machines")],
)
def test_wheel_has_every_file_of_each_package(contents: set[str], root: str, package: str) -> None:
    assert package_files(ROOT / root, package) - contents == set()


def test_wheel_has_nothing_else(contents: set[str]) -> None:
    tops = {name.split("/")[0] for name in contents}
    assert {top for top in tops if not top.endswith(".dist-info")} == {
        "score_flyio",
        "fly_emulator",
        "fly_machines",
    }


@pytest.mark.parametrize("suffix", ["METADATA", "licenses/LICENSE", "entry_points.txt"])
def test_wheel_has_its_metadata(contents: set[str], suffix: str) -> None:
    assert any(name.endswith(f".dist-info/{suffix}") for name in contents)


def test_wheel_has_the_score_schema(contents: set[str]) -> None:
    assert any(n.startswith("score_flyio/score/schema") for n in contents)


@pytest.mark.parametrize("package", ["score_flyio", "fly_emulator", "fly_machines"])
def test_packages_are_marked_as_typed(contents: set[str], package: str) -> None:
    assert f"{package}/py.typed" in contents
