"""Flags and variables that users of flyctl have in their scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, TOKEN, Platform, platform, use

FAST = "--no-smoke-checks"
APP = ("-c", "fly.toml")


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        Path("fly.toml").write_text(FLY_TOML)
        yield running


def test_a_token_as_an_option_counts_more_than_the_environment(cli: Cli, served: Platform) -> None:
    del served
    cli.environ["FLY_ACCESS_TOKEN"] = "no token"
    cli.environ.pop("FLY_API_TOKEN", None)
    for name in ("-t", "--access-token"):
        result = cli("deploy", *APP, FAST, name, TOKEN)
        assert result.exit_code == 0, result.stderr
        assert TOKEN not in result.stdout + result.stderr
    assert cli("deploy", *APP, FAST).exit_code == 2
    refused = cli("deploy", *APP, FAST, "--access-token", "no token")
    assert (refused.exit_code, "no token" in refused.stderr) == (2, False)


def test_an_empty_token_is_none_given(cli: Cli, served: Platform) -> None:
    del served
    assert cli("deploy", *APP, FAST, "--access-token", "").exit_code == 0


def test_the_variable_for_the_app_replaces_that_of_the_file(cli: Cli, served: Platform) -> None:
    cli.environ["FLY_APP"] = "by-variable"
    assert cli("deploy", *APP, FAST, "--no-ha").exit_code == 0
    assert len(served.machines("by-variable")) == 1
    shown = cli("status", *APP, "--json").json
    assert [app["app"] for app in shown["apps"]] == ["by-variable"]
    assert cli("scale", *APP, "2", FAST).exit_code == 0
    assert len(served.machines("by-variable")) == 2
    assert cli("config", "diff", *APP).stdout == "by-variable runs as fly.toml says\n"
    assert cli("config", "save", "-c", "saved.toml").exit_code == 0
    assert "by-variable" in Path("saved.toml").read_text()


def test_an_option_for_the_app_counts_more(cli: Cli, served: Platform) -> None:
    cli.environ["FLY_APP"] = "by-variable"
    assert cli("deploy", *APP, "--app", "by-option", FAST, "--no-ha").exit_code == 0
    assert len(served.machines("by-option")) == 1


def test_everything_of_flyctl_at_once(cli: Cli, served: Platform) -> None:
    result = cli(
        *("deploy", *APP, FAST, "--no-ha", "--deploy-retries", "auto", "--label", "a=b"),
        *("--process-groups", "app", "--volume-initial-size=3", "--file-literal", "/etc/a=b"),
    )
    assert result.exit_code == 0, result.stderr
    (machine,) = served.machines("by-hand")
    assert machine["config"]["files"] == [{"guest_path": "/etc/a", "raw_value": "Yg=="}]
    result = cli("deploy", *APP, "--update-only", "--only-machines", machine["id"], FAST)
    assert result.exit_code == 0, result.stderr
    refused = cli("plan", *APP, "--exclude-machines", "none")
    assert (refused.exit_code, "--exclude-machines: app by-hand has no machine" in refused.stderr) == (2, True)  # fmt: skip
