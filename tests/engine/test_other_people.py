"""What others did to an app meanwhile: staged secrets, machines of their own, machines at rest."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from attrs import evolve

from fly_emulator import parse_faults
from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.drift import drift
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.metadata import (
    CANARY,
    GROUP,
    PLATFORM,
    RELEASE_GROUP,
    RELEASE_ID,
    SAFE_TO_DESTROY,
    STANDS_FOR,
    TAG,
)
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted, observe_app
from score_flyio.deploy.options import DeployOptions, GuestOptions
from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.engine.operations.apps import AppRef
from score_flyio.engine.operations.status import AppStatus, app_status
from score_flyio.errors import DeployError
from score_flyio.events import Event, WarningRaised
from score_flyio.state.model import ProjectState
from score_flyio.state.store import InMemoryStore
from tests.engine.lab import QUICK, Lab, score, toml
from tests.unit.deploy.planning.plans import half_launched, launched, wanted


async def plan_notes(
    lab: Lab, app: FlyTomlApp, options: DeployOptions = QUICK
) -> tuple[list[str], list[str]]:
    """What a plan would do and what it tells beside that."""
    async with lab.engine() as engine:
        (plan,) = (await engine.plan([app], options)).apps
    return [step.describe() for step in plan.steps if step.mutates], list(plan.notes)


async def status(lab: Lab) -> AppStatus:
    async with lab.engine() as engine:
        (found,) = (await engine.status("web")).apps
    return found


async def stage(lab: Lab, **values: str) -> None:
    async with lab.engine() as engine:
        secrets = {name: Secret(value) for name, value in values.items()}
        await engine.change_secrets("web", secrets, stage=True)


async def change(lab: Lab, **values: Secret | None) -> None:
    async with lab.engine() as engine:
        await engine.change_secrets("web", values, options=QUICK)


def says(notes: Iterable[str], text: str) -> bool:
    return any(text in note for note in notes)


@pytest.mark.parametrize("kind", ["fly.toml", "score"])
async def test_staged_secrets_go_live_with_the_next_deploy(kind: str) -> None:
    lab = Lab.build()
    app = toml() if kind == "fly.toml" else score(secret=True)
    await lab.deploy(app)
    assert (await lab.deploy(app)).changes == []
    before = {machine.id: machine.instance_id for machine in lab.machines()}
    await stage(lab, LATER="soon")
    waiting = await status(lab)
    assert says(waiting.notes, "staged secrets wait for the next deploy: LATER")
    async with lab.engine() as engine:
        plan = await engine.plan([app], QUICK)
    assert says(plan.apps[0].notes, "LATER")
    assert not plan.empty
    done = await lab.deploy(app)
    assert done.code == 0, done.text
    assert len(done.of("Machines_update")) == 2
    assert all(machine.instance_id != before[machine.id] for machine in lab.machines())
    assert (await status(lab)).notes == ()
    assert (await lab.deploy(app)).changes == []


async def test_a_secret_that_was_staged_to_go_goes_with_the_next_deploy() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    async with lab.engine() as engine:
        await engine.change_secrets("web", {"LATER": Secret("soon")})
        await engine.change_secrets("web", {"LATER": None}, stage=True)
    assert len((await lab.deploy(toml())).of("Machines_update")) == 2
    assert (await lab.deploy(toml())).changes == []


@pytest.mark.parametrize("set_by", ["flyctl", "us"])
async def test_a_removal_that_was_cut_short_goes_on_with_the_next_deploy(set_by: str) -> None:
    """Of what is gone nothing else tells, so that the machines would keep it for good."""
    lab = Lab.build()
    await lab.deploy(toml())
    if set_by == "us":
        await change(lab, LATER=Secret("soon"))
    else:
        await stage_by_flyctl(lab, LATER="soon")
        await lab.deploy(toml(image="nginx:2"))
    lab.fly.faults = parse_faults("Machines_update:422 times=9")
    with pytest.raises(DeployError):
        await change(lab, LATER=None)
    lab.fly.faults = parse_faults("")
    assert says((await status(lab)).notes, "those that were removed")
    app = toml(image=lab.images()[0])
    assert len((await lab.deploy(app)).of("Machines_update")) == 2
    assert (await lab.deploy(app)).changes == []


async def test_a_machine_that_a_deploy_starts_keeps_no_note_of_staged_secrets() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    await change(lab, LATER=Secret("soon"))
    await stage(lab, OTHER="more")
    async with lab.engine() as engine:
        for machine in lab.machines():
            await engine.client.api.machines_stop("web", machine.id, models.StopRequest())
        await engine.change_secrets("web", {"LATER": None}, stage=True)
    assert (await lab.deploy(toml(), options=evolve(QUICK, start=True))).code == 0
    assert {machine.state for machine in lab.machines()} == {"started"}
    assert (await lab.deploy(toml())).changes == []


async def test_a_removal_that_nothing_stops_leaves_no_note() -> None:
    """Whether of a machine of now, or of one that went at that moment."""
    lab = Lab.build()
    await lab.deploy(toml())
    await change(lab, LATER=Secret("soon"))
    lab.fly.faults = parse_faults("Machines_upsert_metadata:404 times=1")
    await change(lab, LATER=None)
    assert (await status(lab)).notes == ()
    assert (await lab.deploy(toml())).changes == []


@pytest.mark.parametrize("times", [1, 100])
async def test_a_machine_that_takes_no_note_of_secrets_that_are_to_go_is_tried_again_and_told(
    times: int,
) -> None:
    """Somebody holds it, or Fly is at work on it."""
    lab = Lab.build()
    await lab.deploy(toml())
    async with lab.engine() as engine:
        await engine.change_secrets("web", {"LATER": Secret("soon")})
    events: list[Event] = []
    lab.fly.faults = parse_faults(f"Machines_upsert_metadata: 409 times={times}")
    async with lab.engine(events.append) as engine:
        await engine.change_secrets("web", {"LATER": None}, stage=True)
    told = {event.scope.machine for event in events if isinstance(event, WarningRaised)}
    assert told == (set() if times == 1 else {machine.id for machine in lab.machines()})
    assert len((await lab.deploy(toml())).of("Machines_update")) == (2 if times == 1 else 0)


async def test_what_replaces_a_machine_begins_without_the_secrets_that_were_staged_to_go() -> None:
    lab = Lab.build()
    await lab.deploy(toml(service=False))
    async with lab.engine() as engine:
        await engine.change_secrets("web", {"LATER": Secret("soon")})
        await engine.change_secrets("web", {"LATER": None}, stage=True)
    mounted = toml('[[mounts]]\nsource = "data"\ndestination = "/data"\n', service=False)
    done = await lab.deploy(mounted, options=evolve(QUICK, allow_destructive=True))
    assert (done.code, len(done.of("Machines_create"))) == (0, 1)
    assert (await lab.deploy(mounted)).changes == []


@pytest.mark.parametrize("handed_out_by", ["secrets", "deploy"])
async def test_a_secret_that_was_staged_to_go_goes_where_the_workload_has_others(
    handed_out_by: str,
) -> None:
    lab = Lab.build()
    app = score(secret=True)
    await lab.deploy(app)
    async with lab.engine() as engine:
        later = {"LATER": Secret("soon")}
        await engine.change_secrets("web", later, stage=handed_out_by == "deploy")
    await lab.deploy(app)
    async with lab.engine() as engine:
        await engine.change_secrets("web", {"LATER": None}, stage=True)
    assert says((await status(lab)).notes, "those that were removed")
    assert len((await lab.deploy(app)).of("Machines_update")) == 2
    assert (await lab.deploy(app)).changes == []


async def test_secrets_set_elsewhere_leave_the_next_deploy_nothing_to_do() -> None:
    """Who does not know the workload's secrets says nothing of them."""
    lab = Lab.build()
    await lab.deploy(score(secret=True))
    store, lab.store = lab.store, InMemoryStore(ProjectState.new(""))
    async with lab.engine() as engine:
        await engine.change_secrets("web", {"LATER": Secret("soon")}, options=QUICK)
    lab.store = store
    assert (await lab.deploy(score(secret=True))).changes == []


