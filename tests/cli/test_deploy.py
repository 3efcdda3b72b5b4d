"""`deploy`, `plan` and `generate --deploy` against a platform on a real port."""

from __future__ import annotations

import fcntl
import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import tomli
from attrs import evolve

from tests.cli.conftest import Cli
from tests.cli.platform import DB, FLY_TOML, WEB, WORKER, Platform, platform, project, use

FAST = "--no-smoke-checks"


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        yield running


def test_score_files_become_healthy_machines(cli: Cli, served: Platform) -> None:
    project(cli, {"web.yaml": WEB, "worker.yaml": WORKER})
    result = cli("deploy", "web.yaml", "worker.yaml", FAST)
    assert result.exit_code == 0, result.stderr
    assert result.stdout.startswith("web (app x-web): done\n")
    assert "worker (app x-worker): done\n" in result.stdout
    assert len(served.machines("x-web")) == 2
    assert Path("fly_web.toml").exists()


def test_the_first_line_says_where_it_goes(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER})
    assert served.url in cli("deploy", "worker.yaml", FAST).stderr.splitlines()[0]
    for command in ("deploy", "plan"):
        first = cli(command, "worker.yaml", FAST, "--emulate").stderr.splitlines()[0]
        assert "an emulator, not Fly.io" in first


def test_the_same_again_changes_nothing(cli: Cli, served: Platform) -> None:
    project(cli, {"web.yaml": WEB})
    cli("deploy", "web.yaml", FAST)
    before = served.machines("x-web")
    assert cli("plan", "--detailed-exitcode").exit_code == 0
    result = cli("deploy", FAST, "--json")
    assert result.json["outcome"] == "unchanged"
    assert [m["instance_id"] for m in served.machines("x-web")] == [
        m["instance_id"] for m in before
    ]


def test_json_is_one_document_and_nothing_else(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER})
    result = cli("deploy", "worker.yaml", FAST, "--json")
    assert result.json["exit_code"] == result.exit_code == 0
    assert result.json["target"] == served.url
    (app,) = result.json["apps"]
    assert (app["app"], app["workload"], app["outcome"]) == ("x-worker", "worker", "done")


def test_a_plan_shows_fields_and_changes_nothing(cli: Cli, served: Platform) -> None:
    project(cli, {"web.yaml": WEB})
    cli("deploy", "web.yaml", FAST)
    Path("web.yaml").write_text(WEB.replace("info", "debug"))
    result = cli("plan", "web.yaml", "--detailed-exitcode")
    assert result.exit_code == 2
    assert "env.LEVEL: info → debug" in result.stdout
    assert cli("plan", "web.yaml").exit_code == 0
    document = cli("plan", "web.yaml", "--json").json
    assert not document["empty"]
    assert {m["config"]["env"]["LEVEL"] for m in served.machines("x-web")} == {"info"}


@pytest.mark.parametrize("source", ["score", "fly.toml"])
def test_an_empty_file_is_one_in_the_machine(cli: Cli, served: Platform, source: str) -> None:
    project(cli)
    files = "files: {/etc/on: {content: ''}}\n    variables: {LEVEL: info}"
    Path("web.yaml").write_text(WEB.replace("variables: {LEVEL: info}", files))
    assert cli("generate", "web.yaml").exit_code == 0
    assert tomli.loads(Path("fly_web.toml").read_text())["files"] == [
        {"guest_path": "/etc/on", "raw_value": ""}
    ]
    given = ("web.yaml",) if source == "score" else ("--config", "fly_web.toml")
    done = cli("deploy", *given, FAST)
    assert done.exit_code == 0, done.stderr
    for machine in served.machines("x-web"):
        assert machine["config"]["files"] == [{"guest_path": "/etc/on", "raw_value": ""}]


def test_the_end_says_which_files_were_written(cli: Cli, served: Platform) -> None:
    project(cli)
    text = WEB.replace(
        "variables: {LEVEL: info}",
        "files: {/etc/odd: {binaryContent: //79}}\n    variables: {LEVEL: info}",
    )
    Path("web.yaml").write_text(text)
    before = os.umask(0o027)
    try:
        done = cli("deploy", "web.yaml", FAST, "--json")
    finally:
        os.umask(before)
    assert done.exit_code == 0, done.stderr
    (app,) = done.json["apps"]
    assert app["files"][-1] == "fly_web.toml"
    assert len(app["files"]) == 2
    for name in app["files"]:
        assert Path(name).stat().st_mode & 0o777 == 0o640
        assert f"web: wrote {name}" in done.stderr
    assert (app["release"], app["machines"]) == (1, {"started": 2})
    told = cli("deploy", "web.yaml", FAST).stdout
    assert f"; wrote {', '.join(app['files'])}\n" in told
    assert "  release 1; 2 machines: 2 started" in told
    assert served.url


