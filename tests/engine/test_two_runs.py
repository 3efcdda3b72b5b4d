"""Two runs on one app at once, each a process of its own that knows nothing of the other."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import product
from typing import Any, Final, TypeAlias

import anyio
import httpx
import pytest
from attrs import define, evolve, field
from trio.testing import MockClock

from fly_emulator import Emulator, parse_faults
from score_flyio.base.secret import Secret
from score_flyio.deploy.execution import meeting
from score_flyio.deploy.options import DeployOptions, GuestOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.operations.scale import ScaleRequest
from score_flyio.engine.run import Run
from score_flyio.engine.target import EMULATOR_URL, EmulatorTarget
from score_flyio.errors import ScoreFlyError, UsageError
from score_flyio.events import Event, StepStarted
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from tests.engine.lab import QUICK, Lab, toml
from tests.engine.test_counts import scale_to
from tests.engine.test_departures import (
    AGREED,
    ALONE,
    IN_APP,
    IN_WORKER,
    RENAMED,
    holders,
    volumes,
)
from tests.simulation.platform import healthy

STRATEGIES: Final = ("rolling", "canary", "bluegreen", "immediate")
HONEST: Final = {"lease_held", "plan_stale", "app_missing"}
"""How a run may fail because of another one."""
Operation: TypeAlias = Callable[[Lab], Awaitable[int]]


@define(kw_only=True)
class Counted(EmulatorTarget):
    """Tells when so many requests were sent."""

    moment: int
    reached: anyio.Event = field(factory=anyio.Event)
    sent: int = 0

    def _client(
        self, emulator: Emulator, emit: Callable[[Event], None], rng: random.Random
    ) -> FlyClient:
        return FlyClient(
            EMULATOR_URL,
            Tokens.parse("emulated", source="the test"),
            transport=lambda: _Counting(emulator.transport(), self),
            rng=rng,
            emit=emit,
            web_url=EMULATOR_URL,
        )


class _Counting(httpx.AsyncBaseTransport):
    def __init__(self, inner: httpx.AsyncBaseTransport, target: Counted) -> None:
        self.inner, self.target = inner, target

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.target.sent == self.target.moment:
            self.target.reached.set()
        self.target.sent += 1
        return await self.inner.handle_async_request(request)


def another(lab: Lab) -> Lab:
    """Another computer with the same files, and a state of its own."""
    other = Lab.build()
    return Lab(lab.fly, lab.clock, other.store, runs=1000)


def deploys(image: str, strategy: str = "rolling", **options: Any) -> Operation:
    async def deploy(lab: Lab) -> int:
        chosen = evolve(QUICK, **options)
        return await _code(lab, lambda e: _deployed(e, image, strategy, chosen))

    return deploy


async def _deployed(engine: Engine, image: str, strategy: str, options: DeployOptions) -> None:
    async with engine.deploy([toml(image=image, strategy=strategy)], options):
        pass


async def _code(lab: Lab, do: Callable[[Engine], Awaitable[object]]) -> int:
    try:
        async with lab.engine() as engine:
            done = await do(engine)
    except ScoreFlyError as error:
        found = list(getattr(error, "failures", ())) or [error]
        assert all(one.code in HONEST for one in found), found
        return error.exit_code
    report = getattr(done, "report", None)
    return report.exit_code if report is not None else 0


async def scales(lab: Lab) -> int:
    request = ScaleRequest(guest=GuestOptions(memory="2gb"), options=QUICK)
    return await _code(lab, lambda e: e.scale("web", request))


async def counts(lab: Lab) -> int:
    request = ScaleRequest(counts={"app": 3}, options=QUICK)
    return await _code(lab, lambda e: e.scale("web", request))


async def goes_back(lab: Lab) -> int:
    return await _code(lab, lambda e: e.rollback("web", to=1, options=QUICK))


async def sets_secrets(lab: Lab) -> int:
    values = {"TOKEN": Secret("s3cr3t-one")}
    return await _code(lab, lambda e: e.change_secrets("web", values, options=QUICK))


async def destroys(lab: Lab) -> int:
    return await _code(lab, lambda e: e.destroy("web"))


async def together(lab: Lab, first: Operation, second: Operation, moment: int) -> tuple[int, ...]:
    """Both, the second from the moment when the first one sends so manieth request."""
    codes: dict[str, int] = {}
    other, target = another(lab), Counted(emulator=lab.fly, moment=moment)

    async def one() -> None:
        lab.target = target
        codes["first"] = await first(lab)
        lab.target = None
        target.reached.set()

    async def two() -> None:
        await target.reached.wait()
        codes["second"] = await second(other)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(one)
        tasks.start_soon(two)
    lab.fly.advance()
    return codes["first"], codes["second"]


def check_clean(lab: Lab) -> None:
    """Nothing is held or left; that the two are over the rate together is nobody's fault."""
    assert lab.leased() == []
    assert [text for text in lab.broken_rules() if " over " not in text] == []
    for machine in lab.machines():
        assert "fly_canary" not in machine.config["metadata"]
        assert not machine.cordoned


