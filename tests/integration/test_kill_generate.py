"""`generate` is killed with SIGKILL at random moments, then run again to the end."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

KILLS = int(os.environ.get("SCORE_FLYIO_KILLS", "20"))

PROVISIONER = """#!/bin/sh
request=$(cat)
guid=$(printf '%s' "$request" | sed 's/.*"resource_uid": *"\\([^"]*\\)".*/\\1/')
type=$(printf '%s' "$request" | sed 's/.*"resource_type": *"\\([^"]*\\)".*/\\1/')
id=$(printf '%s' "$request" | sed 's/.*"resource_id": *"\\([^"]*\\)".*/\\1/')
sleep 0.05
mkdir -p made
printf '%s.default#%s\\n' "$type" "$id" > "new-$guid" && mv "new-$guid" "made/$guid"
sleep 0.05
printf '{"values":{"name":"%s"},"secrets":{"password":"dummy"},"state":{"made":true}}' "$guid"
"""


def tool(project: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "score_flyio", *arguments],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
        start_new_session=True,
    )


def finish(project: Path, *arguments: str) -> None:
    with tool(project, *arguments) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    script = tmp_path / "make.sh"
    script.write_text(PROVISIONER)
    script.chmod(0o755)
    finish(tmp_path, "init", "--fly-app-prefix=kill-", "--file=")
    finish(tmp_path, "provisioners", "add", "maker", "thing", "--cmd-binary=./make.sh")
    resources: dict[str, object] = {f"r{n}": {"type": "thing"} for n in range(6)}
    resources["last"] = {"type": "thing", "params": {"a": "${resources.r0.name}"}}
    document = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "web"},
        "containers": {"main": {"image": "nginx", "variables": {"A": "${resources.last.name}"}}},
        "resources": resources,
    }
    (tmp_path / "score.yaml").write_text(json.dumps(document))
    return tmp_path


def made(project: Path) -> dict[str, list[str]]:
    """What the provisioner made: uid to the guids that it was asked with."""
    found: dict[str, list[str]] = {}
    for entry in sorted((project / "made").glob("*")):
        found.setdefault(entry.read_text().strip(), []).append(entry.name)
    return found


@pytest.mark.parametrize("seed", range(KILLS))
def test_nothing_made_is_forgotten_or_made_twice(project: Path, seed: int) -> None:
    with tool(project, "generate", "score.yaml", "--jobs=3") as process:
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=random.Random(seed).uniform(0.15, 1.2))
        with suppress(ProcessLookupError):  # it was faster
            os.killpg(process.pid, signal.SIGKILL)
    state = yaml.safe_load((project / ".score-flyio" / "state.yaml").read_text())
    known = {uid: record["guid"] for uid, record in (state.get("resources") or {}).items()}
    for uid, guids in made(project).items():
        assert known[uid] in guids, f"{uid} was made and is not in the state"
    finish(project, "generate", "score.yaml", "--jobs=3")
    state = yaml.safe_load((project / ".score-flyio" / "state.yaml").read_text())
    assert set(made(project)) == set(state["resources"])
    for uid, guids in made(project).items():
        assert guids == [state["resources"][uid]["guid"]], f"{uid} was made {len(guids)} times"
        assert state["resources"][uid]["state"] == {"made": True}
    assert (project / "fly_web.toml").exists()
