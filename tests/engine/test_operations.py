"""Operations whose calls fail or that are cut short, done once more as a user would."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest
from attrs import evolve

from fly_emulator import Faults, parse_faults
from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.metadata import COUNTED, HISTORY
from score_flyio.deploy.options import DeployOptions, GuestOptions
from score_flyio.deploy.step import UpdateMachine
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.operations.certificates import add_certificate, remove_certificate
from score_flyio.engine.operations.destroy import destroy
from score_flyio.engine.operations.rollback import rollback
from score_flyio.engine.operations.scale import ScaleRequest, scale
from score_flyio.engine.operations.secrets import change_secrets
from score_flyio.engine.session import Session, open_session
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import PlanError, UsageError
from score_flyio.events import EventLog
from tests.engine.lab import QUICK, Lab, LabProject, toml

WEB = AppRef(app="web")
KEEP = evolve(QUICK, on_failure="keep")
LARGER = ScaleRequest(
    guest=GuestOptions(memory="512mb"), options=evolve(KEEP, strategy="bluegreen")
)
SECOND_UPDATE_FAILS = "Machines_update:422 skip=1 times=1"
VOLUME = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'
GROUPS = "[processes]\napp = 'serve'\nworker = 'work'\n"


@asynccontextmanager
async def visit(lab: Lab) -> AsyncIterator[Session]:
    await anyio.sleep(5)
    async with open_session(
        LabProject(Path("/nowhere"), lab.store, databases=lab.databases),
        EmulatorTarget(emulator=lab.fly),
        EventLog(lab.clock.time),
        clock=lab.clock,
    ) as session:
        yield session


async def roll_back(
    lab: Lab, *, to: int | None = None, options: DeployOptions = KEEP
) -> int | None:
    """Gives the release that it goes back to."""
    async with visit(lab) as session:
        change = await rollback(session, WEB, to=to, options=options)
    return change.plan.release.back_to


async def remembered(lab: Lab) -> dict[int, list[str]]:
    """The groups of each release that the state knows."""
    state = await lab.store.load()
    assert state is not None
    return {r.version: sorted(r.configs) for r in state.deployments["web"].releases}


async def forget_last_release(lab: Lab) -> None:
    """As if the run had been killed before it could remember what it made."""
    state = await lab.store.load()
    assert state is not None
    record = state.deployments["web"]
    state.deployments["web"] = evolve(record, releases=record.releases[:-1])
    await lab.store.save(state)


def numbers(lab: Lab) -> list[str]:
    """Which of the versions each machine runs."""
    return [machine.config["env"]["A"] for machine in lab.machines()]


async def two_releases(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    await lab.deploy(toml(env="A = '2'"))
    assert numbers(lab) == ["2", "2"]


async def test_an_interrupted_rollback_goes_on_where_it_ended(lab: Lab) -> None:
    await two_releases(lab)
    lab.fly.faults = parse_faults(SECOND_UPDATE_FAILS)
    assert await roll_back(lab) == 1
    assert sorted(numbers(lab)) == ["1", "2"]
    lab.fly.faults = Faults()
    assert await roll_back(lab) == 1
    assert numbers(lab) == ["1", "1"]
    assert await roll_back(lab) == 2


async def test_a_rollback_that_was_not_remembered_is_not_undone(lab: Lab) -> None:
    await two_releases(lab)
    await roll_back(lab)
    await forget_last_release(lab)
    assert await roll_back(lab) == 1
    assert numbers(lab) == ["1", "1"]
    assert list(await remembered(lab)) == [1, 2, 3]
    assert await roll_back(lab) == 2


async def test_a_later_release_is_no_rollback(lab: Lab) -> None:
    await two_releases(lab)
    await roll_back(lab)
    await lab.deploy(toml(env="A = '4'"))
    await forget_last_release(lab)
    assert await roll_back(lab) == 3


async def test_numbers_go_on_where_all_machines_are_gone(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    await scale_to(lab, LARGER)
    await scale_to(lab, ScaleRequest(counts={"app": 0}, options=KEEP))
    await lab.deploy(toml(env="A = '2'"))
    assert list(await remembered(lab)) == [1, 2, 3]
    assert await roll_back(lab) == 2
    assert [machine.config["guest"]["memory_mb"] for machine in lab.machines()] == [512, 512]
    assert numbers(lab) == ["1", "1"]


async def test_destroying_what_is_left_takes_no_number(lab: Lab) -> None:
    """A change of size that was killed when its machines served and an old one was left."""
    await lab.deploy(toml(env="A = '1'"))
    lab.fly.faults = parse_faults("Machines_delete:422 times=1")
    await scale_to(lab, LARGER)
    lab.fly.faults = Faults()
    assert len(lab.machines()) == 3
    assert list(await remembered(lab)) == [1]
    await scale_to(lab, LARGER)
    assert len(lab.machines()) == 2
    assert list(await remembered(lab)) == [1, 2]
    await lab.deploy(toml(env="A = '2'"))
    assert list(await remembered(lab)) == [1, 2, 3]
    assert await roll_back(lab) == 2
    assert [machine.config["guest"]["memory_mb"] for machine in lab.machines()] == [512, 512]


async def test_rollback_leaves_out_a_release_that_came_to_no_end(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '1'"))
    await lab.deploy(toml(env="A = '2'"), options=KEEP, faults=SECOND_UPDATE_FAILS)
    assert sorted(numbers(lab)) == ["1", "2"]
    await lab.deploy(toml(env="A = '2'"))
    assert await roll_back(lab) == 1
    assert numbers(lab) == ["1", "1"]


@pytest.mark.parametrize("cut", [("times=1",), ("times=1", "times=4")])
async def test_a_launch_that_was_cut_short_is_nothing_to_go_back_to(
    lab: Lab, cut: tuple[str, ...]
) -> None:
    for times in cut:
        half = await lab.deploy(toml(GROUPS), options=KEEP, faults=f"Machines_create:422 {times}")
        assert half.code == 1
    assert len({m.config["metadata"]["fly_process_group"] for m in lab.machines()}) == 1
    assert (await lab.deploy(toml(GROUPS))).code == 0
    whole = {machine.id for machine in lab.machines()}
    assert len(whole) == 4
    with pytest.raises(UsageError, match="no earlier release"):
        await roll_back(lab)
    await lab.deploy(toml(GROUPS, env="A = '2'"))
    await roll_back(lab)
    assert numbers(lab) == ["1"] * 4
    assert {machine.id for machine in lab.machines()} == whole


async def test_a_deploy_remembers_what_one_before_it_could_not(lab: Lab) -> None:
    await two_releases(lab)
    await forget_last_release(lab)
    assert (await lab.deploy(toml(env="A = '2'"))).changes == []
    assert list(await remembered(lab)) == [1, 2]


async def test_groups_that_an_interrupted_deploy_changed_belong_to_the_release(lab: Lab) -> None:
    await lab.deploy(toml(GROUPS, env="A = '1'"))
    worker = lab.machines(group="worker")[0].id
    await lab.deploy(toml(GROUPS, env="A = '2'"), options=KEEP)
    await forget_last_release(lab)
    machine = lab.fly.world.machines[worker]
    machine.config["env"]["A"] = "1"
    await lab.deploy(toml(GROUPS, env="A = '2'"), options=KEEP)
    assert await remembered(lab) == {1: ["app", "worker"], 3: ["app", "worker"]}
    assert await roll_back(lab, to=3) == 3
    assert set(numbers(lab)) == {"2"}


async def test_a_certificate_whose_removal_was_not_answered(lab: Lab) -> None:
    await lab.deploy(toml())
    async with visit(lab) as session:
        await add_certificate(session, WEB, "a.test")
        lab.fly.faults = parse_faults("App_Certificates_delete:lost times=1")
        removed = await remove_certificate(session, WEB, "a.test")
    assert removed.report is not None
    assert removed.report.failures == ()
    assert lab.fly.world.apps["web"].certificates == {}


@pytest.mark.parametrize("seconds", [0.1, 20.0])
async def test_volumes_go_when_their_machines_are_really_gone(seconds: float) -> None:
    lab = Lab.build(destroy=seconds)
    await lab.deploy(toml(VOLUME))
    async with visit(lab) as session:
        destroyed = await destroy(session, [WEB])
    assert destroyed.report is not None
    assert destroyed.report.failures == ()
    assert "web" not in lab.fly.world.apps


async def handed_out(lab: Lab, **values: str | None) -> int:
    """How many machines start anew for secrets that are set (None: deleted) and handed out."""
    secrets = {name: None if value is None else Secret(value) for name, value in values.items()}
    async with visit(lab) as session:
        change = await change_secrets(session, WEB, secrets, options=KEEP)
    return sum(isinstance(step, UpdateMachine) for step in change.plan.steps)


async def stage(lab: Lab, name: str, value: str) -> None:
    async with visit(lab) as session:
        await change_secrets(session, WEB, {name: Secret(value)}, stage=True)


async def restart_by_secrets(lab: Lab) -> None:
    await handed_out(lab, TOKEN="s3cr3t-once")


async def restart_by_deploy(lab: Lab) -> None:
    await lab.deploy(toml(env="A = '9'"))


async def restart_by_rollback(lab: Lab) -> None:
    await roll_back(lab)


async def restart_by_size(lab: Lab) -> None:
    await scale_to(lab, ScaleRequest(guest=GuestOptions(memory="512mb"), options=KEEP))


async def scale_to(lab: Lab, request: ScaleRequest) -> None:
    async with visit(lab) as session:
        await scale(session, WEB, request)


@pytest.mark.parametrize("restart", [restart_by_deploy, restart_by_rollback, restart_by_size])
async def test_machines_that_saw_a_staged_secret_learn_that_it_is_gone(
    lab: Lab, restart: Callable[[Lab], Awaitable[None]]
) -> None:
    await two_releases(lab)
    assert await handed_out(lab) == 2
    assert await handed_out(lab) == 0
    await stage(lab, "TOKEN", "s3cr3t-once")
    await restart(lab)
    assert await handed_out(lab, TOKEN=None) == 2
    assert await handed_out(lab) == 0


async def test_what_is_set_again_as_it_was_restarts_nothing_that_has_it(lab: Lab) -> None:
    await lab.deploy(toml())
    assert await handed_out(lab, TOKEN="s3cr3t-once") == 2
    await anyio.sleep(3600)
    await restart_by_deploy(lab)
    assert await handed_out(lab, TOKEN="s3cr3t-once") == 0
    assert await handed_out(lab, TOKEN="s3cr3t-twice") == 2
    await stage(lab, "OTHER", "s3cr3t-else")
    assert await handed_out(lab, TOKEN="s3cr3t-twice") == 2


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
async def test_what_is_set_again_restarts_what_may_lack_it(lab: Lab, seconds: float) -> None:
    """It was set while the machines booted, or after that, and the command was killed."""
    await lab.deploy(toml())
    await anyio.sleep(seconds)
    async with lab.engine() as engine:
        update = models.AppSecretsUpdateRequest(values={"TOKEN": "s3cr3t-once"})
        await engine.session.client.api.secrets_update("web", update)
    assert await handed_out(lab, TOKEN="s3cr3t-once") == 2
    assert await handed_out(lab, TOKEN="s3cr3t-once") == 0


@pytest.mark.parametrize("change", ["rollback", "size", "secrets"])
async def test_a_machine_of_a_lost_host_is_told_before_anything_changes(
    lab: Lab, change: str
) -> None:
    operations = {"rollback": restart_by_rollback, "size": restart_by_size}
    await two_releases(lab)
    lost, _ = lab.machines()
    lab.fly.world.hosts[lost.host].status = "unreachable"
    first = len(lab.fly.journal.entries)
    with pytest.raises(PlanError, match=f"machine {lost.id}"):
        await operations.get(change, restart_by_secrets)(lab)
    sent = [e.operation for e in lab.fly.journal.entries[first:] if e.method != "GET"]
    assert sent == []


async def test_a_new_machine_learns_that_a_staged_secret_is_gone(lab: Lab) -> None:
    await lab.deploy(toml())
    await handed_out(lab)
    await stage(lab, "TOKEN", "s3cr3t-once")
    await scale_to(lab, ScaleRequest(counts={"app": 3}, options=KEEP))
    assert await handed_out(lab, TOKEN=None) == 1


async def test_a_deploy_keeps_the_count_after_an_unremembered_launch(lab: Lab) -> None:
    await lab.deploy(toml(service=False))
    assert [bool(m.config.get("standbys")) for m in lab.machines()] == [False, True]
    lab.machines()[0].config["metadata"].pop(COUNTED)
    await scale_to(lab, ScaleRequest(counts={"app": 1}, options=KEEP))
    assert (await lab.deploy(toml(service=False))).changes == []
    assert len(lab.machines()) == 1


async def test_there_is_nothing_to_go_back_to_where_no_release_was_different(lab: Lab) -> None:
    await two_releases(lab)
    await roll_back(lab)
    await roll_back(lab, to=2)
    state = await lab.store.load()
    assert state is not None
    record = state.deployments["web"]
    same = tuple(release for release in record.releases if release.version in {2, 4})
    state.deployments["web"] = evolve(record, releases=same)
    await lab.store.save(state)
    for machine in lab.machines():
        machine.versions = machine.versions[-1:]
        machine.config["metadata"].pop(HISTORY)
    with pytest.raises(UsageError, match="no earlier release") as caught:
        await roll_back(lab)
    assert caught.value.hint == "known releases: 2, 4; going back to 2 would change no machine"


async def test_going_back_again_changes_nothing_of_volumes(lab: Lab) -> None:
    await lab.deploy(toml(VOLUME, env="A = '1'"))
    await lab.deploy(toml(VOLUME, env="A = '2'"))
    await roll_back(lab)
    versions = [machine.instance_id for machine in lab.machines()]
    await roll_back(lab, to=1)
    assert [machine.instance_id for machine in lab.machines()] == versions


async def test_odd_scalars_in_configs_break_nothing() -> None:
    lab = Lab.build(spells_with_numbers=True)
    service = "auto_stop_machines = 'suspend'\nmin_machines_running = 0\n"
    service += "[[http_service.checks]]\ninterval = '15s'\npath = '/'\ngrace_period = '5s'\n"
    service += "[[vm]]\nmemory = '512mb'\n[checks.alive]\ntype = 'tcp'\nport = 1\ntimeout = '2s'\n"
    top = "kill_timeout = '30s'"
    app = toml(service, check=False, top=top)
    assert (await lab.deploy(app)).code == 0
    again = await lab.deploy(app)
    assert (again.code, again.changes) == (0, [])
    async with lab.engine() as engine:
        await engine.scale("web", ScaleRequest(counts={"app": 3}, options=QUICK))
    assert len(lab.machines()) == 3
    later = toml(service, check=False, top="kill_timeout = '31s'", image="nginx:2")
    async with lab.engine() as engine:
        (plan,) = (await engine.plan([later], QUICK)).apps
    updates = [step for step in plan.steps if isinstance(step, UpdateMachine)]
    assert {each.path for step in updates for each in step.differences} == {
        "image",
        "stop_config.timeout",
    }
    assert (await lab.deploy(later)).code == 0
