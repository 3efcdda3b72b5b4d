"""A run that is cancelled lets go of everything, at whatever step."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

import anyio
import pytest

from fly_emulator import lifecycle
from score_flyio.deploy.execution.report import StepReport
from score_flyio.engine.run import Run
from score_flyio.events import StepStarted
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import Lab, score, toml

STRATEGIES = ("rolling", "canary", "bluegreen")


def cancel_at(step: int) -> Callable[[Run], Awaitable[None]]:
    """Cancels when so many steps have started."""

    async def body(run: Run) -> None:
        started = 0
        async for event in run.events:
            started += isinstance(event, StepStarted)
            if started > step:
                run.cancel()

    return body


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("step", range(12))
async def test_an_update_cancelled_at_a_step(lab: Lab, strategy: str, step: int) -> None:
    first, second = toml(strategy=strategy), toml(image="nginx:2", strategy=strategy)
    await lab.deploy(first)
    done = await lab.deploy(second, body=cancel_at(step))
    assert done.report is not None
    assert done.report.outcome in {"interrupted", "done"}
    assert lab.leased() == []
    assert await lab.store.load() is not None
    again = await lab.deploy(second)
    assert again.code == 0, again.text
    assert lab.images() == ["nginx:2", "nginx:2"]
    lab.check_clean()
    assert (await lab.deploy(second)).changes == []


@pytest.mark.parametrize("step", range(8))
async def test_a_first_deploy_cancelled_at_a_step(lab: Lab, step: int) -> None:
    app = score(secret=True)
    await lab.deploy(app, body=cancel_at(step))
    assert lab.leased() == []
    state = await lab.store.load()
    assert state is not None
    again = await lab.deploy(app)
    assert again.code == 0, again.text
    assert len(lab.machines()) == 2
    assert sorted(ip.type for ip in lab.fly.world.apps["web"].ips) == ["shared_v4", "v6"]
    lab.check_clean()
    assert (await lab.deploy(app)).changes == []


@pytest.mark.parametrize("after", [0.1, 0.7], ids=["not carried out", "carried out"])
@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_machines_in_the_making_when_a_run_is_cancelled_are_not_left_leased(
    strategy: str, after: float
) -> None:
    """Only the answer to a create has the nonce of its lease."""
    lab = Lab.build(latency=1.0)
    first, second = toml(strategy=strategy), toml(image="nginx:2", strategy=strategy)

    async def body(run: Run) -> None:
        async for event in run.events:
            if isinstance(event, StepStarted) and event.description.startswith("create machine"):
                await anyio.sleep(after)
                run.cancel()

    await lab.deploy(first, body=body)
    assert lab.leased() == []
    await lab.deploy(first)
    await lab.deploy(second, body=body)
    assert lab.leased() == []
    creates = [e for e in lab.fly.journal.entries if e.operation == "Machines_create"]
    assert all(entry.executed and entry.status == 200 for entry in creates)


class FarStore(InMemoryStore):
    """Takes its time for a write, as a place in another region does."""

    def __init__(self, state: ProjectState | None) -> None:
        super().__init__(state)
        self.saves_a_resource = anyio.Event()

    async def save(self, state: ProjectState) -> None:
        if any(resource.state for resource in state.resources.values()):
            self.saves_a_resource.set()
        await anyio.sleep(2)
        await super().save(state)


async def test_a_deploy_cancelled_while_its_state_is_saved_far_away_saves_it(lab: Lab) -> None:
    store = lab.store = FarStore(await lab.store.load())

    async def body(run: Run) -> None:
        await store.saves_a_resource.wait()
        run.cancel()

    done = await lab.deploy(score(secret=True), body=body)
    assert done.report is not None
    assert done.report.outcome == "interrupted"
    saved = await store.load()
    assert saved is not None
    assert [resource.state for resource in saved.resources.values()] == [{"made": True}]


async def test_a_run_cancelled_from_outside_says_that_it_was_interrupted(lab: Lab) -> None:
    await lab.deploy(toml())
    await anyio.sleep(5)  # two programs know nothing of each other's limits
    async with lab.engine() as engine:
        run = engine.deploy([toml(image="nginx:2")])
        with anyio.move_on_after(1.0):
            async with run:
                await anyio.sleep_forever()
        assert run.report.outcome == "interrupted"
        assert run.report.exit_code == 130
    assert lab.leased() == []


def cancel_at_description(words: str) -> Callable[[Run], Awaitable[None]]:
    """Cancels as a step begins whose description has these words."""

    async def body(run: Run) -> None:
        async for event in run.events:
            if isinstance(event, StepStarted) and words in event.description:
                run.cancel()

    return body


def outcomes(steps: Iterable[StepReport]) -> list[tuple[str, str]]:
    """The first word of each step's description, and how it ended."""
    return [(step.description.split()[0], step.outcome) for step in steps]


async def test_a_run_cancelled_amid_its_way_back_tells_what_of_it_is_done(lab: Lab) -> None:
    await lab.deploy(toml())
    body = cancel_at_description("with its previous config is healthy")
    done = await lab.deploy(toml(env="UNHEALTHY = '1'"), body=body)
    assert done.report is not None
    (app,) = done.report.apps
    assert [one for one in outcomes(app.steps) if one[1] != "skipped"] == [
        ("hold", "done"),
        ("update", "done"),
        ("wait", "failed"),
    ]
    assert outcomes(app.recovery) == [("give", "done"), ("wait", "interrupted")]
    given, waiting = app.recovery
    assert given.seconds > 0
    assert waiting.started == pytest.approx(given.started + given.seconds, abs=0.002)
    assert app.release == 1
    assert app.account is not None
    assert app.account.startswith("0 of 2 machines run release 2;")
    assert len(app.failures) == 1


@pytest.mark.parametrize("strategy", ["rolling", "immediate"])
async def test_what_an_update_was_to_start_is_started_by_the_next_run(strategy: str) -> None:
    """The update came when the machines were starting, which leaves them stopped on Fly; the run
    ended before it could start them. Nobody stopped them, and nothing of them crashed.
    """
    lab = Lab.build(boot=8.0, busy_after_update=20.0, update_launches=frozenset({"started"}))
    first, second = toml(strategy=strategy), toml(image="nginx:2", strategy=strategy)

    async def cut_off(run: Run) -> None:
        await anyio.sleep(1)
        run.cancel()

    await lab.deploy(first, body=cut_off)
    await lab.deploy(second, body=cut_off)
    await anyio.sleep(10)
    stopped = [m for m in lab.machines() if m.state == "stopped"]
    assert stopped
    again = await lab.deploy(second)
    assert again.code == 0, again.text
    await anyio.sleep(20)
    assert {m.state for m in lab.machines()} == {"started"}
    assert (await lab.deploy(second)).changes == []


async def test_what_a_person_stopped_stays_stopped(lab: Lab) -> None:
    """The same mark is on it, but it was started, and then stopped."""
    await lab.deploy(toml())
    lab.fly.advance()
    lifecycle.stop(lab.fly.world, lab.machines()[0], lab.clock.time())
    done = await lab.deploy(toml(image="nginx:2"))
    await anyio.sleep(1)
    assert done.code == 0, done.text
    assert [m.state for m in lab.machines()] == ["stopped", "started"]
    assert (await lab.deploy(toml(image="nginx:2"))).changes == []
