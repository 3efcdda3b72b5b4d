"""`rollback`, `scale`, `secrets` replace machines in every way that `deploy` does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Cli, Result
from tests.cli.platform import FLY_TOML, TOKEN, Platform, platform, use

CHECK = """
[checks.alive]
type = "tcp"
port = 8080
interval = "2s"
timeout = "1s"
"""
APP = ("-c", "fly.toml")
FAST = ("--no-smoke-checks", "--bluegreen-pause", "0")
VOLUME = "[[mounts]]\nsource = 'data'\ndestination = '/data'\n"


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        yield running


def write(*, level: str = "one", strategy: str = "rolling", more: str = CHECK) -> None:
    """The fly.toml of app `by-hand`."""
    deploy = f"[deploy]\nstrategy = '{strategy}'\n"
    Path("fly.toml").write_text(f"{FLY_TOML}{deploy}[env]\nLEVEL = '{level}'\n{more}")


def deployed(cli: Cli, **about: str) -> None:
    """Deploys two releases, which differ in LEVEL; the strategy holds from then on."""
    for level in ("one", "two"):
        write(level=level, more=about.get("more", CHECK))
        done = cli("deploy", *APP, *FAST)
        assert done.exit_code == 0, done.stderr
    write(level="two", **about)


def operations(served: Platform, first: int) -> list[str]:
    return [entry.operation for entry in served.emulator.journal.entries[first:]]


def change(cli: Cli, served: Platform, *command: str) -> tuple[Result, list[str]]:
    first = len(served.emulator.journal.entries)
    return cli(*command, *FAST), operations(served, first)


OPERATIONS = {
    "rollback": ("rollback", *APP),
    "size": ("scale", *APP, "--vm-memory", "512mb"),
    "secrets": ("secrets", "set", "KEY=value", *APP),
}


@pytest.mark.parametrize("strategy", ["rolling", "immediate", "canary", "bluegreen"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_strategy(cli: Cli, served: Platform, operation: str, strategy: str) -> None:
    deployed(cli)
    before = served.machines("by-hand")
    result, calls = change(cli, served, *OPERATIONS[operation], "--strategy", strategy)
    assert result.exit_code == 0, result.stderr
    after = served.machines("by-hand")
    created = {"canary": 1, "bluegreen": 2}.get(strategy, 0)
    assert calls.count("Machines_create") == created
    assert calls.count("Machines_update") == (0 if strategy == "bluegreen" else 2)
    assert calls.count("Machines_delete") == created
    assert len(after) == 2
    assert ({m["id"] for m in after} == {m["id"] for m in before}) == (strategy != "bluegreen")
    on_their_way = {"starting", "replacing"} if strategy == "immediate" else set()
    assert {m["state"] for m in after} <= {"started"} | on_their_way
    assert not any("fly_canary" in m["config"]["metadata"] for m in after)
    assert not any(m.get("cordoned") for m in after)
    assert_done(operation, after, served)
    if operation != "rollback":  # which would go forward again
        again, calls = change(cli, served, *OPERATIONS[operation], "--strategy", strategy)
        assert again.exit_code == 0
        assert not {"Machines_create", "Machines_update", "Machines_delete"} & set(calls)


def assert_done(operation: str, machines: list[Any], served: Platform) -> None:
    configs = [machine["config"] for machine in machines]
    match operation:
        case "rollback":
            assert {config["env"]["LEVEL"] for config in configs} == {"one"}
        case "size":
            assert {config["guest"]["memory_mb"] for config in configs} == {512}
        case _:
            (secret,) = served.get("/apps/by-hand/secrets")["secrets"]
            assert secret["name"] == "KEY"
    assert {config["metadata"]["fly_release_version"] for config in configs} == {"3"}


@pytest.mark.parametrize("strategy", ["canary", "bluegreen"])
@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_strategy_of_the_definition_counts(
    cli: Cli, served: Platform, operation: str, strategy: str
) -> None:
    deployed(cli, strategy=strategy)
    result, calls = change(cli, served, *OPERATIONS[operation])
    assert result.exit_code == 0, result.stderr
    assert calls.count("Machines_create") == {"canary": 1, "bluegreen": 2}[strategy]


def test_without_a_definition_it_is_rolling(cli: Cli, served: Platform) -> None:
    deployed(cli, strategy="canary")
    _, calls = change(cli, served, "secrets", "set", "KEY=value", "--app", "by-hand")
    assert "Machines_create" not in calls
    assert calls.count("Machines_update") == 2


@pytest.mark.parametrize(
    ("strategy", "more", "part"),
    [("bluegreen", "", "needs a check"), ("bluegreen", VOLUME + CHECK, "have volumes")],
)
def test_a_definition_that_cannot_be_followed_is_told_of(
    cli: Cli, served: Platform, strategy: str, more: str, part: str
) -> None:
    deployed(cli, strategy=strategy, more=more)
    result, calls = change(cli, served, *OPERATIONS["size"])
    assert result.exit_code == 0, result.stderr
    assert part in result.stderr
    assert "rolling is used instead" in result.stderr
    assert "Machines_create" not in calls


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(
    ("strategy", "more", "part"),
    [
        ("bluegreen", "", "needs a check in group app"),
        ("bluegreen", VOLUME + CHECK, "volume cannot be in two machines"),
        ("canary", VOLUME + CHECK, "the canary would need one of its own"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_refused(
    cli: Cli, served: Platform, operation: str, strategy: str, more: str, part: str
) -> None:
    deployed(cli, more=more)
    before = served.machines("by-hand")
    result, _ = change(cli, served, *OPERATIONS[operation], "--strategy", strategy)
    assert result.exit_code == 2
    assert part in result.stderr
    assert "use --strategy rolling" in result.stderr
    assert served.machines("by-hand") == before


def test_a_deploy_refuses_a_canary_with_volumes_in_the_same_words(
    cli: Cli, served: Platform
) -> None:
    deployed(cli, more=VOLUME + CHECK)
    write(level="three", more=VOLUME + CHECK)
    result, calls = change(cli, served, "deploy", *APP, "--strategy", "canary")
    assert result.exit_code == 2
    assert "the canary would need one of its own" in result.stderr
    assert "Machines_create" not in calls


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_an_interrupted_run_left_goes_first(
    cli: Cli, served: Platform, operation: str
) -> None:
    deployed(cli)
    members = [machine["id"] for machine in served.machines("by-hand")]
    left = _one_more(served, {"fly_canary": "true"})
    result, _ = change(cli, served, *OPERATIONS[operation])
    assert result.exit_code == 0, result.stderr
    found = [machine["id"] for machine in served.machines("by-hand")]
    assert left not in found
    assert found == members


def _one_more(served: Platform, marks: dict[str, str]) -> str:
    (first, *_) = served.machines("by-hand")
    config = {**first["config"], "metadata": {**first["config"]["metadata"], **marks}}
    answer = httpx.post(
        f"{served.url}/v1/apps/by-hand/machines",
        headers={"authorization": f"Bearer {TOKEN}"},
        json={"config": config, "region": first["region"]},
    )
    found: str = answer.json()["id"]
    return found


# --- leases


def test_a_lease_of_somebody_else_is_told_with_its_holder_and_end(
    cli: Cli, served: Platform
) -> None:
    deployed(cli)
    machine = served.machines("by-hand")[0]["id"]
    lease = httpx.post(
        f"{served.url}/v1/apps/by-hand/machines/{machine}/lease",
        headers={"authorization": f"Bearer {TOKEN}"},
        json={"ttl": 500, "description": "maintenance"},
    ).json()["data"]
    result, calls = change(cli, served, *OPERATIONS["size"], "--lease-wait", "0")
    assert result.exit_code == 1
    assert lease["owner"] in result.stderr
    assert "expires at 2" in result.stderr
    assert machine in result.stderr
    assert "--lease-wait" in result.stderr
    assert calls.count("Machines_create_lease") <= 2
    assert "Machines_update" not in calls
