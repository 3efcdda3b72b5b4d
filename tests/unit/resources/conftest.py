"""What resource tests share: provisioners in this process, and a project around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio
import pytest
from attrs import define, field

from score_flyio.events import Event
from score_flyio.resources.plan import plan_resources, record_plan
from score_flyio.resources.provisioner import Provisioner, ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import Registry
from score_flyio.resources.run import ResourceRun
from score_flyio.score.resources import ResourceUid
from score_flyio.state.model import ProjectState, WorkloadRecord
from score_flyio.state.resources import InProcessSpec, ProvisionerDefinition
from score_flyio.state.store import InMemoryStore


@define
class Fake:
    """A provisioner in this process; `answer` says what it answers or raises."""

    answer: Callable[[ProvisionRequest], ProvisionResult] = lambda _: ProvisionResult(values={})
    uses_shared: bool | None = None
    seconds: Mapping[str, float] = field(factory=dict)
    """How long it takes, by resource id."""
    requests: list[ProvisionRequest] = field(factory=list)
    deprovisioned: list[str] = field(factory=list)
    running: int = 0
    most: int = 0

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        self.requests.append(request)
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await anyio.sleep(self.seconds.get(request.uid.id, 0.0))
        finally:
            self.running -= 1
        return self.answer(request)

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        self.requests.append(request)
        result = self.answer(request)
        self.deprovisioned.append(str(request.uid))
        return result


@define
class World:
    """A project in memory."""

    state: ProjectState
    store: InMemoryStore
    registry: Registry
    events: list[Event] = field(factory=list)

    def run(self, *workloads: str, jobs: int | None = None) -> ResourceRun:
        documents = self.state.documents
        plan = plan_resources(documents, workloads or tuple(documents))
        record_plan(self.state, plan)
        return ResourceRun(
            plan,
            state=self.state,
            store=self.store,
            registry=self.registry,
            emit=self.events.append,
            jobs=jobs,
        )

    async def saved(self) -> ProjectState:
        state = await self.store.load()
        assert state is not None
        return state


def document(name: str, resources: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": name},
        "containers": {"main": {"image": "x"}},
        "resources": dict(resources),
    }


def make_world(
    resources: Mapping[str, Any] | None = None,
    *,
    workloads: Mapping[str, Mapping[str, Any]] | None = None,
    **fakes: Provisioner,
) -> World:
    """A project with resources of workload `shop` (or of several), and fakes by resource type."""
    state = ProjectState.new("pfx-")
    for name, items in (workloads or {"shop": resources or {}}).items():
        state.workloads[name] = WorkloadRecord(spec=document(name, items), file=f"{name}.yaml")
    definitions = tuple(
        ProvisionerDefinition(id=f"p-{type_}", resource_type=type_, spec=InProcessSpec(source="x"))
        for type_ in fakes
    )
    plugins = {f"p-{type_}": fake for type_, fake in fakes.items()}
    return World(state, InMemoryStore(), Registry(definitions, plugins=plugins))


@pytest.fixture
def world() -> Callable[..., World]:
    return make_world


def uid(text: str) -> ResourceUid:
    return ResourceUid.parse(text)
