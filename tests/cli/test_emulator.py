"""`emulator serve`, as a process of its own."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.cli.conftest import Cli

HEADERS = {"authorization": "Bearer any"}


@contextmanager
def serving(*args: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A running emulator, and its first line."""
    command = [sys.executable, "-m", "score_flyio", "emulator", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().strip()
        finally:
            process.terminate()  # and with it what it started


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_its_url_answers_and_keeps_its_world(
    tmp_path: Path, number: signal.Signals
) -> None:
    world, journal = tmp_path / "world.json", tmp_path / "journal.jsonl"
    with serving("--world", world, "--journal", journal) as (process, url):
        created = httpx.post(
            f"{url}/v1/apps", json={"name": "demo", "org_slug": "personal"}, headers=HEADERS
        )
        assert created.status_code == 201
        process.send_signal(number)
        assert process.wait(30) == 130
    assert json.loads(journal.read_text())["operation"] == "Apps_create"
    with serving("--world", world, "--json") as (_, line):
        url = json.loads(line)["url"]
        assert httpx.get(f"{url}/v1/apps/demo", headers=HEADERS).json()["name"] == "demo"


def test_containers_reach_it_and_its_user_is_warned() -> None:
    with serving("--host", "0.0.0.0", "--allow-host", "fly.example") as (process, url):
        assert url.startswith("http://127.0.0.1:")
        for host, status in (("fly", 200), ("fly.example", 200), ("evil.example", 403)):
            assert httpx.get(f"{url}/health", headers={"host": host}).status_code == status
        process.send_signal(signal.SIGTERM)
        assert process.stderr is not None
        assert "everyone who reaches 0.0.0.0 can read and change" in process.stderr.read()


def test_it_is_controlled_over_http() -> None:
    with serving("--faults", "changes: 503 times=1", "--no-limits") as (_, url):
        control, apps = f"{url}/_emulator", f"{url}/v1/apps"
        for status in (503, 201):
            assert httpx.post(apps, json={"name": "demo"}, headers=HEADERS).status_code == status
        faults = httpx.get(f"{control}/faults").json()["faults"]
        assert [(one["rule"], one["struck"]) for one in faults] == [("changes: 503 times=1", 1)]
        assert httpx.post(f"{control}/reset").status_code == 204
        assert httpx.get(f"{apps}/demo", headers=HEADERS).status_code == 404
        assert httpx.post(apps, json={"name": "demo"}, headers=HEADERS).status_code == 503


def test_without_graphql_its_user_is_told_what_flyctl_needs(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "graphql", None)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = cli("emulator", "serve", "--port", str(taken.getsockname()[1]))
    assert "flyctl needs GraphQL, which is not installed" in result.stderr
    assert "score-flyio[emulator]" in result.stderr


def test_faults_on_purpose() -> None:
    with serving("--faults", "reads: 503 times=1") as (_, url):
        statuses = [
            httpx.get(f"{url}/v1/apps?org_slug=personal", headers=HEADERS).status_code
            for _ in range(2)
        ]
    assert statuses == [503, 200]


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--latency", "soon"], "'soon' is neither a number of seconds"),
        (["--latency", "2..1"], "goes backwards"),
        (["--boot", "-1"], "-1"),
        (["--port", "70000"], "70000"),
        (["--host", "everywhere"], "'everywhere' is not an address of this computer"),
        (["--host", "192.0.2.1"], "192.0.2.1 is not an address of this computer"),
        (["--runtime", "process"], "no image has a command"),
        (["--run", "web=true"], "add --runtime process"),
        (["--allow-exec"], "add --runtime process"),
        (["--runtime", "process", "--run", "web"], "'web' names no image with its command"),
        (
            ["--runtime", "process", "--run", "web=true", "--allow-exec", "--host", "0.0.0.0"],
            "whoever reaches 0.0.0.0 could run commands on this computer",
        ),
        (["--faults", "explode"], "unknown action 'explode'"),
    ],
)
def test_wrong_settings(cli: Cli, args: list[str], told: str) -> None:
    result = cli("emulator", "serve", *args)
    assert result.exit_code == 2
    assert told in result.stderr
    assert result.stdout == ""


def test_a_port_in_use_is_named(cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = cli("emulator", "serve", "--port", str(port), "--json")
    assert result.exit_code == 2
    assert f"port {port}" in result.json["error"]["message"]


def test_the_address_is_one_line_for_whoever_waits_for_it() -> None:
    with serving("--json") as (_, line):
        assert httpx.get(f"{json.loads(line)['url']}/health").status_code == 200
