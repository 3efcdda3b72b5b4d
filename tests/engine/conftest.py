"""Runs on trio's mock clock unless a module asks for more."""

from __future__ import annotations

from typing import Any

import pytest
from trio.testing import MockClock

from tests.engine.lab import Lab


@pytest.fixture
def anyio_backend() -> Any:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@pytest.fixture
def lab() -> Lab:
    return Lab.build()
