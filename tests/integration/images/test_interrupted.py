"""Ctrl-C during a build, with each builder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import Platform
from tests.integration.images.between import between
from tests.integration.images.conftest import PASSWORD, Registry, program

MAIN = """\
import runpy
from attrs import evolve
from score_flyio.engine import builds
real = builds.build_settings
builds.build_settings = lambda *args: evolve(real(*args), network="none")
runpy.run_module("score_flyio", run_name="__main__")
"""
"""The command line, for daemons that have no network."""


def running(word: str) -> list[str]:
    """Command lines that have this word."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found.append(path.read_text("utf-8", "replace"))
        except OSError:  # it has ended
            continue
    return [command for command in found if word in command]


def await_that(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def begun(cli: Cli, builder: str, seconds: str) -> subprocess.Popen[str]:
    """A deploy of a workload whose build takes so many seconds."""
    # No other test has these layers in the registry already.
    steps = f"COPY busybox /bin/sh\nRUN echo {cli.directory} > /begun; sleep {seconds}\n"
    (cli.directory / "Dockerfile").write_text(f"FROM scratch\n{steps}")
    workload = "metadata: {name: cut}\ncontainers: {main: {image: .}}\n"
    (cli.directory / "score.yaml").write_text(f"apiVersion: score.dev/v1b1\n{workload}")
    (cli.directory / "busybox").write_bytes(Path(program("busybox")).read_bytes())
    (cli.directory / "busybox").chmod(0o755)
    assert cli("init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0
    arguments = ("deploy", "score.yaml", "--builder", builder.partition("-")[0])
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **cli.environ},
    )


def test_an_interrupted_build_leaves_nothing_behind(
    cli: Cli, served: Platform, registry: Registry, builder: str
) -> None:
    """No process, no image, no machine; the fixtures look for files and working containers."""
    seconds = str(900_000 + os.getpid() % 90_000)
    with begun(cli, builder, seconds) as process:
        await_that(lambda: bool(running(f"sleep\0{seconds}")) or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert PASSWORD not in out + err
    assert "Traceback" not in err
    await_that(lambda: not running(seconds))  # a daemon ends it by itself
    assert registry.tags("x-cut") == set()
    assert served.machines("x-cut") == []


@pytest.mark.parametrize("path", ["/blobs/uploads/", "/manifests/"])
def test_an_interrupted_push_leaves_nothing_behind(
    cli: Cli, served: Platform, registry: Registry, builder: str, path: str
) -> None:
    """Whether a layer or the manifest is on its way."""
    with between(registry.host) as (calls, host):
        calls.let_fail("PUT", path, "hang", "hang", "hang")
        cli.environ["FLY_REGISTRY_HOST"] = host
        with begun(cli, builder, f"0.{os.getpid()}") as process:
            await_that(lambda: calls.hanging.is_set() or process.poll() is not None)
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert PASSWORD not in out + err
    assert "Traceback" not in err
    assert registry.tags("x-cut") == set()
    assert served.machines("x-cut") == []
