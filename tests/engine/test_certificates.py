"""A workload that asks for a name of its own gets a certificate for it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from fly_emulator import Emulator, EmulatorSettings, Faults, parse_faults
from score_flyio.base.clock import EventLoopClock
from score_flyio.base.secret import Secret
from score_flyio.deploy.model import OwnCertificate
from score_flyio.engine.engine import Engine
from score_flyio.engine.inputs import ScoreApp
from score_flyio.engine.project import Project
from score_flyio.engine.target import EmulatorTarget
from score_flyio.state.model import ProjectState
from score_flyio.state.resources import ProvisionerDefinition, StaticSpec
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import QUICK, Lab, toml

SETTINGS = EmulatorSettings(boot=0.1, healthy_after=0.1)


def workload(kind: str) -> ScoreApp:
    document: dict[str, Any] = {
        "apiVersion": "score.dev/v1b1",
        "metadata": {"name": "web"},
        "containers": {"main": {"image": "nginx"}},
        "service": {"ports": {"http": {"port": 80, "targetPort": 8080}}},
        "resources": {"name": {"type": kind}},
    }
    return ScoreApp.from_document(document, "score.yaml")


async def deploys(host: str, kind: str = "route", faults: Faults | None = None) -> list[Any]:
    """Deploys twice; gives the certificates asked for, and the changes of the second run."""
    state = ProjectState.new("p-")
    state.provisioners = (
        ProvisionerDefinition(
            id="names", resource_type=kind, spec=StaticSpec(values={"host": host})
        ),
    )
    clock = EventLoopClock()
    async with Emulator(SETTINGS, clock=clock, faults=faults) as emulator:
        project = Project(Path(), InMemoryStore(state))
        target = EmulatorTarget(emulator=emulator)
        async with Engine(
            project, target=target, clock=clock, rng=random.Random(1), write_files=False
        ) as engine:
            for _ in range(2):
                before = len(emulator.journal.entries)
                async with engine.deploy([workload(kind)], QUICK):
                    pass
            listed = await engine.client.api.app_certificates_list("p-web")
            plan = await engine.plan([workload(kind)], QUICK)
        again = [e.method for e in emulator.journal.entries[before:] if e.method != "GET"]
    names = [each.hostname for each in listed.certificates or []]
    return [names, again, plan.empty]


@pytest.mark.parametrize("kind", ["route", "dns"])
@pytest.mark.parametrize("host", ["shop.example.com", "Shop.Example.COM", "shop.example.com."])
async def test_a_name_of_its_own_gets_a_certificate_once(kind: str, host: str) -> None:
    assert await deploys(host, kind) == [["shop.example.com"], [], True]


@pytest.mark.parametrize("host", ["p-web.fly.dev", "P-Web.Fly.dev"])
async def test_names_of_the_platform_need_none(host: str) -> None:
    assert await deploys(host) == [[], [], True]


@pytest.mark.parametrize("spelling", ["shop.example.com", "SHOP.example.com"])
async def test_a_host_name_is_the_same_however_it_is_spelt(lab: Lab, spelling: str) -> None:
    await lab.deploy(toml())
    async with lab.engine() as engine:
        await engine.add_certificate("web", "Shop.Example.com")
        again = await engine.add_certificate("web", spelling)
        assert not again.plan.steps
        assert (await engine.certificate("web", spelling, check=True)).configured
        await engine.remove_certificate("web", spelling)
        assert await engine.certificates("web") == ()


PEM = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("failure", ["lost", "503", "503 after", "408", "html", "hang after"])
async def test_an_own_certificate_is_given_again_after_a_doubtful_answer(
    lab: Lab, failure: str
) -> None:
    await lab.deploy(toml())
    lab.fly.faults = parse_faults(f"App_Certificates_custom_create: {failure} times=1")
    own = OwnCertificate(fullchain=PEM, private_key=Secret(PEM))
    async with lab.engine() as engine:
        await engine.add_certificate("web", "shop.example.com", own)
        found = await engine.certificate("web", "shop.example.com")
    assert found.sources == ("custom",)


async def test_a_lost_answer_leaves_one_certificate() -> None:
    faults = parse_faults("App_Certificates_acme_create: lost times=1", 1)
    assert await deploys("shop.example.com", faults=faults) == [["shop.example.com"], [], True]


async def test_a_shared_name_gets_its_certificate_in_the_app_that_it_leads_to() -> None:
    shared = {"type": "dns", "id": "shop"}
    route = {"type": "route", "params": {"host": "${resources.name.host}", "path": "/"}}
    documents = [
        workload("dns").loaded.document
        | {"metadata": {"name": name}, "resources": {"name": shared, **more}}
        for name, more in (("api", {}), ("web", {"way": route}))
    ]
    inputs = [ScoreApp.from_document(each, f"{n}.yaml") for n, each in enumerate(documents)]
    state = ProjectState.new("p-")
    host = StaticSpec(values={"host": "shop.example.com"})
    state.provisioners = (ProvisionerDefinition(id="names", resource_type="dns", spec=host),)
    clock = EventLoopClock()
    async with Emulator(SETTINGS, clock=clock) as emulator:
        target = EmulatorTarget(emulator=emulator)
        async with Engine(
            Project(Path(), InMemoryStore(state)), target=target, clock=clock, write_files=False
        ) as engine:
            async with engine.deploy(inputs, QUICK):
                pass
            listed = {}
            for app in ("p-api", "p-web"):
                found = await engine.client.api.app_certificates_list(app)
                listed[app] = [each.hostname for each in found.certificates or []]
            plan = await engine.plan(inputs, QUICK)
    assert listed == {"p-api": [], "p-web": ["shop.example.com"]}
    assert plan.empty
