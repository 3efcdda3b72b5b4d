"""Fixtures of pytest for programs that deploy with this library: no account, no waiting.

Put `pytest_plugins = ["score_flyio.testing"]` into the top `conftest.py`:

| Fixture | Gives |
|---|---|
| `fly_emulator` | an `Emulator` of its own for the test, empty |
| `fly_control` | control over it: faults, time, lost hosts, snapshots, and `reset()` |
| `fly_target` | the target of an `Engine` that leads to it |
| `emulator_settings` | how it behaves; override it, or mark tests with `fly_emulator(boot=2)` |
| `event_recorder` | a listener that keeps the events of a run |
| `virtual_clock` | a backend for anyio whose clock jumps over every wait (needs trio) |

Tests that use an emulator are async functions, run by anyio's own plugin.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest
from attrs import define, field

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.control import Control
from score_flyio.engine.target import EmulatorTarget
from score_flyio.events import Event

MARKER = "fly_emulator"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line(
        "markers", f"{MARKER}(**settings): settings of the emulated platform of this test"
    )


@define
class EventRecorder:
    """A listener that keeps every event in order: give it to an `Engine`."""

    events: list[Event] = field(factory=list)
    """What happened, in order."""

    def __call__(self, event: Event) -> None:
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        """The kind of each event."""
        return [event.kind for event in self.events]

    def of(self, kind: str) -> list[Event]:
        """The events of one kind, such as `step_finished`."""
        return [event for event in self.events if event.kind == kind]


@pytest.fixture
def emulator_settings(request: pytest.FixtureRequest) -> EmulatorSettings:
    """The usual behaviour, with what markers of the test change; the nearest marker counts.

    Raises TypeError for a setting that does not exist.
    """
    changes: dict[str, Any] = {}
    for marker in request.node.iter_markers(MARKER):
        changes = {**marker.kwargs, **changes}
    return attrs.evolve(EmulatorSettings(), **changes)


@pytest.fixture
async def fly_emulator(
    anyio_backend: Any,  # noqa: ARG001 - anyio's plugin runs async fixtures that name it
    emulator_settings: EmulatorSettings,
) -> AsyncIterator[Emulator]:
    """An empty platform: `world` has all that is there, `journal` every request made."""
    async with Emulator(emulator_settings) as emulator:
        yield emulator


@pytest.fixture
def fly_control(fly_emulator: Emulator) -> Control:
    """What a test does to its platform.

    `add_faults("changes: lost times=1")` lets calls fail, and refuses rules that can strike none;
    `advance(3600)` lets time pass; `reset()` makes it as it was at the start.
    """
    return fly_emulator.control


@pytest.fixture
def fly_target(fly_emulator: Emulator) -> EmulatorTarget:
    """Where an `Engine` deploys to the emulator of the test."""
    return EmulatorTarget(emulator=fly_emulator)


@pytest.fixture
def event_recorder() -> EventRecorder:
    """An empty recorder."""
    return EventRecorder()


@pytest.fixture
def virtual_clock() -> tuple[str, dict[str, Any]]:
    """For the fixture `anyio_backend`: boots, checks and leases take no real time."""
    trio_testing = pytest.importorskip("trio.testing")
    return "trio", {"clock": trio_testing.MockClock(autojump_threshold=0)}
