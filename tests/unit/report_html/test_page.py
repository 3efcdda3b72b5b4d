"""The HTML report: its numbers, its critical path, and what must never be in it."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence
from functools import cache

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from score_flyio.deploy.execution.report import INTERRUPTED, AppReport, Report, StepReport
from score_flyio.errors import ApiAnswer, DeployError, HealthCheckFailed, InvalidRequest, Request
from score_flyio.events import (
    CheckChanged,
    Event,
    MachineStateChanged,
    PlanReady,
    ProvisioningFailed,
    ProvisioningFinished,
    ProvisioningStarted,
    RateLimitHit,
    RequestFinished,
    RequestRetried,
    RollbackFinished,
    RollbackStarted,
    RunFinished,
    RunStarted,
    Scope,
    StepFailed,
    StepFinished,
    StepStarted,
    WorkloadFinished,
)
from score_flyio.report_html import render_html
from score_flyio.report_html.page import Scale, count_calls, duration, ends
from score_flyio.report_html.path import chain_of, critical_path
from score_flyio.report_html.phases import Phase, sums
from score_flyio.report_html.story import Story, tell
from score_flyio.report_html.view import lanes_of
from tests.browser.runs import PASSWORD, RUNS, Recorded

ZERO = 1_700_000_000.0


@cache
def recorded(name: str) -> Recorded:
    return RUNS[name]()


def at(seconds: float, event: Event) -> Event:
    return evolve(event, at=ZERO + seconds)


def scope(step: str | None = None, machine: str | None = None, app: str = "web") -> Scope:
    return Scope(app=app, step=step, machine=machine, group="app" if machine else None)


def step(
    name: str,
    span: tuple[float, float],
    verb: str,
    *,
    machine: str | None = None,
    after: str | None = None,
    turn: float = 0.0,
    app: str = "web",
) -> list[Event]:
    about = scope(name, machine, app)
    started = StepStarted(scope=about, description=name, verb=verb, after=after, turn=turn)
    ended = StepFinished(scope=about, description=name, seconds=span[1] - span[0])
    return [at(span[0], started), at(span[1], ended)]


def call(
    method: str,
    span: tuple[float, float],
    *,
    machine: str | None = None,
    status: int | None = 200,
    queued: float = 0.0,
    app: str | None = "web",
    about: str = "machines",
    given_up: bool = False,
) -> Event:
    path = f"/v1/apps/{app}/{about}" + (f"/{machine}" if machine else "")
    template = f"/apps/{{app_name}}/{about}" + ("/{machine_id}" if machine else "")
    return at(
        span[1],
        RequestFinished(
            scope=Scope(app=app, machine=machine),
            method=method,
            path=path,
            template=template,
            status=status,
            seconds=span[1] - span[0],
            queued=queued,
            given_up=given_up,
        ),
    )


def story_of(*parts: Event | Sequence[Event], end: float, app: str = "web") -> Story:
    """A run of one app from 0 to `end`, in the order of the stamps."""
    flat = [e for part in parts for e in ([part] if isinstance(part, Event) else part)]
    flat.append(at(end, WorkloadFinished(scope=Scope(app=app), outcome="done", seconds=end)))
    flat.append(at(end, RunFinished(outcome="done", seconds=end)))
    flat.sort(key=lambda event: event.at)
    return tell([at(0, RunStarted(command="deploy", workloads=(app,))), *flat])


def links(story: Story) -> list[tuple[str, float]]:
    return [(link.description, round(link.seconds, 6)) for link in critical_path(story).links]


ROLLING = (
    call("GET", (0, 0.1)),
    at(0.1, PlanReady(scope=scope())),
    step("u1", (0.1, 0.3), "update machine", machine="m1"),
    call("POST", (0.1, 0.3), machine="m1"),
    step("u1:healthy", (0.3, 2.5), "wait for", machine="m1", after="u1"),
    call("GET", (1.0, 1.1), machine="m1"),
    at(1.1, MachineStateChanged(scope=scope(machine="m1"), state="started", since=ZERO + 0.9)),
    at(1.1, CheckChanged(scope=scope(machine="m1"), passing=0, total=1)),
    call("GET", (2.4, 2.5), machine="m1"),
    at(2.5, CheckChanged(scope=scope(machine="m1"), passing=1, total=1, since=ZERO + 2.1)),
    step("u2", (2.5, 3.5), "update machine", machine="m2", after="u1:healthy", turn=2.2),
    call("POST", (3.3, 3.5), machine="m2", queued=0.8),
    step("u2:smoke", (3.5, 8.5), "watch", machine="m2", after="u2"),
    step("side", (0.1, 4.0), "pause"),
)


def test_the_path_follows_what_steps_waited_for() -> None:
    story = story_of(*ROLLING, call("DELETE", (8.5, 8.6), machine="m1"), end=8.75)
    assert links(story) == [
        ("read what runs, and plan", 0.1),
        ("u1", 0.2),
        ("u1:healthy", 2.2),
        ("u2", 1.0),
        ("u2:smoke", 5.0),
        ("give leases back and keep the record", 0.25),
    ]


def test_the_path_says_what_time_went_into() -> None:
    story = story_of(*ROLLING, call("DELETE", (8.5, 8.6), machine="m1"), end=8.75)
    path = critical_path(story)
    assert {phase: round(time, 6) for phase, time in sums(path.bars).items()} == {
        Phase.CALL: 0.7,
        Phase.BOOT: 0.6,  # 0.3 to 0.9
        Phase.CHECKS: 1.2,  # 0.9 to 2.1
        Phase.NOTICE: 0.3,  # 2.1 to 2.4, when the look was sent
        Phase.SMOKE: 5.0,
        Phase.QUEUE: 0.8,
        Phase.OWN: 0.15,
    }
    assert path.bound == pytest.approx(0.7 + 0.6 + 1.2 + 5.0)
    assert path.bound + 0.3 + 0.8 + 0.15 == near(story.seconds)


def test_a_turn_is_on_the_time_line_and_not_on_the_path() -> None:
    story = story_of(*ROLLING, end=8.5)
    lanes = lanes_of(story, story.apps["web"])
    assert [lane.name for lane in lanes] == ["read and plan", "proxy", "m1", "m2"]
    second = lanes[3]
    assert second.bars[0].phase is Phase.TURN
    assert second.bars[0].seconds == pytest.approx(2.2)
    assert Phase.TURN not in sums(critical_path(story).bars)


@pytest.mark.parametrize(
    ("since", "boot"),
    [
        (2.0, 1.9),  # between the looks: as the platform says
        (0.2, 0.9),  # before the look that did not see it: its clock is behind
        (9.0, 3.1 - 0.1),  # after it was seen: its clock is ahead
        (None, 2.9),  # unknown: when the look was sent
    ],
)
def test_a_clock_that_differs_moves_nothing_beyond_the_looks(
    since: float | None, boot: float
) -> None:
    about = scope(machine="m1")
    stamp = None if since is None else ZERO + since
    story = story_of(
        step("u:healthy", (0.1, 3.1), "wait for", machine="m1"),
        call("GET", (1.0, 1.1), machine="m1"),
        at(1.1, MachineStateChanged(scope=about, state="starting")),
        call("GET", (3.0, 3.1), machine="m1"),
        at(3.1, MachineStateChanged(scope=about, state="started", since=stamp)),
        end=3.1,
    )
    assert sums(critical_path(story).bars)[Phase.BOOT] == pytest.approx(boot)


def test_resources_are_on_the_path_of_those_who_wait_for_them() -> None:
    def resource(uid: str, span: tuple[float, float]) -> list[Event]:
        about = Scope(resource=uid, workload="shop")
        return [
            at(span[0], ProvisioningStarted(scope=about, provisioner="p")),
            at(span[1], ProvisioningFinished(scope=about, provisioner="p", outputs=("host",))),
        ]

    story = story_of(
        call("GET", (0, 0.1)),
        resource("dns.default#a", (0.0, 1.0)),
        resource("cache.default#b", (0.0, 0.4)),
        resource("db.default#c", (1.0, 3.0)),
        step("app", (0.1, 0.3), "create app"),
        at(3.0, PlanReady(scope=Scope(app="web", workload="shop"))),
        step("secrets", (3.0, 3.2), "set secrets", after="app"),
        call("POST", (3.0, 3.2), about="secrets"),
        end=3.2,
    )
    assert links(story) == [
        ("provision dns.default#a", 1.0),
        ("provision db.default#c", 2.0),
        ("secrets", 0.2),
    ]


@pytest.mark.parametrize("failed", [True, False], ids=["failed", "interrupted"])
def test_a_resource_that_never_came_is_what_the_end_waited_for(failed: bool) -> None:
    about = Scope(resource="db.default#c", workload="shop")
    failure = ProvisioningFailed(scope=about, provisioner="p", error="no")
    story = story_of(
        call("GET", (0, 0.1)),
        at(0.1, ProvisioningStarted(scope=about, provisioner="p")),
        step("app", (0.1, 0.3), "create app"),
        [at(3.0, failure)] if failed else [],
        at(3.0, WorkloadFinished(scope=Scope(app="web", workload="shop"), outcome="failed")),
        end=3.0,
    )
    assert links(story) == [("begin", 0.1), ("provision db.default#c", 2.9)]


def test_pauses_between_tries_are_told_from_work() -> None:
    story = story_of(
        step("create", (0.0, 2.0), "create machine"),
        call("POST", (0.1, 0.2), status=503),
        call("POST", (0.1, 0.4), about="ip_assignments"),
        call("GET", (0.7, 0.8)),
        call("POST", (1.8, 2.0)),
        end=2.0,
    )
    found = {phase: round(time, 6) for phase, time in sums(critical_path(story).bars).items()}
    assert found == {Phase.CALL: 0.4, Phase.RETRY: 1.5, Phase.OWN: 0.1}


def test_pauses_between_tries_are_told_from_work_before_the_plan() -> None:
    story = story_of(
        call("GET", (0.0, 0.1), status=503),
        call("GET", (0.9, 1.0)),
        at(1.0, PlanReady(scope=scope(), steps=("create",))),
        step("create", (1.0, 2.0), "create machine"),
        end=2.0,
    )
    reading = lanes_of(story, story.apps["web"])[0]
    found = {phase: round(time, 6) for phase, time in sums(reading.bars).items()}
    assert found == {Phase.CALL: 0.2, Phase.RETRY: 0.8}


def test_recovery_is_the_end_of_the_path() -> None:
    failed = at(2.0, StepFailed(scope=scope("u:healthy", "m1"), description="wait", error="bad"))
    story = story_of(
        step("u", (0.0, 1.0), "update machine", machine="m1"),
        at(1.0, StepStarted(scope=scope("u:healthy", "m1"), description="wait", verb="wait for", after="u")),
        failed,
        at(2.0, RollbackStarted(scope=scope(), reason="bad")),
        step("u:reverted", (2.0, 2.5), "revert machine", machine="m1"),
        at(2.5, RollbackFinished(scope=scope(), complete=True)),
        end=2.5,
    )  # fmt: skip
    path = critical_path(story)
    assert [link.description for link in path.links] == ["u", "wait", "u:reverted"]
    assert [link.failed for link in path.links] == [False, True, False]


def near(seconds: float) -> object:
    """As equal as stamps of this century are: they are floats of seconds since 1970."""
    return pytest.approx(seconds, abs=1e-4)


@pytest.mark.parametrize("name", sorted(RUNS))
def test_numbers_add_up(name: str) -> None:
    run = recorded(name)
    story = tell(run.events)
    path = critical_path(story)
    assert path.seconds == near(story.seconds)
    assert 0 < path.bound <= path.seconds
    for before, after in zip(path.bars, path.bars[1:], strict=False):
        assert before.end == near(after.start)
    for app in story.apps.values():
        assert app.finished is not None
        assert chain_of(story, app).seconds == near(app.finished - story.started)
        for lane in lanes_of(story, app):
            if lane.machine:
                assert sum(bar.seconds for bar in lane.bars) <= story.seconds + 1e-6
    answered = [event for event in run.events if isinstance(event, RequestFinished)]
    rows = count_calls(story)
    assert sum(row.count for row in rows) == len(answered)
    assert sum(row.queued for row in rows) == near(sum(e.queued for e in answered))
    assert sum(row.seconds for row in rows) == near(sum(e.seconds for e in answered))


def test_calls_by_operation() -> None:
    story = story_of(
        call("GET", (0, 1), machine="m1"),
        call("GET", (0, 1), machine="m2", status=404, queued=2.0),
        call("GET", (0, 2), machine="m3", status=429),
        call("GET", (0, 1), machine="m3", status=None),
        call("GET", (0, 1), machine="m3", status=None, given_up=True),
        call("POST", (0, 1), status=201),
        end=2,
    )
    rows = [
        (r.method, r.template, r.count, r.missing, r.refused, r.failed, r.seconds, r.queued)
        for r in count_calls(story)
    ]
    assert rows == [
        ("GET", "/apps/{app_name}/machines/{machine_id}", 5, 1, 1, 1, 6.0, 2.0),
        ("POST", "/apps/{app_name}/machines", 1, 0, 0, 0, 1.0, 0.0),
    ]


def facts(page: str) -> dict[str, str]:
    pairs = re.findall(r"<div><dt>([^<]*)</dt><dd>([^<]*)</dd></div>", page)
    return {name: value.replace("\N{NO-BREAK SPACE}", " ") for name, value in pairs}


def test_the_head_counts() -> None:
    events = [
        at(0, RunStarted(command="deploy")),
        call("GET", (0, 1), queued=0.5),
        call("GET", (1, 2), status=429),
        at(2, RateLimitHit(method="GET", path="/v1/apps/web", delay=1.0)),
        at(3, RequestRetried(method="GET", path="/v1", delay=1.0, reason="503")),
        at(4, RunFinished(outcome="done", seconds=4)),
    ]
    shown = facts(
        render_html(Report(apps=(AppReport(app="web", label="web", outcome="done"),)), events)
    )
    assert shown == {
        "duration": "4.00 s",
        "apps": "1",
        "machines touched": "0",
        "API calls": "2",
        "queued for rate limits, all calls": "0.50 s",
        "refused for rate (429)": "1",
        "other failed calls": "0",
        "calls tried again": "1",
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(RUNS))
def test_the_page_needs_nothing_from_outside(name: str) -> None:
    page = recorded(name).page
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img|iframe|object|embed|form|base)\b", page)
    assert not re.search(r"""\b(src|href|srcset|action|on\w+)\s*=\s*["']?""", page)
    assert not re.search(r"@import|url\(", page)


