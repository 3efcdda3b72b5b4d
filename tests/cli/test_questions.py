"""Questions before what cannot be undone, names that are misspelt, and `deploy --dry-run`."""

from __future__ import annotations

import io
import os
import pty
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from threading import Event

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import WEB, WORKER, Platform, platform, project, use
from tests.integration.state_servers import web_server

FAST = "--no-smoke-checks"
ADD = ("add", "web", "www.example.com")


class Person(io.StringIO):
    """Somebody at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as served:
        use(cli, served)
        project(cli, {"web.yaml": WEB})
        assert cli("deploy", "web.yaml", FAST).exit_code == 0
        yield served


@pytest.mark.parametrize("answer", ["y", "", "no", "ja", "yes please"])
def test_only_yes_is_accepted(
    cli: Cli, served: Platform, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    monkeypatch.setattr("sys.stdin", Person(f"{answer}\n"))
    result = cli("destroy", "web")
    assert result.exit_code == 2
    assert "Destroy all of this?\n  Only 'yes' will be accepted to confirm." in result.stderr
    assert len(served.machines("x-web")) == 2
    if answer == "y":
        monkeypatch.setattr("sys.stdin", Person("yes\n"))
        assert cli("destroy", "web").exit_code == 0
        assert served.get("/apps/x-web").get("error")


class Interrupting(Person):
    """They end the command in place of an answer."""

    number = signal.SIGINT

    def read(self, size: int | None = -1, /) -> str:
        os.kill(os.getpid(), self.number)
        return super().read(size)

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        os.kill(os.getpid(), self.number)
        return super().readline(size)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "command",
    ["destroy web", "scale web 1", "ips allocate web v4", "secrets import web", "state push -"],
)
def test_a_signal_ends_a_wait_for_somebody_who_types(
    cli: Cli,
    served: Platform,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    number: signal.Signals,
) -> None:
    """An event loop takes note of a signal, and the line was still waited for."""
    person = Interrupting("yes\n")
    person.number = number
    monkeypatch.setattr("sys.stdin", person)
    result = cli(*command.split())
    assert result.exit_code == 130
    assert result.stderr.endswith("Error: interrupted\n")
    assert person.tell() == 0
    assert len(served.machines("x-web")) == 2
    handlers = {signal.SIGINT: signal.default_int_handler}
    assert signal.getsignal(number) == handlers.get(number, signal.SIG_DFL)


class Typist(io.TextIOWrapper):
    """Somebody at a real terminal, who does something when they are asked."""

    def __init__(self, does: Callable[[], object]) -> None:
        self.does = does
        self.screen, terminal = pty.openpty()
        super().__init__(os.fdopen(terminal, "rb"))

    def isatty(self) -> bool:
        self.does()
        return True

    def types(self, text: str) -> None:
        os.write(self.screen, text.encode())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("command", ["destroy web", "scale web 1", "state adopt"])
def test_a_signal_ends_a_question_at_a_real_terminal(
    cli: Cli,
    served: Platform,
    monkeypatch: pytest.MonkeyPatch,
    command: str,
    number: signal.Signals,
) -> None:
    with Typist(lambda: os.kill(os.getpid(), number)) as typist:
        monkeypatch.setattr("sys.stdin", typist)
        result = cli(*command.split())
        os.close(typist.screen)
    assert result.exit_code == 130
    assert result.stderr.endswith("Error: interrupted\n")
    assert len(served.machines("x-web")) == 2
    handlers = {signal.SIGINT: signal.default_int_handler}
    assert signal.getsignal(number) == handlers.get(number, signal.SIG_DFL)


@pytest.mark.parametrize(("answer", "left"), [("yes", 0), ("no", 2)])
def test_what_is_typed_at_a_real_terminal_counts(
    cli: Cli, served: Platform, monkeypatch: pytest.MonkeyPatch, answer: str, left: int
) -> None:
    with Typist(lambda: typist.types(f"{answer}\n")) as typist:
        monkeypatch.setattr("sys.stdin", typist)
        result = cli("scale", "web", "0")
        os.close(typist.screen)
    assert result.exit_code == (2 if left else 0)
    assert len(served.machines("x-web")) == left


def test_the_lock_of_a_state_elsewhere_is_renewed_while_somebody_thinks(
    cli: Cli, served: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A lock that nobody renews ends, and another run takes it."""
    monkeypatch.setattr("score_flyio.state.remote_lock.RENEW_EVERY", 0.01)
    asked, renewed = Event(), Event()
    locks: set[bytes] = set()

    def version(content: bytes) -> str:
        if asked.is_set() and b'"renewals"' in content:
            locks.add(content)
        if len(locks) > 3:
            renewed.set()
        return f'"{sha256(content).hexdigest()}"'

    def answer() -> None:
        asked.wait(60)
        typist.types("yes\n" if renewed.wait(20) else "it was not renewed\n")

    with web_server() as web, Typist(asked.set) as typist, ThreadPoolExecutor() as others:
        web.etag = version
        cli.environ["SCORE_FLYIO_STATE"] = f"{web.url}/shop.yaml"
        assert cli("init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0
        assert cli("deploy", "web.yaml", FAST).exit_code == 0
        monkeypatch.setattr("sys.stdin", typist)
        others.submit(answer)
        assert cli("destroy", "web").exit_code == 0
        os.close(typist.screen)
    assert served.get("/apps/x-web").get("error")


def test_a_large_step_is_asked_about(
    cli: Cli, served: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = cli("scale", "web", "12", FAST)
    assert refused.exit_code == 2
    assert "Create 10 machines? Nobody is there to answer." in refused.stderr
    assert cli("scale", "web", "11", "--dry-run").exit_code == 0
    monkeypatch.setattr("sys.stdin", Person("yes\n"))
    assert cli("scale", "web", "12", FAST).exit_code == 0
    assert len(served.machines("x-web")) == 12


@pytest.mark.parametrize("of", ["ips release", "certs remove"])
def test_only_who_is_there_is_asked_about_what_scripts_of_flyctl_do_without_yes(
    cli: Cli, served: Platform, monkeypatch: pytest.MonkeyPatch, of: str
) -> None:
    kind, change = of.split()
    assert cli(kind, *(("allocate", "web", "v6") if kind == "ips" else ADD)).exit_code == 0
    kept = cli(kind, "list", "web", "--json").json
    name = kept[0]["ip"] if kind == "ips" else ADD[-1]
    monkeypatch.setattr("sys.stdin", Person("no\n"))
    refused = cli(kind, change, "web", name)
    assert refused.exit_code == 2
    assert f"{name} " in refused.stderr
    assert cli(kind, "list", "web", "--json").json == kept
    monkeypatch.setattr("sys.stdin", io.StringIO())
    assert cli(kind, change, "web", name).exit_code == 0
    assert cli(kind, "list", "web", "--json").json == []
    assert served.url


def test_nobody_means_a_hundred_thousand_machines(cli: Cli, served: Platform) -> None:
    refused = cli("scale", "web", "app=100000", "--yes", FAST)
    assert refused.exit_code == 2
    assert "100,000 machines are 99,998 more than there are" in refused.stderr
    assert len(served.machines("x-web")) == 2


def test_counts_with_regions_add_up(cli: Cli, served: Platform) -> None:
    told = cli("scale", "web", "3", "--region", "ams", "--region", "fra", "--dry-run").stdout
    assert "create machine of group app × 3 (ams × 2, fra × 1)" in told  # noqa: RUF001
    assert "note: group app: 3 in ams, fra, and 2 elsewhere stay: 5 in all\n" in told
    assert "stay:" not in cli("scale", "web", "3", "--dry-run").stdout
    assert served.url


def test_misspelt_workloads_are_answered_alike(cli: Cli, served: Platform) -> None:
    lists = [[name, "list"] for name in ("secrets", "ips", "certs")]
    others = [[name] for name in ("status", "logs", "releases", "rollback", "scale")]
    commands = [*lists, *others, ["destroy", "--yes"]]
    for _ in range(2):
        for command in commands:
            result = cli(*command, "wbe")
            assert result.exit_code == 2, command
            assert "Error: there is no workload 'wbe' in the project\n" in result.stderr, command
            assert "did you mean 'web'? known workloads: " in result.stderr, command
        Path("worker.yaml").write_text(WORKER)
        assert cli("deploy", "worker.yaml", FAST).exit_code == 0
    assert served.url


def test_deploy_dry_run_is_plan(cli: Cli, served: Platform) -> None:
    options = ("web.yaml", "-e", "MORE=1", FAST)
    assert cli("deploy", *options, "--dry-run").stdout == cli("plan", *options).stdout
    assert (
        cli("deploy", *options, "--dry-run", "--json").json == cli("plan", *options, "--json").json
    )
    assert cli("deploy", "none.yaml", "--dry-run").exit_code == 2
    assert cli("plan", *options, "--out", "it.plan").exit_code == 0
    assert cli("deploy", "it.plan", "--dry-run").stdout == cli("plan", *options).stdout
    (first, *_) = served.machines("x-web")
    assert "MORE" not in first["config"]["env"]
