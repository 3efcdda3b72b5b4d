"""Watching machines: one that never gets well hides no other."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings
from fly_machines import models
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.execution.health import HealthWatch, Learned, LookPolicy
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import HealthCheckFailed
from score_flyio.events import Event, Listener, RequestFinished, Scope
from score_flyio.fly.client import FlyClient

SETTINGS = EmulatorSettings(boot=0.5, healthy_after=1.0, latency=0.05)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


def request(*, well: bool) -> models.CreateMachineRequest:
    check = models.FlyMachineCheck(type="tcp", port=8080)
    config = models.FlyMachineConfig(
        image="x", checks={"alive": check}, env={} if well else {"UNHEALTHY": "1"}
    )
    return models.CreateMachineRequest(config=config, region="iad")


@asynccontextmanager
async def watched(hear: Listener = lambda _: None) -> AsyncIterator[tuple[FlyClient, HealthWatch]]:
    """The client of an app without machines, and what watches it; `hear` gets the calls."""
    async with Emulator(SETTINGS, clock=EventLoopClock()) as emulator:
        target = EmulatorTarget(emulator=emulator)
        async with target.connect(emit=hear, rng=random.Random(1)) as client:
            app = models.CreateAppRequest(name="web", org_slug="personal")
            await client.api.apps_create(app, wait=True)
            yield client, HealthWatch(client=client, app="web", emit=lambda _: None, scope=Scope())


async def test_a_sick_machine_does_not_hide_that_another_is_well() -> None:
    ended: dict[str, float] = {}
    async with watched() as (client, watch):

        async def follow(name: str, machine: models.Machine) -> None:
            try:
                await watch.healthy(
                    machine.id or "",
                    group="app",
                    instance_id=machine.instance_id,
                    since=anyio.current_time(),
                    within=60,
                    checks=True,
                    start=anyio.lowlevel.checkpoint,
                )
            except HealthCheckFailed:
                name = f"{name} failed"
            ended[name] = anyio.current_time() - start

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch.run)
            sick = await client.api.machines_create("web", request(well=False))
            well = await client.api.machines_create("web", request(well=True))
            start = anyio.current_time()
            async with anyio.create_task_group() as followers:
                followers.start_soon(follow, "sick", sick)
                await anyio.sleep(0.2)
                followers.start_soon(follow, "well", well)
            tasks.cancel_scope.cancel()
    assert ended["well"] < 10
    assert ended["sick failed"] >= 60


async def test_one_list_shows_all_other_groups_once_the_first_machine_is_well() -> None:
    calls: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, RequestFinished) and event.method == "GET":
            calls.append(event.template)

    async with watched(hear) as (client, watch):
        made = [await client.api.machines_create("web", request(well=True)) for _ in range(3)]

        async def follow(group: str, machine: models.Machine) -> None:
            await watch.healthy(
                machine.id or "",
                group=group,
                instance_id=machine.instance_id,
                since=anyio.current_time(),
                within=20,
                checks=True,
                start=anyio.lowlevel.checkpoint,
            )

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch.run)
            async with anyio.create_task_group() as followers:
                for number, machine in enumerate(made):
                    followers.start_soon(follow, f"group-{number}", machine)
            tasks.cancel_scope.cancel()
    one, listed = "/apps/{app_name}/machines/{machine_id}", "/apps/{app_name}/machines"
    assert calls == [listed] + [one] * (len(calls) - 2) + [listed]


@pytest.mark.parametrize(
    ("low", "high", "waited", "expected"),
    [
        (1.4, 1.5, 0.0, 1.5),  # known well enough: no look that would come too early
        (1.0, 2.0, 0.0, 1.5),
        (1.0, 2.0, 1.5, 1.75),
        (1.0, 2.0, 1.9, 2.0),
        (1.0, 2.0, 2.0, 2.14),  # slower than all before it
    ],
)
def test_a_machine_is_looked_at_when_the_others_of_its_group_became_well(
    low: float, high: float, waited: float, expected: float
) -> None:
    assert Learned(low, high).next_look(LookPolicy(), waited) == pytest.approx(expected)


async def test_a_smoke_window_is_looked_at_as_seldom_as_lists_may_be_asked_for() -> None:
    calls: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, RequestFinished) and event.method == "GET":
            calls.append(f"{event.template} {event.queued > 0}")

    async with watched(hear) as (client, watch):
        made = [await client.api.machines_create("web", request(well=True)) for _ in range(2)]
        await anyio.sleep(2)
        start = anyio.current_time()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch.run)
            async with anyio.create_task_group() as windows:
                for machine in made:
                    windows.start_soon(_steady, watch, machine.id or "", start + 12)
            tasks.cancel_scope.cancel()
    assert anyio.current_time() - start == pytest.approx(12.05)
    assert calls == ["/apps/{app_name}/machines False"] * 3


async def _steady(watch: HealthWatch, machine: str, until: float) -> None:
    await watch.steady(machine, group="app", until=until)