async def stage_by_flyctl(lab: Lab, **values: str) -> None:
    """As `flyctl secrets set --stage`: machines are not told of it."""
    async with lab.engine() as engine:
        body = models.AppSecretsUpdateRequest(values=dict(values))
        await engine.client.api.secrets_update("web", body)


@pytest.mark.parametrize("deployed_by", ["flyctl", "us"])
@pytest.mark.parametrize("image", ["nginx:1", "nginx:2"])
async def test_secrets_that_flyctl_staged_go_live(deployed_by: str, image: str) -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    if deployed_by == "flyctl":
        for machine in lab.machines():
            machine.config["metadata"]["fly_flyctl_version"] = "0.3.200"
    await stage_by_flyctl(lab, LATER="soon")
    assert says((await status(lab)).notes, "staged secrets wait for the next deploy: LATER")
    steps, notes = await plan_notes(lab, toml(image=image))
    assert len([step for step in steps if step.startswith("update machine")]) == 2
    assert says(notes, "secrets that were staged go live with this deploy: LATER")
    assert len((await lab.deploy(toml(image=image))).of("Machines_update")) == 2
    assert (await status(lab)).notes == ()
    assert (await lab.deploy(toml(image=image))).changes == []


async def test_a_deploy_that_gives_all_machines_a_config_need_not_ask_for_secrets() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    assert not (await lab.deploy(toml(image="nginx:2"))).of("Secrets_list")


