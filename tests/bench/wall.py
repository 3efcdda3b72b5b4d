"""The real command against a served emulator: wall time and calls, beside flyctl's recorded ones."""

from __future__ import annotations

import statistics
from pathlib import Path

import httpx
from attrs import frozen

from tests.bench.apps import web_toml
from tests.bench.served import HEADERS, calls_in, emulator, environ_for, run
from tests.bench.world import BOOT, HEALTHY, LATENCY

RUNS = 3


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
    settings = (f"--latency={LATENCY}", f"--boot={BOOT}", f"--checks={HEALTHY}")
    with emulator(place, *settings) as (url, journal):
        first = _deploy(place, url, journal, 1)
        _grow(url, 10)
        return first, _deploy(place, url, journal, 2)


def _deploy(place: Path, url: str, journal: Path, version: int) -> tuple[float, int]:
    (place / "fly.toml").write_text(web_toml("wall", version=version))
    calls = calls_in(journal)
    options = ("--config=fly.toml", "--no-smoke-checks", "--yes")
    seconds = run(place, environ_for(url), "deploy", *options)
    return seconds, calls_in(journal) - calls


def _grow(url: str, count: int) -> None:
    """More machines like the first one, as slowly as the rate limit wants it."""
    with httpx.Client(base_url=url, headers=HEADERS) as http:
        machines = http.get("/v1/apps/wall/machines").json()
        body = {"config": machines[0]["config"], "region": machines[0]["region"]}
        while len(machines) < count:
            answer = http.post("/v1/apps/wall/machines", json=body)
            if answer.status_code == 200:
                machines.append(answer.json())
