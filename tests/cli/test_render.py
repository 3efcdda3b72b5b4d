"""Renderers, with recorded lists of events."""

from __future__ import annotations

import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from attrs import evolve

from score_flyio import events
from score_flyio.cli.context import CliContext
from score_flyio.cli.output import Output, on_terminal
from score_flyio.cli.render import follow, layout
from score_flyio.cli.render.board import Board
from score_flyio.cli.render.live import LiveRenderer
from score_flyio.cli.render.plain import PlainRenderer
from score_flyio.cli.render.wording import DETAILS, SENTENCES, ago, duration, is_alarm, sentence
from score_flyio.cli.sink import Sink
from score_flyio.events import Event, EventLog, Scope
from tests.cli.screen import screen

WEB = Scope(workload="web", app="demo-web")
DB = Scope(workload="web", resource="postgres.default#web.db")
MACHINE = Scope(workload="web", app="demo-web", group="app", machine="148e21")

RUN: list[Event] = [
    events.RunStarted(command="deploy", workloads=("web",)),
    events.TargetSelected(target="http://127.0.0.1:4280", emulated=True),
    events.WorkloadLoaded(scope=WEB, file="score.yaml"),
    events.ProvisioningStarted(scope=DB, provisioner="local-db"),
    events.ProvisioningFinished(scope=DB, provisioner="local-db", outputs=("host", "password"), seconds=0.42),
    events.PlanReady(steps=("create app demo-web", "create machine")),
    events.StepStarted(scope=WEB, description="create machine in ams"),
    events.LeaseAcquired(scope=MACHINE, expires_at=1_700_000_100.0),
    events.MachineStateChanged(scope=MACHINE, state="started", region="ams"),
    events.CheckChanged(scope=MACHINE, passing=0, total=2, output="connection refused\nagain"),
    events.RateLimitHit(method="POST", path="/v1/apps", delay=1.0),
    events.CheckChanged(scope=MACHINE, passing=2, total=2, output="ok"),
    events.StepFinished(scope=WEB, description="create machine in ams", seconds=12.3),
    events.WorkloadFinished(scope=WEB, outcome="done", seconds=13.0),
    events.RunFinished(outcome="done", seconds=75.0),
]  # fmt: skip


def recorded() -> list[Event]:
    """The run, numbered and stamped one second apart."""
    seconds = iter(range(1_700_000_000, 1_700_001_000))
    kept: list[Event] = []
    log = EventLog(lambda: float(next(seconds)), kept.append)
    for event in RUN:
        log.emit(event)
    return kept


def plain(*, debug: bool = False) -> list[str]:
    stream = io.StringIO()
    renderer = PlainRenderer(Sink(stream, "stderr"), debug=debug, zone=UTC)
    for event in recorded():
        renderer.handle(event)
    renderer.close()
    return stream.getvalue().splitlines()


def test_plain_writes_a_line_for_each_relevant_event() -> None:
    assert plain() == [
        "22:13:21 target: an emulator, not Fly.io (http://127.0.0.1:4280)",
        "22:13:22 web: read score.yaml",
        "22:13:23 web/postgres.default#web.db: provisioning with local-db",
        "22:13:24 web/postgres.default#web.db: provisioned in 0.4s: host, password",
        "22:13:25 2 steps to do",
        "22:13:28 web/148e21: started in ams",
        "22:13:29 web/148e21: 0/2 checks passing: connection refused again",
        "22:13:30 WARN rate limited: POST /v1/apps, again in 1.0s",
        "22:13:31 web/148e21: 2/2 checks passing",
        "22:13:32 web: create machine in ams: done in 12s",
        "22:13:33 web: done in 13s",
    ]


def test_a_call_that_is_repeated_is_seen() -> None:
    event = events.RequestRetried(method="GET", path="/v1/apps", reason="no answer", delay=0.4)
    assert sentence(event) == "GET /v1/apps: no answer, again in 0.4s"
    assert is_alarm(event)


def test_plain_with_debug_leaves_nothing_out() -> None:
    assert len(plain(debug=True)) == len(RUN)


