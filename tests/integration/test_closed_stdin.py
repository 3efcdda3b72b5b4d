"""A command whose stdin is closed, as cron jobs and some runners leave it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("secrets import --app any --emulate", "there is no secret on stdin"),
        ("state push - --yes", "stdin:1: is empty"),
    ],
)
def test_a_closed_stdin_is_an_empty_one(tmp_path: Path, line: str, told: str) -> None:
    command = f"{sys.executable} -m score_flyio {line} <&-"
    done = subprocess.run(  # only a shell closes it
        command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode in {1, 2}, done.stderr
    assert told in done.stderr
    assert "defect" not in done.stderr
