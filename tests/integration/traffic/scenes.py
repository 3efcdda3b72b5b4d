"""An app whose machines are processes, what is done to it, and what its visitors have of it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import httpx
from attrs import frozen

from fly_emulator import Commands, Emulator, EmulatorSettings
from score_flyio.deploy.options import DeployOptions
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.operations.scale import ScaleRequest
from score_flyio.engine.project import Project
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import DeployError
from score_flyio.flytoml.document import read_fly_toml
from score_flyio.state.store import InMemoryStore
from tests.integration.traffic.flyctl import Failed, Flyctl
from tests.integration.traffic.visitors import Visitors

APP = Path(__file__).with_name("app.py")
TOML = """
app = "shop"
primary_region = "iad"
[build]
image = "web:1"
[env]
VERSION = "{version}"
[deploy]
strategy = "{strategy}"
[http_service]
internal_port = 8080
[[http_service.checks]]
interval = "1s"
timeout = "2s"
path = "/"
"""
Act = Callable[[], Awaitable[None]]


@frozen(kw_only=True)
class Scene:
    """What happened while something was done."""

    name: str
    seconds: float
    asked: int
    lost: dict[str, int]
    answered: dict[str, int]


@frozen(kw_only=True)
class Site:
    """The app, deployed, of so many machines."""

    fly: Emulator
    engine: Engine
    flyctl: Flyctl
    options: DeployOptions
    rate: float

    async def scene(self, name: str, act: Act) -> Scene:
        """Do something while people visit, a second before and after it, too."""
        assert self.fly.runtime is not None
        visitors = Visitors(self.fly.runtime.urls["shop"], self.rate)
        async with visitors.coming():
            await anyio.sleep(1)
            began = anyio.current_time()
            await act()
            seconds = anyio.current_time() - began
            await anyio.sleep(1)
        return Scene(
            name=name,
            seconds=seconds,
            asked=visitors.asked,
            lost=dict(visitors.lost),
            answered=dict(visitors.answers),
        )

    async def deploy(self, strategy: str, version: str) -> None:
        """Raises DeployError where it fails."""
        text = TOML.format(strategy=strategy, version=version)
        document = read_fly_toml(text, file="fly.toml")
        assert document.spec is not None, document.problems
        app = FlyTomlApp(app="shop", document=document, spec=document.spec, directory=Path())
        async with self.engine.deploy([app], self.options):
            pass

    async def fail(self, strategy: str) -> None:
        """A deploy whose machines never pass their checks."""
        try:
            await self.deploy(strategy, "broken")
        except DeployError:
            return
        raise AssertionError("it went well")

    async def scale(self, count: int) -> None:
        request = ScaleRequest(counts={"app": count}, options=self.options)
        await self.engine.scale("shop", request)

    async def rollback(self) -> None:
        await self.engine.rollback("shop", options=self.options)

    async def fail_as_flyctl(self, how: Callable[[str], Awaitable[None]]) -> None:
        with suppress(Failed):
            await how("broken")
            raise AssertionError("it went well")


@asynccontextmanager
async def site(count: int, rate: float, options: DeployOptions) -> AsyncIterator[Site]:
    """Deploy it, and wait until all its machines serve."""
    commands = Commands.parse([f"web={sys.executable} {APP}"])
    settings = EmulatorSettings(rate_limits=False, boot=0.1, busy_after_update=0.0)
    async with (
        Emulator(settings, commands=commands) as fly,
        fly.serve() as url,
        httpx.AsyncClient(
            base_url=url, headers={"authorization": "Bearer t"}, timeout=90, trust_env=False
        ) as client,
    ):
        project = Project(Path(), InMemoryStore())
        await project.init("")
        async with Engine(
            project, target=EmulatorTarget(emulator=fly), write_files=False
        ) as engine:
            flyctl = Flyctl(client, "shop", options.wait_timeout or 60, options.bluegreen_pause)
            found = Site(fly=fly, engine=engine, flyctl=flyctl, options=options, rate=rate)
            await found.deploy("rolling", "one")
            await found.scale(count)
            yield found


async def ours(site: Site, count: int, names: Collection[str] = ()) -> list[Scene]:
    """What score-flyio does; `names` are those of some scenes alone."""
    acts: list[tuple[str, Act]] = [
        ("rolling", lambda: site.deploy("rolling", "two")),
        ("canary", lambda: site.deploy("canary", "three")),
        ("bluegreen", lambda: site.deploy("bluegreen", "four")),
        ("rolling that fails", lambda: site.fail("rolling")),
        ("canary that fails", lambda: site.fail("canary")),
        ("bluegreen that fails", lambda: site.fail("bluegreen")),
        ("rollback", site.rollback),
        ("scale to half", lambda: site.scale(count // 2)),
        ("scale back", lambda: site.scale(count)),
    ]
    return [await site.scene(name, act) for name, act in acts if not names or name in names]


async def as_flyctl(site: Site, count: int) -> list[Scene]:
    """The same by flyctl's order of calls; it has no rollback, so the old version is deployed."""
    flyctl = site.flyctl
    acts: list[tuple[str, Act]] = [
        ("rolling", lambda: flyctl.rolling("two")),
        ("canary", lambda: flyctl.canary("three")),
        ("bluegreen", lambda: flyctl.bluegreen("four")),
        ("bluegreen that fails", lambda: site.fail_as_flyctl(flyctl.bluegreen)),
        ("rolling that fails", lambda: site.fail_as_flyctl(flyctl.rolling)),
        ("canary that fails", lambda: site.fail_as_flyctl(flyctl.canary)),
        ("rollback", lambda: flyctl.rolling("three")),
        ("scale to half", lambda: flyctl.scale(count // 2)),
        ("scale back", lambda: flyctl.scale(count)),
    ]
    return [await site.scene(name, act) for name, act in acts]
