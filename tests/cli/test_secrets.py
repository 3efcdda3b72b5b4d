"""`secrets` beside other commands, and what it says of names that are odd."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import WEB, Platform, platform, project, use

FAST = "--no-smoke-checks"


@pytest.fixture
def deployed(cli: Cli) -> Iterator[Platform]:
    """Workload `web` with two machines and a secret that they have seen."""
    with platform() as running:
        use(cli, running)
        project(cli, {"web.yaml": WEB})
        assert cli("deploy", "web.yaml", FAST).exit_code == 0
        assert cli("secrets", "set", "web", "A=1", FAST).exit_code == 0
        yield running


def versions(served: Platform) -> list[str]:
    return [m["instance_id"] for m in served.machines("x-web")]


@pytest.mark.parametrize("how", [("3",), ("--vm-memory", "512mb"), ("3", "--vm-memory", "512mb")])
@pytest.mark.parametrize("again", [("set", "A=1"), ("unset", "NOPE")])
def test_machines_of_a_scale_have_seen_all_secrets(
    cli: Cli, deployed: Platform, how: tuple[str, ...], again: tuple[str, str]
) -> None:
    assert cli("scale", "web", *how, FAST).exit_code == 0
    before = versions(deployed)
    assert cli("secrets", again[0], "web", again[1], FAST).exit_code == 0
    assert versions(deployed) == before


def test_machines_of_a_scale_say_nothing_of_secrets_that_were_staged(
    cli: Cli, deployed: Platform
) -> None:
    cli("secrets", "set", "web", "A=2", "--stage")
    cli("scale", "web", "3", FAST)
    before = versions(deployed)
    assert cli("secrets", "deploy", "web", FAST).exit_code == 0
    assert set(versions(deployed)).isdisjoint(before)


@pytest.mark.parametrize("how", [(), ("--stage",), ("--dry-run",)])
def test_a_secret_that_is_not_there_to_be_unset_is_told(
    cli: Cli, deployed: Platform, how: tuple[str, ...]
) -> None:
    cli("secrets", "set", "web", "API_KEY=1", FAST)
    result = cli("secrets", "unset", "web", "APIKEY", "NOPE", *how)
    assert result.exit_code == 0
    assert "there is no secret APIKEY; did you mean API_KEY?" in result.stderr
    assert "there is no secret NOPE\n" in result.stderr
    assert "no secret A\n" not in cli("secrets", "unset", "web", "A", FAST).stderr
    assert deployed.url


def test_several_values_of_one_name_are_told_without_them(
    cli: Cli, deployed: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "WARN: K is given several values: the last one counts\n"
    result = cli("secrets", "set", "web", "K=swordfish", "K=herring", "--stage")
    assert (result.exit_code, result.stderr.count(told)) == (0, 1)
    assert "swordfish" not in result.stderr
    assert told not in cli("secrets", "set", "web", "K=herring", "K=herring", "--stage").stderr
    monkeypatch.setattr("sys.stdin", io.StringIO("K=1\nL=1\nK=2\nK=3\n"))
    assert cli("secrets", "import", "web", "--stage").stderr.count(told) == 1
    assert deployed.url