def test_secrets_are_named_and_never_shown() -> None:
    page = recorded("shop").page
    assert "DB_URL (new)" in page
    assert "our-postgres: host, password" in page
    assert PASSWORD not in page


def test_differences_stand_with_the_steps() -> None:
    page = html.unescape(recorded("update").page)
    assert "update machine of group app, 5 times" in page
    assert page.count("env.LOG_LEVEL: (none) → debug") == 1


def test_failures_come_with_their_calls_and_mends() -> None:
    refused = InvalidRequest(
        Request(method="POST", path="/v1/apps/web/machines"),
        ApiAnswer(status=422, message="no such image", status_code="bad_image", request_id="r-1"),
        hint="push it first",
    )
    both = DeployError("two", failures=(refused, HealthCheckFailed("machine m1: not healthy")))
    report = Report(apps=(AppReport(app="web", label="web", outcome="failed", failures=(both,)),))
    page = html.unescape(render_html(report, ()))
    for text in (
        "no such image",
        "POST /v1/apps/web/machines",
        "422 bad_image",
        "r-1",
        "push it first",
    ):
        assert text in page
    assert "machine m1: not healthy" in page
    assert page.count('<article class="failure">') == 2


def test_recovery_and_steps_not_begun_are_told() -> None:
    page = recorded("failing").page
    assert "previous config back" in page
    assert "not begun" in page
    assert '<b class="badge unhealthy">' in page


