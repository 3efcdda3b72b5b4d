"""The page itself: one template, filled with escaped values, and the calls of the run counted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from score_flyio._version import __version__
from score_flyio.base.counted import counted
from score_flyio.base.printable import printable
from score_flyio.base.record import define, frozen
from score_flyio.deploy.execution.report import Report
from score_flyio.report_html.path import TINY, Link, critical_path
from score_flyio.report_html.phases import Bar, Phase, is_broken, sums
from score_flyio.report_html.story import Story
from score_flyio.report_html.view import AppView, app_views, failures_of

HERE = Path(__file__).parent
MANY_APPS, MANY_LANES = 6, 60
"""Beyond these, what went well is folded up."""
ENDS = 15
"""Of a long chain, so many links at either end are shown at once."""
TICKS = 6

HEADLINES = {
    "done": "Deployed",
    "unchanged": "Nothing had to change",
    "unhealthy": "Deployed, but not healthy",
    "failed": "Deploy failed",
    "interrupted": "Deploy interrupted",
}


@frozen(kw_only=True)
class Scale:
    """Turns moments into places on the time line."""

    zero: float
    seconds: float

    def left(self, moment: float) -> str:
        """Percent from the left."""
        return self.width(moment - self.zero)

    def width(self, seconds: float) -> str:
        """Percent of the whole."""
        share = 100 * seconds / self.seconds if self.seconds > 0 else 0.0
        return f"{min(100.0, max(0.0, share)):.3f}".rstrip("0").rstrip(".")

    @property
    def step(self) -> float:
        """Seconds between two ticks: 1, 2 or 5 times a power of ten."""
        raw = max(self.seconds, 0.01) / TICKS
        power: float = 10.0 ** math.floor(math.log10(raw))
        return next(power * n for n in (1, 2, 5, 10) if power * n >= raw * 0.999)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Seconds from the start, those that fit."""
        return tuple(n * self.step for n in range(int(self.seconds / self.step) + 1))


def duration(seconds: float) -> str:
    """A span for people: `0.05 s`, `12.3 s`, `2 min 5 s`, `1 h 3 min`."""
    if seconds < 9.995:
        return hard(f"{max(0.0, seconds):.2f} s")
    if seconds < 99.95:
        return hard(f"{seconds:.1f} s")
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return hard(f"{minutes} min {rest} s")
    return hard(f"{minutes // 60} h {minutes % 60} min")


def tick(seconds: float) -> str:
    """A point of the time line."""
    return hard(f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:.4g} min")


def moment(at: float) -> str:
    """A point in time for people, in UTC."""
    return f"{datetime.fromtimestamp(at, tz=UTC):%Y-%m-%d %H:%M:%S} UTC"


def spoken(bars: Sequence[Bar]) -> str:
    """The phases as text, for those who do not see the bars."""
    parts = [(phase.label, time) for phase, time in sums(bars).items() if time >= TINY]
    return ", ".join(f"{label} {duration(time)}" for label, time in parts)


def ends(links: Sequence[Link]) -> tuple[Sequence[Link], Sequence[Link], Sequence[Link]]:
    """The first links, those in between that are folded up, and the last."""
    if len(links) <= 2 * ENDS + 5:
        return links, (), ()
    return links[:ENDS], links[ENDS:-ENDS], links[-ENDS:]


def hard(text: str) -> str:
    """With spaces at which no line breaks."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def render(report: Report, story: Story) -> str:
    """The page; everything that came from outside is escaped by the template engine."""
    apps = app_views(report, story)
    text = _template().render(
        report=report,
        story=story,
        apps=apps,
        style=(HERE / "style.css").read_text(encoding="utf-8"),
        version=__version__,
        headline=_headline(report, story, apps),
        facts=_facts(report, story, apps),
        failures=[failure for app in report.apps for failure in failures_of(app)],
        target=report.target or story.target,
        operations=count_calls(story),
        folded=len(apps) > MANY_APPS or sum(len(app.lanes) for app in apps) > MANY_LANES,
        **_time(story, apps),
    )
    return text.encode("utf-8", "replace").decode("utf-8")


def _shown(value: object) -> object:
    """Text of others without what acts in a terminal: a report is read there, too."""
    return printable(value) if type(value) is str else value


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {
        "duration": duration,
        "tick": tick,
        "moment": moment,
        "counted": counted,
        "spoken": spoken,
    }
    return environment.get_template("page.html.jinja")


def _time(story: Story, apps: Sequence[AppView]) -> dict[str, object]:
    """What the parts about time need."""
    path = critical_path(story)
    bars = [bar for app in apps for lane in app.lanes for bar in lane.bars]
    used = {phase for phase, time in sums((*bars, *path.bars)).items() if time >= TINY}
    if story.resources:
        used.add(Phase.PROVISION)
    parts = {phase: time for phase, time in sums(path.bars).items() if time >= TINY}
    return {
        "path": path,
        "parts": sorted(parts.items(), key=lambda part: (not part[0].needed, -part[1])),
        "chain": ends(path.links),
        "scale": Scale(zero=story.started, seconds=story.seconds),
        "legend": [phase for phase in Phase if phase in used],
        "resources": [
            (item, Bar(Phase.PROVISION, item.started, story.until(item.ended)))
            for item in story.resources
        ],
    }


def _headline(report: Report, story: Story, apps: Sequence[AppView]) -> str:
    outcome = report.outcome if report.apps or report.error else story.outcome
    words = HEADLINES.get(outcome, outcome)
    well = [app for app in apps if app.went_well]
    if outcome == "done":
        return f"{words} {counted(len(apps), 'app')}"
    if outcome == "unchanged" or not well:
        return words
    return f"{words} for {len(apps) - len(well)} of {counted(len(apps), 'app')}"


def _facts(report: Report, story: Story, apps: Sequence[AppView]) -> list[tuple[str, str]]:
    """The figures at the top."""
    machines = {lane.name for app in apps for lane in app.lanes if lane.machine}
    calls = [call for calls in story.calls.values() for call in calls]
    return [
        ("duration", duration(story.seconds or report.seconds)),
        ("apps", str(len(apps))),
        ("machines touched", str(len(machines))),
        ("API calls", str(len(calls))),
        ("queued for rate limits, all calls", duration(sum(call.queued for call in calls))),
        ("refused for rate (429)", str(len(story.refused))),
        ("other failed calls", str(sum(map(is_broken, calls)))),
        ("calls tried again", str(len(story.retries))),
    ]


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
            key = (call.method, call.template or call.path)
            row = found.setdefault(key, OperationCalls(method=key[0], template=key[1]))
            row.count += 1
            row.refused += call.status == 429
            row.missing += call.status == 404
            row.failed += is_broken(call)
            row.seconds += call.seconds
            row.queued += call.queued
    return tuple(sorted(found.values(), key=lambda row: (-row.count, row.template, row.method)))