def test_one_broken_file_does_not_block_the_others(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER, "bad.yaml": "a: [", "wrong.yaml": "apiVersion: x\n"})
    result = cli("deploy", "bad.yaml", "worker.yaml", "wrong.yaml", "none.yaml", FAST)
    assert result.exit_code == 2
    for file in ("bad.yaml", "wrong.yaml", "none.yaml"):
        assert f"{file}:" in result.stderr
        assert f"{file}: failed" in result.stdout
    assert len(served.machines("x-worker")) == 2


def test_a_fly_toml_without_a_project(cli: Cli, served: Platform) -> None:
    Path("fly.toml").write_text(FLY_TOML)
    assert cli("deploy", "--config", "fly.toml", FAST, "--ha=false").exit_code == 0
    (machine,) = served.machines("by-hand")
    assert machine["region"] == "ams"
    result = cli("deploy", "-c", "fly.toml", "-a", "other", FAST, "--no-ha", "--json")
    assert result.json["apps"][0]["app"] == "other"
    assert not Path(".score-flyio").exists()


def test_the_settings_reach_the_machines(cli: Cli, served: Platform) -> None:
    project(cli, {"web.yaml": WEB})
    args = ["--region", "fra", "-e", "EXTRA=a=b", "--vm-memory", "512mb", "--image", "nginx:2"]
    assert cli("deploy", "web.yaml", FAST, "--ha=false", *args).exit_code == 0
    (machine,) = served.machines("x-web")
    config = machine["config"]
    assert machine["region"] == "fra"
    assert (config["env"]["EXTRA"], config["guest"]["memory_mb"]) == ("a=b", 512)
    assert config["image"] == "nginx:2"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ("--report worker.yaml", "--report: 'worker.yaml': it is read"),
        ("--events ./worker.yaml", "--events: './worker.yaml': it is read"),
        ("--overrides-file o.yaml --report o.yaml", "--report: 'o.yaml': it is read"),
        ("--config fly.toml --report fly.toml", "--report: 'fly.toml': it is read"),
        ("--events a --report a", "--events: 'a': it is the file of --report, too"),
        ("--summary same --report a", "--summary: 'same': it is the file of --report, too"),
    ],
)
def test_what_is_told_replaces_no_input(
    cli: Cli, served: Platform, options: str, told: str
) -> None:
    texts = {"o.yaml": "{}\n", "fly.toml": FLY_TOML, "a": "", "worker.yaml": WORKER}
    project(cli)
    for name, text in texts.items():
        Path(name).write_text(text)
    Path("same").symlink_to("a")
    result = cli("deploy", "worker.yaml", FAST, *options.split())
    assert (result.exit_code, result.stdout) == (2, "")
    assert told in result.stderr
    assert {name: Path(name).read_text() for name in texts} == texts
    devices = ("--report", "/dev/null", "--events", "/dev/null")
    assert cli("deploy", "worker.yaml", FAST, *devices).exit_code == 0


def test_events_and_report_files(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER})
    cli("deploy", "worker.yaml", FAST, "--events", "e.jsonl", "--report", "r.html")
    kinds = [json.loads(line)["kind"] for line in Path("e.jsonl").read_text().splitlines()]
    assert kinds[:2] == ["run_started", "target_selected"]
    assert kinds[-1] == "run_finished"
    assert "x-worker" in Path("r.html").read_text()
    assert served.url


OUTPUTS = ("--report", "--events", "--summary")


def test_files_behind_links_are_written(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER})
    Path("kept").mkdir()
    for option in OUTPUTS:
        Path(f"link{option}").symlink_to(f"kept/file{option}")
    for _ in range(2):
        options = (word for option in OUTPUTS for word in (option, f"link{option}"))
        assert cli("deploy", "worker.yaml", FAST, *options).exit_code == 0
        assert all(Path(f"link{option}").is_symlink() for option in OUTPUTS)
        assert all(Path(f"kept/file{option}").read_text() for option in OUTPUTS)
    Path("state").symlink_to("kept/state")
    assert cli("state", "pull", "state").exit_code == 0
    assert "x-worker" in Path("kept/state").read_text()
    Path("it.plan").symlink_to("kept/it")
    assert cli("plan", "worker.yaml", "--out", "it.plan").exit_code == 0
    assert Path("kept/it").stat().st_size
    Path("fly.toml").symlink_to("kept/fly.toml")
    assert cli("config", "save", "--app", "x-worker").exit_code == 0
    assert "x-worker" in Path("kept/fly.toml").read_text()
    assert served.url


