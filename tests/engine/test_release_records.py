"""Fly is told of releases beside the deploy, and whatever becomes of that, the deploy goes on."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from attrs import define, field
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings, parse_faults
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.project import Project
from score_flyio.engine.target import EmulatorTarget, FlyTarget
from score_flyio.errors import DeployError
from score_flyio.events import Event, WarningRaised
from score_flyio.flytoml.document import read_fly_toml
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore

QUICK = DeployOptions(smoke_checks=False, allow_destructive=True)
SILENT = DeployOptions(smoke_checks=False, release_record=False)
QUERY = """{ app(name: "web") { releasesUnprocessed(first: 25) {
  nodes { id version status imageRef } } } }"""


def web(version: int = 1, *, env: str = "", command: str = "") -> FlyTomlApp:
    text = f"""
app = "web"
primary_region = "iad"
[build]
image = "nginx:{version}"
[deploy]
{f'release_command = "{command}"' if command else ""}
strategy = "canary"
[env]
{env}
[http_service]
internal_port = 8080
[[http_service.checks]]
interval = "5s"
timeout = "2s"
path = "/"
"""
    document = read_fly_toml(text, file="fly.toml")
    assert document.spec is not None, document.problems
    return FlyTomlApp(app="web", document=document, spec=document.spec, directory=Path())


def groups(*names: str) -> FlyTomlApp:
    """An app of such process groups, the first with a service."""
    processes = "\n".join(f'{name} = "run {name}"' for name in names)
    text = f"""
