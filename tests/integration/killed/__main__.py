"""`python -m tests.integration.killed --runs 200 --seed 0`: kill that many commands, and count."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.integration.killed.runs import Killed, kill_some


def in_a_folder(seeds: range) -> list[Killed]:
    with tempfile.TemporaryDirectory() as folder:
        return kill_some(Path(folder), seeds)


def main() -> int:
    """Prints the figures; 1 if anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.integration.killed")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0, help="of the first run")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    began = time.monotonic()
    last = options.seed + options.runs
    parts = [range(options.seed + n, last, options.workers) for n in range(options.workers)]
    with ProcessPoolExecutor(options.workers) as pool:
        runs = [run for part in pool.map(in_a_folder, parts) for run in part]
    for run in runs:
        for text in run.found[:6]:
            print(f"seed {run.seed}: {run.kind}, {run.how}: {text}")
    for title, counts in (
        ("commands", Counter(run.kind for run in runs)),
        ("ends", Counter(run.end for run in runs)),
        ("exit codes", Counter(run.exit_code for run in runs)),
        ("the same again", Counter(run.again for run in runs)),
    ):
        told = ", ".join(f"{name} {count}" for name, count in sorted(counts.items(), key=str))
        print(f"{title}: {told}")
    bad = sum(bool(run.found) for run in runs)
    print(f"{len(runs)} runs in {time.monotonic() - began:.0f} s: {len(runs) - bad} converge")
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
