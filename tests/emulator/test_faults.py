from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings, Faults, parse_faults
from score_flyio.errors import ConfigError
from tests.emulator.client import CONFIG, Api, HandClock, make_api


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    """Timeouts pass on a mock clock: a busy computer cannot make one of them come too early."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@asynccontextmanager
async def with_faults(text: str) -> AsyncIterator[Api]:
    clock = HandClock()
    async with Emulator(EmulatorSettings(rate_limits=False), clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            fly.faults = parse_faults(text)
            yield api


@pytest.mark.parametrize(
    ("fault", "error", "made"),
    [
        ("refuse", httpx.ConnectError, False),
        ("reset", httpx.ReadError, False),
        ("reset before", httpx.ReadError, False),
        ("reset after", httpx.ReadError, True),
        ("lost", httpx.ReadError, True),
        ("hang", httpx.ReadTimeout, False),
        ("hang after", httpx.ReadTimeout, True),
    ],
)
async def test_broken_connections(fault: str, error: type[Exception], made: bool) -> None:
    async with with_faults(f"Machines_create: {fault}") as api:
        api.client.timeout = httpx.Timeout(0.05)
        with pytest.raises(error):
            await api.post("/apps/shop/machines", {"config": CONFIG})
        assert len((await api.get("/apps/shop/machines")).json()) == made


@pytest.mark.parametrize(("when", "made"), [("before", False), ("after", True)])
@pytest.mark.parametrize("status", [408, 429, 500, 503, 504])
async def test_statuses(status: int, when: str, made: bool) -> None:
    async with with_faults(f"Machines_create: {status} {when} times=1") as api:
        answer = await api.post("/apps/shop/machines", {"config": CONFIG})
        assert answer.status_code == status
        assert len((await api.get("/apps/shop/machines")).json()) == made
        assert (await api.post("/apps/shop/machines", {"config": CONFIG})).status_code == 200


async def test_skip_times_and_groups_of_operations() -> None:
    async with with_faults("reads: 500 skip=1 times=2; Machines_*: 503") as api:
        found = [(await api.get("/apps/shop")).status_code for _ in range(4)]
        assert found == [200, 500, 500, 200]
        assert (await api.post("/apps/shop/machines", {})).status_code == 503
        assert (await api.post("/apps/shop/secrets", {"values": {}})).status_code == 200


async def test_latency_is_added() -> None:
    async with Emulator(faults=parse_faults("Apps_show: latency=30")) as fly:
        api = make_api(fly, None)
        async with api.client:
            await api.app()
            api.client.timeout = httpx.Timeout(0.05)
            with pytest.raises(httpx.ReadTimeout):
                await api.get("/apps/shop")


def test_a_seed_decides_everything() -> None:
    def run(text: str) -> list[int]:
        faults = parse_faults(text)
        return [len(faults.for_request("Machines_show", "GET")) for _ in range(200)]

    assert run("500 p=0.3; seed=1") == run("500 p=0.3; seed=1")
    assert run("500 p=0.3; seed=1") != run("500 p=0.3; seed=2")
    assert 20 < sum(run("500 p=0.3")) < 120


def test_one_failure_a_request() -> None:
    faults = parse_faults("500; 503; latency=1..2")
    kinds = [(fault.kind, fault.status) for fault in faults.for_request("X", "GET")]
    assert kinds[0] == ("status", 500)
    assert [kind for kind, _ in kinds] == ["status", "latency"]
    assert Faults().for_request("X", "GET") == ()


@pytest.mark.parametrize(
    "text",
    [
        "explode",
        "Machines_create:",
        "200",
        "500 p=2",
        "500 p=0",
        "500 times=0",
        "500 skip=-1",
        "latency=5..1",
        "latency=-1",
        "latency=nan",
        "Nothing_here: 500",
        "Machines_show, machines_list: 500",
        "Nothing_*: 500",
        "500 p=x",
        "500 often",
        "latency=slow",
        "seed=x",
        "500 who=1",
    ],
)
def test_wrong_specifications(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_faults(f"503; {text}; 500")
    (problem,) = caught.value.problems
    assert text in problem.message
    assert problem.hint


@pytest.mark.parametrize(
    ("name", "meant"), [("Machine_create", "Machines_create"), ("changs", "changes")]
)
def test_a_misspelt_operation_is_told_with_the_nearest(name: str, meant: str) -> None:
    with pytest.raises(ConfigError) as refused:
        parse_faults(f"{name}: 503")
    (problem,) = refused.value.problems
    assert problem.message == (
        f"'{name}: 503': there is no operation '{name}'; did you mean {meant}?"
    )
