"""How words go on, asked as each shell asks."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import DB, WEB, project

ADD = ("provisioners", "add", "things", "thing", "--static-json", '{"host": "h"}')


@pytest.fixture
def filled(cli: Cli) -> Cli:
    project(cli, {"web.yaml": WEB, "db.yaml": DB})
    assert cli(*ADD).exit_code == 0
    assert cli("generate", "web.yaml", "db.yaml").exit_code == 0
    return cli


def asked(line: str, shell: str) -> str:
    """What the program answers to a shell about the last word of a line."""
    words = f"score-flyio {line}"
    last = line.rpartition(" ")[2]
    place = last if shell == "fish" else str(words.count(" "))
    environ = {
        **os.environ,
        "COMP_WORDS": words,
        "COMP_CWORD": place,
        "_SCORE_FLYIO_COMPLETE": f"{shell}_complete",
    }
    command = [sys.executable, "-m", "score_flyio"]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


WORDS = {
    "deploy we": ("file", "we"),
    "deploy --config fly": ("file", "fly"),
    "generate --output-dir o": ("dir", "o"),
    "status w": ("plain", "web"),
    "scale d": ("plain", "db-user"),
    "workloads remove w": ("plain", "web"),
    "resources get-outputs th": ("plain", "thing.default#db-user.db"),
    "provisioners remove th": ("plain", "things"),
    "status --target e": ("plain", "emulator"),
    "deploy --only-regions ams,fr": ("plain", "ams,fra"),
    "deploy --strategy bl": ("plain", "bluegreen"),
    "dep": ("plain", "deploy"),
}


@pytest.mark.parametrize("line", WORDS)
def test_bash(filled: Cli, line: str) -> None:
    kind, value = WORDS[line]
    assert f"{kind},{value}" in asked(line, "bash").splitlines()
    assert filled.directory.is_dir()


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells(filled: Cli, shell: str) -> None:
    assert "web" in asked("status w", shell)
    assert asked("deploy we", shell).startswith("file")
    assert filled.directory.is_dir()


def test_without_a_project_nothing_is_known(cli: Cli) -> None:
    assert asked("status w", "bash").strip() == ""
    Path(".score-flyio").mkdir()
    Path(".score-flyio/state.yaml").write_text("{")
    assert asked("status w", "bash").strip() == ""
    assert cli.directory.is_dir()


def test_a_real_bash_completes_files_and_workloads(filled: Cli) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    program = filled.directory / "bin" / "score-flyio"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m score_flyio "$@"\n')
    program.chmod(0o755)
    (filled.directory / "complete.bash").write_text(filled("completion", "bash").stdout)
    master, terminal = pty.openpty()
    environ = {**os.environ, "PATH": f"{program.parent}:{os.environ['PATH']}", "TERM": "dumb"}
    typed = (
        "source complete.bash",
        "score-flyio deploy web.y\t --dry-run --nope",
        "score-flyio releases db-\t --nope",
        "exit",
    )
    with subprocess.Popen(
        [bash, "--norc", "--noprofile", "-i"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=environ,
        start_new_session=True,
    ) as shell:
        os.close(terminal)
        os.write(master, "".join(f"{line}\n" for line in typed).encode())
        shown = b""
        try:
            while chunk := os.read(master, 65536):
                shown += chunk
        except OSError:  # Linux says so when the other end is closed
            pass
        os.close(master)
    assert shell.returncode is not None
    assert b"deploy web.yaml  --dry-run" in shown
    assert b"releases db-user  --nope" in shown
