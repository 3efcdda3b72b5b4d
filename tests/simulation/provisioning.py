"""A provisioner in the process of the engine, and the account that it makes things in."""

from __future__ import annotations

import random
from typing import Any

import anyio
from attrs import define, evolve, field, frozen

from score_flyio.engine.project import PROVISIONER_TIMEOUT, Project
from score_flyio.errors import ProvisionFailed
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import Registry
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import InProcessSpec, ProvisionerDefinition, StaticSpec
from tests.simulation.mortal import Killed, Life

DATABASES = ProvisionerDefinition(
    id="databases", resource_type="database", spec=StaticSpec(values={})
)
ENDPOINTS = ProvisionerDefinition(
    id="endpoints", resource_type="endpoint", spec=StaticSpec(values={"url": "https://api.test"})
)


@define
class Account:
    """The databases that exist, by the guid that they were made for."""

    databases: dict[str, str] = field(factory=dict)
    made: int = 0
    generation: int = 1

    def password(self, guid: str) -> str:
        return f"s3cr3t-{guid[:8]}-{self.generation}-x"


@define(eq=False)
class Databases:
    """Makes databases; finds again what it made for the same resource."""

    account: Account
    life: Life
    rng: random.Random
    trouble: float = 0.0
    """Probability that a call fails."""

    @property
    def uses_shared(self) -> bool | None:
        return None

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        self.life.moment("provision")
        await self._pause()
        name = self.account.databases.get(request.guid)
        if name is None:
            if self.rng.random() < self.trouble:
                raise ProvisionFailed("no room for databases", uid=str(request.uid))
            self.account.made += 1
            name = f"db{self.account.made}"
            self.account.databases[request.guid] = name
        self.life.moment("provisioned")
        await self._pause()
        result = ProvisionResult(
            state={"name": name},
            values={"user": "admin"},
            secrets={"password": self.account.password(request.guid)},
        )
        if self.rng.random() < self.trouble:
            half = evolve(result, values=None, secrets=None)
            raise ProvisionIncomplete("half done", uid=str(request.uid), result=half)
        return result

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        self.life.moment("provision")
        await self._pause()
        if self.rng.random() < self.trouble:
            raise ProvisionFailed("the database is busy", uid=str(request.uid))
        self.account.databases.pop(request.guid, None)
        self.life.moment("provisioned")
        await self._pause()
        return ProvisionResult()

    async def _pause(self) -> None:
        await anyio.sleep(self.rng.uniform(0, 1))
        if self.life.dead:
            raise Killed


@frozen
class SimProject(Project):
    """A project whose database provisioner lives in this process."""

    databases: Databases | None = None

    def registry(self, state: ProjectState, *, access: Any = None) -> Registry:
        assert self.databases is not None
        spec = InProcessSpec(source="test")  # a static one is known to give nothing
        definitions = tuple(
            evolve(each, spec=spec) if each.id == "databases" else each
            for each in state.provisioners
        )
        return Registry(definitions, PROVISIONER_TIMEOUT, {"databases": self.databases})