def test_plain_says_what_goes_on_when_nothing_was_heard_for_long() -> None:
    stream = io.StringIO()
    now = [1_700_000_000.0]
    renderer = PlainRenderer(Sink(stream, "stderr"), now=lambda: now[0], zone=UTC)
    log = EventLog(lambda: now[0], renderer.handle)
    renderer.tick()
    log.emit(events.ProvisioningStarted(scope=DB, provisioner="local-db"))
    for number in range(4):
        step = evolve(WEB, step=f"s{number}")
        log.emit(events.StepStarted(scope=step, description=f"wait for machine m{number}"))
    now[0] += 10
    renderer.tick()
    now[0] += 10
    renderer.tick()
    renderer.tick()
    log.emit(events.ProvisioningFailed(scope=DB, provisioner="local-db", error="no room"))
    now[0] += 20
    renderer.tick()
    assert stream.getvalue().splitlines() == [
        "22:13:20 web/postgres.default#web.db: provisioning with local-db",
        (
            "22:13:40 still waiting: web/postgres.default#web.db: provisioning with local-db (20s); "
            "web: wait for machine m0 (20s); web: wait for machine m1 (20s); 2 more"
        ),
        "22:13:40 WARN web/postgres.default#web.db: provisioning with local-db failed",
        (
            "22:14:00 still waiting: web: wait for machine m0 (40s); web: wait for machine m1 (40s); "
            "web: wait for machine m2 (40s); 1 more"
        ),
    ]


def test_plain_is_mute_where_nothing_goes_on() -> None:
    stream = io.StringIO()
    now = [0.0]
    renderer = PlainRenderer(Sink(stream, "stderr"), now=lambda: now[0], zone=UTC)
    log = EventLog(lambda: now[0], renderer.handle)
    log.emit(events.StepStarted(scope=WEB, description="create machine"))
    log.emit(events.StepFinished(scope=WEB, description="create machine", seconds=1.0))
    before = stream.getvalue()
    now[0] += 60
    renderer.tick()
    assert stream.getvalue() == before


