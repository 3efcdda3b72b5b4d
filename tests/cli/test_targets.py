"""What runs on an emulator is apart from what runs for real, and a state knows its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fly_emulator.settings import Organization
from score_flyio.state.targets import folder_name
from tests.cli.conftest import Cli
from tests.cli.platform import DB, WEB, Platform, platform, project, use

FAST = "--no-smoke-checks"
RECORDING = """\
cat > /dev/null
echo "$SCORE_FLYIO_TARGET $SCORE_PROVISIONER_MODE" >> calls
printf '{"state":{"for":"%s"},"values":{"host":"%s"}}' "$SCORE_FLYIO_TARGET" "$SCORE_FLYIO_TARGET"
"""


@pytest.fixture
def real(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        project(cli, {"score.yaml": WEB, "db.yaml": DB})
        yield running


def deploy(cli: Cli, level: str, *more: str) -> None:
    Path("score.yaml").write_text(WEB.replace("LEVEL: info", f"LEVEL: {level}"))
    result = cli("deploy", "score.yaml", FAST, *more)
    assert result.exit_code == 0, result.stderr


def levels(served: Platform) -> set[str]:
    return {machine["config"]["env"]["LEVEL"] for machine in served.machines("x-web")}


def versions(cli: Cli, *more: str) -> list[int]:
    [app] = cli("releases", "--json", *more).json
    return [release["version"] for release in app["releases"]]


def state() -> Any:
    return yaml.safe_load(Path(".score-flyio/state.yaml").read_text())


def recorded(cli: Cli) -> list[str]:
    """A provisioner that notes for which target it was called; gives its notes."""
    Path("record.sh").write_text(RECORDING)
    arguments = ("--cmd-binary", "/bin/sh", "--cmd-args", str(Path("record.sh").absolute()))
    assert cli("provisioners", "add", "recorder", "thing", *arguments).exit_code == 0
    return Path("calls").read_text().splitlines() if Path("calls").exists() else []


def calls() -> list[str]:
    return Path("calls").read_text().splitlines()


def test_a_rollback_goes_to_a_release_of_the_same_target(cli: Cli, real: Platform) -> None:
    deploy(cli, "one")
    deploy(cli, "two")
    for level in ("emulated-one", "emulated-two", "emulated-three"):
        deploy(cli, level, "--emulate")
    result = cli("rollback", FAST)
    assert result.exit_code == 0, result.stderr
    assert levels(real) == {"one"}
    assert versions(cli, "--emulate") == [3, 2, 1]
    assert cli("rollback", "--emulate", FAST).exit_code == 0
    assert levels(real) == {"one"}


def test_destroying_on_an_emulator_touches_nothing_real(cli: Cli, real: Platform) -> None:
    recorded(cli)
    assert cli("deploy", "db.yaml", FAST).exit_code == 0
    before = state()["resources"]
    told = cli("deploy", "db.yaml", "--emulate", FAST)
    assert told.exit_code == 0, told.stderr
    assert "these run and may make real things: /bin/sh" in told.stderr
    assert calls() == ["fly provision", "emulator provision"]
    assert cli("resources", "get-outputs", "thing.default#db-user.db").json == {"host": "fly"}
    emulated = cli("resources", "get-outputs", "thing.default#db-user.db", "--emulate").json
    assert emulated == {"host": "emulator"}
    assert cli("destroy", "--emulate", "--yes").exit_code == 0
    assert calls() == ["fly provision", "emulator provision", "emulator deprovision"]
    assert state()["resources"] == before
    assert real.machines("x-db-user")
    assert [r["uid"] for r in cli("resources", "list", "--json").json]
    assert cli("resources", "list", "--emulate", "--json").json == []


def test_resources_of_two_targets_have_names_of_their_own(cli: Cli, real: Platform) -> None:
    recorded(cli)
    for more in ((), ("--emulate",)):
        assert cli("deploy", "db.yaml", FAST, *more).exit_code == 0
    guids = {
        next(iter(cli("resources", "list", "--json", *more).json))["guid"]
        for more in ((), ("--emulate",))
    }
    assert len(guids) == 2


def test_a_target_by_address_has_a_state_of_its_own(cli: Cli, real: Platform) -> None:
    deploy(cli, "one")
    with platform() as other:
        deploy(cli, "elsewhere", "--target", other.url)
        assert levels(other) == {"elsewhere"}
        assert levels(real) == {"one"}
        folder = Path(".score-flyio/targets") / folder_name(other.url)
        assert (folder / "state.yaml").is_file()
        assert versions(cli) == [1]
        deploy(cli, "again", "--target", f"{other.url}/v1/")
        assert versions(cli, "--target", other.url) == [2, 1]


def test_another_address_is_refused_with_both_named_and_the_way_out(
    cli: Cli, real: Platform
) -> None:
    deploy(cli, "one")
    with platform() as other:
        use(cli, other)
        for args in (("deploy", "score.yaml"), ("plan", "score.yaml"), ("scale", "web", "2")):
            result = cli(*args)
            assert result.exit_code == 2, result.stderr
            assert real.url in result.stderr
            assert other.url in result.stderr
            assert "state adopt" in result.stderr
        assert other.get("/apps/x-web/machines").get("error")
        assert cli("state", "adopt", "--yes").exit_code == 0
        deploy(cli, "two")
        assert levels(other) == {"two"}


@pytest.fixture
def two_organizations(cli: Cli) -> Iterator[Platform]:
    organizations = tuple(Organization(slug=slug, name=slug) for slug in ("acme", "umbrella"))
    with platform(organizations=organizations) as running:
        use(cli, running)
        project(cli, {"score.yaml": WEB})
        yield running


@pytest.mark.usefixtures("two_organizations")
@pytest.mark.parametrize("times", [1, 2])
def test_another_organization_is_refused_with_both_named(cli: Cli, times: int) -> None:
    for number in range(times):
        deploy(cli, f"level-{number}", "--org", "acme")
    result = cli("deploy", "score.yaml", "--org", "umbrella", FAST)
    assert result.exit_code == 2, result.stderr
    assert "'acme'" in result.stderr
    assert "'umbrella'" in result.stderr
    deploy(cli, "again", "--org", "acme")
    deploy(cli, "and again")


@pytest.mark.usefixtures("two_organizations")
def test_what_failed_is_not_remembered_as_the_place(cli: Cli) -> None:
    assert cli("deploy", "score.yaml", "--org", "no-such", FAST).exit_code == 1
    deploy(cli, "one", "--org", "acme")


def test_a_state_without_a_place_is_taken_over(cli: Cli, real: Platform) -> None:
    deploy(cli, "one")
    path = Path(".score-flyio/deployments.yaml")
    document = yaml.safe_load(path.read_text())
    del document["place"]
    path.write_text(yaml.safe_dump(document))
    deploy(cli, "two")
    assert yaml.safe_load(path.read_text())["place"]["address"] == real.url


@pytest.mark.parametrize(
    "args",
    [("workloads", "list"), ("resources", "list"), ("state", "show"), ("status",), ("releases",)],
)
def test_what_looks_takes_the_target(cli: Cli, real: Platform, args: tuple[str, ...]) -> None:
    deploy(cli, "one", "--emulate")
    result = cli(*args, "--emulate", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) is not None