@pytest.mark.parametrize("begun", [True, False])
def test_an_interrupted_run_is_told_from_its_events(*, begun: bool) -> None:
    events = recorded("update").events
    (app,) = tell(events).apps.values()
    told = AppReport(app=app.app if begun else None, label=app.label, outcome="interrupted")
    page = render_html(Report(error=INTERRUPTED, apps=(told,)), events[: len(events) // 2])
    assert "Deploy interrupted" in page
    assert "<dt>apps</dt><dd>1</dd>" in page
    assert '<b class="badge interrupted">' in page
    assert "update machine" in page


def test_without_events_outcomes_remain() -> None:
    report = Report(apps=(AppReport(app="web", label="web", outcome="unchanged"),), seconds=2.0)
    page = render_html(report, ())
    assert "Nothing had to change" in page
    assert facts(page)["duration"] == "2.00 s"


TEXT = st.text(max_size=40) | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=y>', "</style>", "{{ 7 * 7 }}", "\ud800", "a\x00b"]
)  # fmt: skip


@given(TEXT, TEXT, TEXT)
def test_no_text_becomes_markup(name: str, message: str, machine: str) -> None:
    plain = _hostile("name", "message", "machine")
    page = _hostile(name, message, machine)
    page.encode()
    tags = re.compile(r"<[a-zA-Z/!][^>]*>")
    titles = re.compile(r'(title|aria-label)="[^"]*"')
    assert [titles.sub("", t) for t in tags.findall(page)] == [
        titles.sub("", t) for t in tags.findall(plain)
    ]


def _hostile(name: str, message: str, machine: str) -> str:
    name, machine = f"n{name}", f"m{machine}"
    about = Scope(app=name, workload=f"w{name}", group=name, machine=machine, step="s")
    error = DeployError(message, hint=f"h{message}")
    steps = (
        StepReport(
            description=message,
            outcome="failed",
            started=0,
            seconds=1,
            id="s",
            differences=(f"d{message}",),
        ),
    )
    report = Report(
        apps=(
            AppReport(
                app=name,
                label=f"w{name}",
                outcome="failed",
                failures=(error,),
                steps=steps,
                notes=(message,),
            ),
        ),
        target=name,
    )
    events = [
        at(0, RunStarted(command=name)),
        at(0, StepStarted(scope=about, description=f"d{message}", verb="update machine")),
        call("POST", (0, 1), machine=machine, app=name),
        at(1, StepFailed(scope=about, description=f"d{message}", error=f"e{message}")),
        at(2, RunFinished(outcome="failed", seconds=2)),
    ]
    return render_html(report, events)  # fmt: skip


def test_a_thousand_machines_make_a_page_of_reasonable_size() -> None:
    count = 1000
    events: list[Event] = [at(0, RunStarted(command="deploy", workloads=("web",)))]
    for number in range(count):
        machine, start = f"{number:014x}", number / 10
        update = f"update:{machine}"
        before = f"update:{number - 1:014x}:healthy" if number else None
        begin, ready = start + 0.05, start + 2
        seen = scope(machine=machine)
        events += step(update, (start, begin), "update machine", machine=machine, after=before)
        events.append(call("POST", (start, begin), machine=machine))
        events += step(
            f"{update}:healthy", (begin, ready), "wait for", machine=machine, after=update
        )
        events.append(call("GET", (ready - 0.05, ready), machine=machine))
        events.append(
            at(ready, MachineStateChanged(scope=seen, state="started", since=ZERO + start + 0.5))
        )
        events.append(
            at(ready, CheckChanged(scope=seen, passing=1, total=1, since=ZERO + start + 1.5))
        )
    events.append(at(count / 10 + 2, WorkloadFinished(scope=scope(), outcome="done")))
    events.append(at(count / 10 + 2, RunFinished(outcome="done", seconds=count / 10 + 2)))
    events.sort(key=lambda event: event.at)
    page = render_html(Report(apps=(AppReport(app="web", label="web", outcome="done"),)), events)
    assert page.count('<div class="row machine done">') == count
    assert len(page) < 2_500_000


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0.00 s"), (-1e-9, "0.00 s"), (0.046, "0.05 s"), (9.99, "9.99 s"), (9.999, "10.0 s"),
     (99.94, "99.9 s"), (99.96, "1 min 40 s"), (3599.7, "1 h 0 min"), (3700, "1 h 1 min")],
)  # fmt: skip
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds).replace("\N{NO-BREAK SPACE}", " ") == text


@given(st.floats(min_value=0, max_value=1e5))
def test_a_time_line_has_a_few_ticks_within_it(seconds: float) -> None:
    ticks = Scale(zero=0.0, seconds=seconds).ticks
    assert 1 <= len(ticks) <= 8
    assert all(0 <= tick <= seconds + 1e-6 for tick in ticks)


def test_long_chains_are_folded_in_the_middle() -> None:
    story = story_of(*ROLLING, end=8.5)
    link = critical_path(story).links[0]
    assert ends([link] * 35) == ([link] * 35, (), ())
    parts = ends([link] * 36)
    assert [len(part) for part in parts] == [15, 6, 15]


def test_what_is_beside_the_apps_is_no_app_without_a_name() -> None:
    report = Report(apps=(AppReport(label="resources", outcome="done"),))
    page = render_html(report, [])
    assert "<strong>resources</strong>" in page
    assert "<small>app </small>" not in page
