"""Listeners of the program around the engine, and what it does with one engine at once."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

import anyio
import pytest

from score_flyio import Engine, Event, ScaleRequest, Secret
from score_flyio.errors import EngineBusy
from score_flyio.events import RequestFinished
from tests.engine.lab import QUICK, Lab, toml


class StopError(Exception):
    """What the program around the engine raises."""


async def deploy(engine: Engine) -> None:
    async with engine.deploy([toml(image="nginx:2")], QUICK):
        pass


THREE: Final = ScaleRequest(counts={None: 3}, options=QUICK)
CHANGES: Final[dict[str, Callable[[Engine], Coroutine[Any, Any, object]]]] = {
    "deploy": deploy,
    "scale": lambda engine: engine.scale("web", THREE),
    "rollback": lambda engine: engine.rollback("web", options=QUICK),
    "secrets": lambda engine: engine.change_secrets("web", {"K": Secret("v")}, options=QUICK),
    "ips": lambda engine: engine.allocate_address("web", "private_v6"),
    "certs": lambda engine: engine.add_certificate("web", "a.test"),
    "destroy": lambda engine: engine.destroy("web"),
}


AT: Final[dict[str, Callable[[Event], bool]]] = {
    "beginning": lambda event: event.kind == "run_started",
    "lease": lambda event: isinstance(event, RequestFinished) and event.path.endswith("/lease"),
    "request": lambda event: isinstance(event, RequestFinished) and event.method != "GET",
    "step": lambda event: event.kind == "step_finished",
    "end": lambda event: event.kind == "run_finished",
}


@pytest.mark.parametrize("at", AT)
@pytest.mark.parametrize("change", CHANGES)
async def test_a_listener_that_raises_ends_what_goes_on_in_order(
    lab: Lab, change: str, at: str
) -> None:
    """It is called in the middle of work: where a lease was just taken, the lease would stay."""
    await lab.deploy(toml(env="A = '0'"))
    await lab.deploy(toml())
    seen: list[Event] = []
    raised: list[Event] = []

    def listener(event: Event) -> None:
        seen.append(event)
        if AT[at](event) and not raised:
            raised.append(event)
            raise StopError

    async with lab.engine(listener) as engine:
        if (change, at) in {("ips", "lease"), ("certs", "lease")}:
            return  # they hold no machine
        with pytest.raises(StopError):
            await CHANGES[change](engine)
        assert seen[-1] == raised[0], "it was called again"
        assert lab.leased() == []
        assert lab.broken_rules() == []
        count = len(seen)
        await CHANGES["deploy"](engine)
        assert len(seen) > count, "it is not called any more"


async def test_one_change_at_a_time(lab: Lab) -> None:
    """Their events could not be told apart."""
    await lab.deploy(toml())
    begun = anyio.Event()

    async def scale(engine: Engine) -> None:
        await engine.scale("web", THREE, before=lambda _: begun.set())

    async with lab.engine() as engine, anyio.create_task_group() as tasks:
        tasks.start_soon(scale, engine)
        await begun.wait()
        for change in CHANGES.values():
            with pytest.raises(EngineBusy):
                await change(engine)
        assert await engine.status("web")


async def test_a_change_that_fails_leaves_the_engine_free(lab: Lab) -> None:
    await lab.deploy(toml())

    def refuse(_change: object) -> None:
        raise StopError

    async with lab.engine() as engine:
        with pytest.raises(StopError):
            await engine.scale("web", THREE, before=refuse)
        await CHANGES["scale"](engine)
