"""Running command lines in this process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import asyncclick as click
import pytest
from attrs import frozen
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from score_flyio.cli.command import Command
from score_flyio.cli.main import run
from score_flyio.cli.options import json_option
from score_flyio.cli.table import COMMANDS


@frozen
class Result:
    """How a command line ended."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        return json.loads(self.stdout)


class Cli:
    """Runs command lines in a folder of their own, with an environment of their own."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.directory = directory
        self.environ: dict[str, str] = {}
        self._capsys = capsys

    def __call__(self, *args: str | Path) -> Result:
        self._capsys.readouterr()
        words = [str(arg) for arg in args]
        exit_code = run(words, self.environ)
        return _checked(words, exit_code, *self._capsys.readouterr())

    def interrupted(
        self, *words: str, at: Sequence[str], by: signal.Signals = signal.SIGINT
    ) -> Result:
        """Runs it in a process that a signal ends once a line of stderr has one of some texts."""
        with subprocess.Popen(
            [sys.executable, "-m", "score_flyio", *words],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=self.directory,
            env={**os.environ, **self.environ},
        ) as process:
            assert process.stderr is not None
            told = ""
            for line in process.stderr:
                told += line
                if any(text in line for text in at):
                    break
            process.send_signal(by)
            out, err = process.communicate(timeout=60)
        return _checked(list(words), process.returncode, out, told + err)


def _checked(words: list[str], exit_code: int, out: str, err: str) -> Result:
    """The result; what a command printed is held against the schema that is published."""
    from score_flyio.cli.schemas import FORMS

    result = Result(exit_code, out, err)
    if "--json" not in words or not out:
        return result
    for name in (" ".join(words[:2]), words[0]):
        if name in FORMS:
            error = best_match(validator(name).iter_errors(result.json))
            assert error is None, f"{name}: {error.json_path}: {error.message}"
            break
    return result


@cache
def validator(name: str) -> Draft202012Validator:
    """Of the schema of a command."""
    from score_flyio.cli.schemas import schema_of

    return Draft202012Validator(schema_of(name))


@pytest.fixture
def cli(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Cli:
    monkeypatch.chdir(tmp_path)
    return Cli(tmp_path, capsys)


@pytest.fixture
def fake_command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Adds a command `fake [--json] [--text TEXT]` that does what a function of the test does."""

    def add(callback: Callable[..., Any]) -> None:
        module = ModuleType("score_flyio.cli.commands.fake")
        decorated = click.option("--text")(json_option(callback))
        module.command = click.command("fake", cls=Command)(decorated)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(COMMANDS, "fake", "A command of the tests.")

    return add
