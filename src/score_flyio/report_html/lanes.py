"""The time line: a lane for each machine, and for each kind of step that is about no machine."""

from __future__ import annotations

from score_flyio.base.record import define, field, frozen
from score_flyio.report_html.path import TINY, Chain, chain_of
from score_flyio.report_html.phases import Bar, Calls, Phase, calls_of, cut, cut_calls
from score_flyio.report_html.story import AppStory, StepSpan, Story

NAMES = {
    "create app": "app",
    "allocate address": "addresses",
    "set secrets": "secrets",
    "create volume": "volumes",
    "run release command": "release command",
    "hold machines": "leases",
    "pause": "proxy",
}
"""What lanes are called that are about no machine, by the verb of their steps."""


@define(kw_only=True)
class Lane:
    """One line of the time line."""

    name: str
    detail: str = ""
    machine: bool = False
    bars: list[Bar] = field(factory=list)
    outcome: str = "done"
    """`done`, `failed` or `interrupted`."""
    undone: bool = False
    """Whether recovery did something here."""

    @property
    def end(self) -> float:
        return max((bar.end for bar in self.bars), default=0.0)


@frozen(kw_only=True)
class AppLanes:
    """One app's part of the time line."""

    app: AppStory
    chain: Chain
    lanes: tuple[Lane, ...]

    @property
    def machines(self) -> tuple[Lane, ...]:
        return tuple(lane for lane in self.lanes if lane.machine)


def lanes_of(story: Story, app: AppStory) -> AppLanes:
    """The lanes of one app, in the order in which they begin; machines after the rest."""
    calls = calls_of(story, app.app)
    lanes: dict[str, Lane] = {"": _reading(story, app, calls)}
    for step in app.steps:
        _add(lanes, step, story, app, calls)
    used = [lane for lane in lanes.values() if lane.bars]
    used.sort(key=lambda lane: lane.machine)
    return AppLanes(app=app, chain=chain_of(story, app), lanes=tuple(used))


def _reading(story: Story, app: AppStory, calls: Calls) -> Lane:
    planned = app.planned
    if planned is None:
        starts = [step.started for step in app.steps]
        planned = min(starts, default=story.ended if app.finished is None else app.finished)
    bars = cut_calls(calls, story.started, planned, rest=Phase.RESOURCES)
    if not story.resources:
        bars = [
            bar if bar.phase is not Phase.RESOURCES else Bar(Phase.OWN, bar.start, bar.end)
            for bar in bars
        ]
    return Lane(name="read and plan", bars=bars)


def _add(lanes: dict[str, Lane], step: StepSpan, story: Story, app: AppStory, calls: Calls) -> None:
    key = step.machine or step.verb or step.description
    if key not in lanes:
        lanes[key] = _lane(step, app)
    lane = lanes[key]
    end = story.ended if step.ended is None else step.ended
    if step.turn > TINY:
        lane.bars.append(Bar(Phase.TURN, step.started - step.turn, step.started))
    lane.bars += cut(step, end, app, calls)
    lane.undone |= step.recovery
    if step.outcome in {"failed", "interrupted"}:
        lane.outcome = step.outcome


def _lane(step: StepSpan, app: AppStory) -> Lane:
    if step.machine is None:
        return Lane(name=NAMES.get(step.verb, step.verb or step.description))
    place = app.regions.get(step.machine)
    parts = [part for part in (step.group, place) if part]
    return Lane(name=step.machine, detail=", ".join(parts), machine=True)
