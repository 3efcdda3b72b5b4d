"""What docs/emulator.md and samples/emulator show works, as it stands there."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.cli.test_emulator import serving
from tests.meta.source import ROOT

DOCUMENT = (ROOT / "docs" / "emulator.md").read_text(encoding="utf-8")
SHELL = re.findall(r"```sh\n(.*?)```", DOCUMENT, re.DOTALL)
SAMPLE = ROOT / "samples" / "emulator"
SERVE = ["score-flyio", "emulator", "serve"]


def options(words: list[str]) -> list[str]:
    """What a command line gives to `emulator serve`."""
    assert words[:3] == SERVE
    return words[3:]


def run(script: str, folder: Path, url: str, **environ: str) -> str:
    """What a script prints that calls the emulator at its usual port."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script.replace("http://127.0.0.1:4280", url)],
        cwd=folder,
        env={**os.environ, "PATH": path, "NO_COLOR": "1", **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_document_from_its_first_line_to_its_last(tmp_path: Path) -> None:
    begin = next(line for line in SHELL[0].splitlines() if line.startswith("score-flyio"))
    with serving(*options(shlex.split(begin))) as (_, url):
        used = [block for block in SHELL[1:] if "emulator serve" not in block]
        printed = run("\n".join(used), tmp_path, url)
    assert "demo-example" in printed
    assert '"rule":"Machines_update: 503 times=1"' in printed
    assert '"operation":"Machines_create"' in printed
    assert json.loads((tmp_path / "world.json").read_text())["apps"][0]["name"] == "demo-example"


def test_a_machine_that_runs_as_it_shows(tmp_path: Path) -> None:
    (line,) = [block for block in SHELL[1:] if "emulator serve" in block]
    words = shlex.split(line)
    words[words.index("--app-port") + 1] = "0"
    service = {
        "protocol": "tcp",
        "internal_port": 80,
        "ports": [{"port": 80, "handlers": ["http"]}],
    }
    config = {"image": "nginx:1", "services": [service]}
    headers = {"authorization": "Bearer any"}
    with (
        serving(*options(words)) as (_, url),
        httpx.Client(base_url=url, headers=headers) as client,
    ):
        client.post("/v1/apps", json={"name": "shop"})
        client.post("/v1/apps/shop/machines", json={"config": config})
        found = None
        deadline = time.monotonic() + 20
        while found is None and time.monotonic() < deadline:
            found = client.get("/_emulator/overview").json()["apps"][0]["url"]
        assert "Directory listing" in client.get(str(found)).text


def test_the_refusal_that_it_shows() -> None:
    with serving() as (_, url):
        answer = httpx.post(f"{url}/_emulator/faults", json={"rules": "Machine_create: 503"})
    shown = re.findall(r'"error": "(.*?) \(a rule', DOCUMENT)
    assert answer.status_code == 422
    assert answer.json()["error"].startswith(shown[0])


@pytest.mark.parametrize("option", sorted(set(re.findall(r"`(--[a-z-]+)", DOCUMENT))))
def test_every_option_is_there(option: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "score_flyio", *SERVE[1:], "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert option in done.stdout


def test_the_service_container(tmp_path: Path) -> None:
    workflow: Any = yaml.safe_load((SAMPLE / "github.yml").read_text(encoding="utf-8"))
    dockerfile = (SAMPLE / "Dockerfile").read_text(encoding="utf-8")
    entry = json.loads(re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.MULTILINE)[0])
    health = json.loads(re.findall(r"^  CMD (.*)$", dockerfile, re.MULTILINE)[0])
    job = workflow["jobs"]["test"]
    building = workflow["jobs"]["emulator"]
    assert job["services"]["fly"]["image"] == "${{ needs.emulator.outputs.image }}"
    assert building["outputs"]["image"] in building["steps"][-1]["run"]
    (tmp_path / "outputs").touch()
    named = {"GITHUB_REPOSITORY": "Acme/Shop", "GITHUB_OUTPUT": str(tmp_path / "outputs")}
    name = next(step["run"] for step in building["steps"] if step.get("id") == "name")
    subprocess.run(["bash", "-c", name], env={**os.environ, **named}, check=True)
    assert (tmp_path / "outputs").read_text() == "image=ghcr.io/acme/shop/fly-emulator\n"
    with serving(*options(entry)) as (_, url):
        run(shlex.join([sys.executable, *health[1:]]), tmp_path, url)
        environ = {
            name: value.replace("http://127.0.0.1:4280", url) for name, value in job["env"].items()
        }
        steps = [
            step["run"]
            for step in job["steps"]
            if "pip install" not in step.get("run", "pip install")
        ]
        assert len(steps) == 4
        for step in steps:
            printed = run(step, tmp_path, url, **environ)
        assert '"status":503' in printed
