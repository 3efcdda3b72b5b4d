"""Text of others drives neither a terminal nor a CI log: every command is run over a table of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from anyio.from_thread import start_blocking_portal
from attrs import evolve

from fly_emulator import Emulator
from fly_emulator.wire import ApiRequest, ApiResponse
from tests.cli.conftest import Cli
from tests.cli.every_command import lines, write_provisioner
from tests.cli.platform import FLY_TOML, QUICK, TOKEN, Platform

HOSTILE = {
    "clears the screen": "\x1b[2J\x1b[H",
    "sets the title": "\x1b]0;title\x07",
    "C1 control": "\x9b31m",
    "goes back": "web\rFORGED plan\x08\x08",
    "forges a line": "x\nFORGED: nothing to do",
    "commands GitHub": "x\n::error::FORGED",
    "commands Azure": "x\n##[error]FORGED",
    "other line ends": "x\u2028FORGED\u2029FORGED\x85FORGED\x0bFORGED",
    "turns text": "\u202egpj.exe\u2066",
    "hides": "a\u200bb\ufeff",
}
ACTS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
    r"|^\s*(?:FORGED|::error|##\[error)",
    re.MULTILINE,
)
SAYS = frozenset({"output", "error", "message", "tag", "repository", "signal", "dns_name"})
"""Members of the API's documents that hold what others said."""


class HostileEmulator(Emulator):
    """Says in its answers what it is told to."""

    text = ""

    async def handle(self, request: ApiRequest) -> ApiResponse:
        answer = await super().handle(request)
        return evolve(answer, document=self._said(answer.document))

    def _said(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._said(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            key: f"{each}{self.text}" if key in SAYS and isinstance(each, str) else self._said(each)
            for key, each in value.items()
        }


@pytest.fixture(scope="module")
def served() -> Iterator[Platform]:
    emulator = HostileEmulator(QUICK)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(emulator.serve()) as url,
    ):
        yield Platform(emulator, url, portal)


def score(text: str) -> str:
    document = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "web", "annotations": {"note": text}},
        "containers": {
            "main": {
                "image": "nginx:1",
                "variables": {"TEXT": text, "HOST": "${resources.db.host}"},
                "files": {"/etc/note": {"content": text}},
            }
        },
        "resources": {"db": {"type": "thing", "params": {"text": text}}},
    }
    return json.dumps(document)


def acting(cli: Cli, line: list[str]) -> list[str]:
    """What would act of all that a command line prints and writes."""
    result = cli(*line)
    texts = {"stdout": result.stdout, "stderr": result.stderr}
    for name in ("events.jsonl", "report.html"):
        if (path := cli.directory / name).exists():
            texts[name] = path.read_text()
            path.unlink()
    if line[0] == "completion":
        return []
    return [
        f"{' '.join(line)}: {name}: {found[0]!r} in {text[max(0, found.start() - 60) : found.end()]!r}"
        for name, text in texts.items()
        for found in ACTS.finditer(text)
    ]


@pytest.fixture
def cli(cli: Cli, served: Platform) -> Cli:
    cli.environ |= {"FLY_FLAPS_BASE_URL": served.url, "FLY_API_TOKEN": TOKEN, "CI": "1"}
    return cli


def test_each_text_would_act() -> None:
    assert [text for text in HOSTILE.values() if not ACTS.search(f"x{text}")] == []


@pytest.mark.parametrize("more", [(), ("--json",), ("--debug",)], ids=["text", "json", "debug"])
def test_values(cli: Cli, served: Platform, more: tuple[str, ...]) -> None:
    text = "".join(HOSTILE.values())
    assert isinstance(served.emulator, HostileEmulator)
    served.emulator.text = text
    answer = {"values": {"host": f"db{text}"}, "secrets": {"password": text}}
    write_provisioner(cli.directory, answer)
    (cli.directory / "fly.toml").write_text(f"{FLY_TOML}[env]\nTEXT = {json.dumps(text)}\n")
    (cli.directory / "score.yaml").write_text(score(text))
    found = [each for line in lines(cli.directory, text) for each in acting(cli, [*line, *more])]
    assert found == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_names_in_messages(cli: Cli, text: str) -> None:
    """Images, files and keys that are refused, and what is said of them."""
    documents: dict[str, dict[str, Any]] = {
        "image.yaml": {"containers": {"main": {"image": f"nginx:1{text}"}}},
        "key.yaml": {"containers": {"main": {"image": "nginx:1", f"odd{text}": 1}}},
        "name.yaml": {"metadata": {"name": f"web{text}"}, "containers": {"main": {"image": "i"}}},
        "type.yaml": {
            "containers": {"m": {"image": "i"}},
            "resources": {"a": {"type": f"t{text}"}},
        },
        "ref.yaml": {
            "containers": {"m": {"image": "i", "variables": {"A": f"${{resources.{text}}}"}}}
        },
    }
    cli("init", "--no-sample", "--fly-app-prefix", "x-")
    found: list[str] = []
    for name, more in documents.items():
        document = {"apiVersion": "score.dev/v1b1", "metadata": {"name": "web"}, **more}
        (cli.directory / name).write_text(json.dumps(document))
        for line in (["generate", name], ["plan", name], ["generate", name, "--json"]):
            found += acting(cli, line)
    (cli.directory / "bad.toml").write_text(
        f"app = 'a'\n{json.dumps(f'odd{text}')} = 1\n[build]\nimage = {json.dumps(text)}\n"
    )
    for line in (
        ["config", "validate", "--config", "bad.toml"],
        ["config", "validate", "--config", "bad.toml", "--json"],
        ["plan", "--config", "bad.toml"],
        ["generate", f"no-such{text}.yaml"],
        ["deploy", "--config", f"no-such{text}.toml"],
        ["status", f"no-such{text}"],
        ["resources", "get-outputs", f"a.b#{text}"],
        ["scale", "web", f"{text}=2"],
        ["state", "pull", "--saved", text],
        [text],
    ):
        found += acting(cli, line)
    assert found == []


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_files_with_such_names(cli: Cli, text: str) -> None:
    name = f"web{text}.yaml"
    (cli.directory / name).write_text(score("plain"))
    cli("init", "--no-sample", "--fly-app-prefix", "x-")
    found = [
        each
        for line in (["generate", name], ["workloads", "list"], ["plan", name])
        for each in acting(cli, line)
    ]
    assert found == []


def test_a_problem_is_told_once_whatever_it_holds(cli: Cli) -> None:
    cli("init", "--fly-app-prefix", "pfx-", "-f", "score.yaml")
    score = cli.directory / "score.yaml"
    variables = '    variables: {A: "${resources.\\ndb.host}"}\n'
    score.write_text(score.read_text().replace("podinfo\n", f"podinfo\n{variables}"))
    found = cli("generate", "score.yaml")
    assert found.stderr.count("is not of the form") == 1
    assert "1 problems" not in found.stderr
    (cli.directory / ".score-flyio/state.yaml").write_text("foo: 1\nbar: 2\n")
    found = cli("generate", "score.yaml")
    assert found.stderr.count("foo: unknown key") == found.stderr.count("bar: unknown key") == 1
