"""`make bench`: measures what is promised, prints tables, writes bench-results.json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import attrs

from tests.bench.compare import RESULTS, commit
from tests.bench.images import Cost, print_costs
from tests.bench.makespan import Row, makespans
from tests.bench.processes import Bulk, Timed, bulk, chain, independent, many_resources, startups
from tests.bench.served import Served, served_commands
from tests.bench.wall import Wall, walls

SAMPLES = Path("samples")

MOST_MEMORY = 100
"""MiB of a process that deploys to 1,000 machines."""


def main() -> int:
    """Everything; 0 when all targets are met."""
    # Users start from compiled modules; with this set, every start would compile all of them.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    rows = makespans()
    print_makespans(rows)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "start").mkdir()
        timed = [
            *startups(folder / "start", SAMPLES / "web"),
            independent(folder),
            chain(folder),
            many_resources(folder),
        ]
        print_timed(timed)
        wall = walls(folder)
        print_walls(wall)
        served = served_commands(folder)
        print_served(served)
        bulks = [bulk(folder, 10), bulk(folder, 50), bulk(folder, 200, target=1.5)]
        print_bulk(bulks)
    images = image_costs()
    print_costs(images)
    memory = thousand_machines_mib()
    print(
        f"\npeak memory of a deploy that watches 1,000 machines: {memory:.0f} MiB "
        f"(target {MOST_MEMORY})"
    )
    RESULTS.write_text(
        json.dumps(
            {
                "commit": commit(),
                "makespan": [{**attrs.asdict(row), "ratio": round(row.ratio, 4)} for row in rows],
                "processes": [attrs.asdict(row) for row in timed],
                "wall": [attrs.asdict(row) for row in wall],
                "served": [attrs.asdict(row) for row in served],
                "generate": [attrs.asdict(row) for row in bulks],
                "images": [{**attrs.asdict(row), "factor": row.factor} for row in images],
                "memory_mib_1000_machines": memory,
            },
            indent=2,
        )
        + "\n"
    )
    return 1 if missed(rows, timed, wall, served, bulks, memory) else 0


def print_makespans(rows: list[Row]) -> None:
    print("deploys, simulated: 50 ms latency, 500 ms boot, 1 s to healthy, rate limits on;")
    print("simulated time is the same in every run, so one run is the median of any number\n")
    print(
        f"{'':42}{'seconds':>9}{'bound':>8}{'ratio':>7}{'calls':>7}{'429':>5}{'least':>6}  flyctl"
    )
    for row in rows:
        m = row.measured
        print(
            f"{row.name:42}{m.seconds:9.2f}{row.bound:8.2f}{row.ratio:7.3f}"
            f"{m.calls:7}{m.refused:5}{m.least_serving:6}  {row.flyctl or ''}"
        )


def print_timed(rows: list[Timed]) -> None:
    print(f"\n{'processes, wall time':44}{'median ms':>10}{'least':>8}{'factor':>8}{'target':>8}")
    for row in rows:
        factor = f"{row.factor:.1f}" if row.factor else ""
        target = "" if row.target is None else f"{row.target:g}"
        print(
            f"{row.name:44}{row.median * 1000:10.0f}{row.least * 1000:8.0f}{factor:>8}{target:>8}"
        )


def print_walls(rows: list[Wall]) -> None:
    title = "the command against a served emulator"
    print(f"\n{title:44}{'seconds':>10}{'calls':>8}{'factor':>8}{'target':>8}  of flyctl")
    for row in rows:
        flyctl = f"{row.flyctl_seconds} s, {row.flyctl_calls} calls"
        print(
            f"{row.name:44}{row.seconds:10.2f}{row.calls:8}{row.factor:8.2f}{row.target:8g}  {flyctl}"
        )


def print_served(rows: list[Served]) -> None:
    print(f"\n{'the command at several sizes':44}{'seconds':>10}{'factor':>8}{'target':>8}  of")
    for row in rows:
        print(f"{row.name:44}{row.seconds:10.2f}{row.factor:8.2f}{row.target:8g}  {row.against}")


def print_bulk(rows: list[Bulk]) -> None:
    print(
        f"\n{'generate in one call':44}{'seconds':>10}{'ms each':>8}{'peak MiB':>10}{'target':>8}"
    )
    for row in rows:
        target = "" if row.target is None else f"{row.target:g}"
        print(
            f"{f'{row.workloads} workloads, {row.workloads * 2} resources':44}"
            f"{row.seconds:10.2f}{row.per_workload * 1000:8.1f}{row.peak_mib:10.0f}{target:>8}"
        )


def image_costs() -> list[Cost]:
    """Measured in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.images", "--json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [Cost(**row) for row in json.loads(done.stdout)]


def thousand_machines_mib() -> float:
    """Measured in a process of its own; the emulator runs in another one."""
    command = [sys.executable, "-m", "tests.bench.thousand"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return float(done.stdout.split()[-1])


def missed(
    rows: list[Row],
    timed: list[Timed],
    wall: list[Wall],
    served: list[Served],
    bulks: list[Bulk],
    memory: float,
) -> list[str]:
    """The targets that are not met."""
    found = [
        row.name for row in rows if row.ratio > row.most or row.measured.refused or not row.beaten
    ]
    found += [f"{r.name}: calls" for r in rows if r.most_calls and r.measured.calls > r.most_calls]
    found += [
        row.name
        for row in timed
        if row.target is not None
        and (row.factor if row.factor is not None else row.median) > row.target
    ]
    found += [f"{row.name}, beside flyctl" for row in wall if row.factor > row.target]
    found += [row.name for row in served if row.factor > row.target]
    found += [
        f"generate of {row.workloads} files"
        for row in bulks
        if row.target and row.seconds > row.target
    ]
    found += ["peak memory"] if memory > MOST_MEMORY else []
    if found:
        print("\nmissed: " + "; ".join(found))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
