"""`config save` and `config diff`, against an emulator kept in the folder."""

from __future__ import annotations

import random
from pathlib import Path

import anyio
import pytest
import tomli

from fly_machines.models import CreateAppRequest
from score_flyio.deploy.desired.launch import launch_plan
from score_flyio.deploy.local_files import LocalFiles
from score_flyio.engine.target import Target
from score_flyio.flytoml.load import load_fly_toml
from score_flyio.state.deployments import Release
from tests.cli.conftest import Cli

FLY_TOML = """\
app = 'demo'
primary_region = 'ams'

[env]
  LEVEL = 'info'

[http_service]
  internal_port = 8080
  force_https = true

[[files]]
  guest_path = '/etc/blob'
  local_path = 'blob'
"""


@pytest.fixture
def deployed(cli: Cli) -> Cli:
    """A folder with a fly.toml, and an emulator in which it runs."""
    Path("fly.toml").write_text(FLY_TOML)
    Path("blob").write_bytes(b"\xff\x00")
    anyio.run(_launch, cli.directory)
    return cli


async def _launch(folder: Path) -> None:
    plan = launch_plan(
        load_fly_toml(folder / "fly.toml"),
        "app",
        image="registry.fly.io/demo:1",
        release=Release(id="r1", version=1, tool_version="test"),
        files=LocalFiles(folder),
    )
    target = Target.parse("emulator", {}, directory=folder)
    async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
        await client.api.apps_create(CreateAppRequest(name="demo", org_slug="personal"))
        await client.api.machines_create("demo", plan.first)


def test_saving_and_comparing_finds_no_difference(deployed: Cli) -> None:
    saved = deployed(
        "config", "save", "--target", "emulator", "--app", "demo", "-c", "saved.toml", "--json"
    )
    assert saved.exit_code == 0
    assert saved.json == {"app": "demo", "files": ["saved.toml", "files/etc_blob"], "notes": []}
    assert Path("files/etc_blob").read_bytes() == b"\xff\x00"
    for file in ("fly.toml", "saved.toml"):
        result = deployed(
            "config", "diff", "--target", "emulator", "-c", file, "--detailed-exitcode"
        )
        assert (result.exit_code, result.stdout) == (0, f"demo runs as {file} says\n")


def test_differences_are_shown_field_by_field(deployed: Cli) -> None:
    Path("fly.toml").write_text(
        FLY_TOML.replace("info", "debug") + "[processes]\n  app = ''\n  job = 'work'\n"
    )
    args = ["config", "diff", "--target", "emulator", "--detailed-exitcode"]
    Path("fly.toml").write_text(
        Path("fly.toml").read_text().replace("force_https", "processes = ['app']\n  force_https")
    )
    result = deployed(*args, "--json")
    assert result.exit_code == 2
    first, second = result.json["drift"]
    assert first["differences"] == [{"path": "env.LEVEL", "before": "info", "after": "debug"}]
    assert (second["group"], second["note"]) == ("job", "no machine runs it")
    assert deployed(*args[:-1]).exit_code == 0


def test_an_existing_file_is_not_replaced_unasked(deployed: Cli) -> None:
    result = deployed("config", "save", "--target", "emulator")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert Path("fly.toml").read_text() == FLY_TOML
    assert deployed("config", "save", "--target", "emulator", "--yes").exit_code == 0
    [file] = tomli.loads(Path("fly.toml").read_text())["files"]
    assert file["local_path"] == "files/etc_blob"


@pytest.mark.parametrize("command", ["save", "diff"])
def test_an_app_that_is_not_there(cli: Cli, command: str) -> None:
    Path("fly.toml").write_text("app = 'demo'\n")
    result = cli("config", command, "--target", "emulator", "--json")
    assert result.exit_code == 2
    assert "no app demo" in result.json["error"]["message"]


@pytest.mark.parametrize("command", ["save", "diff"])
def test_without_the_name_of_an_app(cli: Cli, command: str) -> None:
    Path("fly.toml").write_text("primary_region = 'ams'\n")
    result = cli("config", command, "--target", "emulator")
    assert result.exit_code == 2
    assert "names no app" in result.stderr
