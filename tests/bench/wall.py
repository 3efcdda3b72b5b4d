"""The real command against a served emulator: wall time and calls, beside flyctl's recorded ones."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import httpx
from attrs import frozen

from tests.bench.processes import tool
from tests.bench.world import BOOT, HEALTHY, LATENCY

RUNS = 3
FLY_TOML = """
app = "wall"
primary_region = "iad"
[build]
image = "nginx:{version}"
[http_service]
internal_port = 8080
[[http_service.checks]]
interval = "5s"
timeout = "2s"
path = "/"
"""


@frozen(kw_only=True)
class Wall:
    """Medians over the runs."""

    name: str
    seconds: float
    calls: int
    flyctl_seconds: float
    flyctl_calls: int


def walls(folder: Path) -> list[Wall]:
    """A first deploy of two machines, and a rolling update of ten."""
    firsts, updates = [], []
    for number in range(RUNS):
        place = folder / f"wall-{number}"
        place.mkdir()
        first, update = _once(place)
        firsts.append(first)
        updates.append(update)
    return [
        _median("first deploy, 2 machines", firsts, (4.3, 25)),
        _median("rolling update, 10 machines", updates, (8.0, 81)),
    ]


def _median(name: str, runs: list[tuple[float, int]], flyctl: tuple[float, int]) -> Wall:
    return Wall(
        name=name,
        seconds=statistics.median(seconds for seconds, _ in runs),
        calls=statistics.median_high(calls for _, calls in runs),
        flyctl_seconds=flyctl[0],
        flyctl_calls=flyctl[1],
    )


def _once(place: Path) -> tuple[tuple[float, int], tuple[float, int]]:
    journal = place / "journal.jsonl"
    settings = [f"--latency={LATENCY}", f"--boot={BOOT}", f"--checks={HEALTHY}"]
    command = tool("emulator", "serve", "--port=0", "--json", f"--journal={journal}", *settings)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as emulator:
        assert emulator.stdout is not None
        url = json.loads(emulator.stdout.readline())["url"]
        try:
            first = _deploy(place, url, journal, 1)
            _grow(url, 10)
            return first, _deploy(place, url, journal, 2)
        finally:
            emulator.terminate()


def _deploy(place: Path, url: str, journal: Path, version: int) -> tuple[float, int]:
    (place / "fly.toml").write_text(FLY_TOML.format(version=version))
    environ = {
        **os.environ,
        "FLY_FLAPS_BASE_URL": url,
        "FLY_API_TOKEN": "dummy",
        "FLY_ORG": "personal",
    }
    calls = _lines(journal)
    start = time.perf_counter()
    subprocess.run(
        tool("deploy", "--config=fly.toml", "--no-smoke-checks", "--yes"),
        cwd=place,
        env=environ,
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - start, _lines(journal) - calls


def _lines(journal: Path) -> int:
    return len(journal.read_bytes().splitlines()) if journal.exists() else 0


def _grow(url: str, count: int) -> None:
    """More machines like the first one, as slowly as the rate limit wants it."""
    with httpx.Client(base_url=url, headers={"authorization": "Bearer dummy"}) as http:
        machines = http.get("/v1/apps/wall/machines").json()
        body = {"config": machines[0]["config"], "region": machines[0]["region"]}
        while len(machines) < count:
            answer = http.post("/v1/apps/wall/machines", json=body)
            if answer.status_code == 200:
                machines.append(answer.json())
