"""Plans that are kept in files: done later as they were looked at, or refused by what changed."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import DB, FLY_TOML, WEB, Platform, platform, project, use

FAST = "--no-smoke-checks"


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as served:
        use(cli, served)
        project(cli, {"web.yaml": WEB, "fly.toml": FLY_TOML})
        yield served


def kept(cli: Cli, *arguments: str) -> None:
    result = cli("plan", *arguments, FAST, "--out", "it.plan")
    assert result.exit_code == 0, result.stderr
    assert "INFO: wrote it.plan; deploy it.plan does this, and nothing else" in result.stderr


def refused(cli: Cli, *told: str) -> None:
    result = cli("deploy", "it.plan")
    assert result.exit_code == 1
    for each in told:
        assert each in result.stderr
    assert "make a new plan" in result.stderr


def test_a_plan_is_carried_out_with_its_options(cli: Cli, served: Platform) -> None:
    kept(cli, "web.yaml", "-c", "fly.toml", "-e", "MORE=1", "--no-ha")
    assert stat.S_IMODE(Path("it.plan").stat().st_mode) == 0o600
    document = json.loads(Path("it.plan").read_text())
    assert sorted(document["inputs"]) == ["fly.toml", "web.yaml"]
    done = cli("deploy", "it.plan", "--json", "--events", "it.jsonl")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.count("target: ") == 1
    told = [json.loads(line) for line in Path("it.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in told] == list(range(1, len(told) + 1))
    assert [event["kind"] for event in told[:2]] == ["run_started", "target_selected"]
    assert {app["outcome"] for app in done.json["apps"]} == {"done"}
    (machine,) = served.machines("x-web")
    assert machine["config"]["env"]["MORE"] == "1"
    assert len(served.machines("by-hand")) == 1
    refused(cli, "app x-web: app x-web is new", f"app x-web: machine {machine['id']} is new")


def test_the_same_plan_twice_is_the_same_file(cli: Cli, served: Platform) -> None:
    kept(cli, "web.yaml")
    first = Path("it.plan").read_text()
    Path("it.plan").unlink()
    again = cli("plan", "web.yaml", FAST, "-o", "it.plan")  # no organization has a dot
    assert again.exit_code == 0
    assert Path("it.plan").read_text() == first
    assert cli("plan", "web.yaml", "-o", "it.txt").exit_code == 2
    assert served.url


def test_what_changed_is_named(cli: Cli, served: Platform) -> None:
    assert cli("deploy", "web.yaml", FAST).exit_code == 0
    kept(cli, "web.yaml", "-e", "MORE=1")
    assert cli("scale", "web", "3").exit_code == 0
    new = {m["id"] for m in served.machines("x-web")}
    told = cli("deploy", "it.plan").stderr
    assert any(f"app x-web: machine {name} is new" in told for name in new)
    assert any(f"app x-web: the step `update machine {name} of app` is new" in told for name in new)
    kept(cli, "web.yaml", "-e", "MORE=1")
    Path("web.yaml").write_text(WEB.replace("info", "debug"))
    refused(cli, "web.yaml is another one now")
    Path("web.yaml").unlink()
    assert cli("deploy", "it.plan").exit_code != 0


def test_a_machine_that_only_rests_now_is_no_change(cli: Cli, served: Platform) -> None:
    assert cli("deploy", "web.yaml", FAST).exit_code == 0
    kept(cli, "web.yaml", "-e", "MORE=1")
    machine = served.machines("x-web")[0]["id"]
    served.post(f"/apps/x-web/machines/{machine}/stop")
    served.get(f"/apps/x-web/machines/{machine}/wait?state=stopped")
    assert cli("deploy", "it.plan").exit_code == 0


def test_resources_stay_unknown_until_they_are_there(cli: Cli, served: Platform) -> None:
    Path("db.yaml").write_text(DB)
    add = (
        "provisioners",
        "add",
        "t",
        "thing",
        "--static-json",
        '{"host": "h", "password": "hush"}',
    )
    assert cli(*add).exit_code == 0
    kept(cli, "db.yaml")
    assert "hush" not in Path("it.plan").read_text()
    assert cli("deploy", "it.plan").exit_code == 0
    kept(cli)
    assert cli("deploy", "it.plan").exit_code == 0
    assert served.url


SECRETS = [
    ("--build-secret", "npm=hush"),
    ("--env", "API_TOKEN=hush"),
    ("--env", "QUEUE=amqp://user:hush@host"),
    ("--build-arg", "npm_token=hush"),
    ("--file-literal", "/key.pem=-----BEGIN hush"),
    ("--override-property", "containers.main.variables.DB_PASSWORD=hush"),
]


def test_no_file_keeps_a_secret(cli: Cli, served: Platform) -> None:
    for option, value in SECRETS:
        result = cli("plan", "web.yaml", option, value, "--out", "it.plan")
        told = f"{option} {value.partition('=')[0]}: its value looks like a secret"
        assert (result.exit_code, told in result.stderr) == (2, True), result.stderr
    assert not Path("it.plan").exists()
    assert served.url


def test_what_cannot_be_planned_is_not_kept(cli: Cli, served: Platform) -> None:
    Path("odd.yaml").write_text(WEB.replace("nginx:1", "N!"))
    assert cli("plan", "web.yaml", "odd.yaml", "--out", "it.plan").exit_code == 2
    assert not Path("it.plan").exists()
    assert served.url


def test_a_plan_goes_by_itself(cli: Cli, served: Platform) -> None:
    kept(cli, "web.yaml")
    for more in (("--no-ha",), ("-e", "A=b"), ("web.yaml",), ("--emulate",)):
        result = cli("deploy", "it.plan", *more)
        other = {"-e": "--env"}.get(more[0], more[0])
        assert (result.exit_code, f"leave out {other}\n" in result.stderr) == (2, True)
    assert cli("deploy", "it.plan", "--yes", "--jobs", "2").exit_code == 0
    assert served.url


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"score_flyio_plan": 99}', "\x00", '{"apps": 1}']
)
def test_other_files_are_refused(cli: Cli, text: str) -> None:
    Path("it.plan").write_text(text)
    result = cli("deploy", "it.plan")
    assert result.exit_code == 2
    assert "it.plan: " in result.stderr
    assert "Traceback" not in result.stderr
    assert "cannot be read" in cli("deploy", "other.plan").stderr


def test_a_plan_is_for_one_place(cli: Cli, served: Platform) -> None:
    kept(cli, "web.yaml")
    cli.environ["FLY_FLAPS_BASE_URL"] = "http://127.0.0.1:9"
    refused(cli, f"the plan was made for {served.url}", "http://127.0.0.1:9")


def test_files_that_an_image_is_built_of_count(cli: Cli) -> None:
    Path("Dockerfile").write_text("FROM scratch\nCOPY word /word\n")
    Path("word").write_text("one")
    Path("fly.toml").write_text("app = 'by-hand'\n")
    with platform(registry=True) as served:
        use(cli, served, FLY_REGISTRY_HOST=served.url.removeprefix("http://"))
        kept(cli, "-c", "fly.toml")
        Path("word").write_text("two")
        refused(cli, "app by-hand: the step `create ", "is another one now")
