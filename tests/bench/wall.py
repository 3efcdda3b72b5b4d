"""The real command against a served emulator: wall time and calls, beside flyctl's recorded ones."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import httpx
from attrs import evolve, frozen

from tests.bench.apps import web_toml
from tests.bench.served import HEADERS, calls_in, emulator, environ_for, run
from tests.bench.world import BOOT, HEALTHY, LATENCY

RUNS = 3
Run: TypeAlias = tuple[float, int]
"""Seconds, and calls."""


@frozen(kw_only=True)
class Wall:
    """Medians over the runs."""

    name: str
    seconds: float
    calls: int
    flyctl_seconds: float
    flyctl_calls: int
    target: float = 1.0
    """The most that it may take of flyctl's time, without the smoke checks of either."""

    @property
    def factor(self) -> float:
        """Beside flyctl."""
        return self.seconds / self.flyctl_seconds


def walls(folder: Path) -> list[Wall]:
    """A first deploy of two machines, and rolling updates of two and of ten."""
    runs = []
    for number in range(RUNS):
        place = folder / f"wall-{number}"
        place.mkdir()
        runs.append(_once(place))
    firsts, twos, tens = zip(*runs, strict=True)
    return [
        _median("first deploy, 2 machines", firsts, (4.3, 25)),
        evolve(_median("rolling update, 2 machines", twos, (4.4, 23)), target=0.9),
        _median("rolling update, 10 machines", tens, (8.0, 81)),
    ]


def _median(name: str, runs: Sequence[Run], flyctl: tuple[float, int]) -> Wall:
    return Wall(
        name=name,
        seconds=statistics.median(seconds for seconds, _ in runs),
        calls=statistics.median_high(calls for _, calls in runs),
        flyctl_seconds=flyctl[0],
        flyctl_calls=flyctl[1],
    )


def _once(place: Path) -> tuple[Run, Run, Run]:
    settings = (f"--latency={LATENCY}", f"--boot={BOOT}", f"--checks={HEALTHY}")
    with emulator(place, *settings) as (url, journal):
        first = _deploy(place, url, journal, 1)
        two = _deploy(place, url, journal, 2)
        _grow(url, 10)
        return first, two, _deploy(place, url, journal, 3)


def _deploy(place: Path, url: str, journal: Path, version: int) -> Run:
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