KINDS = [
    kind
    for kind in (getattr(events, name) for name in vars(events)["__all__"])
    if isinstance(kind, type) and issubclass(kind, Event) and kind is not Event
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda c: c.kind)
def test_every_kind_of_event_has_words(kind: type[Event]) -> None:
    assert (kind.kind in SENTENCES) != (kind.kind in DETAILS)


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("https://api.machines.dev", "target: Fly.io, https://api.machines.dev"),
        ("http://127.0.0.1:4280", "target: http://127.0.0.1:4280"),
    ],
)
def test_a_target_is_called_fly_only_when_it_is(target: str, text: str) -> None:
    assert sentence(events.TargetSelected(target=target)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0.0s"), (9.94, "9.9s"), (10, "10s"), (59.4, "59s"), (60, "1m00s"), (185, "3m05s")],
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_alarms_are_what_went_wrong() -> None:
    assert [e.kind for e in recorded() if is_alarm(e)] == ["rate_limit_hit"]


async def test_a_file_gets_every_event_as_a_line_of_json(tmp_path: Path) -> None:
    output = Output(stdout=Sink(None, "stdout"), stderr=Sink(None, "stderr"), quiet=True)
    cli = CliContext(output=output, directory=tmp_path, events="events.jsonl")
    async with follow(cli) as listener:
        for event in recorded():
            listener(event)
    text = (tmp_path / "events.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(RUN) + 1))
    assert lines[9] == {
        "kind": "check_changed",
        "seq": 10,
        "at": 1_700_000_009.0,
        "workload": "web",
        "app": "demo-web",
        "group": "app",
        "machine": "148e21",
        "passing": 0,
        "total": 2,
        "output": "connection refused\nagain",
    }


def shown(board: Board, now: float, width: int = 80, height: int = 24) -> list[str]:
    """The lines of a board, but for how its columns are aligned."""
    cells = board.cells(now, height)
    lines = layout.lines(layout.board(cells, width), columns=width)
    return [re.sub(r"(?<=\S) {2,}", "  ", line) for line in lines]


def board_after(count: int) -> Board:
    board = Board()
    for event in recorded()[:count]:
        board.handle(event)
    return board


def test_board_has_a_line_for_each_workload_resource_and_machine() -> None:
    assert shown(board_after(10), 1_700_000_012.0) == [
        "web  create machine in ams  10s",
        "  148e21  started in ams  0/2 checks: connection refused  4.0s",
        "  postgres.default#web.db  provisioned  0.4s",
    ]


def test_board_shows_how_it_ended() -> None:
    assert shown(board_after(len(RUN)), 1_700_000_500.0)[:2] == [
        "web  done  13s",
        "  148e21  started in ams  2/2 checks  5.0s",
    ]


def stepping(*steps: tuple[str, str, str | None]) -> Board:
    """A board after steps began: description, verb, machine."""
    board = Board()
    for number, (description, verb, machine) in enumerate(steps):
        scope = Scope(
            workload="web", app="demo-web", group="app", machine=machine, step=f"s{number}"
        )
        board.handle(events.StepStarted(scope=scope, description=description, verb=verb))
    return board


def test_board_tells_who_holds_a_machine_until_it_is_free() -> None:
    board = Board()
    held = "currently held by ann@example.com"
    board.handle(events.LeaseAwaited(scope=MACHINE, reason=held))
    told = f"  148e21  waiting for its lease: {held}  0.0s"
    assert shown(board, 0.0) == [told]
    board.handle(events.LeaseAcquired(scope=MACHINE, expires_at=1.0))
    assert shown(board, 0.0) == ["  148e21  leased  0.0s"]


def test_columns_of_the_board_are_aligned_by_what_people_see() -> None:
    cells = [("web", "started", "1.0s"), ("\u4e16\u754c", "started  1/1 checks", "2.0s")]
    lines = layout.lines(layout.board(cells, 79), columns=79)
    assert lines == ["web   started              1.0s", "\u4e16\u754c  started  1/1 checks  2.0s"]


def test_what_does_not_fit_is_cut_where_it_says_least() -> None:
    cells = [("web/148e21", "a long description " * 5, "3m05s")]
    (line,) = layout.lines(layout.board(cells, 49), columns=49)
    assert re.fullmatch(r"web/148e21  a long .*\u2026  3m05s", line)
    assert len(line) == 49


@pytest.mark.parametrize(
    ("state", "code"),
    [("done", 32), ("done  2 machines: 2 started", 32), ("failed: check", 31), ("started", 0)],
)
def test_colours_tell_what_went_well(state: str, code: int) -> None:
    grid = layout.board([("web", state, "1.0s")], 79)
    (line,) = layout.lines(grid, columns=79, color=True)
    assert (f"\x1b[{code}m{state}" in line) == bool(code)
    assert "\x1b" not in "".join(layout.lines(grid, columns=79))


def test_tables_on_terminals_keep_ids_whole_and_wrap_the_rest() -> None:
    image = "registry.fly.io/demo-web:deployment-01JD@sha256:0123456789ab"
    header = ["MACHINE", "STATE", "IMAGE", "NOTE"]
    lines = layout.table(header, [["148e2100000001", "started", image, "a\x1b[2Jb"]], 60).split(
        "\n"
    )
    assert all(len(line) <= 60 for line in lines)
    assert lines[1].startswith("148e2100000001  started  registry.fly.io/demo-web")
    assert image in "".join(line[25:].partition("  ")[0].strip() for line in lines[1:])
    assert "\x1b" not in "".join(lines)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3 * 3600, "3 hours ago"),
        (86400, "1 day ago"),
        (40 * 86400, "1 month ago"),
        (800 * 86400, "2 years ago"),
    ],
)
def test_times_past_are_told_in_one_unit(seconds: float, text: str) -> None:
    assert ago(seconds) == text


