"""What goes wrong on the platform, and how each deploy answers.

The table of `test_recorded_failures` has what flyctl was seen to do badly; here the better outcome
is asserted.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
import pytest
from attrs import evolve

from fly_emulator import Organization, Principal
from fly_emulator.records import LeaseRecord
from score_flyio.deploy.planning import rollout
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.deploy.planning.strategies.model import GroupUpdate
from score_flyio.errors import (
    FlyConnectionError,
    LeaseHeld,
    NameTaken,
    NotAuthorized,
    ReleaseCommandFailed,
    StalePlan,
)
from score_flyio.events import WarningRaised
from tests.engine.lab import QUICK, Lab, score, toml

SICK = "A = '1'\nUNHEALTHY = '1'"
CRASHING = "A = '1'\nEMULATE_EXIT = '1'\nEMULATE_EXIT_AFTER = '0.1'"


async def test_an_unhealthy_version_goes_back_and_spares_the_others(lab: Lab) -> None:
    await lab.deploy(toml())
    done = await lab.deploy(toml(image="nginx:2", env=SICK))
    assert done.code == 3
    assert len({call.machine for call in done.of("Machines_update")}) == 1
    assert lab.images() == ["nginx:1", "nginx:1"]
    assert "undone after the failure" in done.text
    assert "with its previous config is healthy" in done.text
    assert {machine.state for machine in lab.machines()} == {"started"}
    lab.check_clean()


async def test_the_only_machine_of_a_crashing_version_runs_again_after_going_back(lab: Lab) -> None:
    once = "\n[[restart]]\npolicy = 'on-failure'\nretries = 1\n"
    options = evolve(QUICK, ha=False)
    await lab.deploy(toml(once), options=options)
    done = await lab.deploy(toml(once, image="nginx:2", env=CRASHING), options=options)
    assert done.code == 3
    assert [(machine.state, *lab.images()) for machine in lab.machines()] == [
        ("started", "nginx:1")
    ]
    assert done.of("Machines_start")
    lab.check_clean()


async def test_a_machine_that_stopped_between_plan_and_update_is_started(lab: Lab) -> None:
    options = evolve(QUICK, ha=False)
    await lab.deploy(toml(), options=options)
    lab.fly.settings = lab.fly.world.settings = evolve(
        lab.fly.settings, update_launches=frozenset()
    )
    done = await lab.deploy(toml(image="nginx:2"), options=options)
    assert done.code == 0, done.text
    assert [machine.state for machine in lab.machines()] == ["started"]


async def test_machines_that_fell_are_started_by_a_deploy_without_changes(lab: Lab) -> None:
    await lab.deploy(toml())
    for machine in lab.machines():
        machine.state = "failed"
    done = await lab.deploy(toml())
    assert (done.code, done.report and done.report.outcome) == (0, "done")
    assert {machine.state for machine in lab.machines()} == {"started"}
    assert "Machines_update" not in done.changes


@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen"])
@pytest.mark.parametrize("ha", [False, True])
async def test_the_time_to_become_healthy_counts_from_the_start_of_the_new_version(
    strategy: str, ha: bool
) -> None:
    """Of two machines the second failed, unseen: it was to be looked at when the first was well."""
    slow = Lab.build(stop=45.0, boot=5.0)
    options = evolve(QUICK, ha=ha, wait_timeout=20)
    await slow.deploy(toml(strategy=strategy), options=options)
    done = await slow.deploy(toml(image="nginx:2", strategy=strategy), options=options)
    assert done.code == 0, done.text
    sick = toml(image="nginx:3", strategy=strategy, env=SICK)
    assert (await slow.deploy(sick, options=options)).code == 3
    assert set(slow.images()) == {"nginx:2"}


@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen"])
async def test_a_release_that_was_taken_back_is_not_told_as_the_one_that_runs(
    lab: Lab, strategy: str
) -> None:
    await lab.deploy(toml())
    sick = toml(image="nginx:2", env=SICK, strategy=strategy)
    taken_back = await lab.deploy(sick)
    kept = await lab.deploy(sick, options=evolve(QUICK, on_failure="keep"))
    told = [
        done.report and [app.release for app in done.report.apps] for done in (taken_back, kept)
    ]
    assert told == [[1], [2 if strategy == "rolling" else 1]]


async def test_an_unhealthy_version_can_be_kept(lab: Lab) -> None:
    await lab.deploy(toml())
    options = evolve(QUICK, on_failure="keep")
    done = await lab.deploy(toml(image="nginx:2", env=SICK), options=options)
    assert done.code == 3
    assert sorted(lab.images()) == ["nginx:1", "nginx:2"]
    lab.check_clean()


async def test_an_unhealthy_version_is_reported_again_and_goes_no_further(lab: Lab) -> None:
    await lab.deploy(toml())
    options = evolve(QUICK, on_failure="keep")
    await lab.deploy(toml(image="nginx:2", env=SICK), options=options)
    done = await lab.deploy(toml(image="nginx:2", env=SICK), options=options)
    assert done.code == 3
    assert "Machines_update" not in done.changes
    assert sorted(lab.images()) == ["nginx:1", "nginx:2"]


async def test_a_sick_first_deploy_is_sick_in_the_next_run_too(lab: Lab) -> None:
    assert (await lab.deploy(toml(env=SICK))).code == 3
    done = await lab.deploy(toml(env=SICK))
    assert (done.code, done.changes) == (3, [])
    assert (await lab.deploy(toml())).code == 0


async def test_the_mended_version_starts_machines_that_had_crashed_for_good(lab: Lab) -> None:
    fixed = "\n[[restart]]\npolicy = 'on-failure'\nretries = 1\n"
    assert (await lab.deploy(toml(fixed, env=CRASHING))).code == 3
    assert {machine.state for machine in lab.machines()} == {"stopped"}
    done = await lab.deploy(toml(fixed))
    assert done.code == 0, done.text
    assert {machine.state for machine in lab.machines()} == {"started"}


@pytest.mark.parametrize("restart", ["", "\n[[restart]]\npolicy = 'on-failure'\nretries = 1\n"])
async def test_what_replaces_a_crashed_machine_on_a_lost_host_runs(lab: Lab, restart: str) -> None:
    assert (await lab.deploy(toml(restart, env=CRASHING))).code == 3
    await anyio.sleep(60)
    lost = lab.machines()[0]
    lab.fly.control.begin_incident("host_lost", lost.host)
    done = await lab.deploy(toml(restart, image="nginx:2"))
    assert done.code == 0, done.text
    assert lost.id not in {machine.id for machine in lab.machines()}
    assert [machine.state for machine in lab.machines()] == ["started", "started"]


async def test_machines_that_rested_still_rest_after_going_back(lab: Lab) -> None:
    await lab.deploy(toml())
    await lab.deploy(toml())
    resting, sick = sorted(lab.machines(), key=lambda machine: machine.id)
    resting.state, resting.launch = "stopped", False
    assert sick.id > resting.id
    options = evolve(QUICK, max_unavailable=1)
    done = await lab.deploy(toml(image="nginx:2", env=SICK), options=options)
    assert done.code == 3
    assert (resting.state, sick.state) == ("stopped", "started")
    assert lab.images() == ["nginx:1", "nginx:1"]


@pytest.mark.parametrize("strategy", ["canary", "bluegreen"])
async def test_spare_machines_of_a_bad_version_go(lab: Lab, strategy: str) -> None:
    await lab.deploy(toml(strategy=strategy))
    before = [machine.id for machine in lab.machines()]
    done = await lab.deploy(toml(image="nginx:2", env=SICK, strategy=strategy))
    assert done.code == 3
    assert [machine.id for machine in lab.machines()] == before
    assert lab.images() == ["nginx:1", "nginx:1"]
    lab.check_clean()


async def test_a_crash_loop_is_seen_in_the_smoke_window(lab: Lab) -> None:
    await lab.deploy(toml(check=False))
    options = evolve(QUICK, smoke_checks=True, smoke_window=10.0)
    done = await lab.deploy(toml(env=CRASHING, check=False), options=options)
    assert done.code == 3
    assert "exit code 1" in done.text
    assert all("EMULATE_EXIT" not in m.config["env"] for m in lab.machines())


async def test_a_failing_release_command_leaves_everything_as_it_was(lab: Lab) -> None:
    await lab.deploy(toml(release="migrate"))
    failing = toml(image="nginx:2", release="migrate", env="A = '2'\nEMULATE_EXIT = '7'")
    done = await lab.deploy(failing)
    assert done.code == 1
    assert isinstance(done.report and done.report.failures[0], ReleaseCommandFailed)
    assert "exit code 7" in done.text
    assert set(done.changes) == {"Machines_create"}
    assert lab.images() == ["nginx:1", "nginx:1"]


async def test_a_wrong_token_is_refused_at_once() -> None:
    lab = Lab.build(tokens={"right": Principal()})
    done = await lab.deploy(toml())
    assert isinstance(done.report and done.report.failures[0], NotAuthorized)
    assert "401" in done.text
    assert "FLY_API_TOKEN" in done.text
    assert done.changes == []


async def test_a_name_of_somebody_else_is_said_to_be_taken() -> None:
    lab = Lab.build()
    await lab.deploy(toml())
    orgs = (Organization(slug="personal", name="Me"), Organization(slug="other", name="Them"))
    lab.fly.settings = evolve(
        lab.fly.settings,
        organizations=orgs,
        tokens={"emulated": Principal(organizations=frozenset({"other"}))},
    )
    lab.fly.world.settings = lab.fly.settings
    done = await lab.deploy(toml())
    assert done.code == 1
    assert isinstance(done.report and done.report.failures[0], NotAuthorized | NameTaken)
    assert "another organization" in done.text
    assert done.changes == []


async def test_an_api_that_is_down_is_named(lab: Lab) -> None:
    done = await lab.deploy(toml(), faults="refuse")
    assert done.code == 1
    assert isinstance(done.report and done.report.failures[0], FlyConnectionError)
    assert lab.fly.world.apps == {}


async def test_a_missing_image_stops_only_its_own_app(lab: Lab) -> None:
    done = await lab.deploy(score("one", image="."), score("two"))
    assert done.code == 2
    assert "--image" in done.text
    assert list(lab.fly.world.apps) == ["two"]
    assert len(lab.machines("two")) == 2


async def test_one_failing_app_lets_the_others_finish(lab: Lab) -> None:
    done = await lab.deploy(toml(app="bad", env=SICK), toml(app="good"), score("web"))
    assert done.report is not None
    assert {app.app: app.outcome for app in done.report.apps} == {
        "bad": "unhealthy",
        "good": "done",
        "web": "done",
    }
    assert done.code == 3


async def test_a_plan_of_yesterday_is_refused(lab: Lab) -> None:
    await lab.deploy(toml())
    async with lab.engine() as engine:
        plan = await engine.plan([toml(image="nginx:2")])
        assert "image: nginx:1 → nginx:2" in plan.describe()
    await lab.deploy(toml(image="nginx:3"))
    async with lab.engine() as engine:
        run = engine.deploy(plan)
        with pytest.raises(Exception, match="changed since the plan"):
            async with run:
                pass
    assert isinstance(run.report.failures[0], StalePlan)
    assert lab.images() == ["nginx:3", "nginx:3"]


async def test_a_lease_of_somebody_else_is_waited_for(lab: Lab) -> None:
    await lab.deploy(toml())
    until = lab.clock.time() + 25
    lab.machines()[0].lease = LeaseRecord(nonce="n", owner="someone", expires_at=until)
    done = await lab.deploy(toml(image="nginx:2"))
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:2", "nginx:2"]
    lab.check_clean()


async def test_a_lease_that_never_ends_stops_the_deploy_before_any_change(lab: Lab) -> None:
    await lab.deploy(toml())
    until = lab.clock.time() + 3600
    lab.machines()[1].lease = LeaseRecord(nonce="n", owner="someone", expires_at=until)
    done = await lab.deploy(toml(image="nginx:2"))
    assert isinstance(done.report and done.report.failures[0], LeaseHeld)
    assert "someone" in done.text
    assert "Machines_update" not in done.changes
    assert lab.leased() == [lab.machines()[1].id]


async def test_a_lease_that_cannot_be_given_back_is_told(lab: Lab) -> None:
    await lab.deploy(toml())
    done = await lab.deploy(toml(image="nginx:2"), faults="Machines_release_lease: 500")
    told = [e for e in done.events if isinstance(e, WarningRaised) and "lease" in e.message]
    assert {event.scope.machine for event in told} == set(lab.leased())


async def test_machines_of_a_lost_host_are_replaced(lab: Lab) -> None:
    await lab.deploy(toml())
    lost, kept = lab.machines()
    lab.fly.world.hosts[lost.host].status = "unreachable"
    done = await lab.deploy(toml())
    assert done.code == 0, done.text
    machines = lab.machines()
    assert len(machines) == 2
    assert kept in machines
    assert lost not in machines


async def test_steps_that_wait_for_each_other_are_refused(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    def circular(update: GroupUpdate) -> GroupPlan:
        first, *rest = immediate.order(update).steps
        return GroupPlan(steps=(first.after(rest[-1].id), *(step.after(first.id) for step in rest)))

    immediate = STRATEGIES["immediate"]
    await lab.deploy(toml())
    broken = {**STRATEGIES, "immediate": evolve(immediate, order=circular)}
    monkeypatch.setattr(rollout, "STRATEGIES", broken)
    done = await lab.deploy(toml(image="nginx:2"), options=evolve(QUICK, strategy="immediate"))
    assert done.code == 1
    assert "its steps wait for each other: update:" in done.text
    assert lab.images() == ["nginx:1", "nginx:1"]
    lab.check_clean()


async def test_a_standby_of_a_lost_host_is_replaced_by_a_standby(lab: Lab) -> None:
    await lab.deploy(toml(service=False))
    primary, standby = lab.machines()
    lab.fly.world.hosts[standby.host].status = "unreachable"
    assert (await lab.deploy(toml(service=False))).code == 0
    (again,) = [machine for machine in lab.machines() if machine is not primary]
    assert again.config["standbys"] == [primary.id]
    assert again.state in {"created", "stopped"}


@pytest.mark.parametrize("image", ["nginx:1", "nginx:2"])
@pytest.mark.parametrize("strategy", ["rolling", "bluegreen", "immediate"])
@pytest.mark.parametrize("both", [False, True])
async def test_a_standby_stands_by_for_what_replaces_its_machine(
    lab: Lab, image: str, strategy: str, both: bool
) -> None:
    await lab.deploy(toml(service=False))
    for machine in lab.machines() if both else lab.machines()[:1]:
        lab.fly.world.hosts[machine.host].status = "unreachable"
    new = toml(service=False, image=image, strategy=strategy)
    done = await lab.deploy(new)
    assert done.code == 0, done.text
    (primary,) = [m for m in lab.machines() if not m.config.get("standbys")]
    (standby,) = [m for m in lab.machines() if m.config.get("standbys")]
    assert standby.config["standbys"] == [primary.id]
    assert primary.state == "started"
    assert standby.state in {"created", "stopped"}
    assert (await lab.deploy(new)).changes == []


@pytest.mark.parametrize("image", ["nginx:1", "nginx:2"])
@pytest.mark.parametrize("strategy", ["rolling", "bluegreen", "immediate"])
async def test_a_standby_of_what_is_gone_stands_by_for_the_first_of_its_launch(
    lab: Lab, image: str, strategy: str
) -> None:
    """With bluegreen it named the blue machine, and each deploy made all machines anew."""
    await lab.deploy(toml(service=False))
    (standby,) = [m for m in lab.machines() if m.config.get("standbys")]
    standby.config["standbys"] = ["148e000000000a"]
    new = toml(service=False, image=image, strategy=strategy)
    assert (await lab.deploy(new)).code == 0
    (primary,) = [m for m in lab.machines() if not m.config.get("standbys")]
    (standby,) = [m for m in lab.machines() if m.config.get("standbys")]
    assert standby.config["standbys"] == [primary.id]
    assert (await lab.deploy(new)).changes == []


async def test_the_data_of_a_lost_host_is_not_left_behind(lab: Lab) -> None:
    mounts = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'
    await lab.deploy(toml(mounts))
    (machine,) = lab.machines()
    lab.fly.world.hosts[machine.host].status = "unreachable"
    done = await lab.deploy(toml(mounts))
    assert done.code == 1
    assert "volume" in done.text
    assert lab.machines() == [machine]
    assert len(lab.fly.world.volumes) == 1


async def test_data_of_a_lost_host_is_not_left_behind_by_a_version_without_the_mount(
    lab: Lab,
) -> None:
    """Of a machine on a lost host only the list of volumes tells that it has one."""
    mounts = '[[mounts]]\nsource = "data"\ndestination = "/data"\n'
    await lab.deploy(toml(mounts))
    (machine,) = lab.machines()
    lab.fly.world.hosts[machine.host].status = "unreachable"
    done = await lab.deploy(toml(), options=evolve(QUICK, allow_destructive=True))
    assert done.code == 1
    assert "so is its volume" in done.text
    assert lab.machines() == [machine]


async def test_a_full_region_is_reported_and_the_next_run_goes_on(lab: Lab) -> None:
    hosts = lab.fly.world.hosts.values()
    for host in hosts:
        host.memory_mb = 256 if host.id == "iad-00" else 0
    done = await lab.deploy(toml())
    assert done.code == 1
    assert "insufficient" in done.text
    assert len(lab.machines()) == 1
    for host in hosts:
        host.memory_mb = 4096
    assert (await lab.deploy(toml())).code == 0
    assert len(lab.machines()) == 2
    lab.check_clean()


Check = Callable[[Lab], None]


def all_new(lab: Lab) -> None:
    assert lab.images() == ["nginx:2", "nginx:2"]


def all_old(lab: Lab) -> None:
    assert lab.images() == ["nginx:1", "nginx:1"]


@pytest.mark.parametrize(
    ("strategy", "env", "faults", "code", "check"),
    [
        pytest.param("rolling", SICK, "", 3, all_old, id="checks never pass, rolling"),
        pytest.param("canary", SICK, "", 3, all_old, id="checks never pass, canary"),
        pytest.param("bluegreen", SICK, "", 3, all_old, id="checks never pass, bluegreen"),
        pytest.param("rolling", CRASHING, "", 3, all_old, id="crash loop"),
        pytest.param(
            "rolling", "A = '1'", "Machines_update: 503 times=1", 0, all_new, id="503 on an update"
        ),
        pytest.param(
            "canary", "A = '1'", "Machines_create: 503 times=1", 0, all_new, id="503 on a create"
        ),
        pytest.param(
            "canary",
            "A = '1'",
            "Machines_create: 503 after times=1",
            0,
            all_new,
            id="503 after a create",
        ),
        pytest.param(
            "canary", "A = '1'", "Machines_create: lost times=1", 0, all_new, id="create cut"
        ),
        pytest.param(
            "bluegreen",
            "A = '1'",
            "Machines_create: 504 after times=2",
            0,
            all_new,
            id="504 after a create",
        ),
        pytest.param(
            "bluegreen",
            "A = '1'",
            "Machines_create: 408 after times=1",
            0,
            all_new,
            id="408 after a create",
        ),
        pytest.param(
            "rolling", "A = '1'", "Machines_update: lost times=1", 0, all_new, id="update cut"
        ),
        pytest.param(
            "rolling", "A = '1'", "Machines_update: 429 times=2", 0, all_new, id="429 on an update"
        ),
        pytest.param(
            "rolling", "A = '1'", "Machines_update: 500 times=1", 0, all_new, id="500 on an update"
        ),
        pytest.param(
            "rolling", "A = '1'", "Machines_show: 500 times=2", 0, all_new, id="500 on a health GET"
        ),
        pytest.param(
            "rolling",
            "A = '1'",
            "Machines_create_lease: 500 times=2",
            0,
            all_new,
            id="500 on acquiring a lease",
        ),
        pytest.param(
            "rolling",
            "A = '1'",
            "Machines_create_lease: lost times=1",
            0,
            all_new,
            id="the answer to acquiring a lease is lost",
        ),
    ],
)
async def test_recorded_failures(
    lab: Lab, strategy: str, env: str, faults: str, code: int, check: Check
) -> None:
    await lab.deploy(toml(strategy=strategy))
    done = await lab.deploy(toml(image="nginx:2", env=env, strategy=strategy), faults=faults)
    assert done.code == code, done.text
    check(lab)
    lab.check_clean()


async def test_bluegreen_takes_over_machines_of_different_images(lab: Lab) -> None:
    await lab.deploy(toml(strategy="bluegreen"))
    options = evolve(QUICK, on_failure="keep", strategy="rolling")
    await lab.deploy(toml(image="nginx:2", env=SICK), options=options)
    assert sorted(lab.images()) == ["nginx:1", "nginx:2"]
    done = await lab.deploy(toml(image="nginx:3", strategy="bluegreen"))
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:3", "nginx:3"]
    lab.check_clean()


async def test_immediate_does_not_wait_for_health(lab: Lab) -> None:
    await lab.deploy(toml(strategy="immediate"))
    done = await lab.deploy(toml(image="nginx:2", env=SICK, strategy="immediate"))
    assert done.code == 0
    all_new(lab)