async def test_a_plan_that_was_agreed_to_is_not_stale_for_the_secrets_it_read() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    await stage(lab, LATER="soon")
    async with lab.engine() as engine:
        plan = await engine.plan([toml()], QUICK)
        async with engine.deploy(plan) as run:
            pass
    assert run.report.exit_code == 0


async def stranger(lab: Lab, **metadata: str) -> str:
    """A machine that somebody made by hand, as `flyctl machine run` does."""
    config = models.FlyMachineConfig(image="busybox:1", metadata=metadata)
    async with lab.engine() as engine:
        made = await engine.client.api.machines_create(
            "web", models.CreateMachineRequest(config=config, region="iad")
        )
    return made.id or ""


async def test_machines_that_no_deploy_made_are_named_everywhere() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    machine = await stranger(lab)
    steps, notes = await plan_notes(lab, toml())
    assert (steps, says(notes, f"no deploy made machine {machine}")) == ([], True)
    (row,) = [row for row in (await status(lab)).machines if row.id == machine]
    assert row.note == "no deploy made it"
    async with lab.engine() as engine:
        observed = await observe_app(engine.client, "web", Wanted())
    (drifted,) = drift(toml().spec, observed.machines, files=NO_FILES, others=observed.others)
    assert (drifted.machine, drifted.note) == (machine, "no deploy made it")


async def test_machines_of_no_release_are_named() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    machine = await stranger(lab, fly_platform_version="v2", fly_process_group="app")
    _, notes = await plan_notes(lab, toml())
    assert says(notes, f"of no release: machine {machine}")
    (row,) = [row for row in (await status(lab)).machines if row.id == machine]
    assert "of no release" in row.note


async def test_bluegreen_refuses_beside_machines_that_no_deploy_made() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    machine = await stranger(lab)
    done = await lab.deploy(toml(image="nginx:2", strategy="bluegreen"))
    assert (done.code, done.changes) == (2, [])
    assert machine in done.text
    assert "flyctl machine destroy" in done.text
    rolling = evolve(QUICK, strategy="rolling")
    assert (await lab.deploy(toml(image="nginx:2"), options=rolling)).code == 0


async def stopped(lab: Lab, number: int = 0) -> str:
    machine = lab.machines()[number].id
    async with lab.engine() as engine:
        await engine.client.api.machines_stop("web", machine)
    return machine


