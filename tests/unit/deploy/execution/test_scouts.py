"""Many apps that wait for their machines at once: few looks, and nobody hides anybody."""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress

import anyio
import pytest
from attrs import define, field
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings
from fly_machines import models
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.execution.health import HealthWatch
from score_flyio.deploy.execution.scouts import CLOSELY, Scouts
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import HealthCheckFailed
from score_flyio.events import Event, RequestFinished, Scope
from score_flyio.fly.client import FlyClient
from tests.unit.deploy.execution.test_health import request

SETTINGS = EmulatorSettings(boot=0.5, healthy_after=1.0, latency=0.05)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@define
class Many:
    """Apps watched at once, each with so many machines of a first launch, made one after another."""

    machines: int = 1
    apart: float = 0.0
    """Seconds between the making of two machines of an app."""
    looks: Counter[str] = field(factory=Counter)
    """How often each app was looked at."""
    ended: dict[str, float] = field(factory=dict)
    """When its machine was well, or given up."""

    def hear(self, event: Event) -> None:
        if isinstance(event, RequestFinished) and event.method == "GET":
            self.looks[event.scope.app or ""] += 1

    async def watch(self, wells: dict[str, bool]) -> None:
        """Those of them that are not to become well are given up."""
        async with Emulator(SETTINGS, clock=EventLoopClock()) as emulator:
            target = EmulatorTarget(emulator=emulator)
            async with target.connect(emit=self.hear, rng=random.Random(1)) as client:
                made = {}
                for name, well in wells.items():
                    app = models.CreateAppRequest(name=name, org_slug="personal")
                    await client.api.apps_create(app, wait=True)
                    made[name] = request(well=well)
                scouts, start = Scouts(), anyio.current_time()
                async with anyio.create_task_group() as tasks:
                    for name, wanted in made.items():
                        tasks.start_soon(self._one, client, name, wanted, scouts, start)

    async def _one(
        self,
        client: FlyClient,
        name: str,
        wanted: models.CreateMachineRequest,
        scouts: Scouts,
        start: float,
    ) -> None:
        watch = HealthWatch(
            client=client, app=name, emit=lambda _: None, scope=Scope(), scouts=scouts
        )
        watch.whole, watch.coming = True, self.machines

        async def follow(machine: models.Machine) -> None:
            watch.coming -= 1
            with suppress(HealthCheckFailed):
                await watch.healthy(
                    machine.id or "",
                    group="app",
                    instance_id=machine.instance_id,
                    since=anyio.current_time(),
                    within=20,
                    checks=True,
                    start=anyio.lowlevel.checkpoint,
                )
            self.ended[name] = anyio.current_time() - start

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch.run)
            async with anyio.create_task_group() as followers:
                for number in range(self.machines):
                    await anyio.sleep(self.apart if number else 0.0)
                    followers.start_soon(follow, await client.api.machines_create(name, wanted))
            tasks.cancel_scope.cancel()


async def test_a_few_apps_are_looked_at_closely_and_the_others_once_those_are_well() -> None:
    many = Many()
    await many.watch({f"app-{n}": True for n in range(40)})
    assert max(many.ended.values()) < 1.8  # created, booted, healthy, and one look
    assert sorted(many.looks.values())[: 40 - CLOSELY] == [1] * (40 - CLOSELY)


async def test_one_look_shows_all_machines_of_a_launch_however_far_apart_they_were_made() -> None:
    many = Many(machines=2, apart=1.2)
    await many.watch({f"app-{n}": True for n in range(40)})
    assert max(many.ended.values()) < 3.1  # the second one was made 1.25 s after the first
    assert sorted(many.looks.values())[: 40 - CLOSELY] == [1] * (40 - CLOSELY)


async def test_scouts_that_never_get_well_hide_no_other_app() -> None:
    many = Many()
    await many.watch({f"app-{n}": n >= CLOSELY for n in range(CLOSELY + 4)})
    late = {name: at for name, at in many.ended.items() if at > 2.2}
    assert sorted(late) == sorted(f"app-{n}" for n in range(CLOSELY))
    assert min(late.values()) >= 20


def test_the_scouts_are_those_that_have_waited_longest() -> None:
    scouts = Scouts()
    apps, looks = [object() for _ in range(CLOSELY + 2)], Counter[int]()
    for number, app in enumerate(apps):
        scouts.join(app, lambda number=number: looks.update([number]))  # type: ignore[misc]
    assert [scouts.closely(app) for app in apps] == [True] * CLOSELY + [False] * 2
    scouts.found(apps[0], 1.5)
    assert scouts.usual == 1.5
    assert looks == {CLOSELY: 1, CLOSELY + 1: 1}
    scouts.found(apps[1], 1.6)  # no news for those that wait
    assert scouts.usual == 1.6
    assert looks.total() == 2
    scouts.found(apps[2], 0.5)
    assert looks.total() == 4
    scouts.leave(apps[0])
    assert [scouts.closely(app) for app in apps] == [False] + [True] * CLOSELY + [False]