def test_board_sums_up_what_goes_on_in_a_workload() -> None:
    board = stepping(("create machine 1", "create machine", None), ("watch m1", "watch", "m1"))
    assert shown(board, 1.0) == ["web  create machine 1, and 1 more  1.0s"]
    scope = Scope(workload="web", app="demo-web", group="app", step="s0")
    board.handle(events.StepFinished(scope=scope, description="create machine 1", seconds=1.0))
    assert shown(board, 1.0) == ["web  watch m1  1.0s"]


def test_board_keeps_a_machines_state_while_it_is_watched_and_drops_it_when_it_changes() -> None:
    board = Board()
    board.handle(events.MachineStateChanged(scope=MACHINE, state="started", region="ams"))
    board.handle(events.CheckChanged(scope=MACHINE, passing=1, total=1))
    for verb, told in [
        ("watch", "started in ams  1/1 checks"),
        ("update machine", "updating"),
    ]:
        scope = Scope(workload="web", app="demo-web", group="app", machine="148e21", step=verb)
        board.handle(events.StepStarted(scope=scope, description="…", verb=verb))
        assert shown(board, 0.0)[-1] == f"  148e21  {told}  0.0s"
    board.handle(events.StepFinished(scope=scope, description="…"))
    assert shown(board, 0.0)[-1] == "  148e21  updated  0.0s"


def test_board_tells_that_a_machine_is_gone() -> None:
    board = stepping(("destroy m1", "destroy machine", "m1"))
    scope = Scope(workload="web", app="demo-web", group="app", machine="m1", step="s0")
    board.handle(events.StepFinished(scope=scope, description="destroy m1", seconds=1.0))
    assert shown(board, 0.0)[-1] == "  m1  destroyed  0.0s"


@pytest.mark.parametrize("height", [1, 2, 3, 5, 10])
@pytest.mark.parametrize("width", [49, 80])
def test_board_fits_the_terminal(height: int, width: int) -> None:
    board = Board()
    for number in range(8):
        scope = Scope(workload=f"workload-{number}")
        board.handle(events.StepStarted(scope=scope, description="a long description " * 3))
    lines = shown(board, 5.0, width, height)
    assert 0 < len(lines) <= height
    assert max(map(len, lines)) <= width
    assert (height >= 8) == (not lines[-1].startswith("… and"))


def test_board_drops_what_is_finished_first() -> None:
    board = Board()
    for number, name in enumerate(["a", "b", "c"]):
        scope = Scope(workload=name)
        board.handle(events.StepStarted(scope=scope, description="step"))
        if number < 2:
            board.handle(events.WorkloadFinished(scope=scope, outcome="done"))
    assert [line[0] for line in shown(board, 0.0, 80, 2)] == ["c"]


def test_board_counts_machines_that_do_not_fit() -> None:
    board = Board()
    for number in range(1000):
        scope = Scope(workload="web", app="demo-web", machine=f"m{number}")
        state = "started" if number < 400 else "starting"
        board.handle(events.MachineStateChanged(scope=scope, state=state, region="ams"))
    board.handle(events.StepStarted(scope=Scope(workload="web"), description="launch"))
    counts = "1000 machines: 400 started, 600 starting"
    assert shown(board, 1.0) == [f"web  {counts}  launch  1.0s"]
    board.handle(events.WorkloadFinished(scope=Scope(workload="web"), outcome="done", seconds=3.0))
    assert shown(board, 4.0) == [f"web  done  {counts}  3.0s"]


