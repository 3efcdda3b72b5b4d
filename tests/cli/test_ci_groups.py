"""The log of a CI job is folded by workload, in what GitHub and GitLab take for groups."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from datetime import UTC

import pytest

from score_flyio.cli.render.grouped import GITHUB, GITLAB, Fold, GroupedRenderer
from score_flyio.cli.sink import Sink
from score_flyio.events import (
    Event,
    Scope,
    StateSaved,
    StepFinished,
    StepStarted,
    WarningRaised,
    WorkloadFinished,
    WorkloadLoaded,
)
from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, WEB, WORKER, Platform, platform, project, use

FAST = "--no-smoke-checks"
SECTION = re.compile("\x1b\\[0Ksection_(start|end):(\\d+):([A-Za-z0-9_.-]+)\r\x1b\\[0K(.*)")


@pytest.fixture
def served(cli: Cli) -> Iterator[Platform]:
    with platform() as running:
        use(cli, running)
        yield running


def written(events: list[Event], fold: Fold | None = None) -> list[str]:
    stream = io.StringIO(newline="")
    renderer = GroupedRenderer(
        Sink(stream, "stderr"), fold or GITHUB, now=lambda: 1_700_000_100.5, zone=UTC
    )
    for event in events:
        renderer.handle(event)
    renderer.close()
    return stream.getvalue().split("\n")[:-1]


def read(workload: str) -> Event:
    return WorkloadLoaded(scope=Scope(workload=workload), file=f"{workload}.yaml")


def done(workload: str) -> Event:
    return WorkloadFinished(
        scope=Scope(workload=workload, app=f"x-{workload}"), outcome="done", seconds=1.0
    )


def warned(scope: Scope, text: str) -> Event:
    return WarningRaised(scope=scope, code="x", message=text)


def test_one_is_shown_as_it_goes_and_the_others_when_they_can() -> None:
    lines = written([read("a"), read("b"), read("c"), done("b"), read("a"), done("a"), done("c")])
    assert [re.sub(r"^[\d:]{8} ", "", line) for line in lines] == [
        "::group::a",
        "a: read a.yaml",
        "a: read a.yaml",
        "a: done in 1.0s",
        "::endgroup::",
        "::group::b",
        "b: read b.yaml",
        "b: done in 1.0s",
        "::endgroup::",
        "::group::c",
        "c: read c.yaml",
        "c: done in 1.0s",
        "::endgroup::",
    ]


def test_a_run_that_is_cut_short_loses_no_line() -> None:
    lines = written([read("a"), read("b"), read("c"), read("b")])
    assert [re.sub(r"^[\d:]{8} ", "", line) for line in lines] == [
        *("::group::a", "a: read a.yaml", "::endgroup::"),
        *("::group::b", "b: read b.yaml", "b: read b.yaml", "::endgroup::"),
        *("::group::c", "c: read c.yaml", "::endgroup::"),
    ]


def test_what_is_about_no_workload_is_told_at_once() -> None:
    run = warned(Scope(), "the bucket answers slowly")
    lines = written([run, read("a"), read("b"), run, done("a")])
    assert [("slowly" in line, line.startswith("::")) for line in lines][:5] == [
        (True, False),
        (False, True),
        (False, False),
        (True, False),
        (False, False),
    ]


def test_what_names_the_app_alone_is_in_the_group_of_its_workload() -> None:
    lines = written([done("a"), warned(Scope(app="x-a"), "slow"), warned(Scope(app="y"), "slow")])
    assert [line for line in lines if line.startswith("::group::")] == [
        "::group::a",
        "::group::a",
        "::group::y",
    ]


def test_what_goes_on_is_told_while_the_lines_of_others_wait() -> None:
    now = [1_700_000_000.0]
    stream = io.StringIO()
    renderer = GroupedRenderer(Sink(stream, "stderr"), GITHUB, now=lambda: now[0], zone=UTC)
    renderer.handle(read("a"))
    for second in range(20):
        now[0] += 1
        scope = Scope(workload="b", step=str(second))
        started = StepStarted(scope=scope, at=now[0], description="create machine 1")
        renderer.handle(started)
        renderer.handle(
            StepFinished(scope=scope, at=now[0], description="create machine 1", seconds=0.1)
        )
        if second == 0:
            renderer.handle(started)
        renderer.tick()
    assert stream.getvalue().count("still waiting: b: create machine 1") == 1


def test_events_that_are_not_told_open_no_group() -> None:
    assert written([StateSaved(scope=Scope(workload="a", app="x-a"))]) == []


def test_sections_of_gitlab_have_names_that_stand_once() -> None:
    events = [read("a"), done("a"), *(warned(Scope(workload=w), "slow") for w in ("a b:c", "é"))]
    found = [match for match in map(SECTION.fullmatch, written(events, GITLAB)) if match]
    assert [(m[1], m[4]) for m in found] == [
        *(("start", "a"), ("end", "")),
        *(("start", "a b:c"), ("end", "")),
        *(("start", "é"), ("end", "")),
    ]
    assert all(begin[3] == end[3] for begin, end in zip(found[::2], found[1::2], strict=True))
    assert len({m[3] for m in found}) == 3


@pytest.mark.parametrize("fold", [GITHUB, GITLAB], ids=["GitHub", "GitLab"])
@pytest.mark.parametrize(
    "text", ["x\n::endgroup::", "x\r\x1b[0Ksection_end:1:a\r\x1b[0K", "::group::b", "a\x85::b"]
)
def test_no_text_of_others_makes_a_group(fold: Fold, text: str) -> None:
    plain = written([warned(Scope(workload="a"), "fine"), done("a")], fold)
    for events in (
        [warned(Scope(workload="a"), text), done("a")],
        [warned(Scope(workload=text), "fine"), done("a")],
    ):
        lines = written(events, fold)
        marks = [line for line in lines if line.startswith("::") or SECTION.fullmatch(line)]
        assert len(marks) in (2, 4)  # the events of an odd name are a group of their own
        assert len(lines) - len(marks) == len(plain) - 2
        told = [line for line in lines if line not in marks]
        assert not any("\x1b" in line or "\r" in line for line in told)


@pytest.mark.parametrize(("variable", "mark"), [("GITHUB_ACTIONS", "::"), ("GITLAB_CI", "\x1b")])
@pytest.mark.parametrize("debug", [False, True])
def test_a_deploy_is_folded_by_workload(
    cli: Cli, served: Platform, variable: str, mark: str, debug: bool
) -> None:
    project(cli, {"web.yaml": WEB, "worker.yaml": WORKER})
    cli.environ |= {"CI": "true", variable: "true"}
    more = ["--debug"] if debug else []
    result = cli("deploy", "web.yaml", "worker.yaml", FAST, *more)
    assert result.exit_code == 0
    lines = result.stderr.splitlines()
    titles = [line for line in lines if line.startswith(mark) and line.endswith(("web", "worker"))]
    assert len(titles) == (4 if debug else 2)
    group = ""
    for line in lines:
        if line.startswith(mark):
            group = line if line in titles else ""
        owner = re.match(r"[\d:]+ (?:WARN )?(web|worker)(?:/\S*)?: ", line)
        assert not owner or group.endswith(owner[1])


@pytest.mark.parametrize(
    "command",
    [["deploy", "web.yaml", FAST], ["generate", "web.yaml"], ["deploy", "-c", "fly.toml"]],
)
def test_elsewhere_nothing_is_folded(cli: Cli, served: Platform, command: list[str]) -> None:
    project(cli, {"web.yaml": WEB, "fly.toml": FLY_TOML})
    cli.environ |= {"CI": "true", "GITHUB_ACTIONS": "false", "GITLAB_CI": "false"}
    result = cli(*command)
    assert "group::" not in result.stderr
    assert "section_" not in result.stderr
