"""`generate`, `plan` and `deploy` take inputs by one road, and so give the same answers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, Result
from tests.cli.platform import Platform, platform, project, use

FAST = ("--no-smoke-checks", "--ha=false")
SHARING = """\
apiVersion: score.dev/v1b1
metadata: {{name: {name}}}
containers:
  main: {{image: busybox:1, variables: {{HOST: "${{resources.db.host}}"}}}}
resources:
  db: {{type: thing, id: shared, params: {{size: {size}}}}}
"""
LOCAL = """\
apiVersion: score.dev/v1b1
metadata: {name: local}
containers:
  main: {image: "."}
"""
FILES = ("aa.yaml", "bb.yaml", "cc.yaml")


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        yield running


def write(**sizes: int) -> None:
    for name, size in sizes.items():
        Path(f"{name}.yaml").write_text(SHARING.format(name=name, size=size))


@pytest.fixture
def sharing(cli: Cli, served: Platform) -> Cli:
    """A project whose state has `aa` and `bb` of size 1, and files that say 2, 2 and 3."""
    assert served.url
    project(cli)
    cli("provisioners", "add", "p", "thing", "--static-json", '{"host": "h"}')
    write(aa=1, bb=1)
    assert cli("generate", "aa.yaml", "bb.yaml").exit_code == 0
    for name in ("aa", "bb"):
        Path(f"fly_{name}.toml").unlink()
    write(aa=2, bb=2, cc=3)
    return cli


def refused_cc(result: Result) -> None:
    """Only `cc` is refused, for what is true."""
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error")]
    assert len(errors) == 1, result.stderr
    assert "different params" in errors[0]
    assert "'cc'" in errors[0]
    assert "'aa'" in errors[0] or "'bb'" in errors[0]


def test_what_does_not_fit_is_refused_the_same_by_plan_generate_and_deploy(sharing: Cli) -> None:
    planned = sharing("plan", *FILES)
    assert planned.exit_code == 2
    refused_cc(planned)
    assert "aa (app x-aa):" in planned.stdout
    assert "bb (app x-bb):" in planned.stdout
    generated = sharing("generate", *FILES)
    assert generated.exit_code == 2
    refused_cc(generated)
    written = [Path(f"fly_{name}.toml").exists() for name in ("aa", "bb", "cc")]
    assert written == [True, True, False]


def test_what_does_not_fit_is_refused_by_deploy(sharing: Cli) -> None:
    result = sharing("deploy", *FILES, *FAST, "--json")
    refused_cc(result)
    outcomes = {app["workload"]: app["outcome"] for app in result.json["apps"]}
    assert outcomes == {"aa": "done", "bb": "done", "cc": "failed"}


def test_what_was_kept_counts_for_what_must_fit(sharing: Cli) -> None:
    """`cc` is known with size 1 and refused with size 3: what it is now fits to nobody."""
    write(cc=1, aa=1, bb=1)
    assert sharing("generate", *FILES).exit_code == 0
    write(aa=2, bb=2, cc=3)
    result = sharing("generate", *FILES)
    assert result.exit_code == 2
    names = [name for name in ("aa", "bb", "cc") if f"'{name}'" in result.stderr]
    assert names == ["aa", "bb", "cc"]


def test_generate_and_deploy_names_each_failed_workload(cli: Cli, served: Platform) -> None:
    project(cli)
    write(aa=1, bb=1, cc=1)
    assert served.url
    result = cli("generate", *FILES, "--deploy", "--deploy-args", " ".join(FAST))
    assert result.exit_code == 2
    lines = result.stdout.splitlines()[:3]
    assert lines == ["aa (app x-aa): failed", "bb (app x-bb): failed", "cc (app x-cc): failed"]


@pytest.mark.parametrize("command", ["deploy", "generate"])
def test_the_image_of_a_file_is_remembered(cli: Cli, served: Platform, command: str) -> None:
    project(cli, {"local.yaml": LOCAL})
    more = FAST if command == "deploy" else ()
    assert cli(command, "local.yaml", "--image", "nginx:7", *more).exit_code == 0
    again = cli("deploy", *FAST)
    assert again.exit_code == 0, again.stderr
    (machine,) = served.machines("x-local")
    assert machine["config"]["image"].startswith("nginx:7")


def test_the_image_of_deploy_args_is_remembered(cli: Cli, served: Platform) -> None:
    project(cli, {"local.yaml": LOCAL})
    flags = " ".join((*FAST, "--image=nginx:7"))
    done = cli("generate", "local.yaml", "--deploy", "--deploy-args", flags)
    assert done.exit_code == 0, done.stderr
    assert cli("deploy", *FAST).exit_code == 0
    args = ("--deploy", "--deploy-args", flags.replace("nginx:7", "nginx:8"))
    assert cli("generate", *args).exit_code == 0, "an image goes without a file, for this run"
    (machine,) = served.machines("x-local")
    assert machine["config"]["image"].startswith("nginx:8")


def test_generate_and_deploy_writes_where_it_is_told(cli: Cli, served: Platform) -> None:
    project(cli, {"local.yaml": LOCAL})
    more = ("--output-dir", "out", "--secrets-file", "s.env", "--deploy", "--deploy-args")
    done = cli("generate", "local.yaml", "--image", "nginx:7", *more, " ".join(FAST))
    assert done.exit_code == 0, done.stderr
    assert Path("out/fly_local.toml").exists()
    assert not Path("fly_local.toml").exists()
    assert Path("s.env").exists()
    assert len(served.machines("x-local")) == 1
