"""What the Go score-flyio asked of Fly, answered and kept for Postgres; ours does the same.

It had flyctl make the server (`fly_commands`); ours makes it by API calls, which come on top of the
recorded ones. It ran four commands for a database; ours runs one.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from attrs import frozen

from fly_emulator import Emulator
from fly_emulator.journal import JournalEntry
from score_flyio.cli.main import run
from tests.conformance.score_transcripts.conftest import BrokenMachines
from tests.conftest import corpus

OWN = Path(__file__).parent / "transcripts"
KEY = "builtin-provisioners-postgres"


@frozen
class Difference:
    """Where ours is meant to be better than the recorded tool."""

    why: str
    exit_codes: dict[int, int]
    """By number of the step."""
    state: bool = False
    """Whether the state differs, too."""


DIFFERENCES = {
    "postgres-no-machine": Difference(
        "the machine is made by us, so there is one", {2: 0}, state=True
    ),
    "postgres-exec-fails": Difference("what was made is kept for the next run", {}, state=True),
    "postgres-instance": Difference(
        "an instance can be taken away: no answer is a success", {3: 0}, state=True
    ),
}


def transcripts(config: pytest.Config) -> list[Path]:
    return sorted(corpus(config, OWN).glob("postgres*.json"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "transcript" in metafunc.fixturenames:
        paths = transcripts(metafunc.config)
        metafunc.parametrize("transcript", paths, ids=[path.stem for path in paths])


def marked(text: str) -> str:
    """The text with what differs from run to run as marks; secrets are not numbered."""
    text = re.sub(r"\{\{HEX20:\d+\}\}", "{{HEX20}}", text)
    text = re.sub(r"pg-\d{14}", "pg-{{TIME}}", text)
    text = re.sub(r"\b[0-9a-f]{20}\b", "{{HEX20}}", text)
    text = re.sub(r"(shop-db2?)\d{4}\b", r"\1{{RAND4}}", text)
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "{{GUID}}", text)
    return re.sub(r"[^\s\"]*/bin/score-flyio", "{{BIN}}/score-flyio", text)


def score_file(resources: list[str]) -> str:
    kind, names = resources[0], resources[1:]
    parts = "${resources.db.%s}"
    url = "postgres://" + (parts % "username") + ":" + (parts % "password")
    url += "@" + (parts % "host") + ":" + (parts % "port") + "/" + (parts % "name")
    document = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "shop"},
        "containers": {"main": {"image": "x", "variables": {"URL": url}}},
        "resources": {name: {"type": kind} for name in names},
    }
    return yaml.safe_dump(document)


def request_of(method: str, path: str) -> str:
    """A request without the id of the machine and with the name of the app marked."""
    return f"{method} {re.sub(r'/machines/[^/?]+', '/machines/ID', marked(path))}"


def requests_of(entries: list[JournalEntry]) -> set[str]:
    found = set()
    for entry in entries:
        query = "&".join(f"{name}={value}" for name, value in entry.query.items())
        found.add(request_of(entry.method, f"{entry.path}?{query}" if query else entry.path))
    return found


def normal_state(state: dict[str, Any]) -> dict[str, Any]:
    """Without specs, and without what is empty in resources."""
    for workload in state.get("workloads", {}).values():
        workload.pop("spec", None)
    for resource in state.get("resources", {}).values():
        for name in ("params", "metadata", "state", "outputs"):
            if not resource.get(name):
                resource.pop(name, None)
    normal: dict[str, Any] = json.loads(marked(json.dumps(state)))
    return normal


def test_transcript(
    transcript: Path,
    emulator: Emulator,
    program: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    recorded = json.loads(transcript.read_text())
    difference = DIFFERENCES.get(transcript.stem, Difference("", {}))
    monkeypatch.chdir(tmp_path)
    kind = "postgres-instance" if transcript.stem == "postgres-instance" else "postgres"
    names = ["db", "db2"] if "two" in transcript.stem else ["db"]
    Path("score.yaml").write_text(score_file([kind, *names]))
    environ = {"FLY_API_TOKEN": "FlyV1 test-token", "FLY_FLAPS_BASE_URL": str(emulator.url)}
    if "no-region" not in transcript.stem:
        environ["FLY_REGION_NAME"] = "lhr"
    if "exec-fails" in transcript.stem:
        emulator.exec_runner = BrokenMachines()

    for number, step in enumerate(recorded["steps"]):
        seen = len(emulator.journal.entries)
        capsys.readouterr()
        code = run(step["argv"], environ)
        out, err = capsys.readouterr()
        assert code == difference.exit_codes.get(number, step["exit_code"]), err
        assert marked(out) == marked(step["stdout"])
        asked = requests_of(emulator.journal.entries[seen:])
        wanted = {request_of(r["method"], r["path"]) for r in step["api_requests"]}
        assert wanted <= asked
        if not wanted:
            assert not asked

    state = normal_state(yaml.safe_load(Path(".score-flyio/state.yaml").read_text()))
    if not difference.state:
        assert state == normal_state(recorded["state"])
    leaks = [entry for entry in emulator.journal.entries if entry.leaks]
    assert not leaks


def test_a_failed_database_is_kept_in_the_state(
    emulator: Emulator, program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recorded tool forgets the server that it made, and makes another one the next time."""
    monkeypatch.chdir(tmp_path)
    Path("score.yaml").write_text(score_file(["postgres", "db"]))
    environ = {
        "FLY_API_TOKEN": "test-token",
        "FLY_FLAPS_BASE_URL": str(emulator.url),
        "FLY_REGION": "lhr",
    }
    args = "--cmd-args=builtin-provisioners,postgres,$SCORE_PROVISIONER_MODE"
    assert run(["init", "--fly-app-prefix", "pfx-"], environ) == 0
    add = ["provisioners", "add", "flypg", "postgres", "--cmd-binary=score-flyio", args]
    assert run(add, environ) == 0

    works, emulator.exec_runner = emulator.exec_runner, BrokenMachines()
    assert run(["generate", "score.yaml"], environ) == 1
    kept = yaml.safe_load(Path(".score-flyio/state.yaml").read_text())
    (app,) = emulator.world.apps
    assert kept["shared_state"][KEY]["app"] == app

    emulator.exec_runner = works
    assert run(["generate", "score.yaml"], environ) == 0
    assert list(emulator.world.apps) == [app]
    done = yaml.safe_load(Path(".score-flyio/state.yaml").read_text())
    assert set(done["shared_state"][KEY]) == {"app", "password", "dbNames"}
