"""init, generate, provisioners, resources and workloads, as someone types them."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Cli
from tests.cli.platform import DB, WEB

SHOP = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: .
    variables: {HOST: "${resources.db.host}", PW: "${resources.db.pw}"}
resources: {db: {type: pg}}
"""
ANSWER = '{"values":{"host":"h"},"secrets":{"pw":"hunter2"}}'


@pytest.fixture
def project(cli: Cli) -> Cli:
    """A project with a Score file whose resource a program serves."""
    assert cli("init", "--fly-app-prefix", "pfx-", "--no-sample").exit_code == 0
    (cli.directory / "shop.yaml").write_text(SHOP)
    (cli.directory / "pg.sh").write_text(f"cat >> asked.txt; echo >> asked.txt\necho '{ANSWER}'\n")
    add = cli("provisioners", "add", "pg", "pg", "--cmd-binary", "/bin/sh", "--cmd-args", "pg.sh")
    assert add.exit_code == 0
    return cli


def workload(name: str, *, more: str = "", **resources: str) -> str:
    """A Score file; `resources` by name with their types."""
    items = "".join(f"  {key}: {{type: {value}}}\n" for key, value in resources.items())
    return (
        f"apiVersion: score.dev/v1b1\nmetadata: {{name: {name}}}\n"
        f"containers: {{main: {{image: busybox}}}}\n{'resources:' if items or more else ''}\n{items}{more}"
    )


def write(cli: Cli, **files: str) -> None:
    for name, text in files.items():
        (cli.directory / f"{name}.yaml").write_text(text)


def toml(cli: Cli, name: str) -> dict[str, object]:
    return tomllib.loads((cli.directory / f"fly_{name}.toml").read_text())


class TestInit:
    def test_starts_a_project_with_a_sample_that_generate_takes(self, cli: Cli) -> None:
        result = cli("init", "--fly-app-prefix", "pfx-", "--json")
        assert result.json == {
            "created": True,
            "app_prefix": "pfx-",
            "sample": "score.yaml",
            "provisioners": [],
        }
        assert cli("generate", "score.yaml").exit_code == 0
        assert toml(cli, "example")["app"] == "pfx-example"
        assert stat.S_IMODE((cli.directory / ".score-flyio").stat().st_mode) == 0o700

    @pytest.mark.parametrize("again", [(), ("--fly-app-prefix=",), ("--fly-app-prefix=pfx-",)])
    def test_again_changes_nothing_but_brings_the_sample_back(
        self, cli: Cli, again: tuple[str, ...]
    ) -> None:
        cli("init", "--fly-app-prefix", "pfx-")
        before = (cli.directory / ".score-flyio/state.yaml").read_text()
        (cli.directory / "score.yaml").unlink()
        result = cli("init", *again, "--json")
        assert result.json == {
            "created": False,
            "app_prefix": "pfx-",
            "sample": "score.yaml",
            "provisioners": [],
        }
        assert (cli.directory / ".score-flyio/state.yaml").read_text() == before

    def test_options_may_be_spelled_as_the_go_tool_takes_them(self, cli: Cli) -> None:
        made = cli("init", "-f=app.yaml", "--fly-app-prefix=x-", "--debug=false", "--json")
        assert made.json["sample"] == "app.yaml"
        assert cli("generate", "app.yaml", "--deploy=false").exit_code == 0
        wrong = cli("generate", "app.yaml", "--deploy=perhaps", "--json")
        assert wrong.json["error"]["code"] == "cli_usage"

    def test_an_existing_score_file_stays(self, cli: Cli) -> None:
        write(cli, score="mine")
        assert cli("init", "--fly-app-prefix=", "--json").json["sample"] is None
        assert (cli.directory / "score.yaml").read_text() == "mine"

    def test_the_prefix_is_fixed(self, project: Cli) -> None:
        result = project("init", "--fly-app-prefix", "other-", "--json")
        assert result.exit_code == 2
        assert result.json["error"]["code"] == "init_prefix_conflict"
        assert "'pfx-'" in result.stderr


