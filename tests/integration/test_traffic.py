"""Real requests to machines that are processes, while everything is done to them: none is lost."""

from __future__ import annotations

import pytest

from score_flyio.deploy.options import DeployOptions
from tests.integration.traffic.scenes import ours, site

OPTIONS = DeployOptions(smoke_checks=False, wait_timeout=4, bluegreen_pause=1)
VERSIONS = {
    "rolling": {"one", "two"},
    "canary": {"two", "three"},
    "canary that fails": {"three"},
    "scale to half": {"three"},
}
"""What answers in some scenes: all of them take a minute, `python -m tests.integration.traffic`."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_no_request_is_lost(anyio_backend: str) -> None:
    async with site(3, 15, OPTIONS) as place:
        scenes = await ours(place, 3, VERSIONS)
    assert {scene.name: scene.lost for scene in scenes} == {name: {} for name in VERSIONS}
    assert {scene.name: set(scene.answered) for scene in scenes} == VERSIONS


async def test_requests_are_lost_where_machines_are_ended_by_force(anyio_backend: str) -> None:
    """The judge is none if it finds nothing."""
    async with site(3, 40, OPTIONS) as place:
        scene = await place.scene("scale", lambda: place.flyctl.scale(1))
    assert "POST 502" in scene.lost
