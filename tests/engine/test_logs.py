"""What machines print: asked for, followed, and in the failure of the machine that printed it."""

from __future__ import annotations

from contextlib import aclosing

import pytest

from fly_emulator import parse_faults
from score_flyio.engine.operations.logs import LogFilter
from score_flyio.errors import FlyApiError, NotAuthorized, UsageError
from score_flyio.events import StepFailed
from score_flyio.report_html import render_html
from tests.engine.lab import Lab, score, toml

SICK = "UNHEALTHY = '1'\nEMULATE_OUTPUT = 'no such table: users'"


async def test_the_lines_of_an_app_and_of_one_machine() -> None:
    lab = Lab.build()
    await lab.deploy(toml(env="EMULATE_OUTPUT = 'listening on 8080'"))
    first = lab.machines()[0].id
    async with lab.engine() as engine:
        every = await engine.logs("web")
        of_one = await engine.logs("web", LogFilter(machine=first))
    assert {line.machine for line in every} == {machine.id for machine in lab.machines()}
    assert {line.machine for line in of_one} == {first}
    assert [line.message for line in of_one][-2:] == ["Machine started", "listening on 8080"]


async def followed(lab: Lab, *, faults: str = "") -> list[str]:
    """Lines until the machine's process ends; it is stopped behind the fourth, `faults` strike."""
    await lab.deploy(toml())
    found: list[str] = []
    async with lab.engine() as engine, aclosing(engine.follow_logs("web")) as lines:
        async for line in lines:
            found.append(line.message)
            if line.message.startswith("Main child exited"):
                break
            if len(found) == 4:
                await engine.client.api.machines_stop("web", lab.machines()[0].id)
                lab.fly.faults = parse_faults(faults)
    return found


async def test_followed_lines_come_once_each() -> None:
    found = await followed(Lab.build())
    assert found[-1].startswith("Main child exited")
    assert len(found) == 5


@pytest.mark.parametrize("fault", ["503", "429", "408", "reset", "refuse", "html", "cut"])
async def test_what_passes_by_itself_does_not_end_what_is_followed(fault: str) -> None:
    assert len(await followed(Lab.build(), faults=f"Web_logs: {fault} times=12")) == 5


@pytest.mark.parametrize("fault", ["503", "404", "403"])
async def test_what_is_followed_ends_where_the_failure_stays(fault: str) -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    async with lab.engine() as engine, aclosing(engine.follow_logs("web")) as lines:
        for _ in range(4):
            await anext(lines)
        lab.fly.faults = parse_faults(f"Web_logs: {fault}")
        with pytest.raises(FlyApiError):
            await anext(lines)


async def test_a_machine_that_failed_says_why_wherever_the_failure_is_told() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    done = await lab.deploy(toml(env=SICK))
    assert done.code == 3
    assert done.report is not None
    (failure,) = done.report.to_json()["apps"][0]["errors"]
    assert failure["logs"][-1] == "no such table: users"
    assert "  | no such table: users" in done.text
    (told,) = [event for event in done.events if isinstance(event, StepFailed)]
    assert told.logs == tuple(failure["logs"])
    assert "no such table: users" in render_html(done.report, done.events)


async def test_a_release_command_that_failed_says_why() -> None:
    lab = Lab.build()
    done = await lab.deploy(
        toml(env="EMULATE_EXIT = '1'\nEMULATE_OUTPUT = 'cannot migrate'", release="migrate")
    )
    assert done.code == 1
    assert "  | cannot migrate" in done.text


async def test_secrets_that_a_machine_prints_do_not_show() -> None:
    lab = Lab.build()
    said = f"password is {lab.databases.password}"
    done = await lab.deploy(score(secret=True, UNHEALTHY="1", EMULATE_OUTPUT=said))
    assert done.code == 3
    assert "password is ********" in done.text
    assert lab.databases.password not in done.text


async def test_a_token_that_does_not_reach_them_hides_no_failure() -> None:
    lab = Lab.build()
    done = await lab.deploy(toml(env=SICK), faults="Web_logs: 403")
    assert (done.code, "|" in done.text) == (3, False)
    lab.fly.faults = lab.fly.faults.__class__()
    async with lab.engine() as engine:
        with pytest.raises(UsageError, match="no such app"):
            await engine.logs("other")


async def test_the_refusal_of_logs_says_which_token_reaches_them() -> None:
    from fly_emulator import parse_faults

    lab = Lab.build()
    await lab.deploy(toml())
    lab.fly.faults = parse_faults("Web_logs: 403")
    async with lab.engine() as engine:
        with pytest.raises(NotAuthorized) as refused:
            await engine.logs("web")
    assert "organization" in (refused.value.hint or "")
