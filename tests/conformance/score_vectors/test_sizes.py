"""Sizes: the rule of this project, computed from the input, where the older tool has another.

The older tool counts steps of 256,000,000 bytes and any number of CPUs; Fly has steps of 256 MiB
and counts of its own. Which inputs are errors stays as recorded.
"""

from __future__ import annotations

import math
from typing import Any

import pytest

from score_flyio.convert.sizing import SizeError, demand, parse_memory, size_of
from score_flyio.score.model import Compute, Quantities


@pytest.mark.vectors("vm_size")
def test_size(entry: dict[str, Any]) -> None:
    compute = Compute(
        requests=Quantities(**entry.get("requests", {})),
        limits=Quantities(**entry.get("limits", {})),
    )
    if entry.get("error") and "divergence_ok" not in entry:
        with pytest.raises(ValueError, match=r"quantity|too large"):
            demand(compute)
        return
    cpus = next((count for count in (1, 2, 4, 6, 8) if count >= entry.get("cpus", 1)), None)
    texts = [entry.get(key, {}).get("memory") for key in ("requests", "limits")]
    largest = max((parse_memory(text) for text in texts if text), default=0)
    memory = max(256, math.ceil(largest / 2**28) * 256)
    if cpus is None or memory > 2048 * cpus:
        with pytest.raises(SizeError):
            size_of(demand(compute))
        return
    size = size_of(demand(compute))
    assert (size.cpus, size.memory) == (cpus, f"{max(memory, 256 * cpus)}MB")
