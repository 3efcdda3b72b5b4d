"""`status`, `scale`, `releases`, `rollback`, `secrets`, `destroy`, `certs`, on a deployed project."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import DB, FLY_TOML, WEB, WORKER, Platform, platform, project, use

FAST = "--no-smoke-checks"
WAITS = {"scale", "rollback", "secrets"}


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        yield running


@pytest.fixture
def deployed(cli: Cli, served: Platform) -> Platform:
    """Workload `web` with two machines, and `worker` with one and a standby."""
    project(cli, {"web.yaml": WEB, "worker.yaml": WORKER})
    assert cli("deploy", "web.yaml", "worker.yaml", FAST).exit_code == 0
    return served


def changed(cli: Cli, **values: str) -> None:
    """Deploys `web` with another value."""
    text = WEB
    for old, new in values.items():
        text = text.replace(old, new)
    Path("web.yaml").write_text(text)
    assert cli("deploy", "web.yaml", FAST).exit_code == 0


def levels(served: Platform) -> set[str]:
    return {m["config"]["env"]["LEVEL"] for m in served.machines("x-web")}


# --- status


@pytest.mark.parametrize(
    ("line", "command", "outcome"),
    [
        ("scale web 3", "scale", "done"),
        ("scale web 3 --dry-run", "scale", "unchanged"),
        ("scale web 3 --group nobody", "scale", "failed"),
        ("rollback web", "rollback", "failed"),
        ("secrets set web A=1", "secrets", "done"),
        ("ips allocate web v6", "ips allocate", "done"),
        ("ips release web 2a09::1 --yes", "ips release", "failed"),
        ("certs add web a.example.com", "certs add", "done"),
        ("certs remove web a.example.com --yes", "certs remove", "failed"),
        ("destroy web --yes", "destroy", "done"),
    ],
)
def test_events_begin_and_end_as_those_of_a_deploy(
    cli: Cli, deployed: Platform, line: str, command: str, outcome: str
) -> None:
    cli(*line.split(), "--events", "it.jsonl", *([FAST] if command in WAITS else []))
    found = [json.loads(text) for text in Path("it.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    kinds = [event["kind"] for event in found]
    assert kinds[:2] == ["run_started", "target_selected"]
    assert (found[0]["command"], found[0]["workloads"]) == (command, ["web"])
    assert found[-1]["kind"] == "run_finished"
    assert found[-1]["outcome"] == outcome
    assert kinds.count("target_selected") == kinds.count("run_finished") == 1
    if outcome == "done":
        assert {"plan_ready", "step_started", "step_finished", "workload_finished"} <= set(kinds)


def test_status(cli: Cli, deployed: Platform) -> None:
    assert cli("ips", "allocate", "web", "v6").exit_code == 0
    text = cli("status").stdout
    for machine in deployed.machines("x-web"):
        assert machine["id"] in text
    document = cli("status", "worker", "--json").json
    (app,) = document["apps"]
    assert (app["app"], app["workload"], app["exists"]) == ("x-worker", "worker", True)
    assert sorted(m["state"] for m in app["machines"]) == ["started", "stopped"]
    assert any(m["note"].startswith("standby for ") for m in app["machines"])
    web = cli("status", "web", "--json").json["apps"][0]
    assert {(m["checks_passing"], m["checks_total"]) for m in web["machines"]} == {(1, 1)}
    assert {m["release"] for m in web["machines"]} == {"1"}
    assert web["addresses"]


def test_status_of_what_is_not_there(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER})
    cli("generate", "worker.yaml")
    assert "worker (app x-worker): not deployed" in cli("status").stdout
    assert "there is no workload 'wrker', 'no' in the" in cli("status", "wrker", "no").stderr
    assert "did you mean 'worker'?" in cli("status", "worker", "wrker").stderr
    assert cli("status", "nope").exit_code == 2
    result = cli("status", "--app", "other")
    assert result.exit_code == 2
    assert "other: not deployed" in result.stdout
    assert "Error: app other: there is no such app\nHint: check the name, " in result.stderr
    assert not cli("status", "--app", "other", "--json").json["apps"][0]["exists"]
    assert cli("status", "--app", "x-worker").exit_code == 0
    assert served.url


def test_status_tells_what_it_could_not_read(cli: Cli) -> None:
    with platform(tokens={}) as running:
        use(cli, running)
        result = cli("status", "--app", "any")
    assert result.exit_code == 1
    assert "401" in result.stderr


def test_watching_and_json_do_not_go_together(cli: Cli, served: Platform) -> None:
    assert cli("status", "--app", "a", "--watch", "--json").exit_code == 2
    assert served.url


# --- scale


@pytest.mark.parametrize("counts", [[3, 1], [2, 2], [1, 4, 0, 2]])
def test_any_count_is_reached_and_stays(cli: Cli, deployed: Platform, counts: list[int]) -> None:
    for count in counts:
        result = cli("scale", "web", str(count), FAST, "--yes")
        assert result.exit_code == 0, result.stderr
        assert len(deployed.machines("x-web")) == count
    if 0 not in counts:  # from nothing, machines come with the digest of their image
        before = [m["id"] for m in deployed.machines("x-web")]
        assert cli("deploy", FAST, "--json").json["outcome"] == "unchanged"
        assert [m["id"] for m in deployed.machines("x-web")] == before


def test_new_machines_are_like_the_old_ones(cli: Cli, deployed: Platform) -> None:
    cli("scale", "worker", "app=3", FAST)
    machines = [m for m in deployed.machines("x-worker") if not m["config"].get("standbys")]
    first, second = machines
    marks = ("metadata", "image")
    assert {k: v for k, v in first["config"].items() if k not in marks} == {
        k: v for k, v in second["config"].items() if k not in marks
    }
    assert first["image_ref"] == second["image_ref"]
    assert all("FLY_STANDBY_FOR" not in m["config"]["env"] for m in machines)


def test_regions(cli: Cli, deployed: Platform) -> None:
    before = {m["id"] for m in deployed.machines("x-web")}
    assert cli("scale", "web", "3", "--region", "ams,fra", FAST).exit_code == 0
    new = [m["region"] for m in deployed.machines("x-web") if m["id"] not in before]
    assert sorted(new) == ["ams", "ams", "fra"]
    assert len(deployed.machines("x-web")) == 5


def test_removing_asks_first(cli: Cli, deployed: Platform) -> None:
    result = cli("scale", "web", "1", FAST)
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert len(deployed.machines("x-web")) == 2


def test_sizes_change_in_place(cli: Cli, deployed: Platform) -> None:
    before = [m["id"] for m in deployed.machines("x-web")]
    assert cli("scale", "web", "--vm-memory", "512mb", FAST).exit_code == 0
    machines = deployed.machines("x-web")
    assert [m["id"] for m in machines] == before
    assert {m["config"]["guest"]["memory_mb"] for m in machines} == {512}
    assert cli("scale", "web", "--vm-memory", "512mb", FAST, "--json").json["outcome"] == (
        "unchanged"
    )
    shown = cli("scale", "web").stdout.splitlines()
    assert shown[1].endswith(" iad(2)")
    (group,) = cli("scale", "web", "--json").json["groups"]
    assert (group["count"], group["size"]) == (2, "shared-cpu-1x, 512 MB")


def test_machines_with_volumes_get_their_own(cli: Cli, served: Platform) -> None:
    Path("fly.toml").write_text(
        FLY_TOML + "[[mounts]]\n  source = 'data'\n  destination = '/data'\n"
    )
    assert cli("deploy", "-c", "fly.toml", FAST).exit_code == 0
    assert cli("scale", "-c", "fly.toml", "2", FAST).exit_code == 0
    volumes = {m["config"]["mounts"][0]["volume"] for m in served.machines("by-hand")}
    assert len(volumes) == 2
    assert cli("scale", "-c", "fly.toml", "1", FAST, "--yes").exit_code == 0
    assert cli("scale", "-c", "fly.toml", "2", FAST).exit_code == 0
    assert {m["config"]["mounts"][0]["volume"] for m in served.machines("by-hand")} == volumes


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["web", "many"], "'many' is neither a count"),
        (["web", "=3"], "'=3' is neither a count"),
        (["web", "nosuch=1"], "groups are: app"),
        (["web", "app=3", "app=1"], "several counts for group app"),
        (["web", "3", "1"], "several counts for the app"),
        (["2"], "has 2"),
        (["nope", "2"], "no workload 'nope'"),
        (["web", "--vm-size", "huge"], "huge"),
        (["web", "--vm-memory", "lots"], "lots"),
        (["-a", "missing", "2"], "no such app"),
    ],
)
def test_wrong_scales(cli: Cli, deployed: Platform, args: list[str], part: str) -> None:
    result = cli("scale", *args)
    assert result.exit_code == 2
    assert part in result.stderr
    assert len(deployed.machines("x-web")) == 2


# --- releases and rollback


def test_releases_come_from_the_state_and_the_machines(cli: Cli, deployed: Platform) -> None:
    changed(cli, info="debug")
    (item,) = cli("releases", "web", "--json").json
    assert [(r["version"], r["machines"], r["remembered"]) for r in item["releases"]] == [
        (2, 2, True),
        (1, 0, True),
    ]
    assert all("@sha256:" in release["image"] for release in item["releases"])
    assert {tuple(r["sources"]) for r in item["releases"]} == {("state", "machines", "versions")}
    (alone,) = cli("releases", "--app", "x-web", "--json", "--state", "none").json
    shown = ("version", "image", "groups", "machines")
    assert [[r[key] for key in shown] for r in alone["releases"]] == [
        [r[key] for key in shown] for r in item["releases"]
    ]
    assert {tuple(r["sources"]) for r in alone["releases"]} == {("machines", "versions")}
    assert not any(r["remembered"] for r in alone["releases"])
    assert all(r["at"] for r in alone["releases"])
    text = cli("releases").stdout
    assert "state, machines, versions" in text
    assert deployed.url


def test_rollback_brings_the_exact_config_and_image_back(cli: Cli, deployed: Platform) -> None:
    changed(cli, info="debug", **{"nginx:1": "nginx:2"})
    digest = deployed.machines("x-web")[0]["image_ref"]["digest"]
    result = cli("rollback", "web", FAST, "--json")
    assert (result.exit_code, result.json["to"]) == (0, 1)
    assert levels(deployed) == {"info"}
    for machine in deployed.machines("x-web"):
        assert machine["config"]["image"].startswith("nginx@sha256:")
        assert machine["image_ref"]["digest"] != digest
    assert cli("rollback", "web", FAST, "--to", "2").exit_code == 0
    assert levels(deployed) == {"debug"}
    assert {m["image_ref"]["digest"] for m in deployed.machines("x-web")} == {digest}


def test_rollback_without_a_state(cli: Cli, served: Platform) -> None:
    Path("fly.toml").write_text(FLY_TOML + "[env]\n  LEVEL = 'one'\n")
    cli("deploy", "-c", "fly.toml", FAST)
    Path("fly.toml").write_text(FLY_TOML + "[env]\n  LEVEL = 'two'\n")
    cli("deploy", "-c", "fly.toml", FAST)
    assert cli("rollback", "--app", "by-hand", FAST).exit_code == 0
    machines = served.machines("by-hand")
    assert {m["config"]["env"]["LEVEL"] for m in machines} == {"one"}


def test_hand_written_files_need_no_project(cli: Cli, served: Platform) -> None:
    for level in ("one", "two", "three"):
        Path("fly.toml").write_text(FLY_TOML + f"[env]\n  LEVEL = '{level}'\n")
        assert cli("deploy", "-c", "fly.toml", FAST).exit_code == 0
        served.emulator.world.registries.push("nginx:1")
    assert not Path(".score-flyio").exists()
    (item,) = cli("releases", "--config", "fly.toml", "--json").json
    images = {release["version"]: release["image"] for release in item["releases"]}
    assert sorted(images) == [1, 2, 3]
    assert len(set(images.values())) == 3
    for to, level in ((1, "one"), (3, "three"), (2, "two")):
        result = cli("rollback", "--config", "fly.toml", "--to", str(to), FAST, "--json")
        assert (result.exit_code, result.json["to"]) == (0, to)
        for machine in served.machines("by-hand"):
            assert machine["config"]["env"]["LEVEL"] == level
            assert images[to].endswith(machine["image_ref"]["digest"])
    assert not Path(".score-flyio").exists()


def test_a_lost_state_comes_back(cli: Cli, deployed: Platform) -> None:
    changed(cli, info="debug")
    deployed.emulator.world.registries.push("nginx:1")
    (before,) = cli("releases", "web", "--json").json
    machines = {m["id"]: m["instance_id"] for m in deployed.machines("x-web")}
    addresses = deployed.get("/apps/x-web/ip_assignments")
    shutil.rmtree(".score-flyio")
    assert cli("init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0
    assert cli("deploy", "web.yaml", "worker.yaml", FAST, "--json").json["outcome"] == "unchanged"
    assert {m["id"]: m["instance_id"] for m in deployed.machines("x-web")} == machines
    assert deployed.get("/apps/x-web/ip_assignments") == addresses
    (after,) = cli("releases", "web", "--json").json
    for found, known in zip(after["releases"], before["releases"], strict=True):
        assert {k: v for k, v in found.items() if k != "at"} == {
            k: v for k, v in known.items() if k != "at"
        }
    assert cli("rollback", "web", FAST, "--json").json["to"] == 1
    assert levels(deployed) == {"info"}
    (last, *_) = cli("releases", "web", "--json").json[0]["releases"]
    assert (last["version"], last["image"]) == (3, before["releases"][1]["image"])


def test_a_rollback_needs_no_deploy_before_it(cli: Cli, deployed: Platform) -> None:
    changed(cli, info="debug")
    shutil.rmtree(".score-flyio")
    cli("init", "--no-sample", "--fly-app-prefix", "x-")
    cli("generate", "web.yaml")
    assert cli("rollback", "web", FAST, "--json").json["to"] == 1
    assert cli("deploy", FAST).exit_code == 0
    document = cli("state", "show", "--json").json
    (item,) = document["deployments"]
    assert item["releases"] == [1, 2, 3, 4]
    assert levels(deployed) == {"debug"}


def test_rollback_after_other_changes_goes_to_what_was_different(
    cli: Cli, deployed: Platform
) -> None:
    changed(cli, info="debug")
    cli("secrets", "set", "web", "KEY=v", FAST)
    assert cli("rollback", "web", FAST, "--json").json["to"] == 1
    assert levels(deployed) == {"info"}


@pytest.mark.parametrize("args", [["web", "--to", "9"], ["worker"], ["nope"], ["web", "extra"]])
def test_wrong_rollbacks(cli: Cli, deployed: Platform, args: list[str]) -> None:
    result = cli("rollback", *args)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr
    assert deployed.url


# --- secrets


def versions(served: Platform) -> list[str]:
    return [m["instance_id"] for m in served.machines("x-web")]


def test_secrets_are_set_and_machines_start_anew(cli: Cli, deployed: Platform) -> None:
    before = versions(deployed)
    result = cli("secrets", "set", "web", "A=swordfish", "B=2=3", FAST)
    assert result.exit_code == 0, result.stderr
    assert "swordfish" not in result.stdout + result.stderr
    assert set(versions(deployed)).isdisjoint(before)
    listed = cli("secrets", "list", "web", "--json").json
    assert [secret["name"] for secret in listed] == ["A", "B"]
    assert "swordfish" not in str(listed)
    after = versions(deployed)
    assert cli("secrets", "set", "web", "A=swordfish", FAST).exit_code == 0
    assert versions(deployed) == after


def test_staged_secrets_wait_for_the_next_start(cli: Cli, deployed: Platform) -> None:
    before = versions(deployed)
    assert cli("secrets", "set", "web", "A=1", "--stage").exit_code == 0
    assert versions(deployed) == before
    assert cli("secrets", "deploy", "web", FAST).exit_code == 0
    after = versions(deployed)
    assert set(after).isdisjoint(before)
    cli("secrets", "deploy", "web", FAST)
    assert versions(deployed) == after


def test_staged_removals_are_told_as_such(cli: Cli, deployed: Platform) -> None:
    cli("secrets", "set", "web", "A=1", FAST)
    removed = cli("secrets", "unset", "web", "A", "--stage")
    assert "removed A; no machine was restarted" in removed.stdout


def test_a_scale_of_the_count_tells_the_release_that_runs(cli: Cli, deployed: Platform) -> None:
    assert "release 1; 3 machines" in cli("scale", "web", "3", FAST).stdout
    assert "release 2; 3 machines" in cli("scale", "web", "--vm-memory", "512mb", FAST).stdout


def test_unset_and_import(cli: Cli, deployed: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '# a comment\nA=1\nB="in quotes"\n\nC="""one\ntwo"""\n'
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    result = cli("secrets", "import", "web", FAST, "--json")
    assert result.json["secrets"] == ["A", "B", "C"]
    assert cli("secrets", "unset", "web", "A", "nothing_of_that_name", FAST).exit_code == 0
    names = [secret["name"] for secret in cli("secrets", "list", "web", "--json").json]
    assert names == ["B", "C"]
    assert deployed.url


def test_a_deploy_afterwards_has_nothing_to_do(cli: Cli, deployed: Platform) -> None:
    cli("secrets", "set", "web", "A=1", FAST)
    before = versions(deployed)
    assert cli("deploy", FAST, "--json").json["outcome"] == "unchanged"
    assert versions(deployed) == before


@pytest.mark.parametrize(
    ("args", "stdin", "part"),
    [
        (["set", "web", "swordfish"], "", "NAME=VALUE"),
        (["set", "web", "1A=swordfish"], "", "1A"),
        (["set", "web"], "", "NAME=VALUE"),
        (["unset", "web"], "", "names"),
        (["unset", "web", "a-b"], "", "a-b"),
        (["import", "web"], "A=1\nswordfish\n", "stdin:2"),
        (["import", "web"], 'A="""swordfish\n', "stdin:1"),
        (["import", "web"], "", "no secret on stdin"),
        (["set", "A=swordfish"], "", "has 2"),
        (["list", "web", "more"], "", "more"),
        (["set", "-a", "missing", "A=swordfish"], "", "no such app"),
    ],
)
def test_wrong_secrets(
    cli: Cli,
    deployed: Platform,
    monkeypatch: pytest.MonkeyPatch,
    args: list[str],
    stdin: str,
    part: str,
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    result = cli("secrets", *args)
    assert result.exit_code == 2
    assert part in result.stderr
    if args[1:2] != ["web"] or part != "NAME=VALUE":
        assert "swordfish" not in result.stderr
    assert (deployed.get("/apps/x-web/secrets")["secrets"] or []) == []


# --- destroy


def test_destroying_says_what_goes_and_asks(cli: Cli, deployed: Platform) -> None:
    result = cli("destroy", "web")
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    for machine in deployed.machines("x-web"):
        assert machine["id"] in result.stderr
    assert "destroy app x-web" in result.stderr
    assert cli("destroy", "web", "--yes").exit_code == 0
    assert deployed.get("/apps/x-web").get("name") is None
    assert len(deployed.machines("x-worker")) == 2
    assert [d["app"] for d in cli("state", "show", "--json").json["deployments"]] == ["x-worker"]


def test_a_misspelt_app_is_no_app_that_is_gone(cli: Cli, deployed: Platform) -> None:
    Path("fly.toml").write_text(FLY_TOML)
    for more in ([], ["--dry-run"], ["--json"], ["-c", "fly.toml"]):
        result = cli("destroy", "--yes", "--app", "x-wbe", *more)
        assert result.exit_code == 2
        assert "Error: app x-wbe: there is no such app\nHint: did you mean x-web? " in result.stderr
    assert cli("destroy", "--yes", "-c", "fly.toml").exit_code == 0
    assert len(deployed.machines("x-web")) == 2


def test_everything_goes_and_can_come_back(cli: Cli, deployed: Platform) -> None:
    assert cli("destroy", "--yes", "--json").json["outcome"] == "done"
    assert deployed.get("/apps?org_slug=personal")["apps"] == []
    assert cli("destroy", "--app", "x-web", "--yes").exit_code == 0
    again = cli("destroy")
    assert again.exit_code == 0
    assert "web (app x-web): there is no such app" in again.stderr
    assert cli("deploy", FAST).exit_code == 0
    assert len(deployed.machines("x-web")) == 2


def test_resources_go_with_their_last_user(cli: Cli, served: Platform) -> None:
    shared = DB.replace("{type: thing}", "{type: thing, id: shared}")
    project(cli, {"a.yaml": shared, "b.yaml": shared.replace("db-user", "other")})
    cli("provisioners", "add", "p", "thing", "--static-json", '{"host": "h"}')
    assert cli("deploy", "a.yaml", "b.yaml", FAST).exit_code == 0
    cli("destroy", "other", "--yes")
    assert [r["uid"] for r in cli("resources", "list", "--json").json] == ["thing.default#shared"]
    result = cli("destroy", "--yes")
    assert "deprovision thing.default#shared" in result.stderr
    assert cli("resources", "list", "--json").json == []
    assert served.url


def test_keeping_volumes_keeps_the_app(cli: Cli, served: Platform) -> None:
    mounted = FLY_TOML + "[[mounts]]\n  source = 'data'\n  destination = '/data'\n"
    Path("fly.toml").write_text(mounted)
    cli("deploy", "-c", "fly.toml", FAST)
    assert cli("destroy", "-c", "fly.toml", "--keep-volumes", "--yes").exit_code == 0
    assert served.machines("by-hand") == []
    (volume,) = served.get("/apps/by-hand/volumes")
    cli("deploy", "-c", "fly.toml", FAST)
    (machine,) = served.machines("by-hand")
    assert machine["config"]["mounts"][0]["volume"] == volume["id"]


def test_a_workload_can_leave_with_everything(cli: Cli, deployed: Platform) -> None:
    assert cli("workloads", "remove", "web", "--destroy", "--yes").exit_code == 0
    assert [w["workload"] for w in cli("workloads", "list", "--json").json] == ["worker"]
    assert deployed.get("/apps/x-web").get("name") is None


# --- certs


def test_certificates(cli: Cli, deployed: Platform) -> None:
    added = cli("certs", "add", "web", "www.example.com", "--json").json
    assert not added["configured"]
    assert {record["type"] for record in added["dns_records"]} >= {"CNAME", "TXT"}
    again = cli("certs", "add", "web", "www.example.com")
    assert again.exit_code == 0
    assert [c["hostname"] for c in cli("certs", "list", "web", "--json").json] == [
        "www.example.com"
    ]
    assert cli("certs", "check", "web", "www.example.com").exit_code in {0, 1}
    assert cli("certs", "remove", "web", "www.example.com").exit_code == 0
    assert cli("certs", "list", "web", "--json").json == []
    assert deployed.url


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["check", "web", "no.example.com"], "no.example.com"),
        (["remove", "web", "no.example.com"], "no.example.com"),
        (["add", "web"], "host name"),
        (["add", "web", "a.example.com", "--fullchain", "c.pem"], "--private-key"),
        (
            ["add", "web", "a.example.com", "--fullchain", "c.pem", "--private-key", "k.pem"],
            "c.pem",
        ),
        (["list", "-a", "missing"], "no such app"),
    ],
)
def test_wrong_certificates(cli: Cli, deployed: Platform, args: list[str], part: str) -> None:
    result = cli("certs", *args)
    assert result.exit_code == 2
    assert part in result.stderr
    assert deployed.url


