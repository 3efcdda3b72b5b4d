"""Streams that fail never end a command; what they lost is told."""

from __future__ import annotations

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from score_flyio.cli.sink import Sink

SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers: {main: {image: "nginx:1"}}
"""
FULL = pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "score.yaml").write_text(SCORE)
    ran(tmp_path, "init", "--fly-app-prefix=x-", "--file=")
    return tmp_path


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "score_flyio", *args]


def ran(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*args), cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def machines(folder: Path) -> list[str]:
    found = json.loads(ran(folder, "status", "--emulate", "--json").stdout)
    return [machine["state"] for app in found["apps"] for machine in app["machines"]]


class Failing(io.StringIO):
    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def write(self, _text: str) -> int:
        raise OSError(self.number, os.strerror(self.number))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EPIPE, errno.EIO])
def test_what_cannot_be_written_is_dropped(number: int) -> None:
    sink = Sink(Failing(number), "stdout")
    sink.write("one")
    sink.write_raw("two")
    assert sink.failure is not None
    assert sink.failure.errno == number
    assert isinstance(sink.failure, BrokenPipeError) is (number == errno.EPIPE)


def test_a_closed_stream_takes_everything() -> None:
    sink = Sink(None, "stdout")
    sink.write("text")
    assert (sink.failure, sink.isatty()) == (None, False)


@FULL
def test_events_on_a_full_disk_do_not_end_a_deploy(project: Path) -> None:
    done = ran(project, "deploy", "score.yaml", "--emulate", "--events", "/dev/full")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("--events /dev/full: events are missing: no space left") == 1
    assert sorted(machines(project)) == ["started", "stopped"]


@pytest.mark.parametrize("streams", [("stdout",), ("stderr",), ("stdout", "stderr")])
def test_a_deploy_goes_on_without_its_readers(project: Path, streams: tuple[str, ...]) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    given = {
        name: writing if name in streams else subprocess.DEVNULL for name in ("stdout", "stderr")
    }
    arguments = command("deploy", "score.yaml", "--emulate", "--json")
    done = subprocess.run(arguments, cwd=project, timeout=60, check=False, **given)  # type: ignore[call-overload]
    os.close(writing)
    assert done.returncode == 0
    assert sorted(machines(project)) == ["started", "stopped"]


@pytest.mark.parametrize("closing", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_fault(project: Path, closing: str) -> None:
    line = f'"$0" -m score_flyio plan score.yaml --emulate {closing}'
    done = subprocess.run(["sh", "-c", line, sys.executable], cwd=project, timeout=60, check=False)
    assert done.returncode == 0


@FULL
@pytest.mark.parametrize("args", [("plan", "score.yaml", "--emulate", "--json"), ("state", "pull")])
def test_a_lost_result_is_told(project: Path, args: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command(*args),
            cwd=project,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert "stdout: no space left on device: the result is lost" in done.stderr
    assert done.returncode == 1


@pytest.mark.parametrize("option", ["--report", "--events"])
@pytest.mark.parametrize(
    ("file", "wrong"), [("missing/x", "folder that does not exist"), (".", "is a folder")]
)
def test_where_nothing_can_be_written_is_refused_before_the_deploy(
    project: Path, option: str, file: str, wrong: str
) -> None:
    done = ran(project, "deploy", "score.yaml", "--emulate", option, file)
    assert done.returncode == 2
    assert f"{option}: '{file}' is" in done.stderr
    assert wrong in done.stderr
    assert machines(project) == []


def test_a_report_goes_into_a_pipe(project: Path) -> None:
    line = '"$0" -m score_flyio deploy score.yaml --emulate -q --report >(cat > got.html; echo done > got)'
    subprocess.run(
        ["bash", "-c", f"{line}; until [ -e got ]; do :; done", sys.executable],
        cwd=project,
        timeout=60,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    assert (project / "got.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize(
    "args",
    [
        ("status",),
        ("plan", "score.yaml", "--emulate"),
        ("generate", "score.yaml"),
        ("state", "show"),
    ],
)
def test_a_removed_working_folder_is_an_error_of_ours(
    tmp_path: Path, args: tuple[str, ...]
) -> None:
    (tmp_path / "gone").mkdir()
    line = 'rmdir "$PWD" && exec "$0" "$@"'
    done = subprocess.run(
        ["sh", "-c", line, *command(*args)],
        cwd=tmp_path / "gone",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "Error: the working folder is gone" in done.stderr
    assert "Hint: change to a folder" in done.stderr
