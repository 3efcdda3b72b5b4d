"""Connections that end before the answer is there: told in people's words, with what to do."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import WEB, platform, project, use

HINT = "Hint: run the same command again: it finds what was done, and goes on from there; "


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls are sent again without a pause."""
    monkeypatch.setattr("score_flyio.fly.retry.RetryPolicy.delay", lambda *_: 0.0)


@pytest.mark.parametrize("fault", ["lost", "reset"])
def test_a_reader_is_told_what_happened_and_what_to_do(cli: Cli, fault: str) -> None:
    with platform(f"Apps_show: {fault}") as served:
        use(cli, served)
        result = cli("releases", "--app", "x-web")
    assert result.exit_code == 1
    reason = "the connection failed: it ended in the middle of the answer, or what came is no HTTP"
    assert f"Error: GET /v1/apps/x-web: {reason}\n{HINT}" in result.stderr


def test_so_is_a_deploy_and_the_same_command_goes_on(cli: Cli) -> None:
    with platform("Apps_create: reset") as served:
        use(cli, served)
        project(cli, {"web.yaml": WEB})
        failed = cli("deploy", "web.yaml", "--no-smoke-checks")
        assert failed.exit_code == 1
        assert "Error" in failed.stderr
        assert failed.stderr.count(HINT) == 1
        assert "ProtocolError" not in failed.stderr
        served.emulator.faults = type(served.emulator.faults)()
        assert cli("deploy", "web.yaml", "--no-smoke-checks").exit_code == 0
        assert len(served.machines("x-web")) == 2
