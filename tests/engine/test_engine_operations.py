"""What the command line can do to apps, a program can, with the same events."""

from __future__ import annotations

import anyio
import pytest

from fly_emulator import parse_faults
from score_flyio import AppRef, Change, Destruction, Event, ScaleRequest, Secret
from score_flyio.errors import DeployError, UsageError
from tests.engine.lab import QUICK, Lab, score, toml

TO_THREE = ScaleRequest(counts={"app": 3}, options=QUICK)


def changes(lab: Lab, first: int) -> list[str]:
    return [e.operation for e in lab.fly.journal.entries[first:] if e.method != "GET"]


async def test_everything_in_turn(lab: Lab) -> None:
    await lab.deploy(score(A="1"))
    await lab.deploy(score(A="2"))
    events: list[Event] = []
    async with lab.engine(events.append) as engine:
        assert [size.count for size in await engine.sizes("web")] == [2]
        await engine.scale("web", TO_THREE)
        await engine.change_secrets("web", {"TOKEN": Secret("s3cr3t-one")}, options=QUICK)
        assert [secret.name for secret in await engine.secrets("web")] == ["TOKEN"]
        back = await engine.rollback("web", to=1, options=QUICK)
        assert back.plan.release.back_to == 1
        assert [r.version for r in (await engine.releases("web")).releases] == [4, 3, 2, 1]
        await engine.allocate_address("web", "private_v6")
        own = next(a.ip for a in await engine.addresses("web") if a.type == "private_v6")
        await engine.release_address("web", own)
        await engine.add_certificate("web", "a.test")
        assert [c.hostname for c in await engine.certificates("web")] == ["a.test"]
        assert (await engine.certificate("web", "a.test", check=True)).hostname == "a.test"
        await engine.remove_certificate("web", "a.test")
        (status,) = (await engine.status()).apps
        assert (status.workload, len(status.machines)) == ("web", 3)
        await engine.destroy("web")
    assert lab.fly.world.apps == {}
    kinds = [event.kind for event in events]
    assert kinds[0] == "target_selected"
    assert {"step_finished", "workload_finished", "state_saved"} <= set(kinds)


@pytest.mark.parametrize("command", ["scale", "rollback", "secrets", "address", "destroy"])
async def test_a_dry_run_changes_nothing(lab: Lab, command: str) -> None:
    await lab.deploy(toml(env="A = '1'"))
    await lab.deploy(toml(env="A = '2'"))
    first = len(lab.fly.journal.entries)
    async with lab.engine() as engine:
        match command:
            case "scale":
                steps = (await engine.scale("web", TO_THREE, dry_run=True)).plan.steps
            case "rollback":
                steps = (await engine.rollback("web", options=QUICK, dry_run=True)).plan.steps
            case "secrets":
                values = {"TOKEN": Secret("s3cr3t-one")}
                steps = (await engine.change_secrets("web", values, dry_run=True)).plan.steps
            case "address":
                steps = (await engine.allocate_address("web", "v4", dry_run=True)).plan.steps
            case _:
                steps = (await engine.destroy("web", dry_run=True)).works[0].plan.steps
    assert steps
    assert changes(lab, first) == []


async def test_who_is_asked_before_can_refuse_and_take_time_for_it(lab: Lab) -> None:
    await lab.deploy(toml())
    first = len(lab.fly.journal.entries)

    def refuse(change: Change) -> None:
        assert len(change.destroys) == 1
        raise UsageError("not today")

    async def think(change: Change) -> None:
        await anyio.sleep(3600)
        refuse(change)

    async def think_of_all(_plan: Destruction) -> None:
        await anyio.sleep(3600)
        raise UsageError("not today")

    async with lab.engine() as engine:
        for before in (refuse, think):
            with pytest.raises(UsageError, match="not today"):
                await engine.scale("web", ScaleRequest(counts={"app": 1}), before=before)
        with pytest.raises(UsageError, match="not today"):
            await engine.destroy("web", before=think_of_all)
    assert changes(lab, first) == []


async def test_one_that_fails_raises_its_report(lab: Lab) -> None:
    await lab.deploy(toml())
    lab.fly.faults = parse_faults("Machines_create:422")
    async with lab.engine() as engine:
        with pytest.raises(DeployError) as raised:
            await engine.scale(AppRef(app="web"), TO_THREE)
    assert raised.value.report is not None
    assert raised.value.report.exit_code == 1


async def test_an_app_that_is_not_there(lab: Lab) -> None:
    async with lab.engine() as engine:
        with pytest.raises(UsageError, match="app nobody: there is no such app"):
            await engine.sizes("nobody")
