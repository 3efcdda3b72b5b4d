"""What whole processes take: start-up beside a bare interpreter, and `generate`."""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from attrs import evolve, frozen

RUNS = 11


@frozen(kw_only=True)
class Timed:
    """Median and least wall time of a command, in seconds."""

    name: str
    median: float
    least: float
    factor: float | None = None
    """How many times the bare interpreter it took."""
    target: float | None = None
    sleeps: float | None = None
    """Seconds that it sleeps on every computer; `None` where it only computes."""
    spread: float = 0.0
    """How far the middle half of the repeats lies apart, as a share of their median."""


def timed(name: str, command: list[str], cwd: Path, runs: int = RUNS) -> Timed:
    """Runs a command several times, and once before: users start from compiled modules."""
    return timed_together({name: command}, cwd, runs)[0]


def timed_together(
    commands: dict[str, list[str]],
    cwd: Path,
    runs: int = RUNS,
    environ: dict[str, str] | None = None,
) -> list[Timed]:
    """Runs several commands in turn, so that what else the computer does slows all of them."""
    environ = {**_without_settings(), **(environ or {})}
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for name, command in [*commands.items()] * (runs + 1):
        start = time.perf_counter()
        _run(command, cwd, environ)
        taken[name].append(time.perf_counter() - start)
    return [_summary(name, seconds[1:]) for name, seconds in taken.items()]


def _summary(name: str, seconds: list[float]) -> Timed:
    median = statistics.median(seconds)
    low, _, high = statistics.quantiles(seconds) if len(seconds) > 1 else (median,) * 3
    return Timed(name=name, median=median, least=min(seconds), spread=(high - low) / median)


def _run(command: list[str], cwd: Path, environ: dict[str, str]) -> None:
    subprocess.run(command, cwd=cwd, check=True, capture_output=True, env=environ)


def _without_settings() -> dict[str, str]:
    """The environment of somebody who has set nothing of ours."""
    return {k: v for k, v in os.environ.items() if not k.startswith(("FLY_", "SCORE_FLYIO_"))}


def tool(*arguments: str) -> list[str]:
    """The installed command with these arguments."""
    return [str(Path(sys.executable).parent / "score-flyio"), *arguments]


STARTS = {
    "--version": (["--version"], 2.0),
    "--help": (["--help"], 8.0),
    "completion bash": (["completion", "bash"], 8.0),
    "generate of a sample": (["generate", "score.yaml"], 9.0),
}
"""Arguments of the commands whose speed is promised, and how many bare starts they may take."""


def startups(folder: Path, sample: Path) -> list[Timed]:
    """Start-up of the commands of `STARTS`, as multiples of `python -c pass`."""
    (folder / "score.yaml").write_bytes((sample / "score.yaml").read_bytes())
    subprocess.run(
        tool("init", "--fly-app-prefix=bench-"), cwd=folder, check=True, capture_output=True
    )
    commands = {"python -c pass": [sys.executable, "-c", "pass"]}
    commands |= {name: tool(*arguments) for name, (arguments, _) in STARTS.items()}
    bare, *rows = timed_together(commands, folder)
    return [
        bare,
        *(evolve(row, factor=row.median / bare.median, target=STARTS[row.name][1]) for row in rows),
    ]


SLOW = """#!/bin/sh
cat >/dev/null
sleep 1
printf '{"values":{"x":"1"}}'
"""


