"""Addresses are decided on the first deploy, whoever made it; later ones leave them alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio import AppRef
from score_flyio.engine.inputs import ScoreApp
from tests.engine.lab import QUICK, Lab, score, toml

RAW = """
[[services]]
internal_port = 5000
protocol = "tcp"
[[services.ports]]
port = 5000
"""


def kinds(lab: Lab) -> list[str]:
    return sorted(address.type for address in lab.fly.world.apps["web"].ips)


@pytest.mark.parametrize("forget", [False, True])
async def test_a_private_app_stays_private(forget: bool) -> None:
    lab = Lab.build()
    first = await lab.deploy(toml(), options=evolve(QUICK, public_ips=False))
    assert first.report is not None
    assert (first.code, kinds(lab), first.report.apps[0].url) == (0, [], None)
    assert "https://" not in first.report.to_text()
    if forget:
        lab.store = Lab.build().store
    later = await lab.deploy(toml(env="A = '2'"))
    assert later.report is not None
    assert (later.code, kinds(lab), later.report.apps[0].url) == (0, [], None)
    assert any("ips allocate shared_v4" in note for note in later.report.apps[0].notes)


async def test_released_addresses_do_not_come_back() -> None:
    lab = Lab.build()
    first = await lab.deploy(toml())
    assert first.report is not None
    assert first.report.apps[0].url == "https://web.fly.dev/"
    assert kinds(lab) == ["shared_v4", "v6"]
    lab.fly.world.apps["web"].ips.clear()
    assert (await lab.deploy(toml(env="A = '2'"))).code == 0
    assert kinds(lab) == []


async def pair_of_egress(lab: Lab) -> str:
    """Addresses for its connections to the outside, which somebody gives the app."""
    async with lab.engine() as engine:
        asked = models.AssignIPRequest(type="egress_pair", region="iad")
        made = await engine.client.api.app_ip_assignments_create("web", asked)
    assert made.ip_pair is not None
    return made.ip_pair.v4 or ""


async def test_addresses_for_connections_to_the_outside_make_no_app_public() -> None:
    lab = Lab.build()
    await lab.deploy(toml(), options=evolve(QUICK, public_ips=False))
    leaving = await pair_of_egress(lab)
    later = await lab.deploy(toml(env="A = '2'"))
    assert later.report is not None
    assert (later.code, kinds(lab), later.report.apps[0].url) == (0, [], None)
    assert leaving not in later.text
    async with lab.engine() as engine:
        found = {address.type: address.ip for address in await engine.addresses("web")}
        (status,) = (await engine.status(AppRef(app="web"))).apps
        assert {address.type for address in status.addresses} == {"egress_v4", "egress_v6"}
        assert found["egress_v4"] == leaving
        await engine.release_address("web", leaving)
        assert [a.type for a in await engine.addresses("web")] == ["egress_v6"]


async def test_addresses_for_connections_to_the_outside_are_none_that_somebody_chose() -> None:
    """A workload that is to be public, with nothing to reach before, becomes so beside them."""
    lab = Lab.build()
    worker = ScoreApp.from_document(
        {
            "apiVersion": "score.dev/v1b1",
            "metadata": {"name": "web"},
            "containers": {"main": {"image": "nginx:1"}},
        },
        "web.yaml",
        directory=Path("/nowhere"),
    )
    await lab.deploy(worker)
    await pair_of_egress(lab)
    assert (await lab.deploy(score())).code == 0
    assert kinds(lab) == ["shared_v4", "v6"]


async def test_a_port_that_is_added_buys_nothing() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    later = await lab.deploy(toml(RAW))
    assert later.report is not None
    assert kinds(lab) == ["shared_v4", "v6"]
    assert any("ips allocate v4 --app web" in note for note in later.report.apps[0].notes)


async def test_an_interrupted_first_deploy_gets_its_addresses_from_the_next() -> None:
    lab = Lab.build()
    first = await lab.deploy(toml(), faults="App_IPAssignments_create: 422")
    assert first.code == 1
    assert (await lab.deploy(toml())).code == 0
    assert kinds(lab) == ["shared_v4", "v6"]


async def test_an_app_begun_anew_stays_private_though_its_launch_was_interrupted() -> None:
    """Only one of two machines is there, as after a first deploy without its addresses."""
    lab = Lab.build()
    await lab.deploy(toml())
    for machine in lab.machines():
        machine.state = "destroyed"
    lab.fly.world.apps["web"].ips.clear()
    cut = await lab.deploy(toml(), faults="Machines_create: 422 skip=1")
    assert (cut.code, len(lab.machines())) == (1, 1)
    again = await lab.deploy(toml())
    assert (again.code, len(lab.machines()), kinds(lab)) == (0, 2, [])


async def test_a_public_workload_begun_anew_gets_all_addresses_though_it_was_interrupted() -> None:
    lab = Lab.build()
    await lab.deploy(score())
    for machine in lab.machines():
        machine.state = "destroyed"
    lab.fly.world.apps["web"].ips.clear()
    cut = await lab.deploy(score(), faults="App_IPAssignments_create: 422 skip=1")
    assert (cut.code, len(kinds(lab))) == (1, 1)
    again = await lab.deploy(score())
    assert (again.code, kinds(lab)) == (0, ["shared_v4", "v6"])
    assert (await lab.deploy(score())).changes == []


async def test_a_release_command_waits_for_the_addresses() -> None:
    """Its machine makes the app one that was deployed, whose addresses count as decided."""
    lab = Lab.build()
    first = await lab.deploy(toml(release="migrate"), faults="App_IPAssignments_create: 422")
    assert (first.code, first.of("Machines_create")) == (1, [])
    assert (await lab.deploy(toml(release="migrate"))).code == 0
    assert kinds(lab) == ["shared_v4", "v6"]
