"""`make bench-compare` tells of what became slower by more than noise, and of nothing else."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.bench.compare import figures, slower

RESULTS: dict[str, Any] = {
    "commit": "abc",
    "makespan": [{"name": "first", "ratio": 1.05, "measured": {"calls": 22}}],
    "processes": [
        {"name": "bare", "median": 0.01, "spread": 0.0},
        {"name": "generate", "median": 0.09, "spread": 0.3},
        {"name": "chain", "median": 5.2, "spread": 0.0, "sleeps": 5.0},
    ],
    "wall": [{"name": "rolling", "seconds": 4.0, "flyctl_seconds": 8.0}],
    "served": [{"name": "100 workloads, 990 calls", "factor": 1.3, "spread": 0.0}],
    "generate": [{"workloads": 10, "per_workload": 0.01}],
    "images": [{"name": "the context, listed 1.0", "against": "tar", "factor": 4.0}],
    "memory_mib_1000_machines": 100.0,
}


def changed(*path: str | int, to: float) -> dict[str, Any]:
    results = copy.deepcopy(RESULTS)
    place: Any = results
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return results


@pytest.mark.parametrize(
    ("after", "names"),
    [
        (RESULTS, []),
        (changed("makespan", 0, "ratio", to=1.06), ["first: seconds / bound"]),
        (changed("makespan", 0, "measured", "calls", to=23), ["first: calls"]),
        (changed("makespan", 0, "measured", "calls", to=21), []),
        (changed("processes", 1, "median", to=0.115), []),  # its repeats lie that far apart
        (changed("processes", 1, "median", to=0.13), ["generate: / bare"]),
        (changed("processes", 2, "median", to=5.8), ["chain: / its sleep"]),
        (changed("wall", 0, "seconds", to=4.3), []),
        (changed("wall", 0, "seconds", to=4.5), ["rolling: / flyctl's"]),
        (changed("served", 0, "factor", to=1.5), ["100 workloads"]),
        (changed("generate", 0, "per_workload", to=0.012), ["generate 10: each / bare"]),
        (changed("images", 0, "factor", to=5.0), []),  # it is measured once
        (changed("images", 0, "factor", to=5.3), ["the context: / tar"]),
        (changed("memory_mib_1000_machines", to=112.0), ["MiB at 1,000 machines"]),
    ],
)
def test_what_became_slower(after: dict[str, Any], names: list[str]) -> None:
    assert [each.name for each in slower(RESULTS, after)] == names


def test_a_slower_computer_changes_no_ratio() -> None:
    after = copy.deepcopy(RESULTS)
    for row in after["processes"]:
        row["median"] *= 1 if "sleeps" in row else 3
    for row in after["generate"]:
        row["per_workload"] *= 3
    assert slower(RESULTS, after) == []


def test_a_row_that_is_new_is_no_regression() -> None:
    after = copy.deepcopy(RESULTS)
    after["served"].append({"name": "new", "factor": 9.0, "spread": 0.0})
    assert slower(RESULTS, after) == []
    assert len(list(figures(after))) == len(list(figures(RESULTS))) + 1
