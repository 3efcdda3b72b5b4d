"""How words go on, asked as each shell asks."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from score_flyio.cli.commands.completion import SHELLS
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


@pytest.fixture
def shells(filled: Cli) -> Mapping[str, str]:
    """The environment of a shell that finds the program, with the scripts for all of them."""
    program = filled.directory / "bin" / "score-flyio"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m score_flyio "$@"\n')
    program.chmod(0o755)
    for shell in SHELLS:
        (filled.directory / f"complete.{shell}").write_text(filled("completion", shell).stdout)
    path = f"{program.parent}:{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TERM": "dumb", "HOME": str(filled.directory)}


@pytest.mark.parametrize(
    "command", [("bash", "--norc", "--noprofile", "-i"), ("zsh", "-f", "-i")], ids=["bash", "zsh"]
)
def test_what_a_real_shell_makes_of_a_tab(
    shells: Mapping[str, str], command: Sequence[str]
) -> None:
    name, *options = command
    if (program := shutil.which(name)) is None:
        pytest.skip(f"there is no {name}")
    master, terminal = pty.openpty()
    typed = (
        f"source ./complete.{name}",
        "score-flyio deploy web.y\t --dry-run --nope",
        "score-flyio releases db-\t --nope",
        "score-flyio deploy --only-regions ams,fr\t --nope",
        "exit",
    )
    with subprocess.Popen(
        [program, *options],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=shells,
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
    told = re.sub(r"\x1b\[[?\d;]*[A-Za-z]|.\x08| ", "", shown.decode())
    assert "deployweb.yaml--dry-run" in told
    assert "releasesdb-user--nope" in told
    assert "ams,fra--nope" in told


def test_what_a_real_fish_offers(shells: Mapping[str, str]) -> None:
    fish = shutil.which("fish")
    if fish is None:
        pytest.skip("there is no fish")
    lines = ("deploy web.y", "releases db-", "deploy --only-regions ams,fr")
    script = "; ".join(
        [
            "source complete.fish",
            *(f"complete --do-complete 'score-flyio {line}'" for line in lines),
        ]
    )
    done = subprocess.run(
        [fish, "--no-config", "-c", script], env=shells, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["web.yaml", "db-user", "ams,fra"]
