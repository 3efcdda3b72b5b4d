"""What users of score-compose and score-k8s type: the same commands and flags do the same here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from score_flyio._version import __version__
from tests.cli.conftest import Cli

SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers: {main: {image: nginx, volumes: {/data: {source: "${resources.data}"}}}}
resources: {data: {type: volume}}
"""


@pytest.fixture
def project(cli: Cli) -> Cli:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    (cli.directory / "score.yaml").write_text(SCORE)
    assert cli("generate", "score.yaml").exit_code == 0
    return cli


def test_version_is_a_command(cli: Cli) -> None:
    assert cli("version").stdout == f"score-flyio {__version__}\n"
    assert cli("version", "--no-logo", "--no-updates-check").exit_code == 0
    assert cli("version", "--json").json == {"version": __version__}


@pytest.mark.parametrize(
    ("constraint", "exit_code"),
    [
        (f"={__version__}", 0),
        (f"v{__version__}", 0),
        (">=v0.1", 0),
        (">v0", 0),
        (">=0.1.0", 0),
        ("=0.1", 0),
        (f">{__version__}", 1),
        (">=99.0", 1),
        ("=v99.1.2", 1),
        ("~1", 2),
        ("<2", 2),
        ("latest", 2),
        (">=1.2.3.4", 2),
    ],
)
def test_check_version(cli: Cli, constraint: str, exit_code: int) -> None:
    result = cli("check-version", constraint)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert bool(result.stderr) is bool(exit_code)


@pytest.mark.parametrize("listing", ["workloads", "resources", "provisioners"])
def test_lists_in_each_form(project: Cli, listing: str) -> None:
    as_json = project(listing, "list", "-f", "json").json
    assert as_json
    assert yaml.safe_load(project(listing, "list", "--format", "yaml").stdout) == as_json
    table = project(listing, "list", "-f", "table").stdout.splitlines()
    assert table[0].isupper()
    assert len(table) == len(as_json) + 1
    assert project(listing, "list", "-f", "xml").exit_code == 2
    for form in ("json", "yaml", "table"):
        assert project(listing, "list", "-f", form, "--json").json == as_json


def test_an_empty_list_is_yaml_too(cli: Cli) -> None:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    assert yaml.safe_load(cli("workloads", "list", "-f", "yaml").stdout) == []


def test_outputs_in_each_form(project: Cli) -> None:
    uid = "volume.default#shop.data"
    as_json = json.loads(project("resources", "get-outputs", uid).stdout)
    assert as_json["source"]
    assert yaml.safe_load(project("resources", "get-outputs", uid, "-f", "yaml").stdout) == as_json
    assert project("resources", "get-outputs", uid, "-f", "json").json == as_json
    template = project("resources", "get-outputs", uid, "-f", "{{ .source }}")
    assert (template.exit_code, "'json', 'yaml'" in template.stderr) == (2, True)


def test_v_behind_a_command_means_more_output(project: Cli) -> None:
    for flags in (["-v"], ["-vv"], ["--verbose"]):
        result = project("generate", "score.yaml", *flags)
        assert (result.exit_code, result.stdout) == (0, "")
    assert project("-v", "generate", "score.yaml").stdout == f"score-flyio {__version__}\n"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": "quota used up", "password": "hunter2"}, "quota used up"),
        ({"error": {"message": "no such plan", "key": "hunter2"}}, "no such plan"),
        ({"title": "Conflict", "detail": "name taken", "values": {"p": "hunter2"}}, "name taken"),
    ],
)  # fmt: skip
def test_the_reason_in_the_json_of_a_failed_provisioner_is_told(
    project: Cli, body: dict[str, Any], told: str
) -> None:
    answer = json.dumps(body)
    script = f"echo '{answer}'; exit 3"
    add = ("provisioners", "add", "own", "volume")
    (project.directory / "fail.sh").write_text(script)
    project(*add, "--cmd-binary", "/bin/sh", "--cmd-args", "fail.sh")
    result = project("generate")
    assert result.exit_code == 1
    assert told in result.stderr
    assert "hunter2" not in result.stderr


def test_patch_templates_are_refused_with_the_reason(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "patch.tpl").write_text("")
    result = cli("init", "--fly-app-prefix", "pfx-", "--patch-templates", "patch.tpl")
    assert result.exit_code == 2
    assert "there are none here" in result.stderr


def test_without_default_provisioners_nothing_serves(cli: Cli) -> None:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample", "--no-default-provisioners")
    (cli.directory / "score.yaml").write_text(SCORE)
    assert cli("provisioners", "list", "-f", "json").json == []
    result = cli("generate", "score.yaml")
    assert result.exit_code == 2
    assert "score.yaml:4: resources.data" in result.stderr
