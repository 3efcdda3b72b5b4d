"""The emulator answers the recorded requests of flyctl as the recorded server did."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings
from score_flyio.base.clock import EventLoopClock
from tests.conformance.flyctl.replay import Replay
from tests.conftest import corpus

HERE = Path(__file__).parent
SETTINGS = EmulatorSettings(latency=0.02, boot=0.3, healthy_after=0.5, rate_limits=False)
"""The circumstances of the recording."""
NO_CONVERSATION = "decoded-keys"
"""The one file that has none: which keys flyctl's models read of answers."""
SHORT = 5.0
"""Seconds: conversations up to that length are held over a port, too, in real time."""


def transcripts(config: pytest.Config) -> dict[str, Any]:
    folder = corpus(config, HERE / "transcripts", "decoded-keys.json", "*deploy*.json")
    files = [path for path in sorted(folder.glob("*.json")) if path.stem != NO_CONVERSATION]
    return {path.stem: json.loads(path.read_text()) for path in files}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    found = transcripts(metafunc.config)
    if "short_transcript" in metafunc.fixturenames:
        short = [name for name in found if found[name]["exchanges"][-1]["at"] <= SHORT]
        metafunc.parametrize("short_transcript", [found[name] for name in short], ids=short)
    if "transcript" in metafunc.fixturenames:
        metafunc.parametrize("transcript", list(found.values()), ids=list(found))


@pytest.fixture
def anyio_backend(request: pytest.FixtureRequest) -> Any:
    if "short_transcript" in request.fixturenames:
        return "trio"
    return "trio", {"clock": MockClock(autojump_threshold=0)}


async def test_flyctl_is_answered_as_recorded(transcript: dict[str, Any]) -> None:
    async with (
        Emulator(SETTINGS, clock=EventLoopClock()) as fly,
        httpx.AsyncClient(transport=fly.transport(), base_url="http://fly") as client,
    ):
        replay = Replay(transcript, client)
        await replay.run()
    assert replay.problems == []
    assert replay.matched == len(transcript["exchanges"])


async def test_flyctl_is_answered_over_a_port(short_transcript: dict[str, Any]) -> None:
    async with (
        Emulator(SETTINGS) as fly,
        fly.serve() as url,
        httpx.AsyncClient(base_url=url, trust_env=False) as client,
    ):
        replay = Replay(short_transcript, client)
        await replay.run()
    assert replay.problems == []
    assert replay.matched == len(short_transcript["exchanges"])
