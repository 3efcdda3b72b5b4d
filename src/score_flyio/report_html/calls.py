"""The calls of a run, counted by operation."""

from __future__ import annotations

from score_flyio.base.record import define
from score_flyio.report_html.story import Story


@define(kw_only=True)
class OperationCalls:
    """What one operation was called for."""

    method: str
    template: str
    count: int = 0
    refused: int = 0
    """Answered 429."""
    missing: int = 0
    """Answered 404: often what was asked for."""
    failed: int = 0
    """Answered by another error, or not at all."""
    seconds: float = 0.0
    """From sending to the answer, in sum."""
    queued: float = 0.0
    """In the queue for the rate limit, in sum."""


def count_calls(story: Story) -> tuple[OperationCalls, ...]:
    """One entry an operation, the most called first."""
    found: dict[tuple[str, str], OperationCalls] = {}
    for calls in story.calls.values():
        for call in calls:
            key = (call.method, call.template)
            row = found.setdefault(key, OperationCalls(method=key[0], template=key[1]))
            row.count += 1
            row.refused += call.status == 429
            row.missing += call.status == 404
            row.failed += call.broken
            row.seconds += call.at - call.sent
            row.queued += call.sent - call.asked
    return tuple(sorted(found.values(), key=lambda row: (-row.count, row.template, row.method)))
