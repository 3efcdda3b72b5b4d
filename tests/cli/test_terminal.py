"""The real command with a terminal on stderr: the board is drawn there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

PLAIN = """\
apiVersion: score.dev/v1b1
metadata: {name: plain}
containers: {main: {image: nginx}}
"""
WITH_RESOURCE = f"""{PLAIN}
resources: {{db: {{type: thing}}}}
"""


def on_a_terminal(folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit code, and what the terminal got."""
    master, terminal = pty.openpty()
    environ = {k: v for k, v in os.environ.items() if k not in {"CI", "NO_COLOR"}}
    with subprocess.Popen(
        [sys.executable, "-m", "score_flyio", *arguments],
        cwd=folder,
        env=environ | {"TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=terminal,
    ) as process:
        os.close(terminal)
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:  # Linux says so when the other end is closed
            pass
        os.close(master)
    return process.returncode, shown.decode()


@pytest.mark.parametrize("text", [PLAIN, WITH_RESOURCE], ids=["plain", "with a resource"])
def test_generate_draws_its_board(tmp_path: Path, text: str) -> None:
    (tmp_path / "score.yaml").write_text(text)
    assert on_a_terminal(tmp_path, "init", "--fly-app-prefix", "x-", "--file=")[0] == 0
    add = ("provisioners", "add", "t", "thing", "--static-json", "{}")
    assert on_a_terminal(tmp_path, *add)[0] == 0
    code, shown = on_a_terminal(tmp_path, "generate", "score.yaml")
    assert code == 0, shown
    assert "\x1b[J" in shown
    assert (tmp_path / "fly_plain.toml").exists()
