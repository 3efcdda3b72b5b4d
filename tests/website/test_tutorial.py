"""A new user's path: the commands of the tutorial, one after the other, as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.platform import TOKEN, Platform, platform
from tests.integration.state_servers import BUCKET, s3_server
from tests.meta.source import ROOT

PAGE = (ROOT / "docs" / "tutorial.md").read_text()
QUICK = re.compile(r"^score-flyio (deploy|scale|rollback)\b.*")
"""Lines that would watch new machines for ten seconds."""


def blocks(title: str) -> list[str]:
    """The shell lines of a section, block by block."""
    text = PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```", text, re.DOTALL)


class Shell:
    """Runs blocks in one folder after the other, as somebody who types them would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(folder),
        }

    def run(self, block: str) -> str:
        lines = "\n".join(
            QUICK.sub(r"\g<0> --no-smoke-checks", line)
            for line in block.splitlines()
            if not line.startswith(("pip install", "export"))
        )
        script = f"set -eu\n{lines}\npwd >{self.folder}/.at"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
        at = Path((self.folder / ".at").read_text().strip())
        (self.folder / ".at").unlink()
        self.folder = at
        return done.stdout + done.stderr


def at_fly(shell: Shell, served: Platform) -> None:
    shell.environ |= {"FLY_FLAPS_BASE_URL": served.url, "FLY_API_TOKEN": TOKEN}


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_the_whole_tutorial(shell: Shell) -> None:
    first, again, more = blocks("A first deploy, without an account")
    assert "create" in shell.run(first)
    assert (shell.folder / "fly_example.toml").exists()
    assert "nothing to do" in shell.run(again)
    shell.run(more)
    deployed, destroyed = blocks("The same at Fly")
    (ci,) = blocks("In CI")
    with platform() as served, s3_server() as bucket:
        at_fly(shell, served)
        assert f"{TOKEN}" not in shell.run(deployed)
        assert list(served.emulator.world.apps) == ["hello-example"]
        shell.run(destroyed)
        assert list(served.emulator.world.apps) == []
        state = f"s3://{BUCKET}/hello/state.yaml"
        shell.environ |= {**bucket.environ, "SCORE_FLYIO_STATE": state}
        shell.run(ci)
        assert list(served.emulator.world.apps) == ["hello-example"]
