"""Taking resources away, in an order that works."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from score_flyio.errors import ProvisionFailed, ResourceError
from score_flyio.resources.deprovision import Deprovisioning
from score_flyio.resources.kinds.in_process import InProcessProvisioner
from score_flyio.resources.plan import plan_resources, record_plan
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from score_flyio.resources.registry import Registry
from score_flyio.state.deployments_form import dump_document, load_document
from score_flyio.state.resources import (
    InProcessSpec,
    ProvisionerDefinition,
    ProvisionerSpec,
    StaticSpec,
)
from tests.unit.resources.conftest import Fake, World, uid

MakeWorld = Callable[..., World]


def gives(request: ProvisionRequest) -> ProvisionResult:
    return ProvisionResult(values={"out": request.uid.id})


def of(world: World) -> Deprovisioning:
    return Deprovisioning(
        state=world.state, store=world.store, registry=world.registry, emit=world.events.append
    )


def forget(world: World, workload: str) -> None:
    """As `workloads remove` does."""
    del world.state.workloads[workload]
    record_plan(world.state, plan_resources(world.state.documents, ()))


def chain(*names: str) -> dict[str, Any]:
    """Resources each of which needs the next."""
    needs: dict[str, Any] = {
        name: {"type": "thing", "params": {"x": f"${{resources.{other}.out}}"}}
        for name, other in pairwise(names)
    }
    return {**needs, names[-1]: {"type": "thing"}}


async def test_the_order_is_known_when_no_file_says_it_any_more(world: MakeWorld) -> None:
    fake = Fake(gives)
    project = world(chain("z", "m", "a"), thing=fake)
    await project.run().run()
    forget(project, "shop")
    # Only what is kept counts: another command goes on.
    project.state = load_document(dump_document(project.state), "state.yaml")
    await of(project).all(set(project.state.resources))
    assert fake.deprovisioned == [f"thing.default#shop.{name}" for name in "zma"]
    assert project.state.needs == {}


async def test_what_an_orphan_needs_stays_with_it(world: MakeWorld) -> None:
    def answer(request: ProvisionRequest) -> ProvisionResult:
        if request.uid.id == "shop.z" and request.state:
            raise ProvisionFailed("not now", uid=str(request.uid))
        return ProvisionResult(values={"out": "x"}, state={"made": True})

    fake = Fake(answer)
    project = world(chain("z", "m", "a"), thing=fake)
    await project.run().run()
    forget(project, "shop")
    with pytest.raises(ResourceError, match="not now"):
        await of(project).all(set(project.state.resources))
    assert fake.deprovisioned == []
    assert len(project.state.resources) == 3


async def test_one_that_was_never_made_is_forgotten(world: MakeWorld) -> None:
    def refuse(request: ProvisionRequest) -> ProvisionResult:
        raise ProvisionFailed("not now", uid=str(request.uid))

    fake = Fake(refuse)
    project = world(chain("a"), thing=fake)
    with pytest.raises(ProvisionFailed):
        await project.run().run()
    forget(project, "shop")
    assert list(project.state.resources) == [uid("thing.default#shop.a")]
    await of(project).one(uid("thing.default#shop.a"))
    assert (project.state.resources, fake.deprovisioned) == ({}, [])


async def test_needs_are_those_of_the_last_run(world: MakeWorld) -> None:
    fake = Fake(gives)
    project = world(chain("z", "a"), thing=fake)
    await project.run().run()
    assert project.state.needs == {uid("thing.default#shop.z"): {uid("thing.default#shop.a")}}
    project.state.workloads["shop"].spec["resources"]["z"].pop("params")
    await project.run().run()
    assert project.state.needs == {}


@pytest.mark.parametrize(
    "spec", [StaticSpec(values={"out": "x"}), InProcessSpec(source="x", makes_nothing=True)]
)
async def test_what_makes_nothing_keeps_nothing_else(
    world: MakeWorld, spec: ProvisionerSpec
) -> None:
    project = world(chain("z", "a"))
    definition = ProvisionerDefinition(id="p", resource_type="thing", spec=spec)
    project.registry = Registry((definition,), plugins={"p": Fake(gives)})
    await project.run().run()
    assert project.state.needs == {}


async def test_a_failed_one_repeats_no_secret(world: MakeWorld) -> None:
    def answer(request: ProvisionRequest) -> ProvisionResult:
        result = ProvisionResult(
            values={}, secrets={"deep": [{"key": "sesame", "pin": 5432123}]}, state={"a": 1}
        )
        if request.state:
            raise ProvisionIncomplete("no sesame 5432123", uid=str(request.uid), result=result)
        return result

    project = world({"a": {"type": "thing"}}, thing=Fake(answer))
    await project.run().run()
    with pytest.raises(ProvisionFailed) as raised:
        await of(project).all(set(project.state.resources))
    told = f"{raised.value} {project.events}"
    assert not [secret for secret in ("sesame", "5432123") if secret in told]


async def test_what_the_code_of_a_package_does_wrong_keeps_one_resource(world: MakeWorld) -> None:
    def leave(request: ProvisionRequest) -> ProvisionResult:
        if len(fake.requests) > 1:
            raise ConnectionError("gone")
        return gives(request)

    fake = Fake(leave)
    package = InProcessProvisioner(id="p-bad", uses_shared=None, plugin=fake)
    w = world({"bad": {"type": "bad"}, "good": {"type": "good"}}, bad=package, good=Fake(gives))
    await w.run().run()
    with pytest.raises(ResourceError, match="'p-bad': ConnectionError: gone"):
        await of(w).all(tuple(w.state.resources))
    assert list((await w.saved()).resources) == [uid("bad.default#shop.bad")]
