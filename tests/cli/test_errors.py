"""What the command line says and returns when something goes wrong."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from score_flyio import errors
from score_flyio.cli.context import CliContext
from score_flyio.cli.exit_codes import describe
from score_flyio.errors import Problem
from score_flyio.net import in_flight
from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, WEB, platform, use
from tests.integration.state_servers import web_server

FakeCommand = Callable[[Callable[..., Any]], None]

PROBLEMS = (
    Problem(message="no image", file="score.yaml", line=3, path=("containers", "main", "image")),
    Problem(
        message="port is 0",
        file="score.yaml",
        path=("service", "ports", "web"),
        hint="use 1 to 65535",
    ),
)


def failing(error: BaseException) -> Callable[..., Any]:
    async def callback(_cli: CliContext, text: str | None) -> None:
        raise error

    return callback


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (errors.ScoreFlyError("it broke"), 1, "failed"),
        (errors.UsageError("no such thing"), 2, "cli_usage"),
        (errors.ConfigError("bad value"), 2, "config_invalid"),
        (errors.HealthCheckFailed("machine sick"), 3, "unhealthy"),
        (errors.StateLocked("locked by run 7"), 4, "state_locked"),
        (
            errors.ProvisionFailed("no database", uid="postgres.default#web.db"),
            1,
            "provisioner_failed",
        ),
        (FileNotFoundError(2, "No such file or directory", "score.yaml"), 1, "os_error"),
        (ValueError("strange"), 1, "unexpected"),
        (
            ExceptionGroup("g", [ExceptionGroup("h", [errors.StateLocked("locked")])]),
            4,
            "state_locked",
        ),
        (ExceptionGroup("g", [errors.UsageError("a"), errors.ConfigError("b")]), 2, "failed"),
        (ExceptionGroup("g", [errors.UsageError("a"), errors.StateLocked("b")]), 1, "failed"),
    ],
)
def test_exit_codes(
    cli: Cli, fake_command: FakeCommand, error: Exception, exit_code: int, code: str
) -> None:
    fake_command(failing(error))
    result = cli("fake", "--json")
    assert result.exit_code == exit_code
    assert result.json["error"]["code"] == code
    assert "Traceback" not in result.stderr
    assert "Error: " in result.stderr


def test_all_problems_are_told_with_their_places_and_mends(
    cli: Cli, fake_command: FakeCommand
) -> None:
    fake_command(failing(errors.ScoreFileError(problems=PROBLEMS)))
    result = cli("fake")
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr == (
        "Error: 2 problems\n"
        "  score.yaml:3: containers.main.image: no image\n"
        "  score.yaml: service.ports.web: port is 0 (use 1 to 65535)\n"
    )


def test_one_problem_takes_one_line(cli: Cli, fake_command: FakeCommand) -> None:
    fake_command(failing(errors.ScoreFileError(problems=PROBLEMS[:1])))
    assert cli("fake").stderr == "Error: score.yaml:3: containers.main.image: no image\n"


def test_problems_as_json(cli: Cli, fake_command: FakeCommand) -> None:
    fake_command(failing(errors.ScoreFileError("bad file", hint="fix it", problems=PROBLEMS)))
    error = cli("fake", "--json").json["error"]
    assert error["message"] == "bad file"
    assert error["hint"] == "fix it"
    assert [p["place"] for p in error["problems"]] == ["containers.main.image", "service.ports.web"]


def test_each_failure_of_a_deploy_is_told(cli: Cli, fake_command: FakeCommand) -> None:
    parts = [
        errors.ImageError("no image a:1", hint="push it"),
        errors.LeaseLost("lease of m1 lost"),
    ]
    fake_command(failing(errors.DeployError("2 of 3 workloads failed", failures=parts)))
    result = cli("fake")
    assert result.stderr == (
        "Error: 2 of 3 workloads failed\n  no image a:1\n  Hint: push it\n  lease of m1 lost\n"
    )
    codes = [f["code"] for f in cli("fake", "--json").json["error"]["failures"]]
    assert codes == ["image_failed", "lease_lost"]


def test_tracebacks_and_texts_of_libraries_show_no_credential(
    cli: Cli, fake_command: FakeCommand
) -> None:
    async def fail(_cli: CliContext, **_options: Any) -> None:
        raise ValueError("Illegal header value b'FlyV1 fm2_MARKEDMARKED\\n'")

    fake_command(fail)
    cli.environ["FLY_API_TOKEN"] = "FlyV1 fm2_MARKEDMARKED\n"
    for args in (("fake",), ("fake", "--debug"), ("fake", "--json")):
        result = cli(*args)
        assert "********" in result.stderr
        assert "MARKED" not in result.stderr + result.stdout


def test_unexpected_errors_name_the_way_to_a_traceback(cli: Cli, fake_command: FakeCommand) -> None:
    fake_command(failing(ValueError("strange")))
    quiet = cli("fake")
    assert quiet.stderr.startswith("Error: unexpected ValueError: strange\nHint: ")
    assert "--debug" in quiet.stderr
    assert "Traceback" in cli("fake", "--debug").stderr


def test_reports_of_groups_keep_every_leaf() -> None:
    failure = describe(ExceptionGroup("g", [errors.UsageError("a"), ValueError("b")]))
    assert [leaf.message for leaf in failure.failures] == ["a", "unexpected ValueError: b"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_cancel_the_command_which_cleans_up(
    cli: Cli, fake_command: FakeCommand, number: signal.Signals
) -> None:
    cleaned = []

    async def callback(_cli: CliContext, text: str | None) -> None:
        try:
            os.kill(os.getpid(), number)
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.lowlevel.checkpoint()
                cleaned.append(True)

    fake_command(callback)
    result = cli("fake", "--json")
    assert result.exit_code == 130
    assert result.json["error"]["code"] == "interrupted"
    assert cleaned == [True]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_before_an_event_loop_runs_ends_the_command_in_order(
    cli: Cli, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`generate` may need none: its lock stayed behind, and it was killed."""
    Path("web.yaml").write_text(WEB)
    assert cli("init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0

    class Interrupting(io.StringIO):
        def write(self, text: str, /) -> int:
            if "read web.yaml" in text:
                os.kill(os.getpid(), number)
            return super().write(text)

    shown = Interrupting()
    monkeypatch.setattr("sys.stderr", shown)
    before = signal.getsignal(number)
    assert cli("generate", "web.yaml").exit_code == 130
    assert shown.getvalue().endswith("Error: interrupted\n")
    assert [file.name for file in Path(".score-flyio").iterdir()] == ["state.yaml"]
    assert signal.getsignal(number) == before


def test_a_command_under_nohup_outlives_its_terminal(cli: Cli, fake_command: FakeCommand) -> None:
    async def callback(_cli: CliContext, text: str | None) -> None:
        os.kill(os.getpid(), signal.SIGHUP)
        await anyio.wait_all_tasks_blocked()

    fake_command(callback)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        assert cli("fake").exit_code == 0
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("module", ["asyncclick", "score_flyio.cli.exit_codes"])
def test_an_interrupt_between_two_imports_shows_no_traceback(module: str) -> None:
    """At the start, and once more while the end is told."""
    script = textwrap.dedent(f"""
        import sys

        class Interrupting:
            def find_spec(self, name, path=None, target=None):
                if name == {module!r}:
                    raise KeyboardInterrupt

        sys.meta_path.insert(0, Interrupting())
        sys.argv = ["score-flyio", "no-such-command"]
        from score_flyio.__main__ import main
        main()
    """)
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (130, "Error: interrupted\n")


def test_the_second_interrupt_ends_at_once() -> None:
    script = textwrap.dedent("""
        import os, signal, sys
        import anyio
        from score_flyio.cli.context import CliContext
        from score_flyio.cli.runner import run_command

        async def stubborn():
            with anyio.CancelScope(shield=True):
                while True:
                    os.kill(os.getpid(), signal.SIGINT)
                    await anyio.sleep(0.01)

        run_command(stubborn(), CliContext.build({}, {}))
    """)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=False, timeout=60
    )
    assert done.returncode == 130


