"""The CI files of samples/ci: every job's steps are run in a clean folder, beside a bucket."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.platform import TOKEN, Platform, platform
from tests.integration.state_servers import BUCKET, S3Server, s3_server
from tests.meta.source import ROOT

FOLDER = ROOT / "samples" / "ci"


@pytest.fixture
def served() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def bucket() -> Iterator[S3Server]:
    with s3_server() as server:
        yield server


def document(name: str, values: Mapping[str, str]) -> Any:
    """A CI file with the values of its expressions, and the bucket that is here."""
    text = (FOLDER / name).read_text().replace("s3://deploys/", f"s3://{BUCKET}/")
    for expression, value in values.items():
        text = text.replace(expression, value)
    return yaml.safe_load(re.sub(r"\$\{\{ secrets\.\w+ \}\}", "", text))


class Job:
    """Runs shell lines as a job does: in a new checkout, each by a shell of its own."""

    def __init__(self, checkout: Path, served: Platform, bucket: S3Server) -> None:
        self.checkout = checkout
        self.environ = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "HOME": str(checkout),
            "CI": "true",
            **bucket.environ,
            "FLY_FLAPS_BASE_URL": served.url,
            "FLY_API_TOKEN": TOKEN,
            "SCORE_FLYIO_STATE_KEY": "dummy-key-of-at-least-32-characters",
        }
        for sample in ("web", "worker"):
            shutil.copytree(ROOT / "samples" / sample, checkout / sample)

    def run(self, lines: list[str], environ: Mapping[str, str]) -> None:
        own = {name: value for name, value in environ.items() if name not in self.environ and value}
        for line in lines:
            if line.startswith(("pip install", "gh ")):
                continue
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", line],
                cwd=self.checkout,
                env=self.environ | own,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"


def checkout(tmp_path: Path, name: str) -> Path:
    folder = tmp_path / name
    folder.mkdir()
    return folder


def test_the_workflow_of_github(tmp_path: Path, served: Platform, bucket: S3Server) -> None:
    workflow = document(
        "github.yml", {"${{ github.event.number }}": "7", "${{ matrix.region }}": "fra"}
    )

    def job(name: str) -> Path:
        folder = checkout(tmp_path, name)
        work = Job(folder, served, bucket)
        step_summary = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(folder / "step.md")}
        environ = workflow["env"] | workflow["jobs"][name]["env"] | step_summary
        work.run([s["run"] for s in workflow["jobs"][name]["steps"] if "run" in s], environ)
        return folder

    deployed = job("deploy")
    assert (deployed / "report.html").exists()
    assert "done" in (deployed / "step.md").read_text()
    assert set(served.emulator.world.apps) == {"shop-web", "shop-worker"}
    planned = job("plan")
    assert (planned / "plan.md").read_text() == (planned / "step.md").read_text()
    assert (planned / "plan.md").read_text().startswith("## Plan: no changes")
    job("preview")
    (preview,) = served.machines("shop-pr-7-fra-web")
    assert preview["region"] == "fra"
    job("remove-preview")
    assert set(served.emulator.world.apps) == {"shop-web", "shop-worker"}


def test_the_pipeline_of_gitlab(tmp_path: Path, served: Platform, bucket: S3Server) -> None:
    pipeline = document("gitlab.yml", {"$CI_MERGE_REQUEST_IID": "7"})

    def job(name: str) -> Path:
        folder = checkout(tmp_path, name)
        variables = pipeline["variables"] | pipeline[name].get("variables", {})
        Job(folder, served, bucket).run(pipeline[name]["script"], variables)
        for artifact in pipeline[name].get("artifacts", {}).get("paths", []):
            assert (folder / artifact).exists() or artifact == ".score-flyio/unsaved.yaml"
        return folder

    job("deploy")
    job("plan")
    job("preview")
    assert "shop-mr-7-web" in served.emulator.world.apps
    job("remove-preview")
    assert set(served.emulator.world.apps) == {"shop-web", "shop-worker"}


def test_both_pin_the_version_that_this_is() -> None:
    version = re.findall(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    for name in ("github.yml", "gitlab.yml"):
        pinned = re.findall(r"score-flyio\[[a-z,0-9]+\]==([\d.]+)", (FOLDER / name).read_text())
        assert set(pinned) == set(version)
