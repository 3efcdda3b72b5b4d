"""Every command that README and docs show is run, with its arguments, as it stands there."""

from __future__ import annotations

import io
import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import asyncclick as click
import pytest

from score_flyio.cli.main import root
from score_flyio.deploy.options import DeployOptions
from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, Platform, platform, use
from tests.integration.state_servers import WebServer, web_server
from tests.meta.source import ROOT

DOCUMENTS: Final = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK: Final = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_INLINE: Final = re.compile(r"`(score-flyio [^`]+)`")
_SHOWN: Final = re.compile(
    r"^ *(?:- run: )?((?:[^#\n]*\| )?score-flyio [^\n]*|export [^\n]*)$", re.MULTILINE
)
_NAMES: Final = re.compile(r"\b[A-Z]{2,}\b(?!=)|[….|]{3}|…|\|[a-z]")
"""Words in capitals stand for what a reader puts there."""
SCORE: Final = """\
apiVersion: score.dev/v1b1
metadata: {{name: {name}}}
containers: {{main: {{image: "nginx:1"}}}}
service: {{ports: {{web: {{port: 8080}}}}}}
"""
NOT_RUN: Final = {
    "score-flyio emulator serve": "serves until it is ended: tests/cli/test_emulator.py",
}
"""How commands begin that cannot be run here, and why."""


FRAGMENTS: Final = {
    "score-flyio init --no-default-provisioners": "in a sentence about the option",
}
"""Commands of which a part is left out, and why; their options have to be there."""


def shown(document: Path) -> list[str]:
    """The lines of a document that are commands or set variables, in their order."""
    text = document.read_text()
    found: list[tuple[int, str]] = []
    for block in _BLOCK.finditer(text):
        body = re.sub(r"\\\n\s*", "", block[2])
        if block[1] in {"sh", "yaml", ""}:
            found += [
                (block.start() + line.start(), line[1].strip()) for line in _SHOWN.finditer(body)
            ]
    outside = _BLOCK.sub(lambda block: " " * len(block[0]), text)
    found += [
        (inline.start(), f"{inline[1]}{' --help' * only_named(inline[1])}")
        for inline in _INLINE.finditer(outside)
        if not _NAMES.search(inline[1])
    ]
    return [line for _, line in sorted(found)]


def is_run(line: str) -> bool:
    return not any(line.startswith(start) for start in NOT_RUN)


@pytest.fixture
def served() -> Iterator[Platform]:
    with platform() as running:
        yield running


@pytest.fixture
def bucket() -> Iterator[WebServer]:
    with web_server() as web:
        yield web


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_what_is_shown_works(
    cli: Cli, served: Platform, bucket: WebServer, document: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defaults = DeployOptions.__init__.__kwdefaults__ or {}
    monkeypatch.setitem(defaults, "smoke_window", 0.0)
    # The command itself is found as it is where somebody has installed it.
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    prepare(cli, served, bucket, document)
    problems = []
    for line in shown(document):
        problem = carry_out(cli, line, monkeypatch) if is_run(line) else None
        if problem is not None:
            problems.append(f"{line}\n{problem}")
    assert not problems, "\n".join(problems)


def prepare(cli: Cli, served: Platform, bucket: WebServer, document: Path) -> None:
    """A folder with what the documents speak of: a project, unless they show how it begins."""
    use(cli, served)
    cli.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    cli.environ |= {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": bucket.url}
    for name in ("web", "api", "worker"):
        (cli.directory / name).mkdir()
        (cli.directory / name / "score.yaml").write_text(SCORE.format(name=name))
    (cli.directory / "score.yaml").write_text(SCORE.format(name="example"))
    (cli.directory / "fly.toml").write_text(FLY_TOML)
    if not any(
        "score-flyio init --fly-app-prefix" in line or "init --no-sample" in line
        for line in shown(document)
    ):
        assert cli("init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0
        assert cli("deploy", "web/score.yaml", "--yes").exit_code == 0


def carry_out(cli: Cli, line: str, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """Runs a line; gives what it says where it ends in another way than it should."""
    words = shlex.split(line, comments=True)
    if words[0] == "export":
        pairs = (word.split("=", 1) for word in words[1:])
        cli.environ |= {k: v for k, v in pairs if k.startswith("SCORE_FLYIO_")}
        return None
    start = words.index("score-flyio")
    stdin = words[1].encode().decode("unicode_escape") if words[0] == "printf" else ""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
    given = words[start + 1 : words.index(">") if ">" in words else None]
    if given[0] == "init" and "--help" not in given:  # another project begins
        shutil.rmtree(cli.directory / ".score-flyio", ignore_errors=True)
    result = cli(*given)
    if result.exit_code and "Nobody is there to answer" in result.stderr:
        result = cli(*given, "--yes")
    return result.stderr if result.exit_code else None


def only_named(line: str) -> bool:
    """Whether a sentence names a command, as `secrets set` is, or a part of one."""
    if line in FRAGMENTS:
        return True
    words = line.split()[1:]
    command: click.Command | None = root
    for word in words:
        if not isinstance(command, click.Group):
            return False
        command = command.get_command(click.Context(command), word)
    return command is not None


def test_what_is_excused_is_shown_somewhere() -> None:
    lines = [line for document in DOCUMENTS for line in shown(document)]
    assert [start for start in FRAGMENTS if f"{start} --help" not in lines] == []
    assert [start for start in NOT_RUN if not any(line.startswith(start) for line in lines)] == []
    assert len(lines) > 40
