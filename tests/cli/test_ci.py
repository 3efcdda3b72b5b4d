"""What a CI system is told: annotations of files, and summaries in Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, WEB, WORKER, Platform, platform, project, use

FAST = "--no-smoke-checks"
BROKEN = WORKER.replace("image:", "imege:")


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        yield running


def annotated(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("::error", "::warning"))]


def on_github(cli: Cli, workspace: Path) -> None:
    cli.environ |= {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(workspace)}


@pytest.mark.parametrize("command", ["generate", "deploy", "plan"])
def test_a_problem_is_shown_beside_its_line(cli: Cli, served: Platform, command: str) -> None:
    project(cli, {"bad.yaml": BROKEN})
    on_github(cli, cli.directory.parent)
    found = annotated(cli(command, "bad.yaml").stderr)
    line = next(n for n, text in enumerate(BROKEN.splitlines(), start=1) if "imege" in text)
    assert found
    assert all(f"file={cli.directory.name}/bad.yaml,line=" in text for text in found)
    assert any(f",line={line}," in text or f",line={line - 1}," in text for text in found)


def test_elsewhere_nothing_is_annotated(cli: Cli, served: Platform) -> None:
    project(cli, {"bad.yaml": BROKEN})
    assert annotated(cli("deploy", "bad.yaml").stderr) == []


def test_an_error_without_a_file_is_annotated_as_a_whole(cli: Cli, served: Platform) -> None:
    project(cli, {})
    on_github(cli, cli.directory)
    (line,) = annotated(cli("status", "none,of:these").stderr)
    assert line.startswith("::error title=")
    assert "none,of:these" in line.partition("title=")[2].partition("::")[2]


def test_a_file_that_is_not_there_is_named_in_its_annotation(cli: Cli, served: Platform) -> None:
    on_github(cli, cli.directory)
    (line,) = annotated(cli("deploy", "-c", "none,of:these.toml").stderr)
    assert line.startswith("::error file=none%2Cof%3Athese.toml")
    assert "there is no such file" in line


def test_no_text_of_others_makes_an_annotation(cli: Cli, served: Platform) -> None:
    on_github(cli, cli.directory)
    forged = 'apiVersion: "x\\n::error file=README.md,line=1::forged %0A"\n'
    Path("bad.yaml").write_text(forged)
    project(cli, {})
    for line in annotated(cli("deploy", "bad.yaml").stderr):
        assert line.startswith("::error file=bad.yaml,line=")
        assert "file=README.md" not in line.split("::")[1]


def test_summaries_go_to_the_step_and_to_a_file(cli: Cli, served: Platform) -> None:
    project(cli, {"web.yaml": WEB})
    cli.environ["GITHUB_STEP_SUMMARY"] = "step.md"
    assert cli("plan", "web.yaml", FAST).exit_code == 0
    assert cli("deploy", "web.yaml", FAST, "--summary", "own.md").exit_code == 0
    step, own = Path("step.md").read_text(), Path("own.md").read_text()
    assert step.startswith("## Plan: 1 app would change\n")
    assert step.endswith(own)
    assert "| web | x-web | ✅ done |" in own.replace("\\", "")
    assert "create machine" in own


def test_the_summary_of_a_failure_names_it_once_with_its_hint(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER, "bad.yaml": BROKEN})
    result = cli("deploy", "worker.yaml", "bad.yaml", FAST, "--summary", "s.md")
    assert result.exit_code == 2
    text = Path("s.md").read_text()
    assert text.count("**bad.yaml**") == 1
    assert "| worker | x\\-worker |" in text or "| worker | x-worker |" in text


def test_a_plan_that_failed_is_not_told_as_nothing(cli: Cli, served: Platform) -> None:
    project(cli, {"bad.yaml": BROKEN})
    cli("plan", "bad.yaml", "--summary", "s.md")
    assert Path("s.md").read_text().startswith("## Plan: ❌ 1 cannot be planned")


def test_markdown_of_others_stays_text(cli: Cli, served: Platform) -> None:
    Path("fly.toml").write_text(
        FLY_TOML.replace("[build]", '[env]\nA = "```\\n# forged | <b>"\n[build]')
    )
    cli("plan", "-c", "fly.toml", "--summary", "s.md")
    cli("deploy", "-c", "fly.toml", FAST, "--summary", "d.md")
    for file in ("s.md", "d.md"):
        fence = ""
        for line in Path(file).read_text().splitlines():
            if line.startswith("```") and (not fence or line == fence):
                fence = "" if fence else line
            assert fence or not line.startswith("# forged")


def test_a_summary_goes_nowhere_when_its_folder_is_missing(cli: Cli, served: Platform) -> None:
    project(cli, {"worker.yaml": WORKER})
    result = cli("deploy", "worker.yaml", "--summary", "none/s.md")
    assert result.exit_code == 2
    assert "--summary: 'none/s.md' is in a folder that does not exist" in result.stderr
    assert not served.emulator.world.apps