def _project(folder: Path) -> Path:
    folder.mkdir()
    script = folder / "slow.sh"
    script.write_text(SLOW)
    script.chmod(0o755)
    subprocess.run(
        tool("init", "--fly-app-prefix=b-", "--file="), cwd=folder, check=True, capture_output=True
    )
    subprocess.run(
        tool("provisioners", "add", "slow", "slow", "--cmd-binary=./slow.sh"),
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


def _workload(resources: dict[str, object], name: str = "wl") -> str:
    return json.dumps(
        {
            "apiVersion": "score.dev/v1b1",
            "metadata": {"name": name},
            "containers": {"main": {"image": "nginx"}},
            "resources": resources,
        }
    )


def independent(folder: Path, count: int = 30) -> Timed:
    """`count` command resources of one second each, all at once."""
    project = _project(folder / "independent")
    resources: dict[str, object] = {f"r{n:02d}": {"type": "slow"} for n in range(count)}
    (project / "score.yaml").write_text(_workload(resources))
    command = tool("generate", "score.yaml", f"--jobs={count}")
    row = timed(f"{count} independent 1 s resources, --jobs {count}", command, project, runs=3)
    return evolve(row, target=1.6, sleeps=1.0)


def chain(folder: Path, count: int = 5) -> Timed:
    """`count` command resources of one second each, each needing the one before."""
    project = _project(folder / "chain")
    resources: dict[str, object] = {}
    for n in range(count):
        params = {"before": f"${{resources.r{n - 1:02d}.x}}"} if n else {}
        resources[f"r{n:02d}"] = {"type": "slow", "params": params}
    (project / "score.yaml").write_text(_workload(resources))
    row = timed(f"chain of {count} 1 s resources", tool("generate", "score.yaml"), project, runs=3)
    return evolve(row, target=count + 1.0, sleeps=float(count))


@frozen(kw_only=True)
class Bulk:
    """One `generate` of many workloads."""

    workloads: int
    seconds: float
    per_workload: float
    peak_mib: float
    target: float | None = None
    """Most seconds."""


USED = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
"""
"""Seconds that a command computes, and its peak memory in KiB, seen by a small process."""


def used(
    command: list[str], folder: Path | None = None, environ: Mapping[str, str] | None = None
) -> tuple[float, float]:
    """Seconds that the command computes, with its children, and its peak memory in MiB."""
    watched = [sys.executable, "-c", USED, *command]
    done = subprocess.run(
        watched, cwd=folder, env=environ, check=True, capture_output=True, text=True
    )
    seconds, kib = map(float, done.stdout.split())
    return seconds, kib / 1024


def bulk(folder: Path, count: int, target: float | None = None) -> Bulk:
    """`count` Score files with twice as many resources, half of them commands, in one call."""
    project = folder / f"bulk-{count}"
    project.mkdir()
    script = project / "quick.sh"
    script.write_text(SLOW.replace("sleep 1\n", ""))
    script.chmod(0o755)
    for arguments in (
        ("init", "--fly-app-prefix=b-", "--file="),
        ("provisioners", "add", "quick", "quick", "--cmd-binary=./quick.sh"),
        ("provisioners", "add", "fixed", "fixed", '--static-json={"x":"1"}'),
    ):
        subprocess.run(tool(*arguments), cwd=project, check=True, capture_output=True)
    files = []
    for n in range(count):
        resources: dict[str, object] = {"made": {"type": "quick"}, "given": {"type": "fixed"}}
        file = project / f"w{n:03d}.yaml"
        file.write_text(_workload(resources, f"w{n:03d}"))
        files.append(file.name)
    start = time.perf_counter()
    _, mib = used(tool("generate", *files), project)
    seconds = time.perf_counter() - start
    return Bulk(
        workloads=count,
        seconds=seconds,
        per_workload=seconds / count,
        peak_mib=mib,
        target=target,
    )


def many_resources(folder: Path, count: int = 3000) -> Timed:
    """One workload with `count` resources, in one call."""
    project = _project(folder / "many-resources")
    subprocess.run(
        tool("provisioners", "add", "fixed", "fixed", '--static-json={"x":"1"}'),
        cwd=project,
        check=True,
        capture_output=True,
    )
    resources: dict[str, object] = {f"r{n:04d}": {"type": "fixed"} for n in range(count)}
    (project / "score.yaml").write_text(_workload(resources))
    row = timed(f"{count} resources of one workload", tool("generate", "score.yaml"), project, 1)
    return evolve(row, target=15.0)


def own_peak_mib() -> float:
    """Peak memory of this process alone: `ru_maxrss` counts that of whoever started it, too."""
    if Path("/proc/self/status").exists():
        return peak_mib("self")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def peak_mib(process: int | str) -> float:
    """Peak memory of a process so far; 0 once it has ended."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    sizes = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(sizes[0]) / 1024 if sizes else 0.0
