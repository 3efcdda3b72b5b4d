"""`doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from score_flyio.errors import FlyConnectionError, NotAuthorized
from score_flyio.fly.auth import Tokens
from score_flyio.fly.registry import check_login
from tests.cli.conftest import Cli


def names(result: dict[str, Any], *, ok: bool) -> list[str]:
    return [check["name"] for check in result["checks"] if check["ok"] is ok]


def test_all_is_well_with_the_emulator(cli: Cli) -> None:
    cli("init", "--fly-app-prefix", "demo-")
    result = cli("doctor", "--target", "emulator", "--json")
    assert result.exit_code == 0
    assert result.json["ok"] is True
    expected = ["token", "api", "organization", "registry", "image builder", "state"]
    assert names(result.json, ok=True) == expected
    lines = cli("doctor", "--target", "emulator").stdout.splitlines()
    assert [line.split(":")[0] for line in lines] == [f"ok    {name}" for name in expected]


def test_without_a_token_and_a_readable_state(cli: Cli) -> None:
    Path(".score-flyio").mkdir()
    Path(".score-flyio/state.yaml").write_text("workloads: 7\n")
    cli.environ["HOME"] = str(cli.directory)
    result = cli("doctor", "--json")
    assert result.exit_code == 1
    assert names(result.json, ok=False) == ["token", "state"]
    assert "FLY_API_TOKEN" in result.json["checks"][0]["hint"]


def test_a_target_that_does_not_answer_fails_everything_that_asks_it(cli: Cli) -> None:
    cli.environ["FLY_API_TOKEN"] = "any"
    result = cli("doctor", "--target", "http://127.0.0.1:1", "--json")
    assert result.exit_code == 1
    assert names(result.json, ok=False) == ["api", "organization"]


@pytest.mark.parametrize(
    ("challenge", "statuses", "error"),
    [
        (None, [200], None),
        (None, [401], NotAuthorized),
        ('Bearer realm="https://auth.test/token",service="registry"', [401, 200], None),
        ('Bearer realm="https://auth.test/token",service="registry"', [401, 401], NotAuthorized),
        ('Bearer realm="http://auth.test/token"', [401], NotAuthorized),
        (None, [], FlyConnectionError),
    ],
)
async def test_registry_login(
    challenge: str | None, statuses: list[int], error: type[Exception] | None
) -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        if not statuses:
            raise httpx.ConnectError("refused")
        headers = {"www-authenticate": challenge} if challenge and len(seen) == 1 else {}
        return httpx.Response(statuses[len(seen) - 1], headers=headers)

    tokens = Tokens.parse("FlyV1 fm2_secret,fo1_other")
    transport = httpx.MockTransport(answer)
    if error is None:
        await check_login(tokens, transport=transport)
    else:
        with pytest.raises(error) as caught:
            await check_login(tokens, transport=transport)
        assert "fm2_secret" not in str(caught.value)
    assert len(seen) == max(1, len(statuses))
    assert all(request.headers["authorization"].startswith("Basic ") for request in seen)
