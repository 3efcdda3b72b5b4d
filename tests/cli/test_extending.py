"""What docs/extending.md shows works as it stands there, as a package that is installed."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.meta.source import ROOT

DOCUMENT = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers:
  main:
    image: nginx
    variables: {QUEUE: "${resources.jobs.name}", TOKEN: "${resources.jobs.token}"}
resources:
  jobs: {type: queue}
"""
STATE = ("--state", "table://shop")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything that the document shows, in one package with its entry points."""
    place = tmp_path / "site"
    about = place / "my_package-1.0.dist-info"
    about.mkdir(parents=True)
    (place / "my_package.py").write_text("\n".join(blocks("python")))
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1.0\n")
    groups = [tomllib.loads(block)["project"]["entry-points"] for block in blocks("toml")]
    (about / "entry_points.txt").write_text(
        "\n".join(
            f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in points.items())
            for each in groups
            for group, points in each.items()
        )
    )
    monkeypatch.syspath_prepend(place)
    yield
    sys.modules.pop("my_package", None)


@pytest.mark.usefixtures("package")
def test_the_provisioner_serves_and_the_store_keeps(cli: Cli) -> None:
    (cli.directory / "score.yaml").write_text(SCORE)
    assert cli(*STATE, "init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0
    assert "queues" in cli(*STATE, "provisioners", "list").stdout
    made = [cli(*STATE, "generate", "score.yaml", "--secrets-file", "secrets.env")]
    first = (cli.directory / "fly_web.toml").read_text()
    made.append(cli(*STATE, "generate", "score.yaml", "--secrets-file", "secrets.env"))
    assert [result.exit_code for result in made] == [0, 0], made
    assert 'QUEUE = "queue-' in first
    assert (cli.directory / "fly_web.toml").read_text() == first, "its state came back"
    assert "dummy" in (cli.directory / "secrets.env").read_text()
    assert "queue.default#web.jobs" in cli(*STATE, "state", "show").stdout
    assert not (cli.directory / ".score-flyio" / "state.yaml").exists()
    assert cli(*STATE, "resources", "deprovision", "--all", "--yes").exit_code == 0


def test_nothing_of_it_is_left_out() -> None:
    assert len(blocks("python")) == len(blocks("toml")) == 2