async def test_machines_at_rest_are_told_and_started_where_that_is_asked_for() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    machine = await stopped(lab)
    done = await lab.deploy(toml(image="nginx:2"))
    assert done.report is not None
    assert says(done.report.apps[0].notes, f"left so with the new config: machine {machine}")
    assert [m.state for m in lab.machines()].count("started") == 1
    started = await lab.deploy(toml(image="nginx:2"), options=evolve(QUICK, start=True))
    assert (started.code, "Machines_update" in started.changes) == (0, False)
    assert {m.state for m in lab.machines()} == {"started"}
    await stopped(lab)
    both = await lab.deploy(toml(image="nginx:3"), options=evolve(QUICK, start=True))
    assert both.code == 0
    assert {m.state for m in lab.machines()} == {"started"}


@pytest.mark.parametrize(("minimum", "running"), [(0, 0), (1, 1), (2, 2)])
async def test_as_many_machines_run_as_the_file_says_at_least(minimum: int, running: int) -> None:
    lab = Lab.build()
    text = "[http_service]\ninternal_port = 8080\n"
    app = toml(f"{text}min_machines_running = {minimum}\n", service=False)
    await lab.deploy(app)
    for number in range(2):
        await stopped(lab, number)
    assert (await lab.deploy(app)).code == 0
    assert [m.state for m in lab.machines()].count("started") == running


async def test_options_for_the_size_say_that_they_are_for_new_machines() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    options = evolve(QUICK, guest=GuestOptions(memory="1gb"))
    _, notes = await plan_notes(lab, toml(), options)
    named = ", ".join(sorted(machine.id for machine in lab.machines()))
    assert says(notes, f"does not change machines {named}: scale --vm-size")
    same = evolve(QUICK, guest=GuestOptions(memory="256mb"))
    assert not says((await plan_notes(lab, toml(), same))[1], "does not change")


async def test_a_partial_vm_that_makes_a_scaled_machine_smaller_is_told() -> None:
    lab = Lab.build()
    await lab.deploy(toml("[[vm]]\nsize = 'shared-cpu-2x'\nmemory = '1gb'"))
    _, notes = await plan_notes(lab, toml("[[vm]]\nmemory = '1gb'"))
    assert says(notes, "gets smaller (cpus 2 → 1)")
    _, said = await plan_notes(lab, toml("[[vm]]\ncpus = 1\nmemory = '1gb'"))
    assert not says(said, "gets smaller")


async def test_status_after_an_interrupted_deploy_says_what_runs_where() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    options = evolve(QUICK, on_failure="keep")
    bad = await lab.deploy(toml(image="nginx:2", env="UNHEALTHY = '1'"), options=options)
    assert bad.code == 3
    found = await status(lab)
    assert says(found.notes, "group app runs several releases (1 on 1, 2 on 1)")


def test_status_of_a_first_deploy_that_was_cut_short_says_so() -> None:
    def notes(observed: ObservedApp) -> str:
        return " ".join(app_status(observed, AppRef(app="web")).notes)

    half = half_launched(wanted())
    assert "group app has 1 of the machines of its first deploy" in notes(half)
    assert "it has no machine: its first deploy" in notes(evolve(half, machines=()))
    assert notes(evolve(half, app=None, machines=())) == ""
    assert notes(launched(wanted())) == ""


def test_status_during_a_deploy_says_which_machine_is_which() -> None:
    def member(name: str, **marks: str) -> models.Machine:
        metadata = {PLATFORM: "v2", GROUP: "app", RELEASE_ID: "R", **marks}
        return models.Machine(id=name, config=models.FlyMachineConfig(metadata=metadata))

    machines = (
        member("blue", **{TAG: SAFE_TO_DESTROY}),
        member("canary", **{CANARY: "true"}),
        member("green", **{STANDS_FOR: "blue"}),
        member("old-green", **{STANDS_FOR: "gone"}),
    )
    release = member("release", **{GROUP: RELEASE_GROUP})
    observed = ObservedApp(name="web", machines=machines, leftovers=(release,))
    found = app_status(observed, AppRef(app="web"))
    assert {row.id: row.note for row in found.machines} == {
        "blue": "replaced, to be destroyed",
        "canary": "canary",
        "green": "takes over from blue",
        "old-green": "",
        "release": "release command",
    }
