"""What `--json` and `--events` write keeps to the schemas that are published."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import asyncclick as click
import pytest
from jsonschema import Draft202012Validator

from score_flyio.cli.main import root
from score_flyio.cli.schemas import EVENTS, FORMS, schema_of
from score_flyio.cli.table import COMMANDS
from score_flyio.events.schema import json_schema
from tests.cli.conftest import Cli
from tests.cli.every_command import lines, write_provisioner
from tests.cli.platform import FLY_TOML, WEB, WORKER, Platform, platform, project, use

WITH_A_RESOURCE = """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers:
  main:
    image: nginx:1
    variables: {HOST: "${resources.db.host}", PASSWORD: "${resources.db.password}"}
resources:
  db: {type: thing}
"""
BROKEN = WORKER.replace("image:", "imege:")
KINDS = """
build_finished build_output build_started build_step check_changed deprovisioning_failed
deprovisioning_finished deprovisioning_started file_written image_resolved lease_acquired
lease_awaited lease_released machine_state_changed plan_ready provisioning_failed
provisioning_finished provisioning_started rate_limit_hit request_finished request_retried
rollback_finished rollback_started run_finished run_started state_saved step_failed
step_finished step_skipped step_started target_selected warning workload_finished
workload_loaded
"""
"""By which scripts know events: a class with another name would change one of them."""


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        yield running


def test_events_of_runs_fit(cli: Cli, served: Platform) -> None:
    validator = Draft202012Validator(json_schema())
    project(cli, {"web.yaml": WEB, "bad.yaml": BROKEN})
    seen = set()
    for number, files in enumerate((["web.yaml"], ["web.yaml", "bad.yaml"])):
        cli("deploy", *files, "--no-smoke-checks", "--events", f"{number}.jsonl")
        for line in Path(f"{number}.jsonl").read_text().splitlines():
            event = json.loads(line)
            assert [each.message for each in validator.iter_errors(event)] == []
            seen.add(event["kind"])
    assert {"run_started", "plan_ready", "step_finished", "run_finished"} <= seen


@pytest.mark.parametrize(
    "event",
    [
        {"kind": "no_such_kind", "seq": 1, "at": 1.0},
        {"kind": "run_started", "seq": "1", "at": 1.0},
        {"kind": "step_finished", "seq": 1, "at": 1.0},
        {"kind": "lease_released", "seq": 1, "at": 1.0, "more": True},
    ],
)
def test_other_documents_do_not_fit(event: dict[str, object]) -> None:
    assert not Draft202012Validator(json_schema()).is_valid(event)


def test_every_kind_has_its_own_schema() -> None:
    Draft202012Validator.check_schema(json_schema())
    kinds = [each["properties"]["kind"]["const"] for each in json_schema()["oneOf"]]
    assert kinds == KINDS.split()


MORE = (
    "state pull",
    "state pull kept.json",
    "state push kept.json --yes",
    "deploy score.yaml --dry-run",
    "deploy score.yaml --image nginx:2 --no-smoke-checks",
    "rollback web --no-smoke-checks",
    "deploy score.yaml --build-only",
    "deploy bad.yaml --yes",
    "scale web",
    "ips allocate web v6 --dry-run",
    "ips allocate web v6",
    "certs add web b.example.com --dry-run",
    "secrets set web MORE=1 --stage",
    "rollback web --dry-run",
    "destroy --dry-run",
)
"""Beside the lines of all commands."""
LAST = (["provisioners", "remove", "maker"],)
ELSEWHERE = {
    "emulator serve": "serves until it is ended: tests/cli/test_emulator.py",
    "state history": "needs a bucket: tests/integration/test_remote_state.py",
    "secrets import": "reads stdin: tests/cli/test_operations.py",
}


def test_every_command_prints_what_its_schema_says(cli: Cli, served: Platform) -> None:
    """`Cli` holds each document against the schema."""
    for name, text in {
        "score.yaml": WITH_A_RESOURCE,
        "fly.toml": FLY_TOML,
        "bad.yaml": BROKEN,
    }.items():
        (cli.directory / name).write_text(text)
    cli.environ["FLY_API_BASE_URL"] = served.url
    write_provisioner(cli.directory, {"values": {"host": "h"}, "secrets": {"password": "p"}})
    every = lines(cli.directory, "given")
    first = 1 + next(i for i, line in enumerate(every) if line[:2] == ["secrets", "deploy"])
    results: set[str] = set()
    address = ""
    for line in (*every[:first], *(line.split() for line in MORE), *every[first:], *LAST):
        for name in {" ".join(line[:2]), line[0]} & set(FORMS):
            result = cli(*(address if word == "2a09::1" else word for word in line), "--json")
            if result.stdout and "error" not in result.json:
                results.add(name)
            if name == "ips allocate":
                address = result.json.get("address") or address
    assert results == set(FORMS) - set(ELSEWHERE)


def with_json() -> set[str]:
    """The commands that have --json."""
    found = set()
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        children = getattr(command, "commands", None)
        every = (
            {name: command} if children is None else {f"{name} {k}": c for k, c in children.items()}
        )
        found |= {n for n, c in every.items() if c and any(p.name == "json" for p in c.params)}
    return found


def test_every_command_with_json_has_a_schema(cli: Cli) -> None:
    assert with_json() == set(FORMS)
    printed = cli("schema").json
    assert set(printed) == {*FORMS, EVENTS}
    for name, schema in printed.items():
        Draft202012Validator.check_schema(schema)
        assert schema == schema_of(name) == cli("schema", *name.split()).json
    refused = cli("schema", "completion")
    assert refused.exit_code == 2
    assert "not a command with --json" in refused.stderr


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_command_may_fail(name: str) -> None:
    problem = {"message": "m", "file": "f", "line": 1, "place": None, "hint": None, "code": "c"}
    error = {"exit_code": 2, "code": "c", "message": "m", "hint": None, "logs": [], "failures": []}
    validator = Draft202012Validator(schema_of(name))
    assert validator.is_valid({"error": {**error, "problems": [problem]}})
    assert name == "resources get-outputs" or not validator.is_valid({"error": error})
    assert name == "resources get-outputs" or not validator.is_valid({"unknown": 1})