app = "web"
[build]
image = "nginx:1"
[processes]
{processes}
[http_service]
internal_port = 8080
processes = ["{names[0]}"]
"""
    document = read_fly_toml(text, file="fly.toml")
    assert document.spec is not None, document.problems
    return FlyTomlApp(app="web", document=document, spec=document.spec, directory=Path())


@define
class Run:
    """A platform, an engine for it, and what was heard."""

    fly: Emulator
    engine: Engine
    state: ProjectState
    client: httpx.AsyncClient
    events: list[Event] = field(factory=list)

    async def deploy(self, app: FlyTomlApp, options: DeployOptions = QUICK) -> str:
        try:
            async with self.engine.deploy([app], options) as run:
                pass
        except DeployError:
            pass
        return run.report.outcome

    async def releases(self) -> list[dict[str, Any]]:
        """What `fly releases` shows, newest first."""
        answer = (await self.client.post("/graphql", json={"query": QUERY})).json()
        found: list[dict[str, Any]] = answer["data"]["app"]["releasesUnprocessed"]["nodes"]
        return found

    def metadata(self) -> list[dict[str, str]]:
        app = self.fly.world.apps["web"]
        living = [m for m in self.fly.world.machines_of(app) if not m.destroyed]
        return [machine.config["metadata"] for machine in living]

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """What was sent to the list of releases."""
        entries = self.fly.journal.entries
        return [(e.method, e.body) for e in entries if e.operation.startswith("Web_")]

    def warnings(self) -> list[str]:
        return [e.message for e in self.events if isinstance(e, WarningRaised)]


@pytest.fixture
def anyio_backend() -> Any:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@pytest.fixture
async def run() -> AsyncIterator[Run]:
    clock = EventLoopClock()
    events: list[Event] = []
    state = ProjectState.new("")
    async with (
        Emulator(EmulatorSettings(latency=0.05), clock=clock) as fly,
        Engine(
            Project(Path(), InMemoryStore(state)),
            target=EmulatorTarget(emulator=fly),
            clock=clock,
            rng=random.Random(1),
            listener=events.append,
            write_files=False,
        ) as engine,
        httpx.AsyncClient(
            transport=fly.transport(),
            base_url="http://fly",
            headers={"authorization": "Bearer token"},
        ) as client,
    ):
        yield Run(fly, engine, state, client, events)


async def test_flyctl_lists_our_deploys(run: Run) -> None:
    assert await run.deploy(web(1)) == "done"
    assert await run.deploy(web(2)) == "done"
    newest, first = await run.releases()
    assert [(one["version"], one["status"]) for one in (newest, first)] == [
        (2, "complete"),
        (1, "complete"),
    ]
    assert (newest["imageRef"], first["imageRef"]) == ("nginx:2", "nginx:1")
    for metadata in run.metadata():
        assert metadata["fly_release_id"] == newest["id"]
        assert metadata["fly_release_version"] == "2"
    assert run.warnings() == []


async def test_what_is_told(run: Run) -> None:
    await run.deploy(web(1, env='GREETING = "hello"'))
    (_, new), *_, (_, last) = run.told()
    assert new["app_name"] == "web"
    assert new["strategy"] == "CANARY"
    assert new["definition"]["app"] == "web"
    assert new["definition"]["env"] == {"GREETING": "hello"}
    assert new["definition"]["http_service"]["internal_port"] == 8080
    assert last["status"] == "complete"
    assert last["metadata"]["post_deployment_info"]["error"] == ""


async def test_a_long_release_is_shown_as_running(run: Run) -> None:
    await run.deploy(web(1), DeployOptions())
    assert [body.get("status") for _, body in run.told()] == [None, "running", "complete"]


async def test_the_state_has_the_number_that_fly_gave(run: Run) -> None:
    await run.client.post("/v1/apps", json={"name": "web", "org_slug": "personal"})
    for _ in range(3):
        await run.client.post("/api/v1/releases", json={"app_name": "web"})
    await run.deploy(web(1))
    saved = (await run.engine.project.store.load() or run.state).deployments["web"].releases
    assert [record.version for record in saved] == [4]
    assert (saved[0].configs["app"] or {})["metadata"]["fly_release_version"] == "4"


async def test_no_number_is_given_twice_though_fly_was_not_told_of_some(run: Run) -> None:
    await run.deploy(web(1))
    await run.deploy(web(2), SILENT)
    await run.deploy(web(3))
    assert {found["fly_release_version"] for found in run.metadata()} == {"3"}
    state = await run.engine.project.read()
    assert [release.version for release in state.deployments["web"].releases] == [1, 2, 3]


async def test_nothing_is_told_when_nothing_changed(run: Run) -> None:
    await run.deploy(web(1))
    before = len(run.told())
    assert await run.deploy(web(1)) == "unchanged"
    assert len(run.told()) == before


async def test_nothing_is_told_when_it_is_not_wanted(run: Run) -> None:
    assert await run.deploy(web(1), SILENT) == "done"
    assert run.told() == []
    assert {metadata["fly_release_version"] for metadata in run.metadata()} == {"1"}


async def test_a_deploy_that_only_destroys_is_a_release_too(run: Run) -> None:
    await run.deploy(groups("web", "worker"))
    assert await run.deploy(groups("web")) == "done"
    assert [one["status"] for one in await run.releases()] == ["complete", "complete"]


async def test_a_failed_release_says_why(run: Run) -> None:
    await run.deploy(web(1))
    options = DeployOptions(smoke_checks=False, wait_timeout=10.0)
    assert await run.deploy(web(2, env='EMULATE_HEALTHY = "never"'), options) != "done"
    newest, _ = await run.releases()
    assert (newest["version"], newest["status"]) == (2, "failed")
    _, last = run.told()[-1]
    assert last["metadata"]["post_deployment_info"]["error"]


async def test_the_release_command_is_part_of_the_release(run: Run) -> None:
    assert await run.deploy(web(1, command="migrate")) == "done"
    newest, *_ = await run.releases()
    posted = [
        entry.body["config"]["metadata"]["fly_release_id"]
        for entry in run.fly.journal.entries
        if entry.operation == "Machines_create"
    ]
    assert set(posted) == {newest["id"]}
    assert len(posted) == 3


@pytest.mark.parametrize("after", [0.5, 1.0, 3.0])
async def test_an_interrupted_release_says_so(run: Run, after: float) -> None:
    await run.deploy(web(1))
    with anyio.move_on_after(after):
        await run.deploy(web(2))
    newest, *_ = await run.releases()
    assert (newest["version"], newest["status"]) == (2, "interrupted")


@pytest.mark.parametrize("app_exists", [False, True])
@pytest.mark.parametrize(
    "fault",
    ["500", "503", "404", "401", "429", "hang", "reset", "lost", "refuse", "latency=60"],
)
@pytest.mark.parametrize("call", ["Web_create_release", "Web_update_release"])
async def test_a_list_that_fails_changes_nothing(
    run: Run, call: str, fault: str, app_exists: bool
) -> None:
    if app_exists:
        await run.deploy(web(1), SILENT)
        await anyio.sleep(30)
    before = anyio.current_time()
    run.fly.faults = parse_faults(f"{call}: {fault}")
    assert await run.deploy(web(2)) == "done"
    assert anyio.current_time() - before < 20
    assert len(run.metadata()) == 2
    assert [machine["image"] for machine in configs(run)] == ["nginx:2", "nginx:2"]
    (warning,) = run.warnings()
    assert "list of releases" in warning


def configs(run: Run) -> Sequence[dict[str, Any]]:
    app = run.fly.world.apps["web"]
    return [m.config for m in run.fly.world.machines_of(app) if not m.destroyed]


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "https://api.fly.io"),
        ({"FLY_API_BASE_URL": "https://a.example"}, "https://a.example"),
        (
            {"FLY_UIEX_BASE_URL": "https://u.example", "FLY_API_BASE_URL": "https://a.example"},
            "https://u.example",
        ),
        ({"FLY_FLAPS_BASE_URL": "http://127.0.0.1:4280"}, None),
        (
            {"FLY_FLAPS_BASE_URL": "http://127.0.0.1:1", "FLY_API_BASE_URL": "http://127.0.0.1:2"},
            "http://127.0.0.1:2",
        ),
    ],
)
def test_where_fly_is_told(variables: dict[str, str], url: str | None) -> None:
    assert FlyTarget.logged_in({"FLY_API_TOKEN": "t", **variables}).web_url == url
