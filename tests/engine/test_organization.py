"""Which organization apps belong to: answered in one way, once a run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from attrs import evolve

from fly_emulator.settings import Organization, Principal
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.operations.scale import ScaleRequest, scale
from score_flyio.engine.session import open_session
from score_flyio.engine.target import EmulatorTarget
from score_flyio.events import Event, EventLog, WarningRaised
from tests.engine.lab import QUICK, Lab, LabProject, score, toml

ORGANIZATIONS = (
    Organization(slug="personal", name="Personal"),
    Organization(slug="acme", name="Acme", number=2),
)
OF_ACME = {"emulated": Principal(organizations=frozenset({"acme"}))}
MACHINE_MB = 256


def lab_of_acme(**settings: object) -> Lab:
    """The token is for `acme` alone, and nobody says so."""
    lab = Lab.build(organizations=ORGANIZATIONS, tokens=OF_ACME, **settings)
    lab.target = EmulatorTarget(emulator=lab.fly, org=None)
    return lab


def no_room(events: Sequence[Event]) -> list[str]:
    return [e.message for e in events if isinstance(e, WarningRaised) and e.code == "no_room"]


async def scaled(lab: Lab, count: int) -> list[Event]:
    events: list[Event] = []
    project = LabProject(Path("/nowhere"), lab.store, databases=lab.databases)
    log = EventLog(lab.clock.time, events.append)
    assert lab.target is not None
    async with open_session(project, lab.target, log, clock=lab.clock) as session:
        request = ScaleRequest(counts={None: count}, options=QUICK)
        await scale(session, AppRef(app="web"), request)
    lab.fly.advance()
    return events


async def test_deploy_and_scale_ask_for_room_in_the_apps_own_organization() -> None:
    lab = lab_of_acme(region_hosts={"iad": 1}, host_memory_mb=12 * MACHINE_MB)
    await lab.deploy(toml())
    assert lab.fly.world.apps["web"].organization == "acme"
    assert no_room(await scaled(lab, 10)) == []
    bluegreen = await lab.deploy(toml(image="nginx:2"), options=evolve(QUICK, strategy="bluegreen"))
    assert len(no_room(bluegreen.events)) == 1
    assert no_room(await scaled(lab, 20)) == no_room(bluegreen.events)


async def test_many_new_apps_ask_once_which_organization_they_belong_to() -> None:
    lab = lab_of_acme()
    done = await lab.deploy(*(score(f"web{number}") for number in range(8)))
    assert done.code == 0, done.text
    assert len(done.of("CurrentToken_show")) == 1
    assert {app.organization for app in lab.fly.world.apps.values()} == {"acme"}
