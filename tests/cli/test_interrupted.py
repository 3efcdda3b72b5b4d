"""Operations that a signal ends account for what they did, as deploys do."""

from __future__ import annotations

import signal

import httpx
import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import DB, TOKEN, WEB, platform, project, use

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
        result = cli.interrupted(*words, at=SIGNS, by=number)
        assert result.exit_code == 130, result.stderr
        assert "Traceback" not in result.stderr
        assert result.stderr.count("Error: interrupted") == 1
        if as_json:
            document = result.json
            assert document["error"]["code"] == "interrupted"
            assert (document["outcome"], document["exit_code"]) == ("interrupted", 130)
            (app,) = document["apps"]
            assert (app["app"], app["outcome"]) == ("x-web", "interrupted")
        else:
            assert result.stdout.startswith("web (app x-web): interrupted")


@pytest.mark.parametrize("looks", ["status --app x-web", "doctor --debug"])
def test_what_only_looks_has_nothing_to_account_for(cli: Cli, looks: str) -> None:
    with platform("503 times=1; hang") as running:
        project(cli, {"web.yaml": WEB})
        use(cli, running)
        result = cli.interrupted(*looks.split(), "--json", at=[""])
        assert result.exit_code == 130
        assert result.json["error"]["code"] == "interrupted"
        assert result.json.keys() == {"error"}


def test_an_interrupted_destruction_tells_of_the_apps_that_went_before_the_resources(
    cli: Cli,
) -> None:
    with platform() as running:
        use(cli, running)
        project(cli, {"db.yaml": DB})
        script = cli.directory / "thing.sh"
        script.write_text("""echo '{"values": {"host": "h"}, "state": {"is": "there"}}'""")
        cli("provisioners", "add", "p", "thing", "--cmd-binary=sh", "--cmd-args=thing.sh")
        assert cli("deploy", "db.yaml", *QUICKLY).exit_code == 0
        script.write_text("echo takes its time >&2; exec sleep 600")
        result = cli.interrupted("destroy", "--yes", "--json", at=["takes its time"])
        assert running.get("/apps/x-db-user").get("name") is None
    (app,) = result.json["apps"]
    assert (app["app"], app["outcome"]) == ("x-db-user", "done")
    assert (result.json["outcome"], result.json["exit_code"]) == ("interrupted", 130)
