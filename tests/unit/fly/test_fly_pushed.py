"""An image that was pushed a moment ago, and that hosts do not find yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest

from fly_machines import FlyMachinesApi, models
from score_flyio.errors import FlyApiError
from score_flyio.fly.creation import create_machine
from score_flyio.fly.repeats import update_machine
from tests.unit.fly.scripted import Connect, answer, script

HELD = "registry.fly.io/web@sha256:" + "a" * 64
REFUSAL = (
    'failed to get manifest {image}: request failed: not found [http 404]: {{"errors":[{{"code":'
    '"MANIFEST_UNKNOWN","message":"manifest unknown"}}]}}'
)
SHORT = "{image}: manifest unknown"
CONFIG = models.FlyMachineConfig(image=HELD)


async def created(api: FlyMachinesApi) -> models.Machine:
    return await create_machine(api, "web", models.CreateMachineRequest(config=CONFIG), "x")


async def updated(api: FlyMachinesApi) -> models.Machine:
    request = models.UpdateMachineRequest(config=CONFIG)
    return await update_machine(api, "web", "m", request, previous_instance_id="v1")


Change = Callable[[FlyMachinesApi], Awaitable[models.Machine]]


def refusal(status: int, image: str, words: str = REFUSAL) -> httpx.Response:
    return answer(status, {"error": words.format(image=image)})


@pytest.mark.parametrize("change", [created, updated])
@pytest.mark.parametrize(("status", "words"), [(400, REFUSAL), (404, REFUSAL), (400, SHORT)])
async def test_it_is_waited_for(connect: Connect, change: Change, status: int, words: str) -> None:
    made: dict[str, Any] = {"id": "m", "instance_id": "v2"}
    session = connect(script(*[refusal(status, HELD, words)] * 3, answer(200, made)))
    assert (await change(session.client.api)).instance_id == "v2"
    assert len(session.platform.calls("POST")) == 4


@pytest.mark.parametrize("change", [created, updated])
@pytest.mark.parametrize(
    ("image", "least", "most"), [(HELD, 20, 31), ("registry.fly.io/web:1", 0, 1)]
)
async def test_it_is_not_waited_for_without_end_nor_by_a_tag_that_nobody_found(
    connect: Connect, change: Change, image: str, least: float, most: float
) -> None:
    session = connect(lambda _: refusal(400, image))
    began = anyio.current_time()
    with pytest.raises(FlyApiError, match="manifest unknown"):
        await change(session.client.api)
    assert least <= anyio.current_time() - began <= most
