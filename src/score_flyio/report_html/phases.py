"""What the time of a step went into: each step's span is cut into phases without gap or overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import Enum
from math import inf

from score_flyio.base.record import frozen
from score_flyio.events import CheckChanged, MachineStateChanged
from score_flyio.report_html.story import AppStory, Call, Sight, StepSpan, Story

SAME = 1e-6
"""Seconds: what is closer together is the same moment."""
TRIES_AGAIN = 0.02
"""Seconds after a failed call from which on a gap is a pause before the next try."""
ABOUT = {
    "create app": "/apps",
    "allocate address": "/ip_assignments",
    "set secrets": "/secrets",
    "create volume": "/volumes",
}
"""A part of the path of a step's calls, by its verb; all other steps are about machines."""
RELEASES = "/releases"
"""Path of the calls that record a release; any step may be the one that makes them."""


def sent(call: Call) -> float:
    """When a call went out."""
    return call.at - call.seconds


def is_broken(call: Call) -> bool:
    """Failed, and neither for the rate nor because there is nothing there."""
    if call.status is None:
        return not call.given_up
    return call.status >= 400 and call.status not in {404, 429}


class Phase(Enum):
    """What time is spent on; the second part says whether it could have been shorter."""

    PROVISION = ("provision", "provisioning", True)
    CALL = ("call", "API calls", True)
    RELEASE = ("release", "release command", True)
    BOOT = ("boot", "stop and boot", True)
    CHECKS = ("checks", "until checks pass", True)
    SMOKE = ("smoke", "smoke window", True)
    PAUSE = ("pause", "proxy learns", True)
    QUEUE = ("queue", "queued for rate limit", False)
    TURN = ("turn", "waiting for its turn", False)
    NOTICE = ("notice", "until noticed", False)
    RETRY = ("retry", "pause before a new try", False)
    RESOURCES = ("resources", "waiting for resources", False)
    OWN = ("own", "the tool itself", False)

    def __init__(self, css: str, label: str, needed: bool) -> None:  # noqa: FBT001  # Enum's way
        self.css = css
        self.label = label
        self.needed = needed
        """Whether no tool could have done without it, in the same order of steps."""


@frozen
class Bar:
    """A phase from `start` to `end`, in seconds since the epoch."""

    phase: Phase
    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start


def calls_of(story: Story, app: str) -> Sequence[Call]:
    """The calls about one app, and those about none, such as creating one; by their answers."""
    found = (*story.calls.get(app, ()), *story.calls.get(None, ()))
    return sorted(found, key=lambda call: (call.at, call.method != "GET"))


def last_call(
    calls: Sequence[Call],
    start: float,
    end: float,
    machine: str | None,
    *,
    method: str | None = None,
    about: str = "",
) -> Call | None:
    """The call answered last between two moments: about this machine, or about the app.

    Without `machine`, about any machine; `about` is a part of the path.
    """
    position = bisect_right(calls, end + SAME, key=lambda call: call.at)
    while position and (call := calls[position - 1]).at > start + SAME:
        position -= 1
        fits = machine is None or call.scope.machine in {None, machine}
        fits = fits and method in {None, call.method}
        path = call.template or call.path
        fits = fits and (about in path or path.startswith(RELEASES))
        # a change that names no app is for the step that says so, such as creating an app
        fits = fits and bool(about or call.scope.app or call.method == "GET")
        if fits and start - SAME < sent(call) < end - SAME:
            return call
    return None


def cut(step: StepSpan, end: float, app: AppStory, calls: Sequence[Call]) -> list[Bar]:
    """The phases of a step that ended, or was left, at `end`."""
    match step.begun.verb:
        case "wait for":
            return _health(step, end, app.sights.get(step.machine or "", ()), calls)
        case "watch":
            return whole(Phase.SMOKE, step.started, end)
        case "pause":
            return whole(Phase.PAUSE, step.started, end)
        case verb:
            rest = Phase.RELEASE if verb == "run release command" else Phase.OWN
            about = ABOUT.get(verb, "/machines")
            return cut_calls(calls, step.started, end, step.machine, rest=rest, about=about)


def whole(phase: Phase, start: float, end: float) -> list[Bar]:
    """One phase from start to end; none where no time passed."""
    return [Bar(phase, start, end)] if end - start > SAME else []


def cut_calls(
    calls: Sequence[Call],
    start: float,
    end: float,
    machine: str | None = None,
    *,
    rest: Phase = Phase.OWN,
    about: str = "",
) -> list[Bar]:
    """Walks back from the end: a call, its time in the queue, the call before it, and so on."""
    bars: list[Bar] = []
    cursor, failed_first = end, inf
    while cursor - start > SAME:
        call = last_call(calls, start, cursor, machine, about=about)
        if call is None:
            bars += whole(rest, start, cursor)
            break
        answered = min(call.at, cursor)
        if is_broken(call):
            failed_first = answered
        bars += whole(rest, answered, cursor)
        began = max(sent(call), start)
        bars += whole(Phase.CALL, began, answered)
        cursor = max(sent(call) - call.queued, start)
        bars += whole(Phase.QUEUE, cursor, began)
    bars.reverse()
    return [
        Bar(Phase.RETRY, bar.start, bar.end)
        if bar.phase is Phase.OWN and bar.start >= failed_first and bar.seconds > TRIES_AGAIN
        else bar
        for bar in bars
    ]


def _health(
    step: StepSpan, end: float, sights: Sequence[Sight], calls: Sequence[Call]
) -> list[Bar]:
    """Boot until it was started, checks until all passed, and how long that went unnoticed.

    The platform's own stamps count as far as they fit between the looks.
    """
    start = step.started
    during = [sight for sight in sights if start < sight.at <= end + SAME]
    states = [sight for sight in during if isinstance(sight, MachineStateChanged)]
    checks = [sight for sight in during if isinstance(sight, CheckChanged) and sight.total]
    booted = [sight for sight in states if sight.state == "started"]
    passing = [sight for sight in checks if sight.passing == sight.total]
    if not booted and not passing:
        return whole(Phase.BOOT, start, end)
    up = _moment(booted[-1], step, calls) if booted else start
    late = end if checks else up
    well = max(up, _moment(passing[-1], step, calls)) if passing else late
    looked = last_call(calls, start, end, step.machine, method="GET")
    seen = max(well, sent(looked)) if looked and end - looked.at < TRIES_AGAIN else end
    return [
        *whole(Phase.BOOT, start, up),
        *whole(Phase.CHECKS, up, well),
        *whole(Phase.NOTICE, well, seen),
        *whole(Phase.CALL, seen, end),
    ]


def _moment(sight: Sight, step: StepSpan, calls: Sequence[Call]) -> float:
    """When what was seen came about: after the look before, and before the look that saw it."""
    look = last_call(calls, step.started, sight.at, step.machine, method="GET")
    before = (
        last_call(calls, step.started, sent(look), step.machine, method="GET") if look else None
    )
    earliest = sent(before) if before else step.started
    if sight.since is not None:
        return min(max(earliest, sight.since), sight.at)
    return max(earliest, sent(look) if look else sight.at)


def sums(bars: Iterable[Bar]) -> dict[Phase, float]:
    """Seconds by phase, in the order of `Phase`; only those that occur."""
    found: dict[Phase, float] = {}
    for bar in bars:
        found[bar.phase] = found.get(bar.phase, 0.0) + bar.seconds
    return {phase: found[phase] for phase in Phase if phase in found}
