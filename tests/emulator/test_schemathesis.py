"""Schemathesis makes requests from the document; the emulator answers all of them as it says.

More of them: SCHEMATHESIS_EXAMPLES=200 python -m pytest tests/emulator/test_schemathesis.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

import httpx
import pytest
import schemathesis
import trio
import trio.testing
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fly_emulator import Emulator, EmulatorSettings
from openapi.generate import corrected_document
from score_flyio.base.clock import EventLoopClock
from tests.cli.platform import Platform, platform
from tests.emulator.test_any_request import furnished

CHECKS: Final[list[Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES", "3"))
SETTINGS = EmulatorSettings(rate_limits=False, boot=0.01)
SCHEMA = schemathesis.openapi.from_dict(corrected_document())
SENT = ("method", "url", "params", "json")


def to_send(case: schemathesis.Case[Any], ids: dict[str, str], url: str) -> dict[str, Any]:
    """What a client of HTTP is given, asking for what is there."""
    known = {name: ids[name] for name in case.path_parameters if name in ids}
    case.path_parameters.update(known)
    wanted = case.as_transport_kwargs(base_url=f"{url}/v1")
    parts = {name: wanted[name] for name in SENT if name in wanted}
    headers = {**(wanted.get("headers") or {}), "authorization": "Bearer token"}
    return {**parts, "content": wanted.get("data"), "headers": headers}


async def answer(case: schemathesis.Case[Any]) -> httpx.Response:
    """What an emulator with one of everything answers."""
    async with Emulator(SETTINGS, clock=EventLoopClock()) as fly:
        ids = await furnished(fly)
        async with httpx.AsyncClient(transport=fly.transport(), timeout=None) as client:
            return await client.request(**to_send(case, ids, "http://fly"))


@SCHEMA.parametrize()
@hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_any_request_of_the_document(case: schemathesis.Case[Any]) -> None:
    check(case, trio.run(answer, case, clock=trio.testing.MockClock(autojump_threshold=0)))


def check(case: schemathesis.Case[Any], response: httpx.Response) -> None:
    response.elapsed = timedelta(0)
    case.validate_response(response, checks=CHECKS)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Platform, dict[str, str], Any]]:
    """One that is served, with the ids of what is there and a snapshot of it."""
    with platform() as fly:
        ids = fly.portal.call(furnished, fly.emulator)
        yield fly, ids, fly.portal.call(fly.emulator.control.snapshot)


@SCHEMA.parametrize()
@hypothesis_settings(
    max_examples=max(EXAMPLES // 3, 1),
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_any_request_over_a_port(
    served: tuple[Platform, dict[str, str], Any], case: schemathesis.Case[Any]
) -> None:
    fly, ids, snapshot = served
    fly.portal.call(fly.emulator.control.restore, snapshot)
    if case.operation.path.endswith("/wait"):
        case.query["timeout"] = 1  # seconds that really pass
    with httpx.Client(timeout=60, trust_env=False) as client:
        try:
            response = client.request(**to_send(case, ids, fly.url))
        except httpx.LocalProtocolError:
            return  # what no client can send, as a line break in a header
    check(case, response)
