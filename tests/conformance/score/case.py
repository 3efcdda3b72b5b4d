"""A recorded case: reading it, and running it in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import define, field, frozen

from score_flyio.cli import exit_codes
from score_flyio.cli.main import run
from score_flyio.events import Event, EventLog, WarningRaised
from tests.conformance.score.service import Service

STATE = Path(".score-flyio/state.yaml")


@frozen
class Case:
    """`case.json` and `expected.json` of one folder."""

    folder: Path
    spec: dict[str, Any]
    expected: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> Case:
        spec = json.loads((folder / "case.json").read_text())
        return cls(folder, spec, json.loads((folder / "expected.json").read_text()))

    @property
    def name(self) -> str:
        return str(self.spec["name"])

    @property
    def divergence(self) -> str | None:
        kind = self.spec.get("divergence_kind")
        return None if kind is None else str(kind)


@frozen
class Step:
    """What came of one command line."""

    argv: list[str]
    exit_code: int
    category: str | None
    stdout: str
    stderr: str
    notices: list[str]
    before: Any
    """The state document before the step."""


@define
class Outcome:
    """What is there after all steps."""

    folder: Path
    steps: list[Step]
    requests: list[dict[str, Any]]
    present: set[str]
    """Files that were there before the first step, or that a step wrote."""
    address: str | None
    """Of the local HTTP service."""

    @property
    def last(self) -> Step:
        return self.steps[-1]

    @property
    def state(self) -> Any:
        return read_state(self.folder)

    @property
    def tomls(self) -> dict[str, Any]:
        found = sorted(self.folder.glob("fly_*.toml"))
        return {path.name: tomllib.loads(path.read_text()) for path in found}

    @property
    def secrets_path(self) -> Path | None:
        for step in reversed(self.steps):
            path = self.folder / (option(step.argv, "--secrets-file") or "")
            if path.is_file():
                return path
        return None

    @property
    def other_files(self) -> dict[str, Any]:
        skip = {self.secrets_path} if self.secrets_path else set()
        found = {}
        for path in sorted(self.folder.rglob("*")):
            name = str(path.relative_to(self.folder))
            ours = name.startswith(".score-flyio/") or path.match("fly_*.toml") or path in skip
            if path.is_file() and not (ours or name in self.present):
                found[name] = content(path)
        return found


def option(argv: list[str], name: str) -> str | None:
    """The value of an option, as a word of its own or behind `=`; None where it is not given."""
    for word, following in zip(argv, [*argv[1:], None], strict=True):
        if word == name:
            return following
        if word.startswith(f"{name}="):
            return word.removeprefix(f"{name}=")
    return None


def content(path: Path) -> Any:
    if path.suffix == ".json":
        return json.loads(path.read_text())
    if path.suffix == ".yaml":
        return yaml.safe_load(path.read_text())
    return path.read_text()


def read_state(folder: Path) -> Any:
    if not (folder / STATE).exists():
        return None
    return yaml.safe_load((folder / STATE).read_text())


@define
class Player:
    """Plays the steps of a case in a folder."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capfd: pytest.CaptureFixture[str]
    processes: bool = False
    """Start a process for each step instead of running it in this one."""
    categories: list[str] = field(factory=list)
    notices: list[str] = field(factory=list)

    def play(self, case: Case) -> Outcome:
        shutil.copytree(case.folder / "input", self.folder, dirs_exist_ok=True)
        for path in self.folder.rglob("*"):
            if path.is_file() and path.read_bytes().startswith(b"#!"):
                path.chmod(0o755)
        present = {str(p.relative_to(self.folder)) for p in self.folder.rglob("*") if p.is_file()}
        steps: list[Step] = []
        with Service.maybe(case.spec.get("http")) as service, self._listening():
            marks = {"{{CWD}}": str(self.folder), "{{HTTP}}": service.url if service else ""}
            for raw in case.spec["steps"]:
                step = _filled(raw, marks)
                for name, text in step.get("write", {}).items():
                    (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
                    (self.folder / name).write_text(text)
                    present.add(name)
                for name in step.get("delete", ()):
                    _delete(self.folder / name)
                if "run" in step:
                    steps.append(self._run(step))
        requests = service.requests if service else []
        return Outcome(self.folder, steps, requests, present, service.url if service else None)

    @contextmanager
    def _listening(self) -> Iterator[None]:
        emit, report = EventLog.emit, exit_codes.report

        def heard(log: EventLog, event: Event) -> None:
            if isinstance(event, WarningRaised):
                self.notices.append(event.code)
            emit(log, event)

        def reported(error: BaseException, *others: Any, **more: Any) -> int:
            self.categories.append(exit_codes.describe(error).code)
            return report(error, *others, **more)

        with self.monkeypatch.context() as patch:
            patch.setattr(EventLog, "emit", heard)
            patch.setattr(exit_codes, "report", reported)
            yield

    def _run(self, step: Mapping[str, Any]) -> Step:
        environ = {"PATH": os.defpath, "HOME": str(self.folder), "TMPDIR": "/tmp"}
        environ |= step.get("env", {})
        before = read_state(self.folder)
        self.categories.clear()
        self.notices.clear()
        self.capfd.readouterr()
        with self.monkeypatch.context() as patch:
            patch.chdir(self.folder)
            for name in list(os.environ):
                patch.delenv(name)
            for name, value in environ.items():
                patch.setenv(name, value)
            stdin = step.get("stdin", "").encode()
            if self.processes:
                patch.setenv("PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
                command = [sys.executable, "-m", "score_flyio", *step["run"]]
                code = subprocess.run(command, input=stdin, check=False).returncode
            else:
                patch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin)))
                code = run(step["run"], environ)
        out, err = self.capfd.readouterr()
        category = self.categories[-1] if code and self.categories else None
        return Step(step["run"], code, category, out, err, sorted(self.notices), before)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _filled(value: Any, marks: Mapping[str, str]) -> Any:
    match value:
        case str():
            for mark, text in marks.items():
                value = value.replace(mark, text)
            return value
        case dict():
            return {_filled(key, marks): _filled(item, marks) for key, item in value.items()}
        case list():
            return [_filled(item, marks) for item in value]
        case _:
            return value
