"""`python -m tests.bench.growth`: processor time and memory of commands, for more and more.

Seconds are those that the command's own process computed, and of its children: they grow with
what there is to do, whatever else the computer does. The emulator answers at once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import anyio
from attrs import frozen

from tests.bench.apps import web_toml
from tests.bench.processes import tool, used
from tests.bench.served import SCORE, create, emulator, environ_for, fill, run

WORKLOADS: Final = (1, 10, 100, 1_000)
MACHINES: Final = (10, 100, 1_000, 10_000)
QUICK: Final = ("--no-limits", "--boot=0.1", "--checks=0.1")
DEPLOY: Final = ("deploy", "--yes", "--no-smoke-checks", "--no-resolve")


@frozen
class Grown:
    """What a command takes for so many."""

    command: str
    size: int
    seconds: float
    peak_mib: float

    def __str__(self) -> str:
        each = self.seconds / self.size * 1000
        return f"{self.command:36}{self.size:8,}{self.seconds:9.2f}{each:9.2f}{self.peak_mib:8.0f}"


def measured(folder: Path, environ: dict[str, str], name: str, size: int, *words: str) -> Grown:
    """Runs it once."""
    seconds, mib = used(tool(*words), folder, environ)
    return Grown(name, size, seconds, mib)


def of_workloads(folder: Path) -> Iterator[Grown]:
    """Workloads of two machines whose apps exist."""
    for size in WORKLOADS:
        place = folder / f"workloads-{size}"
        place.mkdir()
        with emulator(place, *QUICK) as (url, _):
            environ = environ_for(url)
            run(place, environ, "init", "--fly-app-prefix=g-", "--file=")
            for number in range(size):
                (place / f"w{number}.yaml").write_text(SCORE.format(f"w{number}"))
                create(url, "/v1/apps", {"name": f"g-w{number}", "org_slug": "personal"})
            files = sorted(file.name for file in place.glob("w*.yaml"))
            yield measured(place, environ, "generate", size, "generate", *files)
            yield measured(place, environ, "plan", size, "plan")
            yield measured(place, environ, "deploy", size, *DEPLOY)
            yield measured(place, environ, "deploy, unchanged", size, *DEPLOY)


def of_machines(folder: Path) -> Iterator[Grown]:
    """Machines of one app."""
    for size in MACHINES:
        place = folder / f"machines-{size}"
        place.mkdir()
        (place / "fly.toml").write_text(web_toml("one"))
        with emulator(place, *QUICK) as (url, _):
            environ = environ_for(url)
            run(place, environ, *DEPLOY, "--config=fly.toml")
            anyio.run(fill, url, size)
            yield measured(place, environ, "plan of machines", size, "plan", "--config=fly.toml")
            (place / "fly.toml").write_text(web_toml("one", version=2))
            words = (*DEPLOY, "--config=fly.toml", "--max-unavailable=0.5")
            yield measured(place, environ, "rolling update, half at once", size, *words)


def main() -> None:
    print(f"{'':36}{'size':>8}{'seconds':>9}{'ms each':>9}{'MiB':>8}")
    with tempfile.TemporaryDirectory() as name:
        for rows in (of_workloads, of_machines):
            for row in rows(Path(name)):
                print(row, flush=True)


if __name__ == "__main__":
    main()
