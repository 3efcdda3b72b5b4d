"""Real deploys to an emulator on a clock that jumps, with all their events: stuff for reports."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import trio
from attrs import field, frozen
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.faults import parse_faults
from fly_machines import models
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import FlyTomlApp, Input, ScoreApp
from score_flyio.engine.project import Project
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import DeployError
from score_flyio.events import Event
from score_flyio.flytoml.document import read_fly_toml
from score_flyio.report_html import render_html
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import Registry
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import InProcessSpec, ProvisionerDefinition
from score_flyio.state.store import InMemoryStore

PASSWORD = "correct-horse-battery"
SETTINGS = EmulatorSettings(latency=(0.03, 0.12), boot=0.8, healthy_after=1.6)
QUICK = DeployOptions(smoke_checks=False)


@frozen
class Recorded:
    """One deploy as it went."""

    report: Report
    events: tuple[Event, ...]

    @property
    def page(self) -> str:
        return render_html(self.report, self.events)


@frozen
class Slow:
    """A provisioner in this process that takes its time."""

    uses_shared: bool | None = False

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        await anyio.sleep(3.0 if request.uid.type == "postgres" else 1.2)
        return ProvisionResult(values={"host": "db.internal"}, secrets={"password": PASSWORD})

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        return ProvisionResult()


@frozen
class _Provisioned(Project):
    """A project whose resources are made in this process."""

    types: tuple[str, ...] = ("postgres", "redis")
    plugin: Slow = field(factory=Slow)

    def registry(
        self, state: ProjectState, *, access: Any = None, timeout: float = 0.0
    ) -> Registry:
        definitions = tuple(
            ProvisionerDefinition(
                id=f"our-{name}", resource_type=name, spec=InProcessSpec(source="test")
            )
            for name in self.types
        )
        return Registry(definitions, plugins={d.id: self.plugin for d in definitions})


Stage = tuple[Sequence[Input], DeployOptions]


def record(
    *stages: Stage, settings: EmulatorSettings = SETTINGS, faults: str = "", machines: int = 2
) -> Recorded:
    """Deploys one stage after another to one platform; gives what the last one told.

    Before the last one its apps are given so many machines, and `faults` begin.
    """

    async def main() -> Recorded:
        clock = EventLoopClock()
        async with Emulator(settings, clock=clock) as emulator:
            project = _Provisioned(Path(), InMemoryStore(ProjectState.new("acme-")))
            events: list[Event] = []
            async with Engine(
                project,
                target=EmulatorTarget(emulator=emulator),
                clock=clock,
                rng=random.Random(1),
                listener=events.append,
                write_files=False,
            ) as engine:
                report = Report()
                for number, (inputs, options) in enumerate(stages, start=1):
                    if number == len(stages):
                        await _grow(engine, stages[:-1], machines)
                        emulator.faults = parse_faults(faults)
                    await anyio.sleep(60)
                    events.clear()
                    run = engine.deploy(inputs, options)
                    try:
                        async with run:
                            pass
                    except DeployError:
                        pass
                    report = run.report
                return Recorded(report, tuple(events))

    # Trio mixes up the order of tasks on purpose; here each run is the same.
    internals = vars(trio._core._run)
    internals["_ALLOW_DETERMINISTIC_SCHEDULING"] = True
    internals["_r"].seed(1)
    clock = MockClock(autojump_threshold=0)
    return anyio.run(main, backend="trio", backend_options={"clock": clock})


async def _grow(engine: Engine, stages: Sequence[Stage], count: int) -> None:
    """More machines like the first one of each app."""
    api = engine.client.api
    for item in (item for inputs, _ in stages for item in inputs if isinstance(item, FlyTomlApp)):
        first, *others = await api.machines_list(item.app)
        for _ in range(count - 1 - len(others)):
            request = models.CreateMachineRequest(config=first.config, region=first.region)
            await api.machines_create(item.app, request)


def web(
    name: str,
    *,
    image: str = "nginx:1",
    env: Mapping[str, str] | None = None,
    release: str = "",
) -> FlyTomlApp:
    """A service of two machines with a check."""
    lines = "\n".join(f'{key} = "{value}"' for key, value in (env or {}).items())
    return app(
        name,
        f"""
app = "{name}"
primary_region = "iad"
[build]
image = "{image}"
[deploy]
release_command = "{release}"
[env]
{lines}
[http_service]
internal_port = 8080
[[http_service.checks]]
interval = "5s"
timeout = "2s"
path = "/"
""",
    )


def app(name: str, text: str) -> FlyTomlApp:
    document = read_fly_toml(text, file=f"{name}.toml")
    assert document.spec is not None, document.problems
    return FlyTomlApp(app=name, document=document, spec=document.spec, directory=Path())


def score(
    name: str, *, resources: Mapping[str, Any] | None = None, image: str = "nginx:1"
) -> Input:
    """A Score workload whose variables come from its resources."""
    wanted = dict(resources or {})
    variables = {
        f"{key.upper()}_URL": f"{key}://user:${{resources.{key}.password}}@${{resources.{key}.host}}"
        for key in wanted
    }
    document = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {
            "name": name,
            "annotations": {"score-flyio.astromechza.github.com/service-web-handlers": "http"},
        },
        "containers": {
            "main": {
                "image": image,
                "variables": {"LOG_LEVEL": "info", **variables},
                "readinessProbe": {"httpGet": {"path": "/", "port": 8080}},
            }
        },
        "service": {"ports": {"web": {"port": 80, "targetPort": 8080}}},
        "resources": wanted,
    }
    return ScoreApp.from_document(document, f"{name}.yaml")


def shop() -> Recorded:
    """A first deploy of three workloads with two resources, two of them refused calls at first."""
    inputs = [
        score("shop", resources={"db": {"type": "postgres"}, "cache": {"type": "redis"}}),
        score("mail", resources={"cache": {"type": "redis"}}),
        score("admin"),
    ]
    return record((inputs, DeployOptions()), faults="Machines_create: 503 times=1")


def update(count: int = 5) -> Recorded:
    """A rolling update of one app with smoke windows, a third of its machines at a time."""
    after = web("web", image="nginx:2", env={"LOG_LEVEL": "debug"})
    return record(([web("web")], QUICK), ([after], DeployOptions()), machines=count)


def failing() -> Recorded:
    """Three apps: one turns out unhealthy and is given back, one is refused, one is fine."""
    before = [web("shop"), web("mail"), web("admin")]
    after = [
        web("shop", image="nginx:2", env={"EMULATE_HEALTHY": "never"}),
        web("mail", image="nginx:2", release="migrate"),
        web("admin", image="nginx:2"),
    ]
    return record(
        (before, QUICK),
        (after, DeployOptions(wait_timeout=12.0, smoke_checks=False)),
        faults="Machines_create: 422 times=1",
    )


def many(count: int = 100) -> Recorded:
    """A first deploy of many workloads."""
    return record(([web(f"w{n:03}") for n in range(count)], QUICK))


RUNS: Mapping[str, Callable[[], Recorded]] = {
    "shop": shop,
    "update": update,
    "failing": failing,
    "many": many,
}
