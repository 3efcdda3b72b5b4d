"""A platform and a project, and commands that are run against them one after another."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
from attrs import define, evolve, field, frozen

from fly_emulator import Emulator, EmulatorSettings, Faults, parse_faults
from fly_emulator.journal import JournalEntry
from fly_emulator.records import MachineRecord
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.execution.report import Report
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import FlyTomlApp, Input, ScoreApp
from score_flyio.engine.project import Project
from score_flyio.engine.run import Run
from score_flyio.engine.target import EmulatorTarget, Target
from score_flyio.errors import ScoreFlyError
from score_flyio.events import Event
from score_flyio.flytoml import read_fly_toml
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import InProcessSpec, ProvisionerDefinition, StaticSpec
from score_flyio.state.store import InMemoryStore
from tests.emulator.invariants import violations

QUICK = DeployOptions(
    smoke_checks=False, wait_timeout=20, bluegreen_pause=0.1, release_record=False
)
CHECK = """
[checks.alive]
type = "tcp"
port = 9000
"""


def toml(
    text: str = "",
    *,
    image: str = "nginx:1",
    env: str = "A = '1'",
    strategy: str = "rolling",
    service: bool = True,
    check: bool = True,
    app: str = "web",
    release: str = "",
    top: str = "",
) -> FlyTomlApp:
    """A hand-written app; `text` is more of its file, `top` what comes before its sections."""
    parts = [f'app = "{app}"', 'primary_region = "iad"', *([top] if top else [])]
    parts += ["[build]", f'image = "{image}"', "[env]", env, "[deploy]", f'strategy = "{strategy}"']
    parts += [f'release_command = "{release}"'] if release else []
    parts += ["[http_service]", "internal_port = 8080"] if service else []
    parts += ['processes = ["app"]'] if service and "[processes]" in text else []
    parts += [CHECK] if check else []
    document = read_fly_toml("\n".join((*parts, text)), file="fly.toml")
    assert document.spec is not None, document.problems
    assert not document.problems, document.problems
    return FlyTomlApp(app=app, document=document, spec=document.spec, directory=Path("/nowhere"))


PUBLIC = "score-flyio.astromechza.github.com/service-web-public"
"""The annotation with which port `web` is reached from the internet."""


def score(
    name: str = "web", *, image: str = "nginx:1", secret: bool = False, **env: str
) -> ScoreApp:
    """A Score workload with a service and a probe; `secret` reads one of a database."""
    variables = dict(env)
    document: dict[str, Any] = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": name, "annotations": {PUBLIC: "true"}},
        "containers": {"main": {"image": image, "variables": variables}},
        "service": {"ports": {"web": {"port": 80, "targetPort": 8080}}},
    }
    document["containers"]["main"]["readinessProbe"] = {"httpGet": {"path": "/", "port": 8080}}
    if secret:
        variables["PASSWORD"] = "${resources.db.password}"
        document["resources"] = {"db": {"type": "database"}}
    return ScoreApp.from_document(document, f"{name}.yaml", directory=Path("/nowhere"))


@define(eq=False)
class Databases:
    """A provisioner whose secret can be changed."""

    password: str = "s3cr3t-one-value"
    uses_shared: bool | None = False

    async def provision(self, _request: Any) -> Any:
        from score_flyio.resources.provisioner import ProvisionResult

        return ProvisionResult(state={"made": True}, secrets={"password": self.password})

    async def deprovision(self, _request: Any) -> Any:
        raise NotImplementedError


@frozen
class LabProject(Project):
    """A project with a provisioner in this process."""

    databases: Databases = field(factory=Databases)

    def registry(self, state: ProjectState, **_: Any) -> Any:
        from score_flyio.resources.registry import Registry

        plugin: Any = self.databases
        spec = InProcessSpec(source="test")  # a static one is known to give nothing
        definitions = tuple(
            evolve(each, spec=spec) if each.id == "databases" else each
            for each in state.provisioners
        )
        return Registry(definitions, 60.0, {"databases": plugin})


@frozen(kw_only=True)
class Done:
    """How one command ended."""

    report: Report | None
    error: BaseException | None
    events: list[Event]
    calls: list[JournalEntry]

    @property
    def code(self) -> int:
        if self.report is not None:
            return self.report.exit_code
        return self.error.exit_code if isinstance(self.error, ScoreFlyError) else 0

    @property
    def changes(self) -> list[str]:
        """The operations of the calls that changed something, in order."""
        return [call.operation for call in self.calls if call.method != "GET"]

    def of(self, operation: str) -> list[JournalEntry]:
        return [call for call in self.calls if call.operation == operation]

    @property
    def text(self) -> str:
        return self.report.to_text() if self.report else str(self.error)


@define
class Lab:
    """One platform, one project."""

    fly: Emulator
    clock: EventLoopClock
    store: InMemoryStore
    databases: Databases = field(factory=Databases)
    target: Target | None = None
    environ: dict[str, str] = field(factory=dict)
    runs: int = 0

    @classmethod
    def build(cls, **settings: Any) -> Lab:
        clock = EventLoopClock()
        defaults: dict[str, Any] = {"latency": 0.02, "boot": 0.3, "healthy_after": 0.5}
        fly = Emulator(EmulatorSettings(**defaults | settings), clock=clock)
        state = ProjectState.new("")
        state.provisioners = (
            ProvisionerDefinition(id="databases", resource_type="database", spec=StaticSpec()),
        )
        return cls(fly, clock, InMemoryStore(state))

    def engine(self, listener: Callable[[Event], None] | None = None) -> Engine:
        self.runs += 1
        project = LabProject(
            Path("/nowhere"), self.store, environ=self.environ, databases=self.databases
        )
        return Engine(
            project,
            target=self.target or EmulatorTarget(emulator=self.fly),
            listener=listener,
            clock=self.clock,
            rng=random.Random(self.runs),
            write_files=False,
        )

    async def deploy(
        self,
        *inputs: Input,
        options: DeployOptions = QUICK,
        faults: str = "",
        body: Callable[[Run], Awaitable[None]] | None = None,
    ) -> Done:
        """Runs the command in a fresh engine; `faults` strike while it runs.

        Like any process, an engine does not know how much of the rate the one before has used up.
        """
        await anyio.sleep(5)
        events: list[Event] = []
        first = len(self.fly.journal.entries)
        self.fly.faults = parse_faults(faults)
        error: BaseException | None = None
        run: Run | None = None
        try:
            async with self.engine(events.append) as engine:
                run = engine.deploy(inputs, options)
                async with run:
                    if body is not None:
                        await body(run)
        except ScoreFlyError as failure:
            error = failure
        self.fly.faults = Faults()
        self.fly.advance()
        calls = self.fly.journal.entries[first:]
        report = run._report if run is not None else None
        return Done(report=report, error=error, events=events, calls=calls)

    def machines(self, app: str = "web", group: str | None = None) -> list[MachineRecord]:
        """The living machines, in the order of their creation."""
        self.fly.advance()
        found = [m for m in self.fly.world.machines.values() if m.app == app]
        return [
            m
            for m in sorted(found, key=lambda m: m.number)
            if m.state not in {"destroying", "destroyed"}
            and group in {None, m.config["metadata"]["fly_process_group"]}
        ]

    def images(self, app: str = "web") -> list[str]:
        """What the machines run, by name and tag: see `digests`."""
        return [machine.config["image"].partition("@")[0] for machine in self.machines(app)]

    def digests(self, app: str = "web") -> set[str]:
        """The digests of what the machines run."""
        return {machine.version.image["digest"] for machine in self.machines(app)}

    def leased(self) -> list[str]:
        now = self.clock.time()
        return [m.id for m in self.fly.world.machines.values() if m.lease_at(now) is not None]

    def broken_rules(self) -> list[str]:
        return violations(self.fly.journal.entries, self.fly.world)

    def check_clean(self) -> None:
        """Nothing is held, doubled or left, and no rule of the platform was broken."""
        assert self.leased() == []
        assert not (rules := self.broken_rules()), rules
        for machine in self.machines():
            assert "fly_canary" not in machine.config["metadata"]
            assert not machine.cordoned
            assert machine.config["metadata"]["fly_process_group"] != "fly_app_release_command"