@pytest.mark.parametrize(
    "line",
    [
        *(f"deploy worker.yaml {option} -" for option in OUTPUTS),
        "plan worker.yaml --summary -",
        "destroy --yes --events -",
        "config save --app x-worker --config -",
        "emulator serve --journal -",
        "emulator serve --world -",
    ],
)
def test_a_dash_is_no_file(cli: Cli, served: Platform, line: str) -> None:
    project(cli, {"worker.yaml": WORKER})
    result = cli(*line.split())
    assert result.exit_code == 2
    option = line.split()[-2]
    assert f"Error: {option}: '-' is no file, and stdout has the result" in result.stderr
    assert "Hint: name a file; /dev/stderr is one, too" in result.stderr
    assert not Path("-").exists()
    assert served.url


def test_a_secret_shows_nowhere(cli: Cli, served: Platform) -> None:
    project(cli, {"db.yaml": DB.replace("db.host}", "db.password}")})
    secret = "swordfish-4711"
    script = json.dumps({"values": {"host": "h"}, "secrets": {"password": secret}})
    Path("p.sh").write_text(f"cat >/dev/null; echo '{script}'\n")
    cli("provisioners", "add", "p", "thing", "--cmd-binary=/bin/sh", "--cmd-args=p.sh")
    result = cli("deploy", "db.yaml", FAST, "--debug", "--events", "e.jsonl")
    assert result.exit_code == 0, result.stderr
    kept = [path.read_text() for path in Path(".score-flyio").iterdir() if path.is_file()]
    for text in (result.stdout, result.stderr, Path("e.jsonl").read_text(), *kept):
        assert secret not in text
    assert [s["name"] for s in served.get("/apps/x-db-user/secrets")["secrets"]] == ["HOST"]
    assert cli("plan", "--detailed-exitcode").exit_code == 0


def test_resources_of_a_plan_are_known_later(cli: Cli, served: Platform) -> None:
    project(cli, {"db.yaml": DB})
    cli("provisioners", "add", "p", "thing", "--static-json", '{"host": "db.internal"}')
    result = cli("plan", "db.yaml", "--detailed-exitcode")
    assert result.exit_code == 2, result.stderr
    assert "thing.default#db-user.db" in result.stdout
    assert served.get("/apps?org_slug=personal")["apps"] == []


@pytest.mark.parametrize(
    ("args", "parts"),
    [
        (["deploy", "none.yaml"], ["none.yaml", "cannot be read"]),
        (["deploy", "bad.yaml"], ["bad.yaml:1"]),
        (["deploy", "unknown.yaml"], ["unknown.yaml", "${nonsense}"]),
        (["deploy", "wrong.yaml"], ["wrong.yaml", "containers"]),
        (["deploy", "-c", "none.toml"], ["none.toml"]),
        (["deploy", "worker.yaml", "worker.yaml"], ["worker", "twice", "both"]),
        (["deploy", "worker.yaml", "web.yaml", "--image", "a"], ["--image", "2"]),
        (["deploy", "worker.yaml", "web.yaml", "--image", "main=a"], ["main=a", "one Score"]),
        (["deploy", "web.yaml", "--image", "nope=a"], ["'nope'", "NAME one of"]),
        (["deploy", "web.yaml", "--image", "x y"], ["--image", "'x y'", "spaces"]),
        (["generate", "web.yaml", "--image", "nginx@sha256:abc"], ["--image", "'sha256:abc'"]),
        (["deploy", "worker.yaml", "--app", "other"], ["--app"]),
        (["deploy", "worker.yaml", "--strategy", "yolo"], ["--strategy", "yolo"]),
        (["deploy", "worker.yaml", "--wait-timeout", "soon"], ["--wait-timeout", "soon"]),
        (["deploy", "worker.yaml", "--max-unavailable", "1.5"], ["--max-unavailable", "1.5"]),
        (["deploy", "worker.yaml", "-e", "novalue"], ["NAME=VALUE"]),
        (["deploy", "worker.yaml", "--ha=maybe"], ["--ha=maybe"]),
        (["deploy", "worker.yaml", "--vm-size", "huge"], ["huge", "shared-cpu-1x"]),
        (["deploy", "worker.yaml", "--target", "moon"], ["moon"]),
        (["deploy", "worker.yaml", "--emulate", "--target", "fly"], ["--emulate"]),
        (["deploy", "worker.yaml", "--no-such-flag"], ["--no-such-flag"]),
        (
            ["generate", "worker.yaml", "--deploy", "--deploy-args", "--nope"],
            ["--deploy-args: there is no option --nope", "see score-flyio deploy --help"],
        ),
        (["generate", "worker.yaml", "--deploy-args", "--detach"], ["--deploy"]),
    ],
)
def test_bad_input_ends_with_2(
    cli: Cli, served: Platform, args: list[str], parts: list[str]
) -> None:
    project(
        cli,
        {
            "worker.yaml": WORKER,
            "web.yaml": WEB,
            "bad.yaml": "a: [",
            "unknown.yaml": WORKER.replace("1}", '1, variables: {A: "${nonsense}"}}'),
            "wrong.yaml": "apiVersion: score.dev/v1b1\nmetadata: {name: w}\n",
        },
    )
    result = cli(*args)
    assert result.exit_code == 2, result.stderr
    assert any(part in result.stderr for part in parts)
    assert "Traceback" not in result.stderr
    assert served.get("/apps?org_slug=personal")["apps"] == []