class TestGenerate:
    def test_secrets_are_in_no_file_but_the_one_asked_for(self, project: Cli) -> None:
        result = project("generate", "shop.yaml", "--image", "i:1", "--secrets-file", "s.env")
        assert result.exit_code == 0, result.stderr
        assert toml(project, "shop")["env"] == {"HOST": "h"}
        assert (project.directory / "s.env").read_text() == "PW=hunter2\n"
        assert stat.S_IMODE((project.directory / "s.env").stat().st_mode) == 0o600
        others = [p for p in project.directory.rglob("*") if p.is_file() and p.name != "s.env"]
        texts = {p.name: p.read_text() for p in others if p.name != "pg.sh"}
        assert [name for name, text in texts.items() if "hunter2" in text] == []
        assert "hunter2" not in result.stdout + result.stderr

    def test_an_empty_setting_is_none(self, project: Cli) -> None:
        empty = ("--image=", "--secrets-file=", "--overrides-file=", "--output-dir=")
        result = project("generate", "shop.yaml", *empty)
        assert result.exit_code == 0, result.stderr
        build = toml(project, "shop")["build"]
        assert build == {"dockerfile": "Dockerfile", "ignorefile": ".dockerignore"}
        assert project("generate", *empty).exit_code == 0, "they need no single file"

    def test_secrets_on_stdout_stand_there_alone(self, project: Cli) -> None:
        result = project("generate", "shop.yaml", "--secrets-file", "-")
        assert (result.exit_code, result.stdout) == (0, "PW=hunter2\n")
        nowhere = project("generate", "shop.yaml", "--secrets-file", "none/s.env")
        assert nowhere.exit_code == 2
        assert "--secrets-file: none/s.env cannot be written: no such file" in nowhere.stderr
        assert "name a file in a folder that exists" in nowhere.stderr
        both = project("generate", "shop.yaml", "--secrets-file", "-", "--json")
        assert both.exit_code == 2

    def test_json_says_what_was_made(self, project: Cli) -> None:
        result = project("generate", "shop.yaml", "--output-dir", "out/deep", "--json")
        (made,) = result.json["workloads"]
        assert made == {
            "workload": "shop",
            "app": "pfx-shop",
            "file": "out/deep/fly_shop.toml",
            "secrets": ["PW"],
        }
        assert (project.directory / made["file"]).is_file()
        assert "--secrets-file" in result.stderr

    def test_without_a_file_all_known_workloads_are_generated(self, project: Cli) -> None:
        write(project, other=workload("other"))
        assert project("generate", "shop.yaml", "other.yaml").exit_code == 0
        for path in project.directory.glob("fly_*.toml"):
            path.unlink()
        assert project("generate").exit_code == 0
        assert toml(project, "shop")["app"] == "pfx-shop"
        assert toml(project, "other")["app"] == "pfx-other"

    def test_nothing_known_is_told(self, project: Cli) -> None:
        result = project("generate", "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (2, "cli_usage")

    @pytest.mark.parametrize(
        "option", [("--image", "x"), ("--override-property", "a=b"), ("--overrides-file", "o")]
    )
    def test_overrides_need_one_file(self, project: Cli, option: tuple[str, str]) -> None:
        write(project, other=workload("other"))
        assert project("generate", "shop.yaml", "other.yaml", *option).exit_code == 2
        assert project("generate", *option).exit_code == 2

    def test_one_name_in_two_files_is_refused(self, project: Cli) -> None:
        write(project, a=workload("same"), b=workload("same"))
        result = project("generate", "a.yaml", "b.yaml")
        assert result.exit_code == 2
        assert "both a.yaml and b.yaml" in result.stderr

    def test_a_broken_file_does_not_stop_the_others(self, project: Cli) -> None:
        write(project, bad="apiVersion: 1", worse="- no", fine=workload("fine"))
        result = project("generate", "bad.yaml", "fine.yaml", "worse.yaml", "--json")
        assert toml(project, "fine")["app"] == "pfx-fine"
        assert result.exit_code == 2
        files = {problem["file"] for problem in result.json["error"]["problems"]}
        assert files == {"bad.yaml", "worse.yaml"}
        (made,) = result.json["workloads"]
        assert (made["workload"], made["file"]) == ("fine", "fly_fine.toml")

    def test_a_failed_resource_stops_only_workloads_that_need_it(self, project: Cli) -> None:
        write(project, bad=workload("bad", db="nobody"), fine=workload("fine", db="pg"))
        result = project("generate", "bad.yaml", "fine.yaml", "--json")
        assert result.exit_code == 2
        assert result.json["error"]["code"] == "provisioner_not_found"
        assert not (project.directory / "fly_bad.toml").exists()
        assert toml(project, "fine")["app"] == "pfx-fine"

    def test_why_a_resource_failed_is_told_once(self, project: Cli) -> None:
        project("provisioners", "add", "maker", "thing", "--cmd-binary=false")
        write(project, web=workload("web", db="thing"))
        result = project("generate", "web.yaml")
        assert result.exit_code == 1
        assert "WARN web/thing.default#web.db: provisioning with maker failed\n" in result.stderr
        assert result.stderr.count("exit code 1") == 1, result.stderr

    def test_a_broken_workload_in_the_state_blocks_no_other(self, project: Cli) -> None:
        write(project, bad=workload("bad", db="nobody"), fine=workload("fine"))
        assert project("generate", "bad.yaml").exit_code == 2
        path = project.directory / ".score-flyio/state.yaml"
        assert "bad:" in path.read_text()
        path.write_text(path.read_text().replace("image: busybox", "imagge: 1"))
        assert project("generate", "fine.yaml").exit_code == 0
        assert project("generate").exit_code == 2

    def test_a_conflict_stops_only_the_workloads_that_bring_it(self, project: Cli) -> None:
        def sharing(name: str, size: int) -> str:
            db = f"{{type: pg, id: one, params: {{size: {size}}}}}"
            return workload(name, more=f"  db: {db}\n")

        write(project, aa=sharing("aa", 1), bb=sharing("bb", 2), cc=workload("cc"))
        result = project("generate", "aa.yaml", "bb.yaml", "cc.yaml", "--json")
        assert result.json["error"]["code"] == "resource_conflict"
        assert "'pg.default#one'" in result.stderr
        state = yaml.safe_load((project.directory / ".score-flyio/state.yaml").read_text())
        assert set(state["workloads"]) == {"aa", "cc"}

    def test_problems_are_found_before_anything_is_provisioned(self, project: Cli) -> None:
        write(project, shop=SHOP.replace("${resources.db.pw}", "${resources.nope.pw}"))
        before = (project.directory / ".score-flyio/state.yaml").read_text()
        assert project("generate", "shop.yaml").exit_code == 2
        assert not (project.directory / "asked.txt").exists()
        assert (project.directory / ".score-flyio/state.yaml").read_text() == before

    def test_many_resources_are_provisioned_at_once(self, project: Cli) -> None:
        # Each waits until all have started: one after the other they would never end.
        meet = (
            'touch "here.$$"; while [ $(ls here.* | wc -l) -lt 20 ]; do sleep 0.05; done; echo "{}"'
        )
        (project.directory / "meet.sh").write_text(meet)
        project("provisioners", "add", "m", "meet", "--cmd-binary=/bin/sh", "--cmd-args=meet.sh")
        write(project, many=workload("many", **{f"r{n:02}": "meet" for n in range(20)}))
        assert project("generate", "many.yaml", "--jobs", "20").exit_code == 0

    def test_a_locked_state_is_told_with_its_owner(self, project: Cli) -> None:
        folder = project.directory / ".score-flyio"
        number = os.open(folder, os.O_RDONLY)
        fcntl.flock(number, fcntl.LOCK_EX)
        (folder / "lock").write_text("deploy (process 1 on there) since then")
        result = project("generate", "shop.yaml")
        os.close(number)
        assert result.exit_code == 4
        assert "deploy (process 1 on there) since then" in result.stderr
        assert project("generate", "shop.yaml").exit_code == 0

    @pytest.mark.parametrize(
        "arguments", [("--deploy-args", "--ha=false"), ("--jobs", "0"), ("--nope",)]
    )
    def test_wrong_options_are_usage_errors(self, project: Cli, arguments: tuple[str, ...]) -> None:
        assert project("generate", "shop.yaml", *arguments).exit_code == 2


class TestProvisioners:
    def test_the_newest_comes_first_and_replaces_its_equals(self, cli: Cli) -> None:
        cli("init", "--fly-app-prefix=", "--no-sample")
        cli("provisioners", "add", "a", "t", "--static-json", '{"x": 1}')
        cli("provisioners", "add", "b", "t", "--res-class", "big", "--static-json", "null")
        cli(
            "provisioners", "add", "c", "t", "--res-id", "i", "--http-url", "http://u:p@h.example/x"
        )
        assert cli("provisioners", "list").stdout.splitlines() == [
            "[0]: c (t.#i) HTTP http://h.example/x",
            "[1]: b (t.big#) Static #0",
            "[2]: a (t.#) Static #1",
        ]
        cli("provisioners", "add", "d", "t", "--res-class", "big", "--static-json", "{}")
        cli("provisioners", "add", "a", "other", "--static-json", "{}")
        assert [item["id"] for item in cli("provisioners", "list", "--json").json] == [
            "a",
            "d",
            "c",
        ]

    def test_commands_are_found_and_their_arguments_split(self, cli: Cli) -> None:
        cli("init", "--fly-app-prefix=", "--no-sample")
        for name, binary in {"a": "sh", "b": "./bin/../p.sh"}.items():
            args = ("--cmd-args", 'x,"y,z"', "--cmd-args", "$SCORE_PROVISIONER_MODE")
            result = cli("provisioners", "add", name, name * 2, "--cmd-binary", binary, *args)
            assert result.exit_code == 0, result.stderr
        first, second = (item["cmd"] for item in cli("provisioners", "list", "--json").json)
        assert first["binary"] == str(cli.directory / "p.sh")
        assert second["binary"].endswith("/sh")
        assert first["args"] == ["x", "y,z", "$SCORE_PROVISIONER_MODE"]

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            ((), "cli_usage"),
            (("--static-json", "{}", "--http-url", "http://x"), "cli_usage"),
            (("--static-json", "[1]"), "provisioner_definition_invalid"),
            (("--static-json", "{"), "provisioner_definition_invalid"),
            (("--cmd-binary", "no-such-program"), "provisioner_definition_invalid"),
            (("--cmd-binary", ""), "provisioner_definition_invalid"),
            (("--cmd-binary", "sh", "--cmd-args", "one\ntwo"), "cli_usage"),
            (("--http-url", "host/x"), "provisioner_definition_invalid"),
            (("--http-url", "http://"), "provisioner_definition_invalid"),
        ],
    )
    def test_a_wrong_definition_is_refused(
        self, cli: Cli, arguments: tuple[str, ...], code: str
    ) -> None:
        cli("init", "--fly-app-prefix=", "--no-sample")
        result = cli("provisioners", "add", "a", "t", *arguments, "--json")
        assert (result.exit_code, result.json["error"]["code"]) == (2, code)

    @pytest.mark.parametrize(
        ("text", "arguments"),
        [
            ("", []),
            ("a,", ["a", ""]),
            ('"a,b",c', ["a,b", "c"]),
            ('"a ""b""",$SCORE_PROVISIONER_MODE', ['a "b"', "$SCORE_PROVISIONER_MODE"]),
            ('"a\nb"', ["a\nb"]),
        ],
    )
    def test_arguments_are_a_list_with_commas(
        self, cli: Cli, text: str, arguments: list[str]
    ) -> None:
        cli("init", "--fly-app-prefix=", "--no-sample")
        result = cli(
            "provisioners", "add", "a", "t", "--cmd-binary=sh", f"--cmd-args={text}", "--json"
        )
        assert result.json["cmd"]["args"] == arguments

    @pytest.mark.parametrize("text", ['a"b', '"a', '"a"b', ' "a"', "a\nb"])
    def test_arguments_with_wrong_quotes_are_refused(self, cli: Cli, text: str) -> None:
        cli("init", "--fly-app-prefix=", "--no-sample")
        result = cli(
            "provisioners", "add", "a", "t", "--cmd-binary=sh", f"--cmd-args={text}", "--json"
        )
        assert (result.exit_code, result.json["error"]["code"]) == (2, "cli_usage")

    def test_arguments_without_a_program_have_no_effect(self, cli: Cli) -> None:
        cli("init", "--fly-app-prefix=", "--no-sample")
        result = cli("provisioners", "add", "a", "t", "--static-json={}", "--cmd-args=x", "--json")
        assert result.json["static"] == {}
        assert "--cmd-args has no effect" in result.stderr

    def test_removing_what_is_not_there_is_told(self, project: Cli) -> None:
        result = project("provisioners", "remove", "nope", "--json")
        assert (result.exit_code, result.json["removed"]) == (0, False)
        assert "'nope'" in result.stderr


