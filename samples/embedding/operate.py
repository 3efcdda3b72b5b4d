"""Plan, deploy, scale, roll back and destroy, from a program: `python operate.py [asyncio|trio]`.

It runs against an emulator in the same process; with `Target.from_environment()` in place of
`EmulatorTarget()`, against Fly.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import anyio

from score_flyio import (
    Change,
    DeployOptions,
    EmulatorTarget,
    Engine,
    Event,
    InMemoryStore,
    Project,
    ScaleRequest,
    ScoreApp,
    ScoreFlyError,
)

OPTIONS = DeployOptions(smoke_checks=False)


def workload(greeting: str) -> ScoreApp:
    """A Score workload that no file holds; `project.load("score.yaml")` gives one from a file."""
    document: dict[str, Any] = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "hello"},
        "containers": {"main": {"image": "nginx:1.27", "variables": {"GREETING": greeting}}},
        "service": {"ports": {"web": {"port": 80, "targetPort": 8080}}},
    }
    return ScoreApp.from_document(document, "hello")


async def deploy(engine: Engine, app: ScoreApp) -> None:
    """A plan to look at, then just that."""
    plan = await engine.plan([app], OPTIONS)
    print(plan.describe())
    async with engine.deploy(plan) as run:
        async for event in run.events:
            if event.kind == "step_finished":
                print(f"  {event.kind}: {event.scope.step}")
    print(run.report.summary())


def agree(change: Change) -> None:
    """Is told what will be done before it is; to raise is to refuse."""
    print(f"{change.ref}: {len(change.plan.steps)} steps; machines to destroy: {change.destroys}")


def follow(event: Event) -> None:
    """Hears everything, of runs and of operations."""
    if event.kind in {"target_selected", "warning_raised"}:
        print(f"  {event.kind}")


async def main() -> None:
    """Everything that can happen to an app."""
    project = Project(Path(), InMemoryStore())
    await project.init("embedded-")
    async with Engine(
        project, target=EmulatorTarget(), listener=follow, write_files=False
    ) as engine:
        await deploy(engine, workload("hello"))
        await deploy(engine, workload("good morning"))

        request = ScaleRequest(counts={"app": 3}, options=OPTIONS)
        await engine.scale("hello", request, before=agree)
        for size in await engine.sizes("hello"):
            print(f"{size.group}: {size.count} machines of {size.size}")

        back = await engine.rollback("hello", options=OPTIONS, before=agree)
        print(f"went back to release {back.plan.release.back_to}")

        try:
            await engine.rollback("hello", to=99)
        except ScoreFlyError as error:
            print(f"{error.message} ({error.hint})")

        gone = await engine.destroy("hello")
        if gone.report is not None:
            print(gone.report.summary())


if __name__ == "__main__":
    anyio.run(main, backend=sys.argv[1] if len(sys.argv) > 1 else "asyncio")
