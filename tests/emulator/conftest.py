"""An emulator whose time stands still unless a test moves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio.testing

from fly_emulator import Emulator, EmulatorSettings
from tests.emulator.client import Api, HandClock, make_api


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    if request.param == "asyncio":
        return "asyncio"
    return "trio", {"clock": trio.testing.MockClock(autojump_threshold=0)}


@pytest.fixture
def settings() -> EmulatorSettings:
    return EmulatorSettings(rate_limits=False)


@pytest.fixture
async def api(settings: EmulatorSettings) -> AsyncIterator[Api]:
    """An empty platform with one app, `shop`, at a time that stands still."""
    clock = HandClock()
    async with Emulator(settings, clock=clock) as fly:
        api = make_api(fly, clock)
        async with api.client:
            await api.app()
            yield api


@pytest.fixture
async def live(settings: EmulatorSettings) -> AsyncIterator[Api]:
    """The same with a clock that runs."""
    async with Emulator(settings) as fly:
        api = make_api(fly, None)
        async with api.client:
            await api.app()
            yield api
