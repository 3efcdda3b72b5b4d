"""Flags and variables that users of flyctl have in their scripts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, TOKEN, WEB, Platform, platform, project, use

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


@pytest.mark.parametrize("kind", ["local", "secret"])
def test_a_file_from_nothing_is_refused(cli: Cli, served: Platform, kind: str) -> None:
    done = cli("deploy", *APP, FAST, f"--file-{kind}", "/a=")
    assert (done.exit_code, served.emulator.journal.entries) == (2, [])
    assert f"--file-{kind} /a=: it names no" in done.stderr


def test_an_option_that_fly_would_refuse_is_told_once(cli: Cli, served: Platform) -> None:
    del served
    for command in ("plan", "deploy"):
        done = cli(command, *APP, "--vm-memory", "300")
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
        assert line.count("300 MB are no memory") == 1
        assert done.stderr.partition("Error: ")[2].count("300 MB are no memory") == 1
        assert done.stderr.endswith("(use 256mb or 512mb)\n")


def test_options_of_flyctl_that_mean_nothing_here_are_taken_or_refused_with_the_way_out(
    cli: Cli, served: Platform
) -> None:
    taken = ("--now", "--dns-checks=false", "--depot=false", "--wg=false", "--recreate-builder")
    for command in ("plan", "deploy"):
        assert cli(command, *APP, *taken).exit_code == 0
    first = len(served.emulator.journal.entries)
    refused = {("--nixpacks",): "Dockerfile", ("--signal", "SIGINT"): "kill_signal"}
    refused |= {("--vm-gpu-kind=a10",): "GPU", ("--from-manifest", "f"): "FILE.plan"}
    for options, told in refused.items():
        done = cli("deploy", *APP, *options)
        assert done.exit_code == 2, done.stderr
        assert told in done.stderr.rpartition("Hint: ")[2]
    assert len(served.emulator.journal.entries) == first


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


BROKEN = "app = 'x'\n[env\nA = 1\n"
WRONG = FLY_TOML + "[[vm]]\nsize = 'perf-3x'\n[[restart]]\npolicy = 'sometimes'\n"


@pytest.mark.parametrize(
    ("text", "reasons"),
    [
        (BROKEN, ["  refused.toml:2: not TOML: expected ']' at the end of a table declaration: [env"]),
        (WRONG, ["  refused.toml:10: restart[0].policy: unknown policy 'sometimes'"]),
        (WRONG.replace("sometimes", "always"), ["  refused.toml:8: vm[0].size: Fly has no machine size 'perf-3x' (use one of performance-1x, "]),
        (FLY_TOML.replace("ams", "amz"), ["  refused.toml:2: primary_region: Fly has no region 'amz' (use ams"]),
    ],
)  # fmt: skip
def test_a_refused_file_is_told_in_the_plan(
    cli: Cli, served: Platform, text: str, reasons: list[str]
) -> None:
    del served
    Path("refused.toml").write_text(text)
    result = cli("plan", "-c", "refused.toml")
    assert result.exit_code == 2
    first, *told = result.stdout.splitlines()
    assert first.endswith(": refused, nothing would be done")
    assert all(any(line.startswith(reason) for line in told) for reason in reasons)
    assert "nothing to do" not in result.stdout
    document = cli("plan", "-c", "refused.toml", "--json").json
    assert not document["empty"]
    (failure,) = document["failures"]
    assert failure["problems"][0]["file"] == "refused.toml"


def test_a_plan_that_cannot_be_made_has_an_exit_code_of_its_own(cli: Cli, served: Platform) -> None:
    del served
    Path("refused.toml").write_text(BROKEN)
    detailed = ("--detailed-exitcode",)
    assert cli("plan", *APP, *detailed).exit_code == 2
    assert cli("plan", *APP, "-c", "refused.toml", *detailed).exit_code == 1
    assert cli("plan", "-c", "refused.toml", *detailed).exit_code == 1
    assert cli("deploy", *APP, FAST).exit_code == 0
    assert cli("plan", *APP, *detailed).exit_code == 0
    both = cli("plan", *APP, "-c", "refused.toml")
    assert both.exit_code == 2
    assert both.stdout.splitlines()[:2] == [
        "by-hand: nothing to do",
        "refused.toml: refused, nothing would be done",
    ]


def test_variables_that_look_secret_are_warned_of_wherever_they_stand(
    cli: Cli, served: Platform
) -> None:
    del served
    told = "looks like a secret"
    Path("fly.toml").write_text(FLY_TOML + "[env]\nAPI_KEY = 'x'\nAWS_ACCESS_KEY_ID = 'y'\n")
    options = ("-e", "DB_PASSWORD=x", "-e", "LEVEL=x")
    planned = cli("plan", *APP, *options)
    assert f"note: fly.toml:8: env.API_KEY: {told}" in planned.stdout
    assert f"note: --env: DB_PASSWORD {told}" in planned.stdout
    assert planned.stdout.count(told) == 2
    done = cli("deploy", *APP, *options, FAST, "--events", "events.jsonl")
    assert done.stderr.count(told) == 2
    assert Path("events.jsonl").read_text().count(told) == 2
    project(cli, {"web.yaml": WEB.replace("LEVEL: info", "MY_SECRET: info")})
    planned = cli("plan", "web.yaml")
    line = 1 + next(n for n, text in enumerate(WEB.splitlines()) if "LEVEL: info" in text)
    where = f"web.yaml:{line}: containers.web.variables.MY_SECRET"
    assert f"note: {where}: {told}" in planned.stdout.replace("main", "web")
