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


def test_all_types_that_are_served_are_listed(cli: Cli, tmp_path: Path) -> None:
    assert cli("init", "--fly-app-prefix=").exit_code == 0
    (tmp_path / ".score-flyio" / "a.provisioners.yaml").write_text(FILE)
    listed = cli("provisioners", "list", "--format", "table")
    lines = {line.split()[0]: line for line in listed.stdout.splitlines()}
    assert lines["TYPE"].split() == ["TYPE", "CLASS", "PARAMS", "OUTPUTS", "DESCRIPTION"]
    assert {"thing", "postgres", "redis", "service", "route", "volume"} <= set(lines)
    assert "host, port, username, password" in lines["redis"]
    assert "A Redis server" in lines["redis"]
    rows = json.loads(cli("provisioners", "list", "--format", "json").stdout)
    (redis,) = [row for row in rows if row["type"] == "redis"]
    assert redis["class"] == "(any)"
    assert redis["outputs"][:2] == ["host", "port"]


def test_those_that_come_with_score_flyio_can_be_turned_off(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "score.yaml").write_text(SCORE.replace("type: thing", "type: dns"))
    (tmp_path / "mine.yaml").write_text(FILE)
    started = cli("init", "--fly-app-prefix=", "--no-default-provisioners")
    assert started.exit_code == 0, started.stderr
    assert cli("provisioners", "list", "--format", "json").stdout == "[]\n"
    refused = cli("generate", "score.yaml")
    assert refused.exit_code == 2
    assert "no provisioner serves it" in refused.stderr
    assert cli("init", "--provisioners", "mine.yaml").exit_code == 0
    assert len(json.loads(cli("provisioners", "list", "--format", "json").stdout)) == 1
    assert cli("init", "--default-provisioners").exit_code == 0
    assert len(json.loads(cli("provisioners", "list", "--format", "json").stdout)) > 10


def test_a_type_that_nobody_serves_is_told_with_the_nearest(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "score.yaml").write_text(SCORE.replace("type: thing", "type: postgresql"))
    cli("init", "--fly-app-prefix=")
    refused = cli("generate", "score.yaml")
    assert refused.exit_code == 2
    assert "did you mean postgres?" in refused.stderr


def test_patch_templates_are_refused_with_the_reason(cli: Cli) -> None:
    result = cli("init", "--fly-app-prefix=", "--patch-templates", "x.yaml")
    assert result.exit_code == 2
    assert "Kubernetes manifests" in result.stderr


def test_a_folder_and_a_file_url_are_sources_and_keep_their_order(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    for name in ("a", "b", "c"):
        text = FILE.replace("mine/thing", f"mine/{name}")
        (tmp_path / "more" / f"{name}.provisioners.yaml").write_text(text)
    (tmp_path / "d.yaml").write_text(FILE.replace("mine/thing", "mine/d"))
    assert cli("init", "--fly-app-prefix=", "--provisioners", "more").exit_code == 0
    # In the same second, so that only the order of the calls tells which is newer.
    assert cli("init", "--provisioners", f"file://{tmp_path}/d.yaml").exit_code == 0
    listed = cli("provisioners", "list", "--json").json
    assert [item["id"][-1] for item in listed] == ["d", "a", "b", "c"]


PROGRAM = """\
#!/bin/sh
cat > request.json
printf '%s' '{"resource_state": {"s": 1}, "resource_outputs": {"host": "h", "key": "k"},'
printf '%s' '"shared_state": {"x": 1}, "manifests": [{"kind": "Pod"}]}'
"""


def test_a_program_for_other_tools_gets_their_request_and_is_understood(
    cli: Cli, tmp_path: Path
) -> None:
    program = tmp_path / "make-thing"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    (tmp_path / "mine.yaml").write_text("- uri: cmd://./make-thing\n  type: thing\n")
    ports = "service: {ports: {web: {port: 80, targetPort: 8080}}}\n"
    (tmp_path / "score.yaml").write_text(SCORE + ports)
    assert cli("init", "--fly-app-prefix", "p-", "--provisioners", "mine.yaml").exit_code == 0
    result = cli("generate", "score.yaml")
    assert result.exit_code == 0, result.stderr
    assert "manifests, which nothing here applies" in result.stderr
    assert 'HOST = "h"' in (tmp_path / "fly_shop.toml").read_text()
    sent = json.loads((tmp_path / "request.json").read_text())
    assert sent["source_workload"] == "shop"
    port = {"name": "web", "port": 80, "target_port": 8080, "protocol": "TCP"}
    service = sent["workload_services"]["shop"]
    assert (service["service_name"], service["ports"]["web"]) == ("p-shop", port)
    assert sent["shared_state"] == sent["shared"]


def test_a_program_that_is_missing_fails_when_it_is_used(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("- uri: cmd://not-there\n  type: thing\n")
    (tmp_path / "score.yaml").write_text(SCORE)
    assert cli("init", "--fly-app-prefix=", "--provisioners", "mine.yaml").exit_code == 0
    assert cli("provisioners", "list").exit_code == 0
    result = cli("generate", "score.yaml")
    assert result.exit_code == 1
    assert "'not-there' cannot be run" in result.stderr


@pytest.mark.parametrize("command", ["deploy", "plan"])
def test_nothing_is_made_beside_a_type_that_nobody_serves(
    cli: Cli, tmp_path: Path, command: str
) -> None:
    """A server would cost money, for a workload that cannot be deployed."""
    resources = "  db: {type: redis}\n  events: {type: kafka-topic}\n"
    text = f"{SCORE.partition('resources:')[0]}resources:\n{resources}"
    (tmp_path / "score.yaml").write_text(text)
    cli("init", "--fly-app-prefix=")
    refused = cli(command, "score.yaml", "--emulate", "--json")
    assert refused.exit_code == 2
    assert "kafka-topic" in refused.stdout
    world = tmp_path / ".score-flyio" / "emulator" / "world.json"
    assert not world.exists() or json.loads(world.read_text())["apps"] == []
    assert cli("resources", "list", "--format", "json").stdout == "[]\n"
