"""Earlier releases, found and brought back with their exact images, from Fly alone."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import HISTORY
from score_flyio.deploy.releases.in_metadata import past_releases
from score_flyio.engine.operations.apps import AppRef, observe
from score_flyio.engine.operations.releases import AppReleases, list_releases
from score_flyio.engine.operations.rollback import rollback
from score_flyio.engine.operations.scale import ScaleRequest, scale
from score_flyio.engine.project import Project
from score_flyio.engine.session import Session, open_session
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import UsageError
from score_flyio.events import Event, EventLog, WarningRaised
from score_flyio.state.deployments import DeploymentRecord, Release
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import QUICK, Lab, score, toml

REF = AppRef(app="web")
NOTHING = DeploymentRecord()
SICK = "EMULATE_HEALTHY = 'never'"
STRATEGIES = ["rolling", "immediate", "canary", "bluegreen"]


@asynccontextmanager
async def visit(
    lab: Lab, events: list[Event] | None = None, record: DeploymentRecord = NOTHING
) -> AsyncIterator[Session]:
    """A visit by a project that remembers `record` of the app, and nothing else."""
    state = ProjectState.new("")
    state.deployments["web"] = record
    heard = [] if events is None else events
    async with open_session(
        Project(Path("/nowhere"), InMemoryStore(state)),
        EmulatorTarget(emulator=lab.fly),
        EventLog(lab.clock.time, heard.append),
        clock=lab.clock,
        rng=random.Random(9),
    ) as session:
        yield session


async def listed(lab: Lab, record: DeploymentRecord = NOTHING) -> AppReleases:
    async with visit(lab, record=record) as session:
        return await list_releases(session, REF)


async def known(lab: Lab, record: DeploymentRecord = NOTHING) -> tuple[Release, ...]:
    """The releases, oldest first."""
    return (await listed(lab, record)).releases[::-1]


async def back(
    lab: Lab, to: int | None = None, record: DeploymentRecord = NOTHING
) -> tuple[int | None, list[Event]]:
    """Goes back; where to, and what was told."""
    await anyio.sleep(5)  # two programs know nothing of each other's limits
    events: list[Event] = []
    async with visit(lab, events, record) as session:
        change = await rollback(session, REF, to=to, options=QUICK)
    assert change.report is not None
    assert change.report.exit_code == 0, change.report.to_text()
    lab.fly.advance()
    return change.plan.release.back_to, events


async def scale_to(lab: Lab, count: int) -> None:
    await anyio.sleep(5)
    async with visit(lab) as session:
        change = await scale(session, REF, ScaleRequest(counts={None: count}, options=QUICK))
    assert change.report is not None
    assert change.report.exit_code == 0, change.report.to_text()
    lab.fly.advance()


async def by_flyctl(lab: Lab, version: int, image: str) -> None:
    """Another tool updates the machines; it keeps metadata that it does not know."""
    async with visit(lab) as session:
        for machine in (await observe(session, REF)).machines:
            assert machine.config is not None
            marks = {"fly_release_version": str(version), "fly_flyctl_version": "0.4.1"}
            config = evolve(
                machine.config,
                image=image,
                metadata={**(machine.config.metadata or {}), **marks},
            )
            await session.client.api.machines_update(
                "web", machine.id or "", models.UpdateMachineRequest(config=config)
            )
    lab.fly.advance()


def move_tag(lab: Lab, image: str = "nginx:1") -> None:
    lab.fly.world.registries.push(image)


def variables(lab: Lab, name: str = "A") -> set[str]:
    return {machine.config["env"][name] for machine in lab.machines()}


async def saved(lab: Lab) -> ProjectState:
    state = await lab.store.load()
    assert state is not None
    return state


async def lose_state(lab: Lab) -> None:
    before = await saved(lab)
    state = ProjectState.new("")
    state.provisioners = before.provisioners
    lab.store = InMemoryStore(state)


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_every_strategy_remembers(lab: Lab, strategy: str) -> None:
    digests: list[str] = []
    for number in "123":
        await lab.deploy(toml(strategy=strategy, env=f"A = '{number}'"))
        digests += lab.digests()
        move_tag(lab)
    assert len(set(digests)) == 3
    told = await listed(lab)
    found = told.releases[::-1]
    assert [(r.version, r.groups) for r in found] == [(1, ("app",)), (2, ("app",)), (3, ("app",))]
    assert told.machines == {3: 2}
    assert [r.image for r in found] == [f"nginx@{digest}" for digest in digests]
    times = [r.at or 0.0 for r in found]
    assert times == sorted(times)
    assert times[0] > lab.clock.time() - 600
    assert (await back(lab, to=1))[0] == 1
    assert (lab.digests(), variables(lab)) == ({digests[0]}, {"1"})
    assert (await back(lab, to=3))[0] == 3
    assert (lab.digests(), variables(lab)) == ({digests[2]}, {"3"})
    assert [r.version for r in await known(lab)] == [1, 2, 3, 4, 5]
    lab.check_clean()


async def test_the_state_and_fly_agree(lab: Lab) -> None:
    for number in "123":
        await lab.deploy(toml(env=f"A = '{number}'"))
        move_tag(lab)
    record = (await saved(lab)).deployments["web"]
    with_state, without = await known(lab, record), await known(lab)
    assert [(r.version, r.image, r.groups) for r in with_state] == [
        (r.version, r.image, r.groups) for r in without
    ]
    assert [r.at for r in with_state] == [release.at for release in record.releases]
    assert {r.sources for r in with_state} == {("state", "machines", "versions")}


async def test_an_image_that_stays_does_not_follow_its_tag(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    move_tag(lab)
    await lab.deploy(toml(env="A = '2'", image="nginx:1"))
    before = lab.digests()
    await lab.deploy(toml(env="A = '3'", image=f"nginx@{next(iter(before))}"))
    move_tag(lab)
    assert (await back(lab, to=2))[0] == 2
    assert (lab.digests(), variables(lab)) == (before, {"2"})


async def test_a_failed_deploy_goes_back_to_the_very_image(lab: Lab) -> None:
    await lab.deploy(toml())
    before = lab.digests()
    move_tag(lab)
    done = await lab.deploy(toml(env=SICK))
    assert done.code == 3
    assert lab.digests() == before
    assert [r.version for r in await known(lab)] == [1]  # what was undone is no release
    lab.check_clean()


async def test_new_machines_are_of_the_release_of_their_group(lab: Lab) -> None:
    for number in "12":
        await lab.deploy(toml(env=f"A = '{number}'"))
    releases = await known(lab)
    digests = lab.digests()
    move_tag(lab)
    old = {machine.id for machine in lab.machines()}
    await scale_to(lab, 5)
    assert lab.digests() == digests
    for machine in list(lab.machines()):
        if machine.id in old:
            lab.fly.world.forget_machine(machine)
    found = await known(lab)
    assert [(r.version, r.image) for r in found] == [(r.version, r.image) for r in releases]
    assert (await back(lab))[0] == 1
    assert variables(lab) == {"1"}


async def test_machines_that_take_over_remember(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    await lab.deploy(toml(env="A = '2'"))
    first = lab.machines()[0]
    lab.fly.world.hosts[first.host].status = "unreachable"
    await lab.deploy(toml(env="A = '3'"))
    assert first.id not in {machine.id for machine in lab.machines()}
    for machine in lab.machines():
        assert [r.version for r in await known(lab)] == [1, 2, 3]
        lab.fly.world.forget_machine(machine)  # so that the next look sees the other one alone


async def test_what_another_tool_deployed_in_between(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    await lab.deploy(toml(env="A = '2'"))
    await by_flyctl(lab, 3, "nginx:3")
    digests = lab.digests()
    await lab.deploy(toml(env="A = '4'"))
    record = (await saved(lab)).deployments["web"]
    assert [r.version for r in record.releases] == [1, 2, 4]
    found = await known(lab, record)
    assert [(r.version, r.sources) for r in found] == [
        (1, ("state", "machines", "versions")),
        (2, ("state", "versions")),
        (3, ("machines", "versions")),
        (4, ("state", "machines", "versions")),
    ]
    move_tag(lab, "nginx:3")
    assert (await back(lab, to=3, record=record))[0] == 3
    assert lab.digests() == digests


async def test_a_tag_without_a_digest_is_told(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    await by_flyctl(lab, 2, "nginx:2")
    to, events = await back(lab)
    (warning,) = [event for event in events if isinstance(event, WarningRaised)]
    assert to == 1
    assert (warning.code, "nginx:1" in warning.message) == ("digest_unknown", True)
    assert not [e for e in (await back(lab, to=2))[1] if isinstance(e, WarningRaised)]


async def test_a_config_that_was_too_large_is_told(lab: Lab) -> None:
    content = random.Random(1).randbytes(20_000).hex()
    large = f"[[files]]\nguest_path = '/f'\nraw_value = '{content}'"
    await lab.deploy(toml(large, strategy="bluegreen"))
    await lab.deploy(toml(strategy="bluegreen"))
    found = await known(lab)
    assert [r.version for r in found] == [1, 2]
    assert "@sha256:" in found[0].image
    with pytest.raises(UsageError, match="release 1 was in group app is not known") as caught:
        await back(lab, to=1)
    assert caught.value.hint == "deploy the files of that release again"
    record = (await saved(lab)).deployments["web"]
    assert (await back(lab, to=1, record=record))[0] == 1
    assert all(machine.config["files"] for machine in lab.machines())


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_platform_that_takes_no_history(strategy: str) -> None:
    lab = Lab.build(longest_metadata=100)
    await lab.deploy(toml(strategy=strategy, env="A = '1'"))
    done = await lab.deploy(toml(strategy=strategy, env="A = '2'"))
    assert done.code == 0, done.text
    warnings = [event for event in done.events if isinstance(event, WarningRaised)]
    assert [warning.code for warning in warnings] == ["history_refused"]
    assert len([call for call in done.calls if call.status == 400]) <= 8
    assert not any(HISTORY in machine.config["metadata"] for machine in lab.machines())
    assert variables(lab) == {"2"}
    lab.check_clean()


async def test_no_secret_is_carried(lab: Lab) -> None:
    for level in "123":
        await lab.deploy(score(secret=True, LEVEL=level))
    machines: list[Any] = [machine.config for machine in lab.machines()]
    assert all(HISTORY in config["metadata"] for config in machines)
    async with visit(lab) as session:
        observed = await observe(session, REF)
        carried = [past_releases(machine) for machine in observed.machines]
    assert carried
    assert "s3cr3t" not in str(carried)


# --- a lost state


async def test_a_lost_state_is_made_anew_from_fly(lab: Lab) -> None:
    for number in "123":
        await lab.deploy(toml(env=f"A = '{number}'"))
        move_tag(lab)
    before = (await saved(lab)).deployments["web"]
    await lose_state(lab)
    done = await lab.deploy(toml(env="A = '3'"))
    assert (done.code, done.changes) == (0, [])
    assert done.report is not None
    assert done.report.outcome == "unchanged"
    after = (await saved(lab)).deployments["web"]
    assert [(r.version, r.image, set(r.configs)) for r in after.releases] == [
        (r.version, r.image, set(r.configs)) for r in before.releases
    ]
    assert (await back(lab, record=after))[0] == 2
    assert variables(lab) == {"2"}


async def test_secrets_are_set_again_and_machines_run_on(lab: Lab) -> None:
    await lab.deploy(score(secret=True))
    before = [machine.instance_id for machine in lab.machines()]
    await lose_state(lab)
    done = await lab.deploy(score(secret=True))
    changes = [change for change in done.changes if "lease" not in change]
    assert (done.code, changes) == (0, ["Secrets_update"])
    assert [machine.instance_id for machine in lab.machines()] == before
    state = await saved(lab)
    assert [r.version for r in state.deployments["web"].releases] == [1]
    assert set(state.deployments["web"].secrets) == {"PASSWORD"}
    assert (await lab.deploy(score(secret=True))).changes == []


async def test_another_value_of_a_secret_restarts_machines(lab: Lab) -> None:
    await lab.deploy(score(secret=True))
    before = {machine.instance_id for machine in lab.machines()}
    await lose_state(lab)
    lab.databases.password = "s3cr3t-other-value"
    await lab.deploy(score(secret=True))
    assert before.isdisjoint(machine.instance_id for machine in lab.machines())
    assert [r.version for r in (await saved(lab)).deployments["web"].releases] == [1, 2]


async def test_nothing_is_made_twice(lab: Lab) -> None:
    text = "[[mounts]]\nsource = 'data'\ndestination = '/data'"
    await lab.deploy(toml(text), toml(app="other"))
    await scale_to(lab, 3)
    await lose_state(lab)
    done = await lab.deploy(toml(text), toml(app="other"))
    assert (done.code, done.changes) == (0, [])
    assert len(lab.machines()) == 3
    assert len(lab.machines("other")) == 2


async def test_what_the_state_knows_stays_as_it_is(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    await lab.deploy(toml(env="A = '2'"))
    await lose_state(lab)
    await lab.deploy(toml(env="A = '3'"))
    known_now = (await saved(lab)).deployments["web"].releases
    assert [r.version for r in known_now] == [1, 2, 3]
    await lab.deploy(toml(env="A = '3'"))
    assert (await saved(lab)).deployments["web"].releases == known_now


async def test_volumes_come_back_with_their_machines(lab: Lab) -> None:
    def mounted(path: str) -> Any:
        return toml(f"[[mounts]]\nsource = 'data'\ndestination = '{path}'")

    await lab.deploy(mounted("/one"))
    await lab.deploy(mounted("/two"))
    await scale_to(lab, 2)
    volumes = [machine.config["mounts"][0]["volume"] for machine in lab.machines()]
    assert (await back(lab))[0] == 1
    mounts = [machine.config["mounts"][0] for machine in lab.machines()]
    assert [mount["path"] for mount in mounts] == ["/one", "/one"]
    assert [mount["volume"] for mount in mounts] == volumes
    lab.check_clean()


async def test_what_others_deployed_last_is_gone_back_to(lab: Lab) -> None:
    """The state knows releases before and after it; what was cut short does not count."""
    told = evolve(QUICK, release_record=True, on_failure="keep")
    await lab.deploy(toml(env="A = '1'"), options=told)
    record = (await saved(lab)).deployments["web"]
    other = Lab(lab.fly, lab.clock, InMemoryStore(ProjectState.new("")), runs=1000)
    await other.deploy(toml(env="A = '2'"), options=told)
    assert (await other.deploy(toml(env=SICK), options=told)).code == 3
    await other.deploy(toml(env="A = '4'"), options=told)
    to, events = await back(lab, record=record)
    assert to == 2
    assert not [event for event in events if isinstance(event, WarningRaised)]
    assert variables(lab) == {"2"}


async def test_what_was_cut_short_is_not_gone_back_to_without_a_state(lab: Lab) -> None:
    told = evolve(QUICK, release_record=True, on_failure="keep")
    await lab.deploy(toml(env="A = '1'"), options=told)
    assert (await lab.deploy(toml(env=SICK), options=told)).code == 3
    await lab.deploy(toml(env="A = '3'"), options=told)
    assert (await back(lab))[0] == 1
    assert variables(lab) == {"1"}


async def test_what_nobody_knows_the_end_of_is_passed_over_and_told(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    record = (await saved(lab)).deployments["web"]
    for level in (2, 3, 4):
        await lab.deploy(toml(env=f"A = '{level}'"))
    to, events = await back(lab, record=record)
    assert to == 1
    (warning,) = [event for event in events if isinstance(event, WarningRaised)]
    assert warning.code == "releases_passed_over"
    assert "release 1, over 2, 3: nobody knows" in warning.message


async def test_a_rollback_that_somebody_finished_is_not_repeated_in_silence(lab: Lab) -> None:
    """Who does not remember it takes it for one that was cut short, and finds nothing left."""
    await lab.deploy(toml(env="A = '1'"))
    await lab.deploy(toml(env="A = '2'"))
    record = (await saved(lab)).deployments["web"]
    await back(lab, to=1)
    to, events = await back(lab, record=record)
    assert (to, variables(lab)) == (1, {"1"})
    (warning,) = [event for event in events if isinstance(event, WarningRaised)]
    assert warning.code == "rollback_repeated"
    assert "release 3 went back to release 1 already" in warning.message
    assert "--to 2 goes back to release 2" in warning.message


@pytest.mark.parametrize("deploys", [1, 2, 3])
async def test_releases_of_an_app_that_was_there_before_are_forgotten(
    lab: Lab, deploys: int
) -> None:
    """Others destroyed it and made it anew: numbers begin again, also those that a state has."""
    await lab.deploy(toml(env="A = 'old 1'"))
    await lab.deploy(toml(env="A = 'old 2'"))
    old = lab.store
    other = Lab(lab.fly, lab.clock, InMemoryStore(ProjectState.new("")), runs=1000)
    async with other.engine() as engine:
        await engine.destroy("web")
    for number in range(deploys):
        done = await other.deploy(toml(env=f"A = 'new {number}'"))
        assert done.code == 0, done.text
    lab.store = old
    record = (await saved(lab)).deployments["web"]
    assert [r.version for r in (await known(lab, record))] == [*range(1, deploys + 1)]
    if deploys == 1:
        with pytest.raises(UsageError, match="no earlier release"):
            await back(lab, record=record)
    else:
        await back(lab, record=record)
        assert variables(lab) == {f"new {deploys - 2}"}
    await lab.deploy(toml(env="A = 'newer'"))
    remembered = (await saved(lab)).deployments["web"].releases
    assert not any("old" in str(release.configs) for release in remembered)
