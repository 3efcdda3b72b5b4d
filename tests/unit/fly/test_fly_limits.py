"""Callers keep to the documented limits by waiting their turn."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from itertools import pairwise

import anyio
import pytest
from attrs import define

from fly_machines import Operation, operations
from score_flyio.fly.limits import MARGIN, Limit, RateLimiter, identifier


@define
class ServerBucket:
    """The platform's own count, from when requests arrive."""

    rate: float
    burst: float
    tokens: float = math.nan
    at: float = 0.0
    refused: int = 0

    def arrive(self, now: float) -> None:
        if math.isnan(self.tokens):
            self.tokens = self.burst
        else:
            self.tokens = min(self.burst, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens >= 1 - 1e-6:
            self.tokens -= 1
        else:
            self.refused += 1


MACHINE = {"app_name": "web", "machine_id": "m1"}


async def send_all(
    limiter: RateLimiter,
    operation: Operation,
    path: Mapping[str, str],
    count: int,
    *,
    server: ServerBucket | None = None,
    travel: tuple[float, float] = (0.0, 0.0),
    seed: int = 0,
) -> list[float]:
    rng = random.Random(seed)
    sent: list[float] = []

    async def one() -> None:
        permit = await limiter.acquire(operation, path)
        sent.append(anyio.current_time())
        await anyio.sleep(rng.uniform(*travel))
        if server is not None:
            server.arrive(anyio.current_time())
        await anyio.sleep(rng.uniform(*travel))
        permit.answered()

    start = anyio.current_time()
    async with anyio.create_task_group() as tasks:
        for _ in range(count):
            tasks.start_soon(one)
    return [at - start for at in sorted(sent)]


@pytest.mark.parametrize(
    ("operation", "path", "burst", "rate"),
    [
        (operations.MACHINES_CREATE, {"app_name": "web"}, 3, 1.0),
        (operations.MACHINES_UPDATE, MACHINE, 3, 1.0),
        (operations.MACHINES_WAIT, MACHINE, 3, 1.0),
        (operations.MACHINES_SHOW, MACHINE, 10, 5.0),
        (operations.APPS_CREATE, {}, 3, 1.0),
    ],
)
async def test_a_burst_goes_out_at_once_and_the_rest_at_the_documented_rate(
    operation: Operation, path: Mapping[str, str], burst: int, rate: float
) -> None:
    sent = await send_all(RateLimiter(), operation, path, burst + 5)
    assert sent[:burst] == [0.0] * burst
    assert [round(at * rate, 6) for at in sent[burst:]] == [1, 2, 3, 4, 5]


async def test_different_machines_and_actions_do_not_wait_for_each_other() -> None:
    limiter = RateLimiter()
    start = anyio.current_time()
    for number in range(50):
        path = {"app_name": "web", "machine_id": f"m{number}"}
        for operation in (operations.MACHINES_UPDATE, operations.MACHINES_START):
            for _ in range(3):
                await limiter.acquire(operation, path)
    assert anyio.current_time() == start


async def test_app_deletions_share_100_a_minute() -> None:
    limiter = RateLimiter()
    sent: list[float] = []

    async def delete(number: int) -> None:
        permit = await limiter.acquire(operations.APPS_DELETE, {"app_name": f"app{number}"})
        sent.append(anyio.current_time())
        permit.answered()

    async with anyio.create_task_group() as tasks:
        for number in range(250):
            tasks.start_soon(delete, number)
    sent.sort()
    assert all(sum(at <= other <= at + 60 for other in sent) <= 101 for at in sent)
    assert sent[-1] - sent[0] <= 250 / 1.5


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("travel", [(0.0, 0.05), (0.01, 0.25), (0.2, 0.5)])
async def test_requests_that_travel_unevenly_are_never_refused(
    seed: int, travel: tuple[float, float]
) -> None:
    server = ServerBucket(rate=1, burst=3)
    limiter = RateLimiter()
    for round_ in range(3):
        await send_all(
            limiter,
            operations.MACHINES_CREATE,
            {"app_name": "web"},
            8,
            server=server,
            travel=travel,
            seed=seed * 3 + round_,
        )
        await anyio.sleep(random.Random(seed + round_).uniform(0, 4))
    assert server.refused == 0


async def test_a_slow_answer_costs_no_more_than_the_margin() -> None:
    sent = await send_all(
        RateLimiter(), operations.MACHINES_CREATE, {"app_name": "web"}, 6, travel=(30, 30)
    )
    assert sent == pytest.approx([0, 0, 0, 1 + MARGIN, 2 + MARGIN, 3 + MARGIN])


async def test_callers_are_served_in_the_order_they_came() -> None:
    limiter, order = RateLimiter(), []

    async def one(number: int) -> None:
        await limiter.acquire(operations.MACHINES_STOP, MACHINE)
        order.append(number)

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(one, number)
            await anyio.sleep(0.01)
    assert order == list(range(8))


async def test_a_waiting_caller_that_is_cancelled_takes_nothing() -> None:
    limiter = RateLimiter()
    for _ in range(3):
        (await limiter.acquire(operations.MACHINES_STOP, MACHINE)).answered()
    with anyio.move_on_after(0.5):
        await limiter.acquire(operations.MACHINES_STOP, MACHINE)
    start = anyio.current_time()
    permit = await limiter.acquire(operations.MACHINES_STOP, MACHINE)
    assert anyio.current_time() - start == pytest.approx(0.5)
    assert permit.queued == pytest.approx(0.5)


async def test_a_refusal_holds_the_bucket_back_slows_it_and_it_recovers() -> None:
    limiter, path = RateLimiter(), {"app_name": "web"}
    permit = await limiter.acquire(operations.MACHINES_CREATE, path)
    start = anyio.current_time()
    permit.refused(10)
    times: list[float] = []
    for _ in range(20):
        permit = await limiter.acquire(operations.MACHINES_CREATE, path)
        times.append(anyio.current_time() - start)
        permit.answered()
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert times[0] == pytest.approx(10)
    assert gaps[0] > 1.3
    assert all(later <= earlier + 1e-9 for earlier, later in pairwise(gaps))
    assert gaps[-1] == pytest.approx(1)


async def test_an_answer_from_before_a_refusal_does_not_end_its_pause() -> None:
    limiter = RateLimiter()
    start = anyio.current_time()
    first, second = [await limiter.acquire(operations.MACHINES_STOP, MACHINE) for _ in range(2)]
    second.refused(10)
    first.answered()
    sent = await send_all(limiter, operations.MACHINES_STOP, MACHINE, 3, travel=(30, 30))
    assert anyio.current_time() - start > 10
    assert sent == pytest.approx([10, 10 + 4 / 3, 10 + 8 / 3])


async def test_the_longer_of_two_pauses_counts() -> None:
    limiter = RateLimiter()
    start = anyio.current_time()
    first, second = [await limiter.acquire(operations.MACHINES_STOP, MACHINE) for _ in range(2)]
    second.refused(10)
    first.refused(2)
    await limiter.acquire(operations.MACHINES_STOP, MACHINE)
    assert anyio.current_time() - start == pytest.approx(10)


@pytest.mark.parametrize(("refusals", "gap"), [(1, 2.0), (2, 4.0), (5, 4.0)])
async def test_refusals_slow_a_bucket_to_a_quarter_at_most(refusals: int, gap: float) -> None:
    limiter = RateLimiter()
    for _ in range(refusals):
        (await limiter.acquire(operations.MACHINES_STOP, MACHINE)).refused(1)
    sent = await send_all(limiter, operations.MACHINES_STOP, MACHINE, 3, travel=(30, 30))
    assert [later - earlier for earlier, later in pairwise(sent)] == pytest.approx([gap, gap])


async def test_a_bucket_that_is_nearly_full_again_waits_for_its_first_request_too() -> None:
    limiter = RateLimiter()
    for _ in range(10):
        (await limiter.acquire(operations.MACHINES_SHOW, MACHINE)).answered()
    await anyio.sleep(1.9)  # 9.5 of 10 requests are free again
    sent = await send_all(limiter, operations.MACHINES_SHOW, MACHINE, 10, travel=(30, 30))
    assert sent == pytest.approx([0.0] * 9 + [0.5])


async def test_all_limits_of_an_action_hold() -> None:
    loose, tight = Limit(rate=10, burst=5), Limit(rate=1, burst=2)
    limiter = RateLimiter({"Machines_show": (loose, tight)})
    sent = await send_all(limiter, operations.MACHINES_SHOW, MACHINE, 4)
    assert sent == pytest.approx([0, 0, 1, 2])


async def test_a_refusal_of_one_machine_does_not_hold_back_another() -> None:
    limiter = RateLimiter()
    (await limiter.acquire(operations.MACHINES_STOP, MACHINE)).refused(60)
    start = anyio.current_time()
    await limiter.acquire(operations.MACHINES_STOP, {**MACHINE, "machine_id": "m2"})
    assert anyio.current_time() == start


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ({"app_name": "a", "machine_id": "m"}, "m"),
        ({"app_name": "a", "volume_id": "v"}, "a"),
        ({"org_slug": "o"}, ""),
        ({}, ""),
    ],
)
def test_what_a_limit_is_counted_for(path: dict[str, str], expected: str) -> None:
    assert identifier(path) == expected
