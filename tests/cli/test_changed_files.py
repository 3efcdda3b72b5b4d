"""Score files that changed since they were read, where a command is given no FILE."""

from __future__ import annotations

import tomllib

import pytest

from tests.cli.conftest import Cli

SHOP = """\
apiVersion: score.dev/v1b1
metadata: {name: shop}
containers:
  main:
    image: .
    variables: {A: "1"}
    files:
      - {target: /etc/x, content: x}
"""


@pytest.fixture
def project(cli: Cli) -> Cli:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    (cli.directory / "shop").mkdir()
    (cli.directory / "shop/score.yaml").write_text(SHOP)
    return cli


def edit(cli: Cli, old: str, new: str) -> None:
    path = cli.directory / "shop/score.yaml"
    path.write_text(path.read_text().replace(old, new))


def variables(cli: Cli) -> object:
    return tomllib.loads((cli.directory / "fly_shop.toml").read_text())["env"]


REMARK = (
    "shop/score.yaml: has changed since it was read; workload 'shop' is as it was then "
    "(give --refresh)"
)


def test_a_changed_file_is_told_and_read_with_refresh(project: Cli) -> None:
    assert project("deploy", "--emulate", "shop/score.yaml", "--image", "nginx").exit_code == 0
    assert "has changed" not in project("plan", "--emulate").stdout
    edit(project, "image: .", "image: . # a comment changes nothing")
    assert "has changed" not in project("plan", "--emulate").stdout

    edit(project, 'A: "1"', 'A: "2"')
    plan = project("plan", "--emulate", "--detailed-exitcode")
    assert plan.exit_code == 0
    assert REMARK in plan.stdout
    deployed = project("deploy", "--emulate")
    assert REMARK in deployed.stderr
    assert "unchanged" in deployed.stdout

    assert project("plan", "--emulate", "--refresh", "--detailed-exitcode").exit_code == 2
    again = project("deploy", "--emulate", "--refresh")
    assert again.exit_code == 0, again.stderr
    assert "has changed" not in again.stderr
    plan = project("plan", "--emulate", "--detailed-exitcode")
    assert (plan.exit_code, "has changed" in plan.stdout) == (0, False)


def test_generate_without_files_does_the_same(project: Cli) -> None:
    project("generate", "shop/score.yaml", "--image", "nginx")
    edit(project, 'A: "1"', 'A: "2"')
    assert REMARK in project("generate").stderr
    assert variables(project) == {"A": "1"}
    assert project("generate", "--refresh").exit_code == 0
    assert variables(project) == {"A": "2"}


def test_what_was_overridden_is_compared_by_its_text(project: Cli) -> None:
    over = ("--image", "nginx", "--override-property", "containers.main.variables.B='3'")
    project("generate", "shop/score.yaml", *over)
    assert "has changed" not in project("generate").stderr
    edit(project, 'A: "1"', 'A: "2"')
    told = project("generate").stderr
    assert "has changed" in told
    assert "give it as FILE, with its overrides" in told
    refused = project("generate", "--refresh")
    assert refused.exit_code == 2
    assert "was read from it with overrides, which --refresh does not have" in refused.stderr
    assert variables(project) == {"A": "1", "B": "3"}


def test_a_file_that_is_wrong_or_of_another_workload_now(project: Cli) -> None:
    project("generate", "shop/score.yaml", "--image", "nginx")
    edit(project, "name: shop", "name: store")
    assert "has changed" in project("generate").stderr
    refused = project("generate", "--refresh")
    assert (refused.exit_code, "it has workload 'store' now" in refused.stderr) == (2, True)
    edit(project, "image: .", "imag: .")
    assert "has changed" in project("generate").stderr
    refused = project("generate", "--refresh")
    assert refused.exit_code == 2
    assert 'shop/score.yaml:4: containers.main: "image" is missing' in refused.stderr
    (project.directory / "shop/score.yaml").write_text("a: [")
    assert project("generate").exit_code == 0
    (project.directory / "shop/score.yaml").unlink()
    kept = project("generate")
    assert (kept.exit_code, "has changed" in kept.stderr) == (0, False)
    refused = project("generate", "--refresh")
    assert refused.exit_code == 2
    assert "shop/score.yaml: cannot be read: no such file" in refused.stderr


def test_what_keeps_several_workloads_is_told_once(project: Cli) -> None:
    project("generate", "shop/score.yaml", "--image", "nginx")
    edit(project, "name: shop", "name: store")
    project("generate", "shop/score.yaml", "--image", "nginx")
    (project.directory / "shop/score.yaml").unlink()
    refused = project("generate", "--refresh")
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert line.startswith("Error: shop/score.yaml: cannot be read: no such file")


def test_refresh_goes_without_files(project: Cli) -> None:
    refused = project("generate", "shop/score.yaml", "--refresh")
    assert (refused.exit_code, "--refresh" in refused.stderr) == (2, True)
