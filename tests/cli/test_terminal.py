"""The real command on a terminal, against a served emulator: what its screen shows."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import TOKEN, WEB, WORKER, Platform, platform, project, use
from tests.cli.screen import Shown, on_a_terminal

PLAIN = """\
apiVersion: score.dev/v1b1
metadata: {name: plain}
containers: {main: {image: nginx}}
"""
WITH_RESOURCE = f"""{PLAIN}
resources: {{db: {{type: thing}}}}
"""
DEPLOY = ("deploy", "--no-smoke-checks")
WIDTHS = pytest.mark.parametrize("columns", [80, 120])


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        project(cli, {"web.yaml": WEB, "worker.yaml": WORKER})
        yield running


def run(cli: Cli, *arguments: str, columns: int = 80, **more: str) -> Shown:
    """A command line at the platform of the test."""
    return on_a_terminal(cli.directory, *arguments, columns=columns, environ=cli.environ | more)


def steady(lines: list[str]) -> list[str]:
    """Lines without what differs from run to run: times, ids, digests, ports, padding."""
    patterns: Mapping[str, str] = {
        r"\b\d+(\.\d)? ?s\b": "TIME",
        r"\d\d:\d\d:\d\d": "CLOCK",
        r"\b[0-9a-f]{14}\b": "MACHINE",
        r"127\.0\.0\.1:\d+": "ADDRESS",
        r"(?<=\S) {2,}": "  ",
    }
    text = "\n".join(lines)
    for pattern, put in patterns.items():
        text = re.sub(pattern, put, text)
    return text.split("\n")


@pytest.mark.parametrize("text", [PLAIN, WITH_RESOURCE], ids=["plain", "with a resource"])
def test_generate_draws_its_board(tmp_path: Path, text: str) -> None:
    (tmp_path / "score.yaml").write_text(text)
    assert on_a_terminal(tmp_path, "init", "--fly-app-prefix", "x-", "--file=").code == 0
    add = ("provisioners", "add", "t", "thing", "--static-json", "{}")
    assert on_a_terminal(tmp_path, *add).code == 0
    shown = on_a_terminal(tmp_path, "generate", "score.yaml")
    assert shown.code == 0, shown
    assert "\x1b[J" in shown.raw
    assert (tmp_path / "fly_plain.toml").exists()


@WIDTHS
def test_a_deploy_leaves_its_board_and_its_end(cli: Cli, served: Platform, columns: int) -> None:
    shown = run(cli, *DEPLOY, "web.yaml", "worker.yaml", columns=columns)
    assert shown.code == 0, shown.raw
    assert steady(shown.screen) == [
        "CLOCK target: http://ADDRESS",
        "web  done  TIME",
        "  MACHINE  started in iad  1/1 checks  TIME",
        "  MACHINE  started in iad  1/1 checks  TIME",
        "worker  done  TIME",
        "  MACHINE  started in iad  TIME",
        "web (app x-web): done",
        "  release 1; 2 machines: 2 started; wrote fly_web.toml",
        "worker (app x-worker): done",
        "  release 1; 2 machines: 1 started, 1 stopped; wrote fly_worker.toml",
        "done in TIME",
    ]
    assert "\x1b[32mdone" in shown.raw
    at_work = re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", shown.raw).replace("\r", "").split("\n")
    assert any(re.match(r"\d of 2 workloads finished, .* steps", line) for line in at_work)


def test_tables_are_as_wide_as_the_terminal(cli: Cli, served: Platform) -> None:
    assert cli(*DEPLOY, "web.yaml", "worker.yaml").exit_code == 0
    shown = {wide: run(cli, "status", columns=wide).screen for wide in (80, 120)}
    assert max(map(len, shown[80])) <= 80
    wide = steady(shown[120])
    assert "  MACHINE  GROUP  REGION  STATE  CHECKS  RELEASE  IMAGE" in wide
    assert wide.count("  MACHINE  app  iad  started  1/1  1  nginx:1") == 2
    assert "  MACHINE  app  iad  stopped  -  1  busybox:1  standby for MACHINE" in wide
    found = run(cli, "releases", columns=120)
    digest = r"@sha256:[0-9a-f]{12}"
    assert re.fullmatch(
        rf"web +1 +(just now|\d+ minutes? ago) +app +2 +nginx{digest} +state, machines, versions",
        found.screen[-2],
    )
    exact = cli("releases", "web", "--json").json[0]["releases"][0]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", exact["at"])
    assert len(exact["image"].partition("@sha256:")[2]) == 64


@pytest.mark.parametrize(
    ("columns", "environ", "board"),
    [(80, {"NO_COLOR": "1"}, True), (40, {}, False), (80, {"TERM": "dumb"}, False)],
    ids=["no colours", "narrow", "dumb"],
)
def test_terminals_that_show_less(
    cli: Cli, served: Platform, columns: int, environ: dict[str, str], board: bool
) -> None:
    shown = run(cli, *DEPLOY, "worker.yaml", columns=columns, **environ)
    assert shown.code == 0, shown.raw
    assert not re.search(r"\x1b\[[\d;]*m", shown.raw)
    assert ("\x1b" in shown.raw) == board
    assert any("worker (app x-worker): done" in line for line in shown.screen)


@WIDTHS
def test_who_holds_a_machine_is_on_the_board(cli: Cli, served: Platform, columns: int) -> None:
    assert cli(*DEPLOY, "web.yaml").exit_code == 0
    machine = served.machines("x-web")[0]["id"]
    lease = f"{served.url}/v1/apps/x-web/machines/{machine}/lease"
    headers = {"authorization": f"Bearer {TOKEN}"}
    given = httpx.post(lease, headers=headers, json={"ttl": 300, "description": "theirs"}).json()
    headers["fly-machine-lease-nonce"] = given["data"]["nonce"]
    seen: list[str] = []

    def meanwhile(_process: subprocess.Popen[bytes], shown: str) -> None:
        told = re.search(rf"{machine}  waiting for its lease: .*", shown)
        if told and not seen:
            seen.append(told[0].split("\r")[0])
            httpx.delete(lease, headers=headers).raise_for_status()

    shown = on_a_terminal(
        cli.directory,
        *DEPLOY,
        "web.yaml",
        "--env",
        "LEVEL=debug",
        columns=columns,
        environ=cli.environ,
        meanwhile=meanwhile,
    )
    assert shown.code == 0, shown.raw
    assert "currently held by" in seen[0]
    assert "waiting for its lease" not in "".join(shown.screen)


def test_ctrl_c_leaves_no_stale_line(cli: Cli) -> None:
    with platform(boot=120) as served:
        use(cli, served)
        project(cli, {"web.yaml": WEB})

        def meanwhile(process: subprocess.Popen[bytes], shown: str) -> None:
            if "in iad" in shown and not sent:
                sent.append(True)
                os.kill(process.pid, signal.SIGINT)

        sent: list[bool] = []
        shown = on_a_terminal(
            cli.directory, *DEPLOY, "web.yaml", environ=cli.environ, meanwhile=meanwhile
        )
        assert shown.code == 130, shown.raw
        assert sum(line.startswith("web  ") for line in shown.screen) == 1
        assert sum(line.startswith("web (app x-web): interrupted") for line in shown.screen) == 1
        assert not any("workloads finished" in line for line in shown.screen)
