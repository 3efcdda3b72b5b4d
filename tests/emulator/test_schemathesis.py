"""Schemathesis makes requests from the document; the emulator answers all of them as it says.

More of them: SCHEMATHESIS_EXAMPLES=200 python -m pytest tests/emulator/test_schemathesis.py
"""

from __future__ import annotations

import os
from datetime import timedelta
from typing import Any, Final

import httpx
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


async def answer(case: schemathesis.Case[Any]) -> httpx.Response:
    """What an emulator with one of everything answers, asked for what is there."""
    async with Emulator(SETTINGS, clock=EventLoopClock()) as fly:
        ids = await furnished(fly)
        known = {name: ids[name] for name in case.path_parameters if name in ids}
        case.path_parameters.update(known)
        wanted = case.as_transport_kwargs(base_url="http://fly/v1")
        parts = {name: wanted[name] for name in SENT if name in wanted}
        headers = {**(wanted.get("headers") or {}), "authorization": "Bearer token"}
        async with httpx.AsyncClient(transport=fly.transport(), timeout=None) as client:
            found = await client.request(**parts, content=wanted.get("data"), headers=headers)
    found.elapsed = timedelta(0)
    return found


@SCHEMA.parametrize()
@hypothesis_settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_any_request_of_the_document(case: schemathesis.Case[Any]) -> None:
    response = trio.run(answer, case, clock=trio.testing.MockClock(autojump_threshold=0))
    case.validate_response(response, checks=CHECKS)