@define
class Serving:
    """How few machines served at any time, with their checks passing."""

    lab: Lab
    least: int = 99

    async def watch(self) -> None:
        while True:
            up = [
                m
                for m in self.lab.machines()
                if healthy(m, self.lab.clock.time())
                and not m.cordoned
                and "fly_canary" not in m.config["metadata"]
            ]
            self.least = min(self.least, len(up))
            await anyio.sleep(0.05)


PROMISED: Final = {"rolling": 1, "canary": 1, "bluegreen": 2}
CALLS: Final = {"rolling": 20, "canary": 26, "bluegreen": 40}
"""More requests than such a deploy sends, so that the last moments are after its end."""


@pytest.mark.parametrize("strategy", PROMISED)
async def test_a_second_deploy_at_every_moment_of_the_first(strategy: str) -> None:
    ended = 0
    for moment in range(CALLS[strategy]):
        lab = Lab.build()
        assert await deploys("nginx:1")(lab) == 0
        await anyio.sleep(5)
        serving = Serving(lab)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(serving.watch)
            first, second = deploys("nginx:2", strategy), deploys("nginx:3", strategy)
            codes = await together(lab, first, second, moment)
            tasks.cancel_scope.cancel()
        assert codes == (0, 0), moment
        assert len(lab.machines()) == 2, moment
        assert len(set(lab.images())) == 1, moment
        assert serving.least >= PROMISED[strategy], moment
        ended += lab.images() == ["nginx:3", "nginx:3"]
        check_clean(lab)
        assert await deploys("nginx:3", strategy)(another(lab)) == 0
        assert lab.images() == ["nginx:3", "nginx:3"]
    assert ended, "the second one never came last"


async def test_a_second_first_deploy_at_every_moment_of_the_first() -> None:
    for moment in range(26):
        lab = Lab.build()
        codes = await together(lab, deploys("nginx:1"), deploys("nginx:2"), moment)
        assert codes == (0, 0), moment
        assert len(lab.machines()) == 2, moment
        assert len(set(lab.images())) == 1, moment
        check_clean(lab)


@pytest.mark.parametrize("outcome", ["interrupted", "failed"])
async def test_a_run_that_ends_as_it_gives_way_tells_what_it_took_back(outcome: str) -> None:
    lab = Lab.build()
    runs = [lab, another(lab)]
    texts: list[str] = []

    async def disturb(run: Run) -> None:
        async for event in run.events:
            if not isinstance(event, StepStarted) or "destroy volume" not in event.description:
                continue
            if outcome == "interrupted":
                run.cancel()
            else:
                lab.fly.faults = parse_faults("Volume_delete: 422")

    async def launch(one: Lab) -> None:
        volume = toml("[mounts]\nsource = 'data'\ndestination = '/data'")
        texts.append((await one.deploy(volume, body=disturb)).text)

    async with anyio.create_task_group() as tasks:
        for one in runs:
            tasks.start_soon(launch, one)
    (text,) = (text for text in texts if f"web: {outcome}" in text)
    assert f"web: taken back: destroy machine of group app: {meeting.WHY}" in text
    assert "undone after the failure" not in text


@pytest.mark.parametrize("new", [RENAMED, IN_WORKER])
async def test_a_second_run_at_every_moment_of_one_that_moves_volumes(new: FlyTomlApp) -> None:
    async def moves(lab: Lab) -> int:
        return (await lab.deploy(new, options=AGREED)).code

    for moment in range(0, 44, 2):
        lab = Lab.build()
        await lab.deploy(ALONE if new is RENAMED else IN_APP)
        await scale_to(lab, **({"app": 2} if new is RENAMED else {"app": 2, "worker": 1}))
        before = {volume.id for volume in volumes(lab)}
        assert await together(lab, moves, moves, moment) == (0, 0), moment
        assert {volume.id for volume in volumes(lab)} == before, moment
        groups = Counter(m.config["metadata"]["fly_process_group"] for m in lab.machines())
        assert groups == ({"web": 2} if new is RENAMED else {"app": 2, "worker": 1}), moment
        assert set(holders(lab).values()) == {"web" if new is RENAMED else "worker"}, moment
        check_clean(lab)


