"""A new user's path from the wheel on, in environments that have nothing else.

Packages that the wheel needs come from the package index that pip is set up for.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.platform import Platform, platform
from tests.integration.test_ci_files import Runner
from tests.meta.source import ROOT


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel of this tree."""
    target = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return target


@pytest.fixture
def served() -> Iterator[Platform]:
    with platform() as running:
        yield running


def index(wheels: Path) -> dict[str, str]:
    """The environment in which pip finds the wheel, beside what it is set up for."""
    own = {name: text for name, text in os.environ.items() if name.startswith("PIP_")}
    return own | {"PIP_FIND_LINKS": f"{own.get('PIP_FIND_LINKS', '')} {wheels}".strip()}


def test_the_readme_from_the_installation_to_the_first_deploy(tmp_path: Path, wheels: Path) -> None:
    readme = (ROOT / "README.md").read_text()
    (install,) = re.findall(r"`(pip install score-flyio)`", readme)
    commands = re.findall(r"```sh\n(.*?)```", readme, re.DOTALL)[0]
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "venv")], check=True)
    folder = tmp_path / "project"
    folder.mkdir()
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{install}\n{commands}\ncommand -v score-flyio"],
        cwd=folder,
        env={"PATH": f"{tmp_path}/venv/bin:/usr/bin:/bin", "HOME": str(folder), **index(wheels)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(f"{tmp_path}/venv/bin/score-flyio\n")
    assert "example (app my-team-example): done" in done.stdout + done.stderr
    assert (folder / "fly_example.toml").exists()


def test_the_action_installs_itself_and_deploys(
    tmp_path: Path, wheels: Path, served: Platform
) -> None:
    runner = Runner.begin(tmp_path / "job", served, index(wheels))
    environ = runner.job.environ
    del environ["PYTHONPATH"]
    environ |= {"RUNNER_TEMP": str(tmp_path / "runner"), "PATH": os.environ["PATH"]}
    done = runner.action(files="web/score.yaml worker/score.yaml", prefix="shop-")
    assert done[-1].returncode == 0, done[-1].stdout + done[-1].stderr
    assert environ["PATH"].startswith(f"{tmp_path}/runner/score-flyio-")
    assert set(served.emulator.world.apps) == {"shop-web", "shop-worker"}
    assert "::group::web" in done[-1].stderr
