"""`score-flyio builtin-provisioners`, and files of provisioners, on the command line."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.records import Json
from fly_emulator.wire import Execution
from tests.cli.conftest import Cli

SCORE = """\
apiVersion: score.dev/v1b1
metadata:
  name: shop
containers:
  main:
    image: x
    variables:
      HOST: ${resources.db.host}
      KEY: ${resources.db.key}
resources:
  db:
    type: thing
"""
FILE = """\
- uri: template://mine/thing
  type: thing
  outputs: |
    host: {{ Apps[SourceWorkload] }}.internal
  secrets: |
    key: {{ env("KEY") | tojson }}
"""


def request(**more: Any) -> str:
    document = {
        "resource_uid": "u",
        "resource_type": "postgres",
        "resource_class": "default",
        "resource_id": "shop.db",
        "state": {},
        "shared": {"score-flyio-app-prefix": "pfx-"},
        "resource_params": None,
        "resource_metadata": None,
    }
    return json.dumps(document | more)


@pytest.fixture
def call(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(kind: str, mode: str, stdin: str) -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        return cli("builtin-provisioners", kind, mode)

    return run


class Executed:
    """Notes commands, and succeeds."""

    def __init__(self) -> None:
        self.executions: list[Execution] = []

    async def run(self, execution: Execution) -> Json:
        self.executions.append(execution)
        return {"exit_code": 0, "stdout": "", "stderr": ""}


@pytest.fixture
def emulator() -> Any:
    settings = EmulatorSettings(boot=0.01, first_check_after=0.001, healthy_after=0.01)
    with start_blocking_portal() as portal:
        emulator = Emulator(settings, exec_runner=Executed())
        with portal.wrap_async_context_manager(emulator.serve()):
            yield emulator


@pytest.mark.parametrize("kind", ["postgres", "postgres-instance"])
def test_a_bad_request_is_an_error(call: Any, kind: str) -> None:
    result = call(kind, "provision", '{"uid":"u"}')
    assert (result.exit_code, result.stdout) == (1, "")
    assert "'uid'" in result.stderr


@pytest.mark.parametrize("kind", ["postgres", "postgres-instance"])
def test_nothing_to_take_away_needs_no_token(call: Any, kind: str) -> None:
    result = call(kind, "deprovision", request())
    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize("kind", ["postgres", "postgres-instance"])
def test_a_missing_token_is_told(call: Any, kind: str) -> None:
    result = call(kind, "provision", request())
    assert (result.exit_code, result.stdout) == (1, "")
    assert "FLY_API_TOKEN" in result.stderr


def test_what_a_failed_run_has_is_answered(call: Any, cli: Cli, emulator: Emulator) -> None:
    cli.environ = {"FLY_API_TOKEN": "t", "FLY_FLAPS_BASE_URL": str(emulator.url)}
    result = call("postgres", "provision", request())
    assert result.exit_code == 1
    (entry,) = json.loads(result.stdout)["shared"].values()
    assert set(entry) == {"app", "password"}
    assert "FLY_REGION" in result.stderr


def test_a_database_is_made_and_taken_away(call: Any, cli: Cli, emulator: Emulator) -> None:
    cli.environ = {
        "FLY_API_TOKEN": "t",
        "FLY_FLAPS_BASE_URL": str(emulator.url),
        "FLY_REGION_NAME": "lhr",
    }
    made = call("postgres", "provision", request())
    assert made.exit_code == 0, made.stderr
    answer = made.json
    assert set(answer) == {"state", "values", "secrets", "shared"}
    assert answer["secrets"]["password"] not in made.stderr
    assert "creating app pfx-pg-" in made.stderr
    machine = next(iter(emulator.world.machines.values()))
    assert machine.region == "lhr"

    gone = call("postgres", "deprovision", request(state=answer["state"], shared=answer["shared"]))
    assert gone.exit_code == 0, gone.stderr
    assert gone.json == {"shared": {"builtin-provisioners-postgres": None}}
    assert not emulator.world.apps


def test_commands_carry_no_password(call: Any, cli: Cli, emulator: Emulator) -> None:
    cli.environ = {
        "FLY_API_TOKEN": "t",
        "FLY_FLAPS_BASE_URL": str(emulator.url),
        "FLY_REGION_NAME": "lhr",
    }
    answer = call("postgres", "provision", request()).json
    (entry,) = answer["shared"].values()
    runner = emulator.exec_runner
    assert isinstance(runner, Executed)
    for execution in runner.executions:
        for password in (entry["password"], answer["secrets"]["password"]):
            assert password not in " ".join(execution.command)
            assert password not in execution.stdin
        assert "CREATE" not in " ".join(execution.command)
        assert "CREATE DATABASE" in execution.stdin


# --- files of provisioners


def test_init_installs_files_that_generate_uses(cli: Cli, tmp_path: Path) -> None:
    cli.environ = {"KEY": "s3cr3t-value"}
    (tmp_path / "mine.yaml").write_text(FILE)
    (tmp_path / "score.yaml").write_text(SCORE)
    made = cli("init", "--fly-app-prefix", "pfx-", "--provisioners", "mine.yaml", "--json")
    assert made.exit_code == 0, made.stderr
    (installed,) = made.json["provisioners"]
    assert installed.endswith(".mine.provisioners.yaml")
    result = cli("generate", "score.yaml", "--secrets-file", "-")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == "KEY=s3cr3t-value\n"
    assert "pfx-shop.internal" in (tmp_path / "fly_shop.toml").read_text()
    assert "s3cr3t-value" not in (tmp_path / ".score-flyio/state.yaml").read_text()


def test_a_wrong_file_is_not_installed(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text(FILE)
    (tmp_path / "bad.yaml").write_text("- uri: template://x\n  type: y\n  typo: 1\n")
    result = cli(
        "init", "--fly-app-prefix=", "--provisioners", "good.yaml", "--provisioners", "bad.yaml"
    )
    assert result.exit_code == 2
    assert "bad.yaml:3: [0].typo" in result.stderr
    assert not list((tmp_path / ".score-flyio").glob("*.provisioners.yaml"))


def test_a_broken_file_of_the_project_is_named(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "score.yaml").write_text(SCORE)
    assert cli("init", "--fly-app-prefix=").exit_code == 0
    (tmp_path / ".score-flyio" / "a.provisioners.yaml").write_text("- 1\n")
    result = cli("generate", "score.yaml")
    assert result.exit_code == 2
    assert ".score-flyio/a.provisioners.yaml:1" in result.stderr


def test_provisioners_of_files_are_listed_and_built_in_ones_are_not(
    cli: Cli, tmp_path: Path
) -> None:
    assert cli("init", "--fly-app-prefix=").exit_code == 0
    assert cli("provisioners", "list").stdout == ""
    (tmp_path / ".score-flyio" / "a.provisioners.yaml").write_text(FILE)
    listed = cli("provisioners", "list").stdout
    assert listed == (
        "[0]: template://mine/thing (thing.#) IN-PROCESS .score-flyio/a.provisioners.yaml\n"
    )
    (document,) = cli("provisioners", "list", "--json").json
    assert document["in_process"] == {"source": ".score-flyio/a.provisioners.yaml"}


@pytest.mark.parametrize("kind", ["postgres", "postgres-instance"])
def test_a_built_in_provisioner_added_without_its_mode_is_told_it(cli: Cli, kind: str) -> None:
    assert cli("init", "--fly-app-prefix=").exit_code == 0
    args = ("--cmd-binary", "/bin/sh", "--cmd-args", f"builtin-provisioners,{kind}")
    assert cli("provisioners", "add", "pg", "postgres", *args).exit_code == 0
    (document,) = cli("provisioners", "list", "--json").json
    assert list(document["cmd"]["args"])[1:] == [kind, "$SCORE_PROVISIONER_MODE"]
