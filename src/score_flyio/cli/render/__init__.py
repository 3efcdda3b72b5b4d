"""Following a run: which renderers a command line gets."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from score_flyio.base.event_loop import event_loop, is_missing
from score_flyio.base.printable import printable_json, system_reason
from score_flyio.cli.context import CliContext
from score_flyio.cli.sink import Sink
from score_flyio.events import Event, Listener, to_json

if TYPE_CHECKING:
    from score_flyio.cli.render.live import LiveRenderer
    from score_flyio.cli.render.plain import PlainRenderer

_REDRAW_SECONDS = 0.25
_AT_WORK = {"run_started", "step_started"}
"""Events after which something has changed, whether or not its result can be printed."""


@asynccontextmanager
async def follow(cli: CliContext, *others: Listener) -> AsyncIterator[Listener]:
    """A listener that shows events as fits the terminal and the options, and tells the others."""
    async with AsyncExitStack() as stack:
        renderers = list(others)
        if cli.events is not None:
            path = cli.output_path("--events", cli.events)
            file = Sink(Path.open(path, "w", encoding="utf-8"), f"--events {cli.events}")
            stack.callback(_close, file, cli)
            renderers.append(partial(_write_event, file))
        tick: Callable[[], None] | None = None
        if (live := _live(cli)) is not None:
            renderers.append(live.handle)
            stack.callback(live.close)
            await event_loop()
            tick = live.tick
        elif not cli.output.quiet:
            plain = _plain(cli)
            renderers.append(plain.handle)
            stack.callback(plain.close)
            tick = None if is_missing() else plain.tick
        if tick is not None:
            from score_flyio.errors.unwrap import beside

            await stack.enter_async_context(beside(_tick, tick))
        yield _all(renderers, cli.output.stdout)


def _all(renderers: list[Listener], stdout: Sink) -> Listener:
    def handle(event: Event) -> None:
        stdout.aside = stdout.aside or event.kind in _AT_WORK
        for renderer in renderers:
            renderer(event)

    return handle


def _write_event(file: Sink, event: Event) -> None:
    """A line `{"kind": …, "seq": …, …}` as soon as something happens."""
    file.write_raw(f"{printable_json(json.dumps(to_json(event), ensure_ascii=False))}\n")


def _close(file: Sink, cli: CliContext) -> None:
    file.close()
    if file.failure is not None:
        cli.output.warn(f"{file.name}: events are missing: {system_reason(file.failure)}")


def _plain(cli: CliContext) -> "PlainRenderer":
    from score_flyio.cli.render.grouped import GroupedRenderer, fold_of
    from score_flyio.cli.render.plain import PlainRenderer

    stderr, now = cli.output.stderr, cli.clock.time
    fold = fold_of(cli.environ)
    if fold is None:
        return PlainRenderer(stderr, now=now, debug=cli.output.debug)
    return GroupedRenderer(stderr, fold, now=now, debug=cli.output.debug)


def _live(cli: CliContext) -> "LiveRenderer | None":
    environ, output = cli.environ, cli.output
    plain = output.quiet or cli.output.debug or environ.get("CI") or environ.get("TERM") == "dumb"
    if plain or not output.stderr.isatty():
        return None
    from score_flyio.cli.render.live import LiveRenderer

    return LiveRenderer(output.stderr, now=cli.clock.time, color=output.color)


async def _tick(tick: Callable[[], None]) -> None:
    import anyio

    while True:
        await anyio.sleep(_REDRAW_SECONDS)
        tick()