@pytest.mark.parametrize("way", ["scale", "group"])
async def test_a_second_deploy_at_every_moment_of_a_run_that_stops_and_ends_machines(
    way: str,
) -> None:
    """What is stopped on its way out is neither started again nor taken for one at rest."""
    both = toml("[processes]\napp = 'serve'\nworker = 'work'\n", check=False)
    alone = toml("[processes]\napp = 'serve'\n", check=False, image="nginx:3")

    async def one_less(lab: Lab) -> int:
        request = ScaleRequest(counts={"app": 1}, options=QUICK)
        return await _code(lab, lambda e: e.scale("web", request))

    async def ends_a_group(lab: Lab) -> int:
        return (await lab.deploy(alone, options=AGREED)).code

    for moment in range(0, 24, 2):
        lab = Lab.build()
        await lab.deploy(both if way == "group" else toml())
        first = ends_a_group if way == "group" else one_less
        second = ends_a_group if way == "group" else deploys("nginx:3")
        assert await together(lab, first, second, moment) == (0, 0), moment
        assert lab.images() == ["nginx:3"] * (2 if way == "group" else 1), moment
        assert {m.state for m in lab.machines()} == {"started"}, moment
        check_clean(lab)


OTHERS: Final[dict[str, Operation]] = {
    **{strategy: deploys("nginx:3", strategy) for strategy in STRATEGIES},
    "scale": scales,
    "count": counts,
    "rollback": goes_back,
    "secrets": sets_secrets,
}


@pytest.mark.parametrize("second", OTHERS)
@pytest.mark.parametrize("first", OTHERS)
async def test_each_operation_against_each(first: str, second: str) -> None:
    """What the first one was told is done stays done, unless the second is about the same."""
    for moment in (1, 3, 6, 9, 14):
        lab = Lab.build()
        assert await deploys("nginx:1")(lab) == 0
        await anyio.sleep(5)
        codes = await together(lab, OTHERS[first], OTHERS[second], moment)
        assert codes == (0, 0), moment
        machines = lab.machines()
        assert len(machines) == (3 if "count" in {first, second} else 2), moment
        assert len(set(lab.images())) == 1, moment
        if "scale" in {first, second} and "rollback" not in {first, second}:
            assert {m.config["guest"]["memory_mb"] for m in machines} == {2048}, moment
        assert ("TOKEN" in lab.fly.world.apps["web"].secrets) == ("secrets" in {first, second})
        check_clean(lab)


def counts_to(number: int) -> Operation:
    async def scale(lab: Lab) -> int:
        request = ScaleRequest(counts={"app": number}, options=QUICK)
        return await _code(lab, lambda e: e.scale("web", request))

    return scale


@pytest.mark.parametrize(("one", "two"), [(1, 4), (4, 1), (1, 3), (3, 5)])
async def test_of_two_counts_one_is_what_is_there(one: int, two: int) -> None:
    """A machine that the first takes away is none that the second can count on."""
    for moment, seed in product(range(8), range(4)):  # any of the machines may be the oldest
        lab = Lab.build(seed=seed)
        assert await deploys("nginx:1")(lab) == 0
        await anyio.sleep(5)
        assert await together(lab, counts_to(one), counts_to(two), moment) == (0, 0), moment
        assert len(lab.machines()) in {one, two}, moment
        check_clean(lab)


@pytest.mark.parametrize("second", OTHERS)
async def test_an_app_that_is_destroyed_meanwhile(second: str) -> None:
    for moment in (1, 3, 6, 9):
        lab = Lab.build()
        assert await deploys("nginx:1")(lab) == 0
        await anyio.sleep(5)
        codes = await together(lab, OTHERS[second], destroys, moment)
        assert codes[1] == 0, moment
        assert codes[0] in {0, 1, UsageError.exit_code}, moment
        assert lab.leased() == []


async def test_a_changed_app_is_refused_if_so_asked() -> None:
    lab = Lab.build()
    assert await deploys("nginx:1")(lab) == 0
    await anyio.sleep(5)
    second = deploys("nginx:3", on_change="refuse")
    assert await together(lab, deploys("nginx:2"), second, 6) == (0, 1)
    assert lab.images() == ["nginx:2", "nginx:2"]


async def test_a_bad_second_version_leaves_the_machines_of_the_good_one() -> None:
    lab = Lab.build()
    assert await deploys("nginx:1")(lab) == 0
    await anyio.sleep(5)

    async def bad(other: Lab) -> int:
        lab.fly.settings = evolve(lab.fly.settings, healthy_after=1000.0)
        lab.fly.world.settings = lab.fly.settings
        try:
            async with other.engine() as engine:
                await _deployed(engine, "nginx:bad", "bluegreen", QUICK)
        except ScoreFlyError as error:
            return error.exit_code
        return 0

    codes = await together(lab, deploys("nginx:2", "bluegreen"), bad, 30)
    assert codes[1] == 3
    assert lab.images() == ["nginx:2", "nginx:2"]


@pytest.fixture
def anyio_backend() -> object:
    return "trio", {"clock": MockClock(autojump_threshold=0)}
