"""Operations that a signal ends account for what they did, as deploys do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import httpx
import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import TOKEN, WEB, platform, project, use

QUICKLY = ("--no-smoke-checks", "--detach")
HEADERS = {"authorization": f"Bearer {TOKEN}"}
SIGNS = ("waiting for its lease", "0/1 checks passing")
"""Of these, an operation that waits shows one."""


@pytest.mark.parametrize(
    ("command", "number"),
    [
        ("scale web 3 --no-smoke-checks", signal.SIGINT),
        ("scale web 1 --yes", signal.SIGTERM),
        ("secrets set web KEY=value --no-smoke-checks", signal.SIGHUP),
        ("rollback web --no-smoke-checks", signal.SIGINT),
        ("destroy --yes", signal.SIGTERM),
    ],
)
@pytest.mark.parametrize("as_json", [True, False], ids=["json", "text"])
def test_an_interrupted_operation_says_how_far_it_came(
    cli: Cli, command: str, number: signal.Signals, as_json: bool
) -> None:
    with platform(healthy_after=600.0) as running:
        use(cli, running)
        project(cli, {"web.yaml": WEB})
        for level in ("info", "debug"):
            assert cli("deploy", "web.yaml", "--env", f"LEVEL={level}", *QUICKLY).exit_code == 0
        for machine in running.machines("x-web"):
            lease = f"{running.url}/v1/apps/x-web/machines/{machine['id']}/lease"
            httpx.post(lease, headers=HEADERS, json={"ttl": 300}).raise_for_status()
        words = [*command.split(), *(["--json"] if as_json else [])]
        with subprocess.Popen(
            [sys.executable, "-m", "score_flyio", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **cli.environ},
        ) as process:
            assert process.stderr is not None
            told = ""
            for line in process.stderr:
                told += line
                if any(sign in line for sign in SIGNS):
                    break
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 130, told + err
        assert "Traceback" not in err
        assert err.count("Error: interrupted") == 1
        if as_json:
            document = json.loads(out)
            assert document["error"]["code"] == "interrupted"
            assert (document["outcome"], document["exit_code"]) == ("interrupted", 130)
            (app,) = document["apps"]
            assert (app["app"], app["outcome"]) == ("x-web", "interrupted")
        else:
            assert out.startswith("web (app x-web): interrupted")


@pytest.mark.parametrize("looks", ["status --app x-web", "doctor --debug"])
def test_what_only_looks_has_nothing_to_account_for(cli: Cli, looks: str) -> None:
    with platform("503 times=1; hang") as running:
        project(cli, {"web.yaml": WEB})
        use(cli, running)
        command = [sys.executable, "-m", "score_flyio", *looks.split(), "--json"]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **cli.environ},
        ) as process:
            assert process.stderr is not None
            process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
        assert process.returncode == 130
        assert json.loads(out)["error"]["code"] == "interrupted"
        assert json.loads(out).keys() == {"error"}