def test_without_a_project(cli: Cli, served: Platform) -> None:
    Path("worker.yaml").write_text(WORKER)
    for args in (["worker.yaml"], []):
        result = cli("deploy", *args, "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (2, "not_initialised")
        assert "score-flyio init" in result.json["error"]["hint"]
    Path("fly.toml").write_text(FLY_TOML)
    assert "--config fly.toml" in cli("deploy", "--json").json["error"]["hint"]
    assert served.url


def test_no_provisioner(cli: Cli, served: Platform) -> None:
    project(cli, {"db.yaml": DB, "worker.yaml": WORKER})
    result = cli("deploy", "db.yaml", "worker.yaml", FAST)
    assert result.exit_code == 2
    assert "thing.default#db-user.db" in result.stderr
    assert "worker (app x-worker): done" in result.stdout
    headers = {"authorization": "Bearer dummy"}
    made = httpx.get(f"{served.url}/v1/apps/x-db-user", headers=headers)
    assert made.status_code == 404, "no app is created for a workload that cannot be provided for"


def test_resources_that_do_not_fit_keep_one_workload_out(cli: Cli, served: Platform) -> None:
    first = DB.replace("{type: thing}", "{type: thing, id: shared, params: {a: 1}}")
    second = first.replace("a: 1", "a: 2").replace("db-user", "other")
    project(cli, {"a.yaml": first, "b.yaml": second, "worker.yaml": WORKER})
    cli("provisioners", "add", "p", "thing", "--static-json", '{"host": "h"}')
    result = cli("deploy", "a.yaml", "b.yaml", "worker.yaml", FAST, "--json")
    assert result.exit_code == 2
    assert {app["workload"]: app["outcome"] for app in result.json["apps"]} == {
        "db-user": "done",
        "worker": "done",
        "other": "failed",
    }
    assert "different params" in result.stderr
    assert served.url


def test_without_a_token(cli: Cli) -> None:
    project(cli, {"worker.yaml": WORKER})
    cli.environ["HOME"] = str(cli.directory)
    result = cli("deploy", "worker.yaml")
    assert result.exit_code == 2
    assert "FLY_API_TOKEN" in result.stderr
    assert "--emulate" in result.stderr


@pytest.mark.parametrize("command", ["deploy", "plan"])
def test_a_wrong_token(cli: Cli, command: str) -> None:
    with platform(tokens={}) as running:
        use(cli, running)
        project(cli, {"worker.yaml": WORKER})
        result = cli(command, "worker.yaml")
    assert result.exit_code == 1
    for part in ("401", "/v1/apps/x-worker", "FLY_API_TOKEN"):
        assert part in result.stderr
    assert "of-the-tests" not in result.stderr


def test_a_name_that_is_taken(cli: Cli) -> None:
    with platform("Apps_create: 422") as running:
        use(cli, running)
        project(cli, {"worker.yaml": WORKER})
        result = cli("deploy", "worker.yaml")
    assert result.exit_code == 1
    assert "422" in result.stderr
    assert "/v1/apps" in result.stderr


def test_an_image_that_is_not_there(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER.replace("busybox:1", '"."')})
    result = cli("deploy", "worker.yaml", "--json")
    assert result.exit_code == 2
    assert "--image" in result.stderr
    assert served.machines("x-worker") == [] if served.get("/apps/x-worker").get("name") else True


