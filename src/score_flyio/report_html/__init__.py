"""A run as one HTML page that needs nothing else: no script, no file, no network. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from score_flyio.deploy.execution.report import Report
from score_flyio.events import Event
from score_flyio.report_html.page import render
from score_flyio.report_html.story import tell

__all__ = ["render_html"]


def render_html(report: Report, events: Iterable[Event]) -> str:
    """The page about a run; without all its events, in order, it says nothing about time."""
    return render(report, tell(events))
