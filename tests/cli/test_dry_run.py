"""`--dry-run` shows what would be called, and calls nothing that changes anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fly_emulator.journal import JournalEntry
from tests.cli.conftest import Cli
from tests.cli.platform import DB, FLY_TOML, WEB, WORKER, Platform, platform, project, use

FAST = "--no-smoke-checks"


@pytest.fixture
def deployed(cli: Cli) -> Iterator[Platform]:
    with platform() as served:
        use(cli, served)
        project(cli, {"web.yaml": WEB, "worker.yaml": WORKER})
        assert cli("deploy", "web.yaml", "worker.yaml", FAST).exit_code == 0
        Path("web.yaml").write_text(WEB.replace("info", "debug"))
        assert cli("deploy", "web.yaml", FAST).exit_code == 0
        yield served


def changes(served: Platform, first: int = 0) -> list[JournalEntry]:
    entries = served.emulator.journal.entries[first:]
    return [entry for entry in entries if entry.method != "GET"]


def planned(document: Any) -> list[str]:
    """The changing calls of a plan document."""
    steps = [step for app in document["apps"] for step in app["steps"]]
    return [call for step in steps for call in step["calls"] if not call.startswith("GET ")]


COMMANDS = [
    ["scale", "web", "3"],
    ["scale", "web", "1"],
    ["scale", "web", "--vm-memory", "512mb"],
    ["rollback", "web"],
    ["secrets", "set", "web", "KEY=swordfish"],
    ["secrets", "set", "web", "KEY=swordfish", "--stage"],
    ["secrets", "unset", "web", "KEY"],
    ["secrets", "deploy", "web"],
    ["destroy", "web"],
    ["certs", "add", "web", "www.example.com"],
    ["ips", "allocate", "web", "v4"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_nothing_is_changed(cli: Cli, deployed: Platform, command: list[str]) -> None:
    state = cli("state", "pull").stdout
    before = len(changes(deployed))
    result = cli(*command, "--dry-run", "--json")
    assert result.exit_code == 0, result.stderr
    assert len(changes(deployed)) == before
    assert cli("state", "pull").stdout == state
    (app,) = result.json["apps"]
    assert app["changes"]
    assert planned(result.json)
    assert "swordfish" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["scale", "web", "3"],
        ["scale", "web", "--vm-memory", "512mb"],
        ["rollback", "web"],
        ["rollback", "web", "--strategy", "canary"],
        ["rollback", "web", "--strategy", "bluegreen", "--bluegreen-pause", "0"],
        ["secrets", "set", "web", "KEY=v"],
        ["destroy", "web", "--yes"],
        ["certs", "add", "web", "www.example.com"],
        ["ips", "allocate", "web", "v6"],
    ],
    ids=" ".join,
)
def test_what_is_shown_is_what_is_called(cli: Cli, deployed: Platform, command: list[str]) -> None:
    fast = [] if command[0] in {"certs", "ips", "destroy"} else [FAST, "--no-release-record"]
    shown = planned(cli(*command, *fast, "--dry-run", "--json").json)
    first = len(deployed.emulator.journal.entries)
    assert cli(*command, *fast).exit_code == 0
    called = [f"{e.method} {e.path.removeprefix('/v1')}" for e in changes(deployed, first)]
    kinds = {re.sub(r"machines/[0-9a-f]{14}", "machines/{machine_id}", call) for call in called}
    told = {re.sub(r"machines/[0-9a-f]{14}", "machines/{machine_id}", call) for call in shown}
    if command[0] == "destroy":  # a lease ends with its machine, and is given back where that stays
        kinds.add("DELETE /apps/x-web/machines/{machine_id}/lease")
    assert told == kinds
    fixed = [call for call in shown if "{" not in call and not call.endswith("/lease")]
    assert sorted(fixed) == sorted(
        call for call in called if call in fixed and not call.endswith("/lease")
    )


def test_the_text_is_that_of_plan_and_debug_adds_the_calls(cli: Cli, deployed: Platform) -> None:
    machine = deployed.machines("x-web")[0]["id"]
    short = cli("scale", "web", "--vm-memory", "512mb", "--dry-run").stdout
    assert re.search(rf"~ update machine of group app × 2 \(.*\b{machine}\b", short)  # noqa: RUF001
    assert short.endswith("1 app, 2 machines to update; 0 USD a month in addresses\n")
    assert "guest.memory_mb: 256 → 512" in short
    assert "POST" not in short
    long = cli("--debug", "scale", "web", "--vm-memory", "512mb", "--dry-run").stdout
    assert f"> POST /apps/x-web/machines/{machine}\n" in long
    Path("web.yaml").write_text(WEB)
    assert f"> POST /apps/x-web/machines/{machine}\n" in cli("--debug", "plan", "web.yaml").stdout


def test_a_locked_state_is_no_hindrance(cli: Cli, deployed: Platform) -> None:
    Path(".score-flyio").chmod(0o500)
    try:
        assert cli("rollback", "web", "--dry-run", "--json").json["to"] == 1
    finally:
        Path(".score-flyio").chmod(0o700)
    assert deployed.url


def test_destroying_shows_resources_too(cli: Cli) -> None:
    with platform() as served:
        use(cli, served)
        project(cli, {"db.yaml": DB})
        cli("provisioners", "add", "p", "thing", "--static-json", '{"host": "h"}')
        assert cli("deploy", "db.yaml", FAST).exit_code == 0
        result = cli("destroy", "--dry-run")
        assert "destroy app x-db-user" in result.stdout
        assert "deprovision thing.default#db-user.db" in result.stdout
        assert cli("destroy", "--dry-run", "--json").json["deprovision"] == [
            "thing.default#db-user.db"
        ]
        assert len(served.machines("x-db-user")) == 2
        served.post("/apps/x-db-user?force=true", method="DELETE")
        (resources,) = cli("destroy", "--yes", "--json").json["apps"]
        told = [resources[name] for name in ("app", "workload", "outcome")]
        assert told == [None, "resources", "done"]


def test_removing_a_certificate(cli: Cli) -> None:
    with platform() as served:
        use(cli, served)
        Path("fly.toml").write_text(FLY_TOML)
        cli("deploy", "-c", "fly.toml", FAST)
        cli("certs", "add", "-c", "fly.toml", "www.example.com")
        shown = cli("certs", "remove", "-c", "fly.toml", "www.example.com", "--dry-run", "--json")
        assert planned(shown.json) == ["DELETE /apps/by-hand/certificates/www.example.com"]
        assert len(cli("certs", "list", "-c", "fly.toml", "--json").json) == 1


def test_an_impossible_wish_is_refused_before_secrets_are_stored(
    cli: Cli, deployed: Platform
) -> None:
    result = cli("secrets", "set", "worker", "A=1", "--strategy", "bluegreen")
    assert result.exit_code == 2
    assert "needs a check in group app" in result.stderr
    assert "--strategy rolling" in result.stderr
    assert (deployed.get("/apps/x-worker/secrets")["secrets"] or []) == []
