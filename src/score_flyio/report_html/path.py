"""Which chain of steps determined when a run ended, and how much of it had to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from score_flyio.base.record import evolve, frozen
from score_flyio.report_html.phases import SAME, Bar, Phase, calls_of, cut, cut_calls, whole
from score_flyio.report_html.story import AppStory, Call, ResourceSpan, StepSpan, Story

TINY = 0.005
"""Seconds between two steps that are not worth a link of their own."""
AT_ONCE = 0.05
"""Seconds within which one thing counts as started by the end of another."""


@frozen(kw_only=True)
class Link:
    """One step of a chain; links follow each other without gap."""

    description: str
    bars: tuple[Bar, ...]
    failed: bool = False

    @property
    def start(self) -> float:
        return self.bars[0].start

    @property
    def seconds(self) -> float:
        return sum(bar.seconds for bar in self.bars)


@frozen(kw_only=True)
class Chain:
    """What had to end one after another, from the start of the run to the end of an app."""

    app: str
    links: tuple[Link, ...]

    @property
    def bars(self) -> tuple[Bar, ...]:
        return tuple(bar for link in self.links for bar in link.bars)

    @property
    def seconds(self) -> float:
        return sum(link.seconds for link in self.links)

    @property
    def bound(self) -> float:
        """Seconds of it that no tool could have done without, in the same order of steps."""
        return sum(bar.seconds for bar in self.bars if bar.phase.needed)


def critical_path(story: Story) -> Chain:
    """The chain of the app that ended last, up to the end of the run."""
    if not story.apps:
        return Chain(
            app="", links=_link("the whole run", whole(Phase.OWN, story.started, story.ended))
        )
    app = max(story.apps.values(), key=lambda app: story.until(app.finished))
    chain = chain_of(story, app)
    last = whole(Phase.OWN, story.until(app.finished), story.ended)
    if last and chain.links and last[0].seconds < TINY:
        end = chain.links[-1]
        longer = evolve(end, bars=(*end.bars, *last))
        return Chain(app=app.label, links=(*chain.links[:-1], longer))
    return Chain(app=app.label, links=(*chain.links, *_link("end of the run", last)))


def chain_of(story: Story, app: AppStory) -> Chain:
    """The chain that determined when one app was finished."""
    calls = calls_of(story, app.app)
    links: list[Link] = []
    cursor = story.until(app.finished)
    if _waits_for_resources(story, app):  # whatever was begun before did not end it
        return Chain(app=app.label, links=tuple(_beginning(story, app, cursor, calls)))
    what = "give leases back and keep the record"
    for step in _back(app, cursor):
        end = min(cursor, cursor if step.ended is None else step.ended)
        bars, gap = cut(step, end, app, calls), cut_calls(calls, end, cursor)
        if bars and cursor - end < TINY:
            bars += gap
        else:
            links += _link(what, gap)
        links += _link(step.begun.description, bars, failed=step.outcome == "failed")
        cursor, what = min(cursor, step.started), "between two steps"
    links += reversed(list(_beginning(story, app, cursor, calls)))
    links.reverse()
    return Chain(app=app.label, links=tuple(links))


def _back(app: AppStory, end: float) -> Iterator[StepSpan]:
    """The steps of the chain, the last one first."""
    by_id = {(step.id, step.recovery): step for step in app.steps}
    step = max(app.steps, key=lambda s: end if s.ended is None else s.ended, default=None)
    while step is not None:
        yield step
        before = by_id.get((step.begun.after, step.recovery)) if step.begun.after else None
        if before is None and (step.begun.after or step.recovery):
            before = _latest(app, step)
        if before is None or _waited_for_plan(app, before, step):
            return
        step = before if before.started < step.started + SAME else None


def _waited_for_plan(app: AppStory, before: StepSpan, step: StepSpan) -> bool:
    """Whether the plan, and not the step before, was the last that a step waited for."""
    if app.planned is None or before.ended is None:
        return False
    return before.ended < app.planned - SAME and step.started > app.planned - SAME


def _latest(app: AppStory, step: StepSpan) -> StepSpan | None:
    """The step that ended last before this one started."""
    ended = [s for s in app.steps if s.ended is not None and s.ended <= step.started + SAME]
    others = [s for s in ended if s is not step]
    return max(others, key=lambda s: s.ended or 0.0, default=None)


def _beginning(story: Story, app: AppStory, until: float, calls: Sequence[Call]) -> Iterator[Link]:
    """Before the first step: reading what runs, or the resources that the plan waited for."""
    planned = until if _waits_for_resources(story, app) else app.planned
    waited = planned is not None and planned <= until + SAME
    resources = _resources(story, app, planned) if waited and planned is not None else []
    start = story.started
    reading = cut_calls(calls, start, until)
    read = max((bar.end for bar in reading if bar.phase is Phase.CALL), default=start)
    if not resources or (resources[-1].ended or until) < read:
        yield from _link("read what runs, and plan", reading)
        return
    yield from _link("begin", whole(Phase.OWN, start, resources[0].started))
    cursor = resources[0].started
    for resource in resources:
        yield from _link(f"before {resource.uid}", whole(Phase.OWN, cursor, resource.started))
        cursor = resource.ended or until
        bar = Bar(Phase.PROVISION, resource.started, cursor)
        yield from _link(f"provision {resource.uid}", [bar], failed=resource.outcome == "failed")
    rest = "keep the record" if app.planned is None else "plan"
    yield from _link(rest, whole(Phase.OWN, cursor, until))


def _waits_for_resources(story: Story, app: AppStory) -> bool:
    """Whether its plan waited for resources, and never came."""
    return app.planned is None and any(
        r.begun.scope.workload == app.workload for r in story.resources
    )


def _resources(story: Story, app: AppStory, planned: float) -> list[ResourceSpan]:
    """The resources whose ends let the plan be made, in their order."""
    chain: list[ResourceSpan] = []
    found = _resource_before(story.resources, planned, app.workload)
    while found is not None and found not in chain:
        chain.insert(0, found)
        found = _resource_before(story.resources, found.started, None)
    return chain


def _resource_before(
    resources: Sequence[ResourceSpan], limit: float, workload: str | None
) -> ResourceSpan | None:
    """The last one that ended before a moment: just before it, or of the workload.

    One of the workload that never ended was waited for until then.
    """
    ends = (
        (r, limit if r.ended is None and r.begun.scope.workload == workload else r.ended)
        for r in resources
    )
    fits = [
        (ended, r)
        for r, ended in ends
        if ended is not None
        and ended <= limit + SAME
        and (
            limit - ended < AT_ONCE or (workload is not None and r.begun.scope.workload == workload)
        )
    ]
    return max(fits, key=lambda pair: pair[0], default=(0.0, None))[1]


def _link(description: str, bars: Sequence[Bar], *, failed: bool = False) -> tuple[Link, ...]:
    """A link; none where no time passed."""
    if not bars:
        return ()
    return (Link(description=description, bars=tuple(bars), failed=failed),)
