"""Help, version, global options, usage errors."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import asyncclick as click
import pytest

from score_flyio import __version__
from score_flyio.cli.command import Invocation
from score_flyio.cli.context import CliContext
from score_flyio.cli.examples import ELSEWHERE, EXAMPLES
from score_flyio.cli.main import _finish, _parse, root
from score_flyio.cli.table import COMMANDS
from tests.cli.conftest import Cli

FakeCommand = Callable[[Callable[..., Any]], None]


@pytest.mark.parametrize("args", [["--help"], ["-h"], []])
def test_help_lists_every_command(cli: Cli, args: list[str]) -> None:
    result = cli(*args)
    assert result.exit_code == 0
    listed = {line.split()[0] for line in result.stdout.splitlines() if line.startswith("  ")}
    assert listed >= set(COMMANDS)


@pytest.mark.parametrize(
    ("args", "usage"),
    [([], ""), (["generate"], " generate"), (["provisioners", "add"], " provisioners add")],
)
def test_help_is_a_command_too(cli: Cli, args: list[str], usage: str) -> None:
    result = cli("help", *args)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"Usage: score-flyio{usage} [OPTIONS]")


@pytest.mark.parametrize("args", [["\udcff"], ["generate", "a\udcffb.yaml", "--json"]])
def test_arguments_that_are_not_text_are_refused(cli: Cli, args: list[str]) -> None:
    result = cli(*args)
    assert result.exit_code == 2
    assert "udcff" in result.stderr
    assert "is not UTF-8 text" in result.stderr


def paths() -> list[str]:
    found = []
    for name in COMMANDS:
        command = root.get_command(click.Context(root), name)
        inner = list(command.commands) if isinstance(command, click.Group) else []
        found += [f"{name} {each}" for each in inner] or [name]
    return found


def test_every_command_has_examples_that_parse(cli: Cli) -> None:
    assert sorted(EXAMPLES) == sorted(["", *paths()])
    for path, examples in EXAMPLES.items():
        shown = cli(*path.split(), "--help").stdout
        for line in (f"{path} {rest}".strip() for rest, _ in examples):
            assert f"  score-flyio {line}\n" in shown
            assert len(f"  score-flyio {line}") <= 80 or path == "completion"
            words = shlex.split(line.split(" <")[0].split(" >")[0] if "'>" not in line else line)
            assert isinstance(_finish(_parse(words, {})), Invocation), line


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_what_people_type_of_other_tools_is_answered(cli: Cli, name: str) -> None:
    assert name not in COMMANDS
    result = cli(name, "web", "--force")
    assert result.exit_code == 2
    assert f"there is no command {name!r}; instead: {ELSEWHERE[name]}" in result.stderr


def test_options_of_deploy_are_in_groups(cli: Cli) -> None:
    shown = cli("deploy", "--help").stdout
    titles = [line.rstrip(":") for line in shown.splitlines() if line.endswith(":")]
    assert "Options" not in titles
    assert titles[0] == "Examples"
    assert titles[-1] == "Global options"
    assert {"What is deployed", "Where to", "Which machines", "Images", "Consent"} <= set(titles)
    assert len(titles) == len(set(titles))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_listed_command_has_help(cli: Cli, name: str) -> None:
    result = cli(name, "--help")
    assert result.exit_code == 0
    assert f"Usage: score-flyio {name}" in result.stdout
    assert "--state URL" in result.stdout


@pytest.mark.parametrize("args", [["--version"], ["-v"], ["-q", "--version"], ["config", "-v"]])
def test_version(cli: Cli, args: list[str]) -> None:
    assert cli(*args).stdout == f"score-flyio {__version__}\n"


@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_version_of_the_process(flag: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "score_flyio", flag], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"score-flyio {__version__}\n"


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["complation"], "there is no command 'complation'; did you mean 'completion'?"),
        (["secrets", "lst"], "there is no command 'secrets lst'; did you mean 'secrets list'?"),
        (["secrets", "quux"], "there is no command 'secrets quux'\n"),
        (["--bla"], "there is no option --bla\nHint: see score-flyio --help"),
        (["deploy", "--stratgy", "x"], "--stratgy\nHint: did you mean --strategy? see score"),
        (["deploy", "-e"], "-e needs a value\nHint: see score-flyio deploy --help"),
        (["deploy", "--no-ha=1"], "--no-ha takes no value"),
        (["deploy", "--env", "A"], "--env: it must have the form NAME=VALUE"),
        (["deploy", "--jobs", "0"], "--jobs: '0' is not a whole number from 1 up"),
        (["deploy", "--volume-initial-size", "501"], "'501' is not a whole number from 1 to 500"),
        (["rollback", "--to", "abc"], "--to: 'abc' is not a whole number from 1 up"),
        (["rollback", "--to", "9" * 5000], "is not a whole number from 1 up"),
        (["completion"], "SHELL is missing"),
        (["completion", "tcsh"], "SHELL: 'tcsh' is not one of"),
        (["completion", "bash", "more"], "unexpected argument 'more'"),
        (["-q"], "a command is missing"),
        (["secrets", "-q"], "a command is missing"),
    ],
)
def test_wrong_usage_ends_with_2_and_says_what_is_wrong(
    cli: Cli, args: list[str], told: str
) -> None:
    result = cli(*args)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert told in result.stderr
    assert result.stderr.startswith("Usage: score-flyio")


def test_wrong_usage_as_json(cli: Cli, fake_command: FakeCommand) -> None:
    fake_command(lambda _cli, **_: None)
    result = cli("fake", "--json", "--bla")
    assert result.exit_code == 2
    assert result.json["error"]["code"] == "cli_usage"
    assert "--bla" in result.json["error"]["message"]


@pytest.mark.parametrize(
    ("args", "environ", "expected"),
    [
        ([], {}, (False, False, None)),
        (["--debug"], {}, (True, False, None)),
        (["--debug=true", "-q=1"], {}, (True, True, None)),
        (["--debug=false", "--state=s3://b/k"], {}, (False, False, "s3://b/k")),
        ([], {"SCORE_FLYIO_DEBUG": "true"}, (True, False, None)),
        ([], {"SCORE_FLYIO_DEBUG": "false"}, (False, False, None)),
        (["-q"], {}, (False, True, None)),
        (["--state", "s3://b/k"], {}, (False, False, "s3://b/k")),
        ([], {"SCORE_FLYIO_STATE": "s3://b/e"}, (False, False, "s3://b/e")),
        (["--state", "s3://b/k"], {"SCORE_FLYIO_STATE": "s3://b/e"}, (False, False, "s3://b/k")),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_global_options_stand_before_or_after_the_command(
    cli: Cli,
    fake_command: FakeCommand,
    args: list[str],
    environ: dict[str, str],
    expected: tuple[bool, bool, str | None],
    before: bool,
) -> None:
    seen: list[CliContext] = []

    async def callback(context: CliContext, text: str | None) -> None:
        seen.append(context)

    fake_command(callback)
    cli.environ.update(environ)
    assert cli(*(args if before else []), "fake", *([] if before else args)).exit_code == 0
    (context,) = seen
    assert (context.output.debug, context.output.quiet, context.state) == expected
    assert context.directory == cli.directory


def test_option_values_that_look_like_global_options_are_values(
    cli: Cli, fake_command: FakeCommand
) -> None:
    seen = []

    async def callback(context: CliContext, text: str | None) -> None:
        seen.append((text, context.output.debug))

    fake_command(callback)
    assert cli("fake", "--text=--debug").exit_code == 0
    assert cli("fake", "--text", "--debug=false").exit_code == 0
    assert seen == [("--debug", False), ("--debug=false", False)]


def test_result_is_json_or_text(cli: Cli, fake_command: FakeCommand) -> None:
    async def callback(context: CliContext, text: str | None) -> int:
        context.output.info("on stderr")
        context.output.result({"a": [1]}, "a: 1")
        return 2

    fake_command(callback)
    plain = cli("fake")
    assert (plain.exit_code, plain.stdout, plain.stderr) == (2, "a: 1\n", "INFO: on stderr\n")
    assert cli("fake", "--json").json == {"a": [1]}
    assert cli("fake", "-q").stderr == ""
