"""`config validate` and `config render`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli
from tests.conformance.fly_toml.compare import (
    CASES,
    Case,
    canonical,
    cases_in,
    ordered_document,
    unordered,
)
from tests.conftest import corpus

GOOD = 'app = "demo"\n[http_service]\ninternal_port = 8080\n[[mounts]]\nsource = "data"\ndestination = "/data"\n'
BAD = 'app = "demo"\n[deploy]\nstrategy = "slow"\n[[restart]]\npolicy = "maybe"\n'
ELSEWHERE = {
    *("launch_inputs", "update_inputs", "test_machines", "release_command_launch_input"),
    *("toml_round_trips", "toml_stable", "flattened", "group_errors"),
    "problems",
}
"""Members that need a release or an existing deployment, or that other tests of the cases compare."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = cases_in(corpus(metafunc.config, CASES, "*/fly.toml"))
        metafunc.parametrize("case", cases, ids=[case.name for case in cases])


UNCONVERTIBLE = """\
app = "demo"
processes = {a = "run", b = "run"}
[[files]]
guest_path = "/a"
raw_value = "x"
[[files]]
guest_path = "/b"
local_path = "none.txt"
[[vm]]
size = "shared-cpu-1x"
processes = ["a"]
[[vm]]
size = "tiny"
processes = ["b"]
[checks.up]
type = "tcp"
"""


@pytest.mark.parametrize("command", [["config", "render"], ["plan", "--emulate"]])
def test_all_that_cannot_be_converted_is_told_once_with_its_line(
    cli: Cli, command: list[str]
) -> None:
    Path("fly.toml").write_text(UNCONVERTIBLE)
    result = cli(*command, "--config", "fly.toml")
    assert result.exit_code == 2
    told = [line for line in result.stderr.splitlines() if "fly.toml:" in line]
    places = [line.removeprefix("Error: ").strip().split(": ")[:2] for line in told]
    assert places == [
        ["fly.toml:8", "files[1].local_path"],
        ["fly.toml:15", "checks.up.port"],
        ["fly.toml:13", "vm[1].size"],
    ]


@pytest.mark.parametrize("args", [[], ["--config", "fly.toml"], ["-c", "."]])
def test_validate_a_good_file(cli: Cli, args: list[str]) -> None:
    Path("fly.toml").write_text(GOOD)
    result = cli("config", "validate", *args)
    assert (result.exit_code, result.stdout) == (0, "fly.toml is valid\n")


def test_validate_tells_every_problem_with_its_line_and_mend(cli: Cli) -> None:
    Path("fly.toml").write_text(BAD)
    result = cli("config", "validate")
    assert (result.exit_code, result.stdout) == (2, "")
    first, second = result.stderr.splitlines()
    assert first.startswith("Error: fly.toml:3: deploy.strategy: ")
    assert "'slow'" in first
    assert second.startswith("Error: fly.toml:5: restart[0].policy: ")


def test_validate_as_json(cli: Cli) -> None:
    Path("fly.toml").write_text(BAD)
    result = cli("config", "validate", "--json")
    assert result.exit_code == 2
    assert result.json["valid"] is False
    assert [error["field"] for error in result.json["errors"]] == [
        "deploy.strategy",
        "restart.policy",
    ]


def test_strict_refuses_unknown_names(cli: Cli) -> None:
    Path("fly.toml").write_text('app = "demo"\nregion = "ams"\n')
    assert cli("config", "validate").exit_code == 0
    result = cli("config", "validate", "--strict", "--json")
    assert result.exit_code == 2
    assert result.json["valid"] is False
    assert "fly.toml:2: region: unknown name" in result.stderr


@pytest.mark.parametrize("command", ["validate", "render"])
def test_without_a_file(cli: Cli, command: str) -> None:
    result = cli("config", command, "--config", "none.toml", "--json")
    assert result.exit_code == 2
    assert result.json["error"]["code"] == "file_not_found"
    assert result.json["valid"] is False
    assert result.json["errors"] == [{"stage": "parse", "field": "", "code": "file_not_found"}]
    assert "none.toml" in result.stderr


def test_render_puts_the_image_into_the_machines(cli: Cli) -> None:
    Path("fly.toml").write_text(GOOD)
    document = cli("config", "render", "--image", "nginx:1").json
    assert document["machine_configs"]["app"]["image"] == "nginx:1"
    assert document["first_deploy_volumes"][0]["compute_image"] == "nginx:1"


def test_render_resolves_local_files_against_the_working_directory(cli: Cli) -> None:
    Path("conf").mkdir()
    Path("conf/fly.toml").write_text(
        'app = "demo"\n[[files]]\nguest_path = "/a"\nlocal_path = "a"\n'
    )
    Path("a").write_text("hello")
    document = cli("config", "render", "-c", "conf/fly.toml").json
    assert document["machine_configs"]["app"]["files"] == [
        {"guest_path": "/a", "raw_value": "aGVsbG8="}
    ]
    Path("a").unlink()
    result = cli("config", "render", "-c", "conf/fly.toml")
    assert result.exit_code == 2
    assert result.json["machine_configs"] == {"app": None}
    assert "cannot read 'a'" in result.stderr


def test_render_prints_every_recorded_outcome(
    cli: Cli, case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(case.folder)
    result = cli("config", "render", "--config", "fly.toml", "--json")
    document, expected = result.json, case.expected
    fails = (
        not expected["valid"]
        or "conversion_errors" in expected
        or "release_command_error" in expected
    )
    assert result.exit_code == (2 if fails else 0)
    for name in ("errors", "warnings"):
        assert unordered(document.pop(name)) == unordered(expected.pop(name))
    assert comparable(document) == comparable(expected)


def comparable(document: dict[str, Any]) -> str:
    """The members that follow from the file alone, without what the recording pinned."""
    kept: dict[str, Any] = {
        k: v for k, v in document.items() if k not in ELSEWHERE and v is not None
    }
    for volume in kept.get("first_deploy_volumes", ()):
        volume.pop("compute_image", None)
    if "deploy" in kept:
        kept["deploy"]["build_strategies"] = len(kept["deploy"]["build_strategies"])
    if "toml" in kept:
        kept["toml"] = ordered_document(kept["toml"])
    text = canonical(kept)
    return "\n".join(line for line in text.splitlines() if "fly_flyctl_version" not in line)