def test_totals_say_how_far_the_run_is_and_what_it_waits_for() -> None:
    board = Board()
    assert board.totals(0.0) == ""
    board.handle(events.RunStarted(command="deploy", workloads=("a", "b"), at=100.0))
    assert board.totals(101.0) == "0 of 2 workloads finished, 1.0s"
    for name in ("a", "b"):
        board.handle(events.PlanReady(scope=Scope(workload=name), steps=("x", "y")))
    board.handle(events.StepFinished(scope=Scope(workload="a", step="x"), description="x"))
    assert board.totals(110.0) == ("0 of 2 workloads finished, 1 of 4 steps, 10s, about 30s left")
    board.handle(events.WorkloadFinished(scope=Scope(workload="a"), outcome="done"))
    board.handle(events.RateLimitHit(method="POST", path="/v1/apps", delay=5.0, at=110.0))
    assert board.totals(112.0) == (
        "1 of 2 workloads finished, 1 done, 1 of 4 steps, 12s, about 36s left, "
        "waiting: rate limited, again in 3.0s"
    )
    assert len(layout.lines(board.totals(112.0), columns=50)) == 3
    call = events.RequestFinished(
        method="POST", path="/v1/apps/b/machines", status=200, seconds=0.1, queued=0.9, at=116.0
    )
    board.handle(call)
    assert board.totals(117.0).endswith(", each call waits 0.9s for the rate limit")
    assert "rate limit" not in board.totals(119.0)
    board.handle(events.RunFinished(outcome="done"))
    assert board.totals(113.0) == ""


def test_the_end_of_a_large_run_is_estimated_early() -> None:
    board = Board()
    board.handle(events.RunStarted(command="deploy", workloads=("a",), at=100.0))
    steps = tuple(map(str, range(1000)))
    board.handle(events.PlanReady(scope=Scope(workload="a"), steps=steps))
    for step in steps[:50]:
        assert "left" not in board.totals(150.0)
        board.handle(events.StepFinished(scope=Scope(workload="a", step=step), description=step))
    assert board.totals(150.0).endswith("50 of 1000 steps, 50s, about 15m50s left")


def test_what_is_watched_lasts_as_long_as_it_is_watched() -> None:
    board = Board()
    board.handle(events.RunStarted(command="deploy", workloads=("a",), at=100.0))
    scope = Scope(workload="a", step="watch")
    board.handle(events.PlanReady(scope=Scope(workload="a"), steps=("make", "watch")))
    board.handle(events.StepFinished(scope=Scope(workload="a", step="make"), description="make"))
    board.handle(events.StepStarted(scope=scope, description="watch", lasts=10.0, at=101.0))
    assert board.totals(102.0).endswith("1 of 2 steps, 2.0s, about 9.0s left")


class Terminal(io.StringIO):
    """Keeps what a terminal would show after cursor movements."""

    def screen(self) -> list[str]:
        return screen(self.getvalue())

    def isatty(self) -> bool:
        return True


class Sized(Sink):
    """A terminal of so many columns."""

    columns = 80

    def size(self) -> tuple[int, int]:
        return self.columns, 24


def live(columns: int) -> Terminal:
    terminal = Terminal()
    sink = Sized(terminal, "stderr")
    sink.columns = columns
    renderer = LiveRenderer(sink, now=lambda: 1_700_000_020.0)
    for event in recorded():
        renderer.handle(event)
    renderer.tick()
    renderer.close()
    return terminal


def test_live_redraws_in_place_below_lasting_lines() -> None:
    shown = live(80).screen()
    lasting, board = shown[:2], shown[2:]
    assert [re.sub(r"^[\d:]+ ", "", line) for line in lasting] == [
        "target: an emulator, not Fly.io (http://127.0.0.1:4280)",
        "WARN rate limited: POST /v1/apps, again in 1.0s",
    ]
    assert not re.search(r"\x1b\[\d*F\x1b\[J", live(80).getvalue())
    assert [line.split()[0] for line in board] == [
        "web",
        "148e21",
        "postgres.default#web.db",
    ]


def local(number: int) -> str:
    """When an event of the run was, as people here read it."""
    return datetime.fromtimestamp(1_700_000_000 + number).strftime("%H:%M:%S")  # noqa: DTZ006


def test_what_lasts_is_wrapped_between_words() -> None:
    assert live(54).screen()[:4] == [
        f"{local(1)} target: an emulator, not Fly.io",
        "    (http://127.0.0.1:4280)",
        f"{local(10)} WARN rate limited: POST /v1/apps, again in",
        "    1.0s",
    ]