class TestResources:
    def test_list_and_outputs(self, project: Cli) -> None:
        project("generate", "shop.yaml")
        assert project("resources", "list").stdout.splitlines() == [
            "UID                 SOURCE WORKLOAD  PROVISIONER  OUTPUTS",
            "pg.default#shop.db  shop             pg           host",
        ]
        (item,) = project("resources", "list", "--json").json
        assert item["outputs"] == {"host": "h"}
        assert project("resources", "get-outputs", "pg.default#shop.db").json == {"host": "h"}

    def test_secrets_are_known_only_by_provisioning_again(self, project: Cli) -> None:
        project("generate", "shop.yaml")
        result = project("resources", "get-outputs", "pg.default#shop.db", "--show-secrets")
        assert result.json == {"host": "h", "pw": "hunter2"}
        assert "hunter2" not in result.stderr
        assert len((project.directory / "asked.txt").read_text().splitlines()) == 2

    @pytest.mark.parametrize("uid", ["pg.default#nope", "pg", ""])
    def test_an_unknown_resource_is_told_with_the_known_ones(self, project: Cli, uid: str) -> None:
        project("generate", "shop.yaml")
        for arguments in (("get-outputs", uid), ("deprovision", uid)):
            result = project("resources", *arguments)
            assert result.exit_code == 2
            assert f"'{uid}'" in result.stderr
            assert "pg.default#shop.db" in result.stderr

    def test_deprovision_goes_on_from_what_a_failed_one_answered(self, project: Cli) -> None:
        project("generate", "shop.yaml")
        uid = "pg.default#shop.db"
        (project.directory / "pg.sh").write_text(
            "cat > request.json\n"
            "grep -q '\"left\":1' request.json && exit 0\n"
            'echo \'{"state": {"left": 1}, "shared": {"seen": 1}}\'\n'
            "exit 3\n"
        )
        failed = project("resources", "deprovision", uid)
        assert failed.exit_code == 1
        assert ": deprovisioning with " in failed.stderr
        assert " failed\n" in failed.stderr
        assert ": provisioning with" not in failed.stderr
        assert project("resources", "deprovision", uid).exit_code == 0
        told = json.loads((project.directory / "request.json").read_text())
        assert (told["state"], told["shared"]["seen"]) == ({"left": 1}, 1)
        assert project("resources", "list", "--json").json == []

    def test_another_provisioner_with_the_notes_of_the_last_one_is_told_once(
        self, project: Cli
    ) -> None:
        def provisioned_by(name: str, answer: str) -> str:
            (project.directory / "pg.sh").write_text(f"cat > request.json\necho '{answer}'\n")
            command = ("--cmd-binary", "/bin/sh", "--cmd-args", "pg.sh")
            project("provisioners", "add", name, "pg", *command)
            result = project("generate", "shop.yaml")
            assert result.exit_code == 0
            return result.stderr

        told = "provisioned it until now"
        assert told not in provisioned_by("bare", ANSWER)
        noted = ANSWER.replace("{", '{"state":{"made":1},', 1)
        assert told not in provisioned_by("first", noted)
        said = provisioned_by("second", noted)
        assert "what 'first' made is left behind" in said
        assert told not in provisioned_by("second", noted)

    def test_deprovision_all_goes_backwards(self, project: Cli) -> None:
        more = "  top: {type: pg, params: {x: '${resources.db.host}'}}\n"
        write(project, shop=workload("shop", db="pg", more=more))
        assert project("generate", "shop.yaml").exit_code == 0
        (project.directory / "asked.txt").unlink()
        assert project("resources", "deprovision", "--all").exit_code == 2
        result = project("resources", "deprovision", "--all", "--yes", "--json")
        assert result.json == {"deprovisioned": ["pg.default#shop.db", "pg.default#shop.top"]}
        lines = (project.directory / "asked.txt").read_text().splitlines()
        assert [json.loads(line)["resource_id"] for line in lines] == ["shop.top", "shop.db"]

    @pytest.mark.parametrize("arguments", [(), ("a.b#c", "--all")])
    def test_deprovision_needs_a_uid_or_all(self, project: Cli, arguments: tuple[str, ...]) -> None:
        assert project("resources", "deprovision", *arguments).exit_code == 2


