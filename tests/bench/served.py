"""The real command against a served emulator, at several sizes: seconds as ratios."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
from attrs import frozen

from tests.bench.apps import web_toml
from tests.bench.processes import timed_together, tool
from tests.bench.world import BOOT, HEALTHY, LATENCY

RUNS = 3
HEADERS = {"authorization": "Bearer dummy"}
SCORE = """
apiVersion: score.dev/v1b1
metadata:
  name: {}
  annotations: {{score-flyio.astromechza.github.com/service-web-public: "true"}}
service: {{ports: {{web: {{port: 80, targetPort: 8080}}}}}}
containers:
  main:
    image: nginx
    livenessProbe: {{httpGet: {{path: /, port: 8080}}}}
"""


@frozen(kw_only=True)
class Served:
    """Seconds of a command, as a multiple of something that takes the same everywhere."""

    name: str
    seconds: float
    factor: float
    against: str
    target: float
    spread: float = 0.0
    """How far the repeats lie apart, as a share of their median."""


@contextmanager
def emulator(folder: Path, *settings: str) -> Iterator[tuple[str, Path]]:
    """The URL of a served emulator, and its journal."""
    journal = folder / "journal.jsonl"
    command = tool("emulator", "serve", "--port=0", f"--journal={journal}", *settings)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        url = process.stdout.readline().decode().split()[-1]
        try:
            yield url, journal
        finally:
            process.terminate()


def environ_for(url: str) -> dict[str, str]:
    """The environment of a user of that emulator."""
    given = {"FLY_FLAPS_BASE_URL": url, "FLY_API_TOKEN": "dummy", "FLY_ORG": "personal"}
    return {**os.environ, **given}


def served_commands(folder: Path) -> list[Served]:
    """All of them."""
    return [plan_of_one(folder / "one"), *sizes(folder), *plans(folder / "plans")]


def plan_of_one(folder: Path) -> Served:
    """`plan` of one unchanged app, beside a bare interpreter."""
    folder.mkdir()
    (folder / "fly.toml").write_text(web_toml("one"))
    with emulator(folder, "--boot=0.1", "--checks=0.1", "--no-limits") as (url, _):
        environ = environ_for(url)
        run(folder, environ, "deploy", "--config=fly.toml", "--yes", "--no-smoke-checks")
        commands = {"bare": [sys.executable, "-c", "pass"]}
        commands["plan"] = tool("plan", "--config=fly.toml")
        bare, plan = timed_together(commands, folder, environ=environ)
    return Served(
        name="plan of one unchanged app",
        seconds=plan.median,
        factor=plan.median / bare.median,
        against="a bare interpreter",
        target=20.0,
        spread=plan.spread,
    )


def sizes(folder: Path, counts: tuple[int, ...] = (20, 100)) -> Iterator[Served]:
    """Workloads of two machines whose apps exist, beside one such workload."""
    one, _, _ = _deploys(folder, 1)
    for count in counts:
        seconds, spread, calls = _deploys(folder, count)
        yield Served(
            name=f"{count} workloads whose apps exist, {calls} calls",
            seconds=seconds,
            factor=seconds / one,
            against="one of them",
            target=1.05 if count <= 20 else 1.3,
            spread=spread,
        )


def _deploys(folder: Path, count: int) -> tuple[float, float, int]:
    taken, calls = [], 0
    for number in range(RUNS):
        place = folder / f"sizes-{count}-{number}"
        place.mkdir()
        files = [f"w{n}.yaml" for n in range(count)]
        for n, file in enumerate(files):
            (place / file).write_text(SCORE.format(f"w{n}"))
        # The client keeps to the limits by itself; making the apps beforehand would take long.
        settings = (f"--latency={LATENCY}", f"--boot={BOOT}", f"--checks={HEALTHY}", "--no-limits")
        with emulator(place, *settings) as (url, journal):
            environ = environ_for(url)
            run(place, environ, "init", "--fly-app-prefix=b-", "--file=")
            for n in range(count):
                body = {"name": f"b-w{n}", "org_slug": "personal"}
                create(url, "/v1/apps", body)
            before = calls_in(journal)
            options = ("--yes", "--no-smoke-checks", "--no-resolve")
            taken.append(run(place, environ, "deploy", *files, *options))
            calls = calls_in(journal) - before
    median = statistics.median(taken)
    return median, (max(taken) - min(taken)) / median, calls


def plans(folder: Path, count: int = 1000) -> Iterator[Served]:
    """`plan` of an app of so many machines, and of so many apps, beside the calls alone."""
    folder.mkdir()
    with emulator(folder, "--no-limits", "--boot=0.1", "--checks=0.1") as (url, journal):
        environ = environ_for(url)
        (folder / "fly.toml").write_text(web_toml("one"))
        run(folder, environ, "deploy", "--config=fly.toml", "--yes", "--no-smoke-checks")
        anyio.run(fill, url, count)
        seconds = run(folder, environ, "plan", "--config=fly.toml")
        one = "plan of 1,000 machines of one app"
        yield Served(name=one, seconds=seconds, factor=seconds, against="a second", target=1.0)
        files = [f"a{n}.yaml" for n in range(count)]
        for n, file in enumerate(files):
            (folder / file).write_text(SCORE.format(f"a{n}"))
        run(folder, environ, "init", "--fly-app-prefix=p-", "--file=")
        run(folder, environ, "generate", *files)
        for n in range(count):
            create(url, "/v1/apps", {"name": f"p-a{n}", "org_slug": "personal"})
        before = calls_in(journal)
        seconds = run(folder, environ, "plan")
        calls = calls_in(journal) - before
        alone = anyio.run(_calls_alone, url, calls)
    name = f"plan of 1,000 apps, {calls} calls"
    yield Served(
        name=name, seconds=seconds, factor=seconds / alone, against="the calls alone", target=3.0
    )


async def fill(url: str, count: int) -> None:
    """More machines like the first, without a client that would keep to the rate limits."""
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60) as http:
        first = (await http.get("/v1/apps/one/machines")).json()[0]
        body = {"config": first["config"], "region": "iad"}
        for _ in range(count - 2):
            (await http.post("/v1/apps/one/machines", json=body)).raise_for_status()


async def _calls_alone(url: str, calls: int) -> float:
    start = time.perf_counter()
    async with httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60) as http:
        at_once = anyio.CapacityLimiter(50)

        async def ask(number: int) -> None:
            async with at_once:
                (await http.get(f"/v1/apps/p-a{number}/machines")).raise_for_status()

        async with anyio.create_task_group() as tasks:
            for number in range(calls):
                tasks.start_soon(ask, number % 1000)
    return time.perf_counter() - start


def create(url: str, path: str, body: dict[str, Any]) -> None:
    httpx.post(f"{url}{path}", headers=HEADERS, json=body).raise_for_status()


def run(folder: Path, environ: dict[str, str], *arguments: str) -> float:
    """Seconds of the command with these arguments."""
    start = time.perf_counter()
    subprocess.run(tool(*arguments), cwd=folder, env=environ, check=True, capture_output=True)
    return time.perf_counter() - start


def calls_in(journal: Path) -> int:
    """How many calls the emulator has noted."""
    return len(journal.read_bytes().splitlines()) if journal.exists() else 0
