"""Clients of a scripted platform, on a clock that jumps to the next deadline."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Any

import httpx
import pytest
from trio.testing import MockClock

from score_flyio.events import Event
from score_flyio.fly.auth import Tokens
from score_flyio.fly.client import FlyClient
from score_flyio.fly.limits import RateLimiter
from score_flyio.fly.retry import RetryPolicy
from tests.unit.fly.scripted import TOKEN, Connect, Handler, Platform, Session, script


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Trio on a clock that jumps to the next deadline; tests of real time choose for themselves."""
    return ("trio", {"clock": MockClock(autojump_threshold=0)})


@pytest.fixture
def connect() -> Connect:
    def make(
        handler: Handler | Iterable[httpx.Response | Exception],
        *,
        retry: RetryPolicy | None = None,
        limiter: RateLimiter | None = None,
    ) -> Session:
        platform = Platform(handler if callable(handler) else script(*handler))
        events: list[Event] = []
        client = FlyClient(
            "https://api.example.dev/v1/",
            Tokens.parse(f"FlyV1 {TOKEN}"),
            transport=lambda: platform,
            limiter=limiter,
            retry=retry,
            rng=random.Random(1),
            emit=events.append,
        )
        return Session(client, platform, events)

    return make