def test_a_reader_that_leaves_ends_us_quietly() -> None:
    command = f"{sys.executable} -m score_flyio --help | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["plan", "deploy"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[mounts]]\nsource = "a"\n[[mounts]]\nsource = "b"', "6: mounts[1]: process group 'app' has 2 mounts"),
        ('[[statics]]\nguest_path = "public"\nurl_prefix = "/"', "5: statics[0].guest_path: 'public' is a folder of this computer"),
        ('[[vm]]\nsize = "shared-cpu-3x"', "5: vm[0].size: Fly has no machine size 'shared-cpu-3x'"),
        ('[[vm]]\nsize = "a10"\n[[vm]]\nprocesses = ["app"]\nmemory = "1Gi b"', "8: vm[1].memory: '1Gi b' is not a memory size"),
        ('[[files]]\nguest_path = "/a"\nlocal_path = "none"', "6: files[0].local_path: cannot read 'none'"),
        ('[checks.a]\ntype = "tcp"', "4: checks.a.port: "),
        ('[[machine_checks]]\nimage = "curl"', "4: machine_checks[0].command: a machine check has no command"),
        ('[[services]]\n[[services.machine_checks]]\ncommand = ["x"]\n[[services.machine_checks]]\nimage = "y"', "7: services[0].machine_checks[1].command: a machine check has no command"),
        ('[build.compose]\nfile = "none.yaml"', "5: build.compose.file: cannot read 'none.yaml'"),
    ],
)  # fmt: skip
def test_what_no_machine_can_be_made_of_is_refused_before_anything_is_made(
    cli: Cli, command: str, text: str, told: str
) -> None:
    Path("fly.toml").write_text(f'app = "demo"\n[build]\nimage = "i"\n{text}\n')
    cli.environ |= {"FLY_API_TOKEN": "t", "FLY_FLAPS_BASE_URL": "http://127.0.0.1:1"}
    result = cli(command, "--config", "fly.toml")
    assert result.exit_code == 2
    assert f"fly.toml:{told}" in result.stderr


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight, "HANGS_AFTER", 0.1)
    monkeypatch.setattr(in_flight, "LOOKS", 0.02)


@pytest.mark.usefixtures("impatient")
def test_a_call_that_hangs_is_told_of_and_one_that_waits_is_not(cli: Cli) -> None:
    (cli.directory / "fly.toml").write_text(FLY_TOML)
    with platform(faults="Apps_show, Machines_wait: latency=0.6") as served:
        use(cli, served)
        assert cli("deploy", "--config", "fly.toml", "--yes", "--no-smoke-checks").exit_code == 0
        result = cli("status", "--config", "fly.toml")
    assert result.exit_code == 0, result.stderr
    told = f"INFO: GET {served.url}/v1/apps/by-hand: no answer yet after 0.1 s"
    assert result.stderr.splitlines().count(told) == 1
    assert "/wait" not in result.stderr


@pytest.mark.usefixtures("impatient")
def test_a_place_of_the_state_that_hangs_is_told_of(cli: Cli) -> None:
    with web_server() as web:
        web.pause = 0.4
        state = f"{web.url}/state.yaml?key=hidden"
        result = cli("--state", state, "init", "--no-sample", "--fly-app-prefix", "x-")
    assert result.exit_code == 0, result.stderr
    assert f"GET {web.url}/state.yaml: no answer yet after 0.1 s" in result.stderr
    assert "hidden" not in result.stderr