def test_what_is_written_beside_the_board_leaves_no_stale_line() -> None:
    terminal = Terminal()
    sink = Sized(terminal, "stderr")
    output = Output(stdout=Sink(io.StringIO(), "stdout"), stderr=sink)
    renderer = LiveRenderer(sink, now=lambda: 1_700_000_020.0)
    before, *rest = recorded()[:10], *recorded()[10:]
    for event in before:
        renderer.handle(event)
    output.warn("interrupted: cleaning up")
    for event in rest:
        renderer.handle(event)
    renderer.tick()
    renderer.close()
    output.warn("the end")
    shown = terminal.screen()
    assert shown.count("WARN: interrupted: cleaning up") == 1
    assert sum(line.startswith("web") for line in shown) == 1
    assert shown[-1] == "WARN: the end"


def test_live_draws_nothing_over_a_question() -> None:
    terminal = Terminal()
    sink = Sized(terminal, "stderr")
    renderer = LiveRenderer(sink, now=lambda: 1_700_000_020.0)
    for event in recorded()[:10]:
        renderer.handle(event)
    sink.write("Destroy all of this? ")
    sink.asks = True
    for event in recorded()[10:]:
        renderer.handle(event)
        renderer.tick()
    asked = terminal.screen()
    sink.asks = False
    renderer.handle(recorded()[-1])
    renderer.close()
    assert any(line.startswith("Destroy all of this?") for line in asked)
    assert not any(line.startswith("web") for line in asked)
    assert sum(line.startswith("web") for line in terminal.screen()) == 1


def test_live_falls_back_to_lines_on_a_narrow_terminal() -> None:
    assert "\x1b" not in live(30).getvalue()
    assert len(live(30).screen()) == len(plain())


@pytest.mark.parametrize(
    ("environ", "quiet", "board"),
    [
        ({}, False, True),
        ({"CI": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({}, True, False),
    ],
)
async def test_follow_chooses_by_terminal_and_options(
    tmp_path: Path, environ: dict[str, str], quiet: bool, board: bool
) -> None:
    terminal = Terminal()
    output = Output(
        stdout=Sink(io.StringIO(), "stdout"), stderr=Sink(terminal, "stderr"), quiet=quiet
    )
    cli = CliContext(output=output, environ=environ, directory=tmp_path, events="events.jsonl")
    async with follow(cli) as listener:
        for event in recorded():
            listener(event)
    assert ("\x1b[J" in terminal.getvalue()) == board
    assert bool(terminal.getvalue()) != quiet
    assert len((tmp_path / "events.jsonl").read_text().splitlines()) == len(RUN)


async def test_follow_lets_errors_through_as_they_are(tmp_path: Path) -> None:
    output = Output(stdout=Sink(io.StringIO(), "stdout"), stderr=Sink(Terminal(), "stderr"))
    with pytest.raises(ValueError, match="from the run"):
        async with follow(CliContext(output=output, directory=tmp_path)):
            raise ValueError("from the run")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "utf-8"])
def test_what_a_console_cannot_show_is_escaped(encoding: str) -> None:
    written = io.BytesIO()
    sink = Sink(io.TextIOWrapper(written, encoding=encoding), "stdout")
    sink.write("caf\u00e9 \u2192 \U0001f680\n")
    sink.write_raw('{"a": "\u2192"}\n')
    assert sink.failure is None
    text = written.getvalue().decode(encoding)
    shown = text if encoding == "utf-8" else text.encode().decode("unicode-escape", "replace")
    assert "\u2192" in shown
    assert "\U0001f680" in shown
    assert text.endswith("\n")


def test_plans_on_a_terminal_have_colours_and_end_where_it_does() -> None:
    text = "web:\n  + create x\n      env: " + "NAME, " * 20 + "\n  note: done\n"
    shown = on_terminal(text, color=True, columns=60)
    lines = shown.splitlines()
    assert lines[:2] == ["web:", "\x1b[32m  + create x\x1b[0m"]
    assert all(len(line) <= 60 for line in lines if "\x1b" not in line)
    assert lines[3].startswith("          NAME, NAME")
    assert on_terminal("  - gone\x1b[2J\n", color=False, columns=60) == "  - gone\\x1b[2J\n"
