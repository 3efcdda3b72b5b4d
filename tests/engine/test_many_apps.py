"""Runs over very many apps: what lists of the organization tell is not asked for one by one."""

from __future__ import annotations

from collections import Counter

import pytest

from fly_machines import models
from score_flyio.deploy.execution.meeting import WHY
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.session import VERY_MANY
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import Done, Lab, toml

NAMES = [f"w{number}" for number in range(VERY_MANY)]


async def made(lab: Lab) -> None:
    """The apps are there, and empty."""
    async with lab.engine() as engine:
        for name in NAMES:
            request = models.CreateAppRequest(name=name, org_slug="personal")
            await engine.client.api.apps_create(request)


def apps() -> list[FlyTomlApp]:
    return [toml(app=name) for name in NAMES]


def lists(done: Done) -> Counter[str]:
    """How often the machines of each app were listed before its first one was made."""
    found: Counter[str] = Counter()
    begun: set[str] = set()
    for call in done.calls:
        app = call.path.split("/")[3] if call.path.startswith("/v1/apps/") else ""
        begun |= {app} if call.operation == "Machines_create" else set()
        if call.operation == "Machines_list" and app not in begun:
            found[app] += 1
    return found


async def test_empty_apps_are_told_by_two_lists_of_the_organization() -> None:
    lab = Lab.build()
    await made(lab)
    done = await lab.deploy(*apps())
    assert done.code == 0, done.text
    assert lists(done) == {}
    assert len(done.of("Machines_org_list")) == 1
    assert {len(lab.machines(name)) for name in NAMES} == {2}


@pytest.mark.parametrize(
    ("faults", "settings"),
    [
        ("Machines_org_list: 403", {}),
        ("Apps_list: 403", {}),
        ("", {"organization_lists_lag": 0.0}),
    ],
)
async def test_an_app_whose_machines_are_not_told_is_asked_itself(
    faults: str, settings: dict[str, float]
) -> None:
    lab = Lab.build(**settings)
    await made(lab)
    await lab.deploy(toml(app=NAMES[0]))
    lab.store = InMemoryStore(ProjectState.new(""))
    done = await lab.deploy(*apps(), faults=faults)
    assert done.code == 0, done.text
    asked = NAMES if faults else NAMES[:1]
    assert lists(done) == dict.fromkeys(asked, 1)
    assert {len(lab.machines(name)) for name in NAMES} == {2}


async def test_a_launch_that_both_lists_do_not_show_yet_is_met() -> None:
    lab = Lab.build(organization_lists_lag=600.0)
    await made(lab)
    await lab.deploy(toml(app=NAMES[0]))
    first = [machine.id for machine in lab.machines(NAMES[0])]
    lab.fly.world.apps[NAMES[0]].deployed = False
    lab.store = InMemoryStore(ProjectState.new(""))
    done = await lab.deploy(*apps())
    assert done.code == 0, done.text
    assert [machine.id for machine in lab.machines(NAMES[0])] == first
    assert any(WHY in str(event) for event in done.events)
    assert {len(lab.machines(name)) for name in NAMES} == {2}
    lab.check_clean()


async def test_what_a_run_remembers_of_an_app_is_not_left_to_lists_that_lag() -> None:
    lab = Lab.build(organization_lists_lag=600.0)
    await made(lab)
    await lab.deploy(toml(app=NAMES[0]))
    lab.fly.world.apps[NAMES[0]].deployed = False
    done = await lab.deploy(*apps())
    assert lists(done) == {NAMES[0]: 1}
    assert {len(lab.machines(name)) for name in NAMES} == {2}
