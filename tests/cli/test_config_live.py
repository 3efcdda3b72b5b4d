"""`config save` and `config diff`, against an emulator kept in the folder."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import anyio
import pytest
import tomli
import tomli_w

from fly_machines.models import CreateAppRequest
from score_flyio.deploy.desired.requests import launch_request
from score_flyio.deploy.local_files import LocalFiles
from score_flyio.engine.target import Target
from score_flyio.flytoml.load import read_document
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

UNTOLD = (
    "no record of the last release can be read: add what no machine carries, such as [deploy] and "
    "console_command"
)


@pytest.fixture
def deployed(cli: Cli) -> Cli:
    """A folder with a fly.toml, and an emulator in which it runs."""
    Path("fly.toml").write_text(FLY_TOML)
    Path("blob").write_bytes(b"\xff\x00")
    anyio.run(_launch, cli.directory)
    return cli


async def _launch(folder: Path) -> None:
    request = launch_request(
        read_document(folder / "fly.toml").accepted(),
        "app",
        image="registry.fly.io/demo:1",
        release=Release(id="r1", version=1, tool_version="test"),
        files=LocalFiles(folder),
    )
    target = Target.parse("emulator", {}, directory=folder)
    async with target.connect(emit=lambda _: None, rng=random.Random(1)) as client:
        await client.api.apps_create(CreateAppRequest(name="demo", org_slug="personal"))
        await client.api.machines_create("demo", request)


def test_saving_and_comparing_finds_no_difference(deployed: Cli) -> None:
    saved = deployed(
        "config", "save", "--target", "emulator", "--app", "demo", "-c", "saved.toml", "--json"
    )
    assert saved.exit_code == 0
    files = ["saved.toml", "files/etc_blob"]
    assert saved.json == {"app": "demo", "files": files, "notes": [UNTOLD]}
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
    assert "app demo: there is no such app" in result.json["error"]["message"]


@pytest.mark.parametrize("command", ["save", "diff"])
def test_without_the_name_of_an_app(cli: Cli, command: str) -> None:
    Path("fly.toml").write_text("primary_region = 'ams'\n")
    result = cli("config", command, "--target", "emulator")
    assert result.exit_code == 2
    assert "names no app" in result.stderr


WHOLE = """\
app = 'demo'
primary_region = 'ams'
kill_signal = 'SIGTERM'
kill_timeout = '30s'
console_command = '/bin/console'

[experimental]
auto_rollback = true

[build]
image = 'nginx:1'

[deploy]
strategy = 'immediate'
wait_timeout = '2m0s'
release_command = 'migrate --now'
release_command_timeout = '1m0s'

[env]
LEVEL = 'info'

[[mounts]]
source = 'data'
destination = '/data'
initial_size = '3gb'
snapshot_retention = 14
scheduled_snapshots = true

[http_service]
internal_port = 8080
auto_stop_machines = 'stop'
auto_start_machines = true

[[http_service.machine_checks]]
command = ['curl', 'localhost']

[[files]]
guest_path = '/etc/blob'
local_path = 'blob'