def test_never_healthy(cli: Cli, served: Platform) -> None:
    project(cli, {"web.yaml": WEB.replace("LEVEL: info", 'UNHEALTHY: "1"')})
    result = cli("deploy", "web.yaml", FAST, "--wait-timeout", "0.5", "--json")
    assert result.exit_code == 3
    (app,) = result.json["apps"]
    assert app["outcome"] == "unhealthy"
    assert "not healthy" in result.stderr
    assert served.url


def test_the_api_is_down(cli: Cli) -> None:
    project(cli, {"worker.yaml": WORKER})
    cli.environ |= {"FLY_FLAPS_BASE_URL": "http://127.0.0.1:9", "FLY_API_TOKEN": "t"}
    result = cli("deploy", "worker.yaml")
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_locked_state(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER})
    folder = os.open(".score-flyio", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        result = cli("deploy", "worker.yaml", "--json")
    finally:
        os.close(folder)
    assert (result.exit_code, result.json["error"]["code"]) == (4, "state_locked")
    assert served.url


def test_generate_and_deploy_provisions_once(cli: Cli, served: Platform) -> None:
    project(cli, {"db.yaml": DB})
    Path("p.sh").write_text(
        "cat >/dev/null; echo x >>calls; "
        """echo '{"values": {"host": "h"}}'\n"""
    )
    cli("provisioners", "add", "p", "thing", "--cmd-binary=/bin/sh", "--cmd-args=p.sh")
    args = ["--deploy", "--deploy-args", "--no-smoke-checks --ha=false", "--output-dir", "out"]
    result = cli("generate", "db.yaml", *args)
    assert result.exit_code == 0, result.stderr
    assert Path("calls").read_text() == "x\n"
    assert Path("out/fly_db-user.toml").exists()
    assert not Path("fly_db-user.toml").exists()
    (machine,) = served.machines("x-db-user")
    assert machine["config"]["env"]["HOST"] == "h"
    assert "releases 1" in cli("state", "show").stdout


def test_generate_and_deploy_goes_on_without_the_broken(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER, "bad.yaml": "a: ["})
    args: list[Any] = ["--deploy", "--deploy-args", FAST, "--json"]
    result = cli("generate", "bad.yaml", "worker.yaml", *args)
    assert result.exit_code == 2
    assert [app["outcome"] for app in result.json["apps"]] == ["failed", "done"]
    assert served.machines("x-worker")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_deploy_ends_with_130_and_can_go_on(
    cli: Cli, number: signal.Signals
) -> None:
    with platform(healthy_after=600.0) as running:
        project(cli, {"web.yaml": WEB})
        use(cli, running)
        command = ("deploy", "web.yaml", FAST, "--json", "--events", "events.jsonl")
        at = ["0/1 checks passing"]
        result = cli.interrupted(*command, "--report", "report.html", at=at, by=number)
        assert result.exit_code == 130
        told = result.json
        assert told["error"]["code"] == "interrupted"
        (app,) = told["apps"]
        assert (app["outcome"], app["release"]) == ("interrupted", 1)
        assert app["account"].endswith("run release 1; the same command goes on from there")
        assert sum(app["machines"].values()) == 2
        last = json.loads(Path("events.jsonl").read_text().splitlines()[-1])
        assert (last["kind"], last["outcome"]) == ("run_finished", "interrupted")
        assert "Deploy interrupted" in Path("report.html").read_text()
        assert "Traceback" not in result.stderr
        machines = running.machines("x-web")
        for machine in machines:
            lease = running.get(f"/apps/x-web/machines/{machine['id']}/lease")
            assert "nonce" not in lease.get("data", {})
        again = cli("deploy", FAST, "--detach", "--json")
        assert again.exit_code == 0, again.stderr
        assert len(running.machines("x-web")) == 2


def test_a_deploy_interrupted_amid_its_way_back_tells_what_of_it_is_done(cli: Cli) -> None:
    with platform() as running:
        use(cli, running)
        project(cli, {"web.yaml": WEB})
        assert cli("deploy", "web.yaml", FAST).exit_code == 0
        world = running.emulator.world
        world.settings = evolve(world.settings, healthy_after=600.0)
        command = ("deploy", "web.yaml", FAST, "--json", "--env", "UNHEALTHY=1")
        more = ("--wait-timeout", "3", "--report", "report.html")
        result = cli.interrupted(*command, *more, at=["previous config back: done"])
    (app,) = result.json["apps"]
    told = [(step["description"].split()[0], step["outcome"]) for step in app["recovery"]]
    assert told == [("give", "done"), ("wait", "interrupted")]
    assert app["release"] == 1
    page = Path("report.html").read_text()
    assert "Recovery" in page
    assert "of app its previous config back" in page