# --- state


def test_the_state_moves_as_one_document(cli: Cli, deployed: Platform) -> None:
    pulled = cli("state", "pull").stdout
    assert cli("state", "pull", "kept.yaml").exit_code == 0
    assert Path("kept.yaml").read_text() == pulled
    assert cli("--state", "elsewhere", "state", "push", "kept.yaml").exit_code == 0
    assert cli("--state", "elsewhere", "state", "pull").stdout == pulled
    assert cli("--state", "elsewhere", "deploy", FAST, "--json").json["outcome"] == "unchanged"
    assert deployed.url


def test_pushing_over_a_state_asks(cli: Cli, deployed: Platform) -> None:
    cli("state", "pull", "kept.yaml")
    assert cli("state", "push", "kept.yaml").exit_code == 2
    assert cli("state", "push", "kept.yaml", "--yes", "--json").json["app_prefix"] == "x-"
    assert deployed.url


def test_the_state_in_short(cli: Cli, deployed: Platform) -> None:
    document = cli("state", "show", "--json").json
    found: dict[str, Any] = {item["app"]: item for item in document["deployments"]}
    assert found["x-web"]["releases"] == [1]
    assert "app x-web" in cli("state", "show").stdout
    assert cli("state", "unlock").exit_code == 0
    assert cli("state", "history").exit_code == 2
    assert deployed.url


@pytest.mark.parametrize("text", ["a: [", "- 1\n", "{}\n---\n{}\n---\n{}\n"])
def test_a_broken_document_is_not_pushed(cli: Cli, text: str) -> None:
    project(cli)
    Path("bad.yaml").write_text(text)
    before = cli("state", "pull").stdout
    result = cli("state", "push", "bad.yaml", "--yes")
    assert result.exit_code in {1, 2}
    assert "bad.yaml" in result.stderr
    assert cli("state", "pull").stdout == before
