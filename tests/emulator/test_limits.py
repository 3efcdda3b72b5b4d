from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fly_emulator import EmulatorSettings
from fly_emulator.limits import RateLimiter, rate_of
from tests.emulator.client import CONFIG, Api


@pytest.fixture
def settings() -> EmulatorSettings:
    return EmulatorSettings(retry_after=True)


async def statuses(api: Api, count: int, method: str, path: str, body: object = None) -> list[int]:
    return [(await api.call(method, path, json=body)).status_code for _ in range(count)]


async def test_creating_machines_is_limited_per_app(api: Api) -> None:
    body = {"config": CONFIG}
    assert await statuses(api, 4, "POST", "/apps/shop/machines", body) == [200, 200, 200, 429]
    await api.app("other")
    assert await statuses(api, 1, "POST", "/apps/other/machines", body) == [200]
    api.later(1)
    assert await statuses(api, 2, "POST", "/apps/shop/machines", body) == [200, 429]
    api.later(100)
    assert await statuses(api, 4, "POST", "/apps/shop/machines", body) == [200, 200, 200, 429]


async def test_actions_on_machines_are_limited_per_machine(api: Api) -> None:
    first, second = await api.machine(), await api.machine()
    one, two = (f"/apps/shop/machines/{machine['id']}" for machine in (first, second))
    assert await statuses(api, 4, "POST", f"{one}/cordon") == [200, 200, 200, 429]
    assert await statuses(api, 1, "POST", f"{one}/uncordon") == [200]
    assert await statuses(api, 1, "POST", f"{two}/cordon") == [200]
    assert await statuses(api, 11, "GET", one) == [200] * 10 + [429]
    api.later(1)
    assert await statuses(api, 6, "GET", one) == [200] * 5 + [429]


async def test_creating_apps_is_limited_per_caller(api: Api) -> None:
    found = [(await api.post("/apps", {"name": f"a{n}"})).status_code for n in range(3)]
    assert found == [201, 201, 429]


async def test_deleting_apps_has_a_limit_of_its_own(api: Api) -> None:
    assert rate_of("Apps_delete").burst == 100
    assert set(await statuses(api, 10, "DELETE", "/apps/none")) == {404}


async def test_a_refused_call_changes_nothing_and_says_when_to_come_back(api: Api) -> None:
    await statuses(api, 3, "POST", "/apps/shop/volumes", {"name": "data"})
    refused: httpx.Response = await api.post("/apps/shop/volumes", {"name": "data"})
    assert refused.status_code == 429
    assert float(refused.headers["retry-after"]) == pytest.approx(1, abs=0.01)
    assert len(api.fly.world.volumes) == 3


@given(st.lists(st.floats(min_value=0, max_value=3), min_size=1, max_size=60))
def test_never_more_than_the_rate_and_the_burst(gaps: list[float]) -> None:
    limiter, now = RateLimiter(), 0.0
    passed: list[float] = []
    for gap in gaps:
        now += gap
        if not limiter.admit("Machines_update", "m", now):
            passed.append(now)
    for start in range(len(passed)):
        for end in range(start, len(passed)):
            assert end - start + 1 <= 3 + (passed[end] - passed[start]) + 1e-3
