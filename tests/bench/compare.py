"""`make bench-compare`: what became slower since the stored baseline, by more than noise.

Figures are ratios (to a bound, a bare interpreter, another command on the same machine), calls and
MiB, so that a baseline of one computer serves on another one. `--store` makes the last results of
`make bench` the baseline.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from attrs import frozen

BASELINE: Final = Path(__file__).with_name("baseline.json")
RESULTS: Final = Path("bench-results.json")
SIMULATED: Final = 0.005
"""Share by which simulated figures may grow: they are the same in every run."""
MEASURED: Final = 0.1
"""Share by which figures on a clock may grow, where their repeats lie closer together."""

ONCE: Final = 0.3
"""Share by which figures of one run on a clock may grow."""


@frozen(kw_only=True)
class Figure:
    """One figure of a run; less is better."""

    name: str
    value: float
    noise: float
    """Share by which it may grow without having become slower."""


@frozen(kw_only=True)
class Slower:
    """A figure that grew by more than noise."""

    name: str
    before: float
    after: float

    def __str__(self) -> str:
        return f"{self.name}: {self.before:.4g} → {self.after:.4g}"


def figures(results: Mapping[str, Any]) -> Iterator[Figure]:
    """The comparable figures of `bench-results.json`."""
    for row in results["makespan"]:
        yield Figure(name=f"{row['name']}: seconds / bound", value=row["ratio"], noise=SIMULATED)
        calls = row["measured"]["calls"]
        yield Figure(name=f"{row['name']}: calls", value=calls, noise=SIMULATED)
    bare = results["processes"][0]["median"]
    for row in results["processes"][1:]:
        noise = max(MEASURED, row["spread"])
        sleeps = row.get("sleeps")
        name = f"{row['name']}: / {'its sleep' if sleeps else 'bare'}"
        yield Figure(name=name, value=row["median"] / (sleeps or bare), noise=noise)
    for row in results["wall"]:
        ratio = row["seconds"] / row["flyctl_seconds"]
        yield Figure(name=f"{row['name']}: / flyctl's", value=ratio, noise=MEASURED)
    for row in results["served"]:
        noise = max(MEASURED, row["spread"])
        yield Figure(name=row["name"].partition(",")[0], value=row["factor"], noise=noise)
    for row in results["generate"]:
        each = row["per_workload"] / bare
        yield Figure(name=f"generate {row['workloads']}: each / bare", value=each, noise=MEASURED)
    for row in results["images"]:
        name = f"{row['name'].partition(',')[0]}: / {row['against']}"
        yield Figure(name=name, value=row["factor"], noise=ONCE)
    memory = results["memory_mib_1000_machines"]
    yield Figure(name="MiB at 1,000 machines", value=memory, noise=MEASURED)


def slower(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Slower]:
    """The figures of both runs that grew by more than the noise of either."""
    known = {figure.name: figure for figure in figures(before)}
    return [
        Slower(name=new.name, before=old.value, after=new.value)
        for new in figures(after)
        if (old := known.get(new.name)) and new.value > old.value * (1 + max(old.noise, new.noise))
    ]


def main() -> int:
    """0 when nothing became slower."""
    results = json.loads(RESULTS.read_text())
    if "--store" in sys.argv[1:]:
        BASELINE.write_text(json.dumps(results, indent=1) + "\n")
        return 0
    before = json.loads(BASELINE.read_text())
    found = slower(before, results)
    commits = f"{before['commit']}..{results['commit']}"
    for each in found:
        print(f"slower: {each}")
    if found:
        print(f"between these commits: git log {commits}")
        return 1
    print(f"nothing became slower: {commits}, {len(list(figures(results)))} figures")
    return 0


def commit() -> str:
    """The commit that is measured, with a mark where files differ from it."""
    command = ["git", "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


if __name__ == "__main__":
    raise SystemExit(main())