class TestWorkloads:
    def test_list_and_remove(self, project: Cli) -> None:
        project("generate", "shop.yaml")
        expected = [{"workload": "shop", "app": "pfx-shop", "file": "shop.yaml"}]
        assert project("workloads", "list", "--json").json == expected
        result = project("workloads", "remove", "shop", "--json")
        assert result.json == {
            "workload": "shop",
            "app": "pfx-shop",
            "orphaned_resources": ["pg.default#shop.db"],
        }
        for name in ("pfx-shop", "pg.default#shop.db"):
            assert name in result.stderr
        assert project("workloads", "list", "--json").json == []
        (resource,) = project("resources", "list", "--json").json
        assert resource["source_workload"] is None

    def test_an_unknown_workload_is_told(self, project: Cli) -> None:
        result = project("workloads", "remove", "nope")
        assert (result.exit_code, "'nope'" in result.stderr) == (2, True)


def test_the_state_can_be_elsewhere(cli: Cli, tmp_path: Path) -> None:
    elsewhere = tmp_path / "kept" / "here"
    assert cli("init", "--fly-app-prefix=x-", "--no-sample", "--state", elsewhere).exit_code == 0
    assert (elsewhere / "state.yaml").is_file()
    cli.environ["SCORE_FLYIO_STATE"] = f"file://{elsewhere}"
    assert cli("workloads", "list").exit_code == 0
    assert cli("workloads", "list", "--state", "gopher://x").exit_code == 2


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("generate web.yaml", "done"),
        ("generate db.yaml", "done"),
        ("generate web.yaml broken.yaml", "failed"),
        ("resources deprovision thing.default#db-user.db", "done"),
        ("resources deprovision --all --yes", "done"),
    ],
)
def test_events_of_what_visits_no_platform_have_a_frame(cli: Cli, line: str, outcome: str) -> None:
    for name, text in {"web": WEB, "db": DB, "broken": "metadata: {name: broken}\n"}.items():
        Path(f"{name}.yaml").write_text(text)
    assert cli("init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0
    add = ("provisioners", "add", "t", "thing", "--static-json", '{"host": "h"}')
    assert cli(*add).exit_code == 0
    assert cli("generate", "db.yaml").exit_code == 0
    cli(*line.split(), "--events", "it.jsonl")
    found = [json.loads(text) for text in Path("it.jsonl").read_text().splitlines()]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    assert found[0]["kind"] == "run_started"
    assert line.startswith(found[0]["command"])
    assert (found[-1]["kind"], found[-1]["outcome"]) == ("run_finished", outcome)
    through = [event["workload"] for event in found if event["kind"] == "workload_finished"]
    assert sorted(through) == sorted(found[0].get("workloads", []))


def test_a_file_that_is_given_twice_is_told_as_that(project: Cli) -> None:
    (project.directory / "copy.yaml").write_text(SHOP)
    twice = project("generate", "shop.yaml", "shop.yaml")
    assert (twice.exit_code, "shop.yaml is given twice" in twice.stderr) == (2, True)
    copied = project("generate", "shop.yaml", "copy.yaml")
    assert "workload 'shop' is in both shop.yaml and copy.yaml" in copied.stderr
