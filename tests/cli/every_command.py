"""A project, and command lines that together use every command, for what must hold of all of them."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

from score_flyio.cli.table import COMMANDS

COMMAND_LINES: Final = (
    "version",
    "check-version >=0.1.0",
    "init --no-sample --fly-app-prefix x-",
    "provisioners add maker thing --cmd-binary={python} --cmd-args={script}",
    "provisioners list",
    "generate score.yaml --secrets-file secrets.env",
    "plan score.yaml",
    "deploy score.yaml --yes --no-smoke-checks --events events.jsonl --report report.html",
    "deploy --config fly.toml --yes --no-smoke-checks",
    "scale web 2 --dry-run",
    "status",
    "status --config fly.toml",
    "resources list",
    "resources get-outputs thing.default#web.db",
    "workloads list",
    "state show",
    "state history",
    "releases",
    "scale web 3 --no-smoke-checks",
    "secrets list web",
    "secrets set web GIVEN={given} --no-smoke-checks",
    "secrets unset web GIVEN --no-smoke-checks",
    "secrets deploy web --no-smoke-checks",
    "ips list web",
    "ips allocate web --yes",
    "ips release web 2a09::1 --yes",
    "certs list web",
    "certs add web a.example.com",
    "certs check web a.example.com",
    "certs remove web a.example.com --yes",
    "config validate --config fly.toml",
    "config render --config fly.toml",
    "config diff --config fly.toml",
    "config save --app by-hand --config saved --yes",
    "rollback web --no-smoke-checks",
    "doctor",
    "schema deploy",
    "builtin-provisioners postgres provision",
    "emulator serve --port 99999",
    "completion bash",
    "logs web",
    "resources deprovision thing.default#web.db",
    "state adopt --yes",
    "state unlock --yes",
    "destroy --yes",
    "workloads remove web --yes",
)
"""Some fail, and are to fail without showing what they should not."""

SCRIPT: Final = """\
import json, os, sys
request = json.load(sys.stdin)
answer = json.loads(open(sys.argv[0] + ".json").read())
if "fail" in answer:
    sys.exit(answer["fail"] if isinstance(answer["fail"], int) else 3)
print(json.dumps(answer))
"""


def lines(directory: Path, given: str) -> list[list[str]]:
    """The command lines as arguments; `given` is a value that one of them is given."""
    words = {"python": sys.executable, "script": str(directory / "make.py"), "given": given}
    return [
        [word.format(**words) for word in line.split()]
        for line in COMMAND_LINES
        if line.split()[0] in COMMANDS
    ]


def write_provisioner(directory: Path, answer: object) -> None:
    """The program of the provisioner `maker`, and what it answers."""
    (directory / "make.py").write_text(SCRIPT)
    (directory / "make.py.json").write_text(json.dumps(answer))


def uncovered() -> set[str]:
    """Commands that no line uses."""
    return set(COMMANDS) - {line.split()[0] for line in COMMAND_LINES}
