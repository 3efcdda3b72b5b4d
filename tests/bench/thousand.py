"""Peak memory of an update of 1,000 machines, against an emulator in another process."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import anyio
import httpx

from fly_machines import models
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.project import Project
from score_flyio.engine.target import FlyTarget
from score_flyio.fly.auth import Tokens
from score_flyio.fly.codec import unstructure
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.bench.apps import web
from tests.bench.processes import own_peak_mib, tool

COUNT = 1000


async def fill(url: str, body: object) -> None:
    """Makes the other machines without the client, which would keep to the rate limits."""
    headers = {"authorization": "Bearer dummy"}
    async with httpx.AsyncClient(base_url=url, headers=headers) as http:
        for _ in range(COUNT - 2):
            answer = await http.post("/v1/apps/web/machines", json=body)
            answer.raise_for_status()


async def deploy(url: str) -> None:
    project = Project(Path(), InMemoryStore(ProjectState.new("")))
    target = FlyTarget(base_url=url, tokens=Tokens.parse("dummy"), org="personal")
    async with Engine(project, target=target, rng=random.Random(1), write_files=False) as engine:
        options = DeployOptions(smoke_checks=False)
        async with engine.deploy([web("web")], options):
            pass
        first = (await engine.client.api.machines_list("web"))[0]
        request = models.CreateMachineRequest(config=first.config, region=first.region)
        await fill(url, unstructure(request))
        options = DeployOptions(smoke_checks=False, max_unavailable=0.5)
        async with engine.deploy([web("web", version=2)], options) as run:
            pass
        assert run.report.outcome == "done", run.report.to_text()


def main() -> None:
    command = [*tool("emulator", "serve", "--port=0", "--no-limits", "--boot=0.1", "--checks=0.1")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout is not None
        url = emulator.stdout.readline().split()[-1]
        try:
            anyio.run(deploy, url)
        finally:
            emulator.terminate()
    print(f"{own_peak_mib():.1f}")


if __name__ == "__main__":
    main()
