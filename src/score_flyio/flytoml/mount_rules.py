"""The rules for one `[[mounts]]`: sizes, snapshots, automatic extension."""

from __future__ import annotations

from collections.abc import Iterator

from score_flyio.flytoml.findings import Finding
from score_flyio.flytoml.spec import Mount
from score_flyio.flytoml.values import volume_gb


def mount_findings(mount: Mount, place: str) -> Iterator[Finding]:
    """Every broken rule of a mount; `place` is its path in the file."""
    _, problems = _size(mount.initial_size, f"{place}.initial_size")
    yield from problems
    days = mount.snapshot_retention
    if days is not None and not 1 <= days <= 60:
        yield _finding(
            f"{place}.snapshot_retention",
            "out_of_range",
            f"snapshots cannot be kept for {days} days",
            "use a number from 1 to 60",
        )
    yield from _auto_extend(mount, place)


def _auto_extend(mount: Mount, place: str) -> Iterator[Finding]:
    threshold = mount.auto_extend_size_threshold
    increment, problems = _size(
        mount.auto_extend_size_increment, f"{place}.auto_extend_size_increment"
    )
    yield from problems
    limit, problems = _size(mount.auto_extend_size_limit, f"{place}.auto_extend_size_limit")
    yield from problems
    if not (threshold or increment or limit):
        return
    if not 50 <= threshold <= 99:
        yield _finding(
            f"{place}.auto_extend_size_threshold",
            "out_of_range",
            f"a volume cannot be extended at {threshold} percent",
            "use a number from 50 to 99",
        )
    if not 1 <= increment <= 100:
        yield _finding(
            f"{place}.auto_extend_size_increment",
            "out_of_range",
            f"a volume cannot be extended by {increment} GB",
            "use a size from 1gb to 100gb",
        )
    if limit and not 1 <= limit <= 500:
        yield _finding(
            f"{place}.auto_extend_size_limit",
            "out_of_range",
            f"a volume cannot be extended to {limit} GB",
            "use a size up to 500gb, or leave it out",
        )
    if threshold and not increment and not limit:
        yield _finding(
            f"{place}.auto_extend_size_threshold",
            "incomplete_auto_extend",
            "a threshold alone extends nothing",
            "add auto_extend_size_increment and auto_extend_size_limit",
        )


def _size(text: str, place: str) -> tuple[int, list[Finding]]:
    if not text:
        return 0, []
    try:
        size = volume_gb(text)
    except ValueError as error:
        return 0, [_finding(place, "invalid_size", str(error), "write a size such as 10gb")]
    if size >= 1:
        return size, []
    return size, [_finding(place, "below_minimum", f"{text!r} is below 1 GB", "use 1gb or more")]


def _finding(place: str, code: str, message: str, hint: str) -> Finding:
    return Finding(stage="validate", code=code, place=place, message=message, hint=hint)
