"""Operations that change what machines run are releases, of which Fly is told beside them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, TOKEN, WEB, Platform, platform, project, use

FAST = "--no-smoke-checks"
APP = ("-c", "fly.toml")
QUERY = """{ app(name: "%s") { releasesUnprocessed(first: 25) {
  nodes { id version status imageRef } } } }"""
OPERATIONS = {
    "rollback": ("rollback",),
    "size": ("scale", "--vm-memory", "512mb"),
    "set": ("secrets", "set", "KEY=value"),
    "unset": ("secrets", "unset", "OLD"),
}


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running, FLY_API_BASE_URL=running.url)
        yield running


@pytest.fixture
def deployed(cli: Cli, served: Platform) -> Platform:
    for level in ("one", "two"):
        Path("fly.toml").write_text(
            f"{FLY_TOML}[deploy]\nstrategy = 'canary'\n[env]\nLEVEL = '{level}'\n"
        )
        assert cli("deploy", *APP, FAST).exit_code == 0
    assert cli("secrets", "set", "OLD=1", "--stage", *APP).exit_code == 0
    return served


def releases(served: Platform, app: str = "by-hand") -> list[dict[str, Any]]:
    """What `fly releases` shows, newest first."""
    headers = {"authorization": f"Bearer {TOKEN}"}
    answer = httpx.post(f"{served.url}/graphql", json={"query": QUERY % app}, headers=headers)
    found: list[dict[str, Any]] = answer.json()["data"]["app"]["releasesUnprocessed"]["nodes"]
    return found


def told(served: Platform) -> dict[str, Any]:
    """The body of the last call that told of a release."""
    entries = served.emulator.journal.entries
    found: dict[str, Any] = [e.body for e in entries if e.operation == "Web_create_release"][-1]
    return found


@pytest.mark.parametrize("named", [APP, ("--app", "by-hand")], ids=["definition", "name"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_is_a_release(
    cli: Cli, deployed: Platform, operation: str, named: tuple[str, ...]
) -> None:
    result = cli(*OPERATIONS[operation], *named, FAST)
    assert result.exit_code == 0, result.stderr
    newest, *earlier = releases(deployed)
    assert (newest["version"], newest["status"], len(earlier)) == (3, "complete", 2)
    for machine in deployed.machines("by-hand"):
        metadata = machine["config"]["metadata"]
        assert metadata["fly_release_id"] == newest["id"]
        assert metadata["fly_release_version"] == "3"
    body = told(deployed)
    definition = body["definition"]
    assert definition["app"] == "by-hand"
    assert definition["primary_region"] == "ams"
    assert definition["env"]["LEVEL"] == ("one" if operation == "rollback" else "two")
    assert body["strategy"] == ("CANARY" if named is APP else "ROLLING")
    assert definition.get("deploy", {}).get("strategy") == ("canary" if named is APP else None)
    if operation == "size":
        assert definition["vm"][0]["memory"] == "512mb"


@pytest.mark.parametrize("operation", ["set", "unset"])
def test_a_definition_that_was_never_deployed_is_not_told(
    cli: Cli, deployed: Platform, operation: str
) -> None:
    """It was edited since, or others deployed another one."""
    Path("fly.toml").write_text(f"{FLY_TOML}[env]\nLEVEL = 'three'\n")
    assert cli(*OPERATIONS[operation], *APP, FAST).exit_code == 0
    assert told(deployed)["definition"]["env"]["LEVEL"] == "two"


def test_flyctls_number_is_the_one_that_is_remembered(cli: Cli, served: Platform) -> None:
    project(cli, {"web.yaml": WEB})
    assert cli("deploy", "web.yaml", FAST).exit_code == 0
    headers = {"authorization": f"Bearer {TOKEN}"}
    for _ in range(4):  # somebody else's releases
        url = f"{served.url}/api/v1/releases"
        httpx.post(url, json={"app_name": "x-web"}, headers=headers).raise_for_status()
    assert cli("secrets", "set", "KEY=value", FAST).exit_code == 0
    assert {m["config"]["metadata"]["fly_release_version"] for m in served.machines("x-web")} == {
        "6"
    }
    (item,) = cli("releases", "web", "--json").json
    assert [(r["version"], r["remembered"]) for r in item["releases"]] == [(6, True), (1, True)]


@pytest.mark.parametrize(
    "command",
    [
        ("scale", "3"),
        ("scale", "--vm-memory", "256mb"),
        ("secrets", "set", "KEY=value", "--stage"),
        ("secrets", "set", "KEY=value", "--no-release-record"),
        ("rollback", "--no-release-record"),
        ("scale", "--vm-memory", "512mb", "--no-release-record"),
        ("rollback", "--dry-run"),
    ],
    ids=" ".join,
)
def test_what_is_no_release(cli: Cli, deployed: Platform, command: tuple[str, ...]) -> None:
    result = cli(*command, *APP, FAST)
    assert result.exit_code == 0, result.stderr
    assert [one["version"] for one in releases(deployed)] == [2, 1]


@pytest.mark.parametrize("fault", ["500", "404", "lost"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_list_that_fails_changes_nothing(cli: Cli, operation: str, fault: str) -> None:
    with platform(faults=f"Web_create_release: {fault}") as served:
        use(cli, served, FLY_API_BASE_URL=served.url)
        for level in ("one", "two"):
            Path("fly.toml").write_text(f"{FLY_TOML}[env]\nLEVEL = '{level}'\n")
            assert cli("deploy", *APP, FAST, "--no-release-record").exit_code == 0
        cli("secrets", "set", "OLD=1", "--stage", *APP)
        result = cli(*OPERATIONS[operation], *APP, FAST)
        assert result.exit_code == 0, result.stderr
        assert "list of releases" in result.stderr
        versions = {
            m["config"]["metadata"]["fly_release_version"] for m in served.machines("by-hand")
        }
        assert versions == {"3"}


def test_a_failed_operation_is_a_failed_release(cli: Cli, served: Platform) -> None:
    ill = "[env]\nEMULATE_HEALTHY = '{}'\n[[http_service.checks]]\npath = '/'\n"
    for healthy in ("never", "always"):
        Path("fly.toml").write_text(FLY_TOML + ill.format(healthy))
        cli("deploy", *APP, FAST, "--wait-timeout", "1", "--on-failure", "keep")
    result = cli("rollback", "--to", "1", "--app", "by-hand", FAST, "--wait-timeout", "1")
    newest, *_ = releases(served)
    assert result.exit_code == 3
    assert newest["status"] == "failed"