[[vm]]
memory = '512mb'
"""


def _deploy(cli: Cli, text: str, *args: str) -> None:
    Path("fly.toml").write_text(text)
    Path("blob").write_bytes(b"\xff\x00")
    done = cli("deploy", "-c", "fly.toml", "--emulate", "--no-resolve", "--no-smoke-checks", *args)
    assert done.exit_code == 0, done.stderr


def _saved(cli: Cli, *notes: str) -> dict[str, Any]:
    args = ("config", "save", "--emulate", "--app", "demo", "-c", "saved.toml", "--yes", "--json")
    saved = cli(*args)
    assert (saved.exit_code, saved.json["notes"]) == (0, [*notes])
    return tomli.loads(Path("saved.toml").read_text())


@pytest.mark.parametrize("image", ["nginx", "nginx:1", "ghcr.io/acme/shop"])
def test_an_image_that_was_held_by_its_digest_is_no_difference(cli: Cli, image: str) -> None:
    """Whichever of the two held it: a deploy, or a change of the app that kept its image."""
    text = f"app = 'demo'\nprimary_region = 'ams'\n[build]\nimage = '{image}'\n"
    Path("fly.toml").write_text(text)
    for args in (("--no-resolve",), ()):
        fast = ("--detach", "--no-smoke-checks")
        done = cli("deploy", "-c", "fly.toml", "--emulate", "--yes", *fast, *args)
        assert done.exit_code == 0, done.stderr
        done = cli("secrets", "set", "--emulate", "--app", "demo", f"A={len(args)}")
        assert done.exit_code == 0, done.stderr
        found = cli("config", "diff", "--emulate", "-c", "fly.toml", "--detailed-exitcode")
        assert found.exit_code == 0, found.stdout


def test_what_no_machine_carries_is_kept(cli: Cli) -> None:
    _deploy(cli, WHOLE)
    assert _saved(cli) == tomli.loads(WHOLE)


def test_what_changed_since_is_as_it_runs_and_the_rest_is_kept(cli: Cli) -> None:
    _deploy(cli, WHOLE)
    done = cli("scale", "--emulate", "-c", "fly.toml", "--vm-memory", "1gb", "--no-release-record")
    assert done.exit_code == 0, done.stderr
    wanted = tomli.loads(WHOLE)
    assert _saved(cli) == wanted | {"vm": [{"memory": "1024mb", "cpu_kind": "shared", "cpus": 1}]}


def test_local_files_that_are_not_here_are_as_they_run_and_the_rest_is_kept(cli: Cli) -> None:
    _deploy(cli, WHOLE)
    Path("blob").unlink()
    wanted = tomli.loads(WHOLE)
    wanted["files"][0]["local_path"] = "files/etc_blob"
    assert _saved(cli) == wanted
    assert Path("files/etc_blob").read_bytes() == b"\xff\x00"


def test_what_fly_is_told_of_an_operation_keeps_what_it_left(cli: Cli) -> None:
    """Although an operation reads no local files."""
    _deploy(cli, WHOLE)
    done = cli("scale", "--emulate", "-c", "fly.toml", "--vm-memory", "1gb")
    assert done.exit_code == 0, done.stderr
    told, wanted = _saved(cli), tomli.loads(WHOLE)
    assert told["vm"][0]["memory"] == "1024mb"
    assert told | {"vm": 0, "files": 0} == wanted | {"vm": 0, "files": 0}


def test_defaults_that_the_platform_fills_in_are_not_written(cli: Cli) -> None:
    text = "app = 'demo'\nprimary_region = 'ams'\n[http_service]\ninternal_port = 80\n"
    text += "[[mounts]]\nsource = 'data'\ndestination = '/data'\ninitial_size = '3GB'\n"
    _deploy(cli, text, "--image", "nginx:1", "--no-release-record")
    saved = _saved(cli, UNTOLD)
    assert "restart" not in saved
    assert "concurrency" not in saved["services"][0]
    assert saved["build"] == {"image": "nginx:1"}
    assert saved["mounts"] == [{"source": "data", "destination": "/data", "initial_size": "3GB"}]


def test_what_the_volumes_of_mounts_were_asked_for_is_written(cli: Cli) -> None:
    mount = {
        "source": "data",
        "destination": "/data",
        "initial_size": "3GB",
        "snapshot_retention": 14,
        "scheduled_snapshots": False,
        "auto_extend_size_threshold": 80,
        "auto_extend_size_increment": "1GB",
        "auto_extend_size_limit": "9GB",
    }
    app = {"app": "demo", "primary_region": "ams", "mounts": [mount]}
    _deploy(cli, tomli_w.dumps(app), "--image", "nginx:1", "--no-release-record")
    assert _saved(cli, UNTOLD)["mounts"] == [mount]
    assert cli("scale", "--emulate", "--app", "demo", "--vm-memory", "1gb").exit_code == 0
    assert _saved(cli)["mounts"] == [mount]


def test_the_image_of_an_option_is_written_beside_the_definition(cli: Cli) -> None:
    text = "app = 'demo'\nprimary_region = 'ams'\n[deploy]\nstrategy = 'immediate'\n"
    _deploy(cli, text, "--image", "nginx:1")
    assert _saved(cli) == tomli.loads(text) | {"build": {"image": "nginx:1"}}


def test_a_group_that_is_scaled_to_nothing_stays_in_the_file(cli: Cli) -> None:
    text = "app = 'demo'\nprimary_region = 'ams'\n[build]\nimage = 'nginx:1'\n"
    text += "[processes]\nweb = 'serve'\nwork = 'work'\n"
    _deploy(cli, text)
    done = cli("scale", "--emulate", "-c", "fly.toml", "work=0", "--yes")
    assert done.exit_code == 0, done.stderr
    assert _saved(cli) == tomli.loads(text)
