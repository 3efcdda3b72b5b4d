"""Two processes with one state elsewhere: killed, with lost answers and clocks that are apart.

Nothing is lost that one of them was told to be saved, and of two at once at most one ends with 0.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest
from attrs import field, frozen

from score_flyio.state.remote_lock import LASTS, MARGIN
from tests.integration.state_servers import BUCKET, WebServer, s3_server, web_server

LOGIN: Final = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
RUN: Final = """\
import sys, time
ahead, clock = float(sys.argv.pop(1)), time.time
time.time = lambda: clock() + ahead
from score_flyio.__main__ import main
main()
"""
"""The command on a computer whose clock is ahead."""
MAKER: Final = """\
import json, os, sys, time
request = json.load(sys.stdin)
workload = request["resource_params"]["of"]
with open("made.log", "a") as log:
    log.write(f"{workload} {request['resource_uid']}\\n")
while os.path.exists("wait." + workload):
    time.sleep(0.01)
print(json.dumps({"values": {"host": request["resource_uid"]}, "state": {"made": True}}))
"""
SCORE: Final = """\
apiVersion: score.dev/v1b1
metadata: {{name: {name}}}
containers: {{main: {{image: "nginx:1", variables: {{HOST: "${{resources.db.host}}"}}}}}}
resources: {{db: {{type: thing, params: {{of: {name}}}}}}}
"""


def weak(content: bytes) -> str:
    return f'W/"{sha256(content).hexdigest()}"'


def one_name(_content: bytes) -> str:
    return '"one-name"'


@frozen
class Place:
    """Where the state is, and how it behaves."""

    bucket: bool = False
    behaves: Mapping[str, Any] = field(factory=dict)


SAFE: Final = {
    "web": Place(),
    "web, weak": Place(behaves={"etag": weak}),
    "web, versions that only GET names": Place(behaves={"names_versions": False}),
    "web, lost answers": Place(behaves={"loses": 3}),
    "bucket, lost answers": Place(bucket=True, behaves={"loses": 3}),
}
UNSAFE: Final = {
    "web, no conditions": {"ignores": frozenset({"If-None-Match", "If-Match"})},
    "web, no If-Match": {"ignores": frozenset({"If-Match"})},
    "web, no If-None-Match": {"ignores": frozenset({"If-None-Match"})},
    "web, weak versions match nothing": {"etag": weak, "strong": True},
    "web, one name for all versions": {"etag": one_name},
}


@frozen
class Writers:
    """A project that two processes work on."""

    folder: Path
    environ: dict[str, str]

    def start(self, *args: str, ahead: float = 0.0) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", RUN, str(ahead), *args],
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *args: str, ahead: float = 0.0) -> tuple[int, str]:
        process = self.start(*args, ahead=ahead)
        out, err = process.communicate(timeout=60)
        return process.returncode, out + err

    def held_up(self, name: str) -> subprocess.Popen[str]:
        """A process whose provisioner has begun and does not answer before `let_go`."""
        (self.folder / f"wait.{name}").touch()
        begun = len(self.made())
        process = self.start("generate", f"{name}.yaml")
        while len(self.made()) == begun:  # ends with the process, too
            assert process.poll() is None, process.communicate()
            os.sched_yield()
        return process

    def let_go(self, name: str) -> None:
        (self.folder / f"wait.{name}").unlink()

    def made(self) -> list[tuple[str, ...]]:
        """Workload and guid of each call of the provisioner."""
        log = self.folder / "made.log"
        return (
            [tuple(line.split()) for line in log.read_text().splitlines()] if log.exists() else []
        )

    def state(self) -> Any:
        code, text = self.run("state", "show", "--json")
        assert code == 0, text
        return json.loads(text)

    def workloads(self) -> set[str]:
        return {each["workload"] for each in self.state()["workloads"]}


@contextmanager
def writers(folder: Path, url: str, more: Mapping[str, str]) -> Iterator[Writers]:
    (folder / "make.py").write_text(MAKER)
    for name in ("one", "two"):
        (folder / f"{name}.yaml").write_text(SCORE.format(name=name))
    paths = os.pathsep.join(path for path in sys.path if path)
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "SCORE_FLYIO_STATE": url, **more}
    yield Writers(folder, environ)


def begin(both: Writers) -> tuple[int, str]:
    """A project with a provisioner."""
    code, text = both.run("init", "--no-sample", "--fly-app-prefix", "x-")
    if code:
        return code, text
    command = (f"--cmd-binary={sys.executable}", "--cmd-args=make.py")
    return both.run("provisioners", "add", "maker", "thing", *command)


@pytest.fixture(params=["moto", *SAFE])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Writers]:
    if request.param == "moto":
        with (
            s3_server() as bucket,
            writers(tmp_path, f"s3://{BUCKET}/shop/state.yaml", bucket.environ) as both,
        ):
            yield both
        return
    place = SAFE[request.param]
    with web_server() as web:
        for name, value in place.behaves.items():
            setattr(web, name, value)
        url = "s3://states/shop.yaml" if place.bucket else f"{web.url}/states/shop.yaml"
        more = LOGIN | {"AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": web.url}
        with writers(tmp_path, url, more) as both:
            yield both


def test_a_writer_that_is_killed_and_one_whose_clock_is_ahead(two: Writers) -> None:
    assert begin(two)[0] == 0
    first = two.held_up("one")
    code, text = two.run("generate", "two.yaml", ahead=200.0)
    assert code == 4, text
    first.kill()
    two.let_go("one")  # the provisioner outlives it, and has its stderr
    first.communicate(timeout=60)
    code, text = two.run("generate", "two.yaml", ahead=200.0)
    assert code == 4, text
    assert {workload for workload, _ in two.made()} == {"one"}
    code, text = two.run("generate", "two.yaml", ahead=LASTS + MARGIN + 10.0)
    assert code == 0, text
    code, text = two.run("generate", "one.yaml")
    assert code == 0, text
    assert two.workloads() == {"one", "two"}
    assert len({guid for _, guid in two.made()}) == 2, "what the killed run made is made anew"


def test_a_writer_whose_lock_was_taken_away_does_not_end_well(two: Writers) -> None:
    assert begin(two)[0] == 0
    first = two.held_up("one")
    assert two.run("state", "unlock", "--yes")[0] == 0
    code, text = two.run("generate", "two.yaml")
    assert code == 0, text
    two.let_go("one")
    _, told = first.communicate(timeout=60)
    assert first.returncode == 1, told
    assert "taken away" in told or "changed the state" in told
    assert "two" in two.workloads()
    assert "made: true" in (two.folder / ".score-flyio/unsaved.yaml").read_text()
    code, text = two.run("generate", "one.yaml")
    assert code == 0, text
    assert two.workloads() == {"one", "two"}
    assert len({guid for _, guid in two.made()}) == 2


@pytest.mark.parametrize("behaves", UNSAFE.values(), ids=UNSAFE)
def test_a_place_that_cannot_keep_writers_apart_is_refused(
    tmp_path: Path, behaves: Mapping[str, Any]
) -> None:
    with web_server() as web:
        with writers(tmp_path, f"{web.url}/states/shop.yaml", {}) as both:
            assert begin(both)[0] == 0
            before = dict(web.documents)
            change(web, behaves)
            runs = [both.start("generate", f"{name}.yaml") for name in ("one", "two")]
            ends = [(run.communicate(timeout=60)[1], run.returncode) for run in runs]
        assert all(code in {1, 4} for _, code in ends), ends
        assert any("two runs could change the state at once" in text for text, _ in ends)
        assert both.made() == []
        assert web.documents == before


def change(web: WebServer, behaves: Mapping[str, Any]) -> None:
    for name, value in behaves.items():
        setattr(web, name, value)
