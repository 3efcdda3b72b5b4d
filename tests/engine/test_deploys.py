"""Deploys in which all goes well."""

from __future__ import annotations

import pytest
from attrs import evolve

from fly_emulator.settings import Organization
from score_flyio.events import LeaseAcquired, LeaseReleased, StepStarted, WarningRaised
from tests.engine.lab import QUICK, Lab, score, toml

GROUPS = """
[processes]
app = "serve"
worker = "work"
"""
VOLUME = """
[[mounts]]
source = "data"
destination = "/data"
"""


async def test_a_first_deploy_makes_two_machines_and_their_addresses(lab: Lab) -> None:
    done = await lab.deploy(toml())
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:1", "nginx:1"]
    assert sorted(ip.type for ip in lab.fly.world.apps["web"].ips) == ["shared_v4", "v6"]
    assert {machine.state for machine in lab.machines()} == {"started"}
    lab.check_clean()


async def test_the_last_look_of_a_first_deploy_shows_who_launches_the_app_too(lab: Lab) -> None:
    done = await lab.deploy(toml())
    looks = done.of("Machines_show")
    lists = [call.at for call in done.of("Machines_list")]
    assert len(lists) == 3  # to plan from; all that boot; those that are left, and anyone's
    assert len({look.machine for look in looks}) == 1
    assert lists[-1] >= max(look.at for look in looks)


async def test_what_is_watched_tells_how_long(lab: Lab) -> None:
    done = await lab.deploy(toml(), options=evolve(QUICK, smoke_checks=True, smoke_window=7.0))
    started = [event for event in done.events if isinstance(event, StepStarted)]
    assert {event.lasts for event in started if event.verb == "watch"} == {7.0}
    assert not any(event.lasts for event in started if event.verb != "watch")


async def test_nothing_to_do_sends_no_change(lab: Lab) -> None:
    await lab.deploy(toml())
    await lab.deploy(toml(image="nginx:2"))
    done = await lab.deploy(toml(image="nginx:2"))
    assert done.report is not None
    assert (done.report.outcome, done.changes) == ("unchanged", [])


async def test_the_first_machine_is_well_before_the_second_changes(lab: Lab) -> None:
    await lab.deploy(toml())
    ids = sorted(machine.id for machine in lab.machines())
    done = await lab.deploy(toml(image="nginx:2"))
    first, second = done.of("Machines_update")
    assert [first.machine, second.machine] == ids
    boot_and_health = lab.fly.settings.boot + lab.fly.settings.healthy_after
    assert second.at >= first.at + boot_and_health
    assert lab.images() == ["nginx:2", "nginx:2"]
    lab.check_clean()


async def test_leases_are_told_and_given_back(lab: Lab) -> None:
    await lab.deploy(toml())
    done = await lab.deploy(toml(image="nginx:2"))
    for kind in (LeaseAcquired, LeaseReleased):
        held = {event.scope.machine for event in done.events if isinstance(event, kind)}
        assert held == {machine.id for machine in lab.machines()}


@pytest.mark.parametrize("strategy", ["immediate", "canary", "bluegreen"])
async def test_other_strategies_bring_every_machine_to_the_new_version(
    lab: Lab, strategy: str
) -> None:
    await lab.deploy(toml(strategy=strategy))
    before = {machine.id for machine in lab.machines()}
    done = await lab.deploy(toml(image="nginx:2", strategy=strategy))
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:2", "nginx:2"]
    after = {machine.id for machine in lab.machines()}
    assert (after & before == set()) if strategy == "bluegreen" else (after == before)
    lab.check_clean()
    assert (await lab.deploy(toml(image="nginx:2", strategy=strategy))).changes == []


async def test_a_standby_stays_one_through_every_strategy(lab: Lab) -> None:
    for number, strategy in enumerate(("rolling", "bluegreen", "canary"), start=1):
        app = toml(image=f"nginx:{number}", service=False, strategy=strategy)
        assert (await lab.deploy(app)).code == 0
        running = [m for m in lab.machines() if m.state == "started"]
        (standby,) = [m for m in lab.machines() if m.state != "started"]
        assert standby.config["standbys"] == [running[0].id]
        assert standby.config["image"] == f"nginx:{number}"
        assert len(running) == 1


async def test_bluegreen_where_stopping_a_machine_at_rest_is_refused() -> None:
    """What the platform answers to that is not documented."""
    lab = Lab.build(repeats_are_refused=True)
    await lab.deploy(toml(strategy="bluegreen", service=False))
    done = await lab.deploy(toml(strategy="bluegreen", service=False, image="nginx:2"))
    assert done.code == 0, done.text
    assert [call.status for call in done.of("Machines_stop")].count(412) == 1
    assert lab.images() == ["nginx:2", "nginx:2"]
    lab.check_clean()


async def test_without_high_availability_there_is_one_machine_a_group(lab: Lab) -> None:
    await lab.deploy(toml(GROUPS), options=evolve(QUICK, ha=False))
    assert [len(lab.machines(group=group)) for group in ("app", "worker")] == [1, 1]


async def test_groups_come_and_go(lab: Lab) -> None:
    await lab.deploy(toml('[processes]\napp = "serve"\n'))
    await lab.deploy(toml(GROUPS))
    assert [len(lab.machines(group=group)) for group in ("app", "worker")] == [2, 2]
    fewer = toml('[processes]\napp = "serve"\n')
    done = await lab.deploy(fewer, options=evolve(QUICK, allow_destructive=True))
    assert [len(lab.machines(group=group)) for group in ("app", "worker")] == [2, 0]
    held = {call.machine for call in done.of("Machines_create_lease")}
    assert {call.machine for call in done.of("Machines_delete")} <= held
    lab.check_clean()


async def test_volumes_are_made_once_and_stay(lab: Lab) -> None:
    await lab.deploy(toml(VOLUME))
    (machine,) = lab.machines()
    (volume,) = lab.fly.world.volumes.values()
    assert volume.attached_machine_id == machine.id
    assert (await lab.deploy(toml(VOLUME, image="nginx:2"))).code == 0
    assert [m.id for m in lab.machines()] == [machine.id]
    assert len(lab.fly.world.volumes) == 1


async def test_only_chosen_regions_change(lab: Lab) -> None:
    await lab.deploy(toml())
    moved = lab.machines()[0]
    moved.region = "lhr"
    only, others = evolve(QUICK, only_regions=("lhr",)), evolve(QUICK, exclude_regions=("iad",))
    for options in (only, others):
        done = await lab.deploy(toml(image="nginx:2"), options=options)
        assert done.code == 0, done.text
    assert {m.id: m.config["image"] for m in lab.machines()} == {
        m.id: "nginx:2" if m is moved else "nginx:1" for m in lab.machines()
    }


async def test_a_secret_that_stays_is_not_set_again(lab: Lab) -> None:
    await lab.deploy(score(secret=True))
    assert lab.fly.world.apps["web"].secrets["PASSWORD"].value == lab.databases.password
    assert (await lab.deploy(score(secret=True))).changes == []


async def test_a_secret_that_changes_reaches_running_machines(lab: Lab) -> None:
    await lab.deploy(score(secret=True))
    lab.databases.password = "s3cr3t-another-value"
    done = await lab.deploy(score(secret=True))
    assert done.changes.count("Secrets_update") == 1
    updates = [call.status for call in done.of("Machines_update")]
    assert (updates.count(200), {*updates} - {200, 412}) == (2, set())
    version = lab.fly.world.apps["web"].secrets_version
    assert {machine.secrets_version for machine in lab.machines()} == {version}
    assert "s3cr3t" not in done.text + repr(done.events) + repr(done.calls)


async def test_the_release_command_runs_before_anything_changes(lab: Lab) -> None:
    await lab.deploy(toml(release="migrate"))
    done = await lab.deploy(toml(image="nginx:2", release="migrate"))
    assert done.changes[0] == "Machines_create"
    assert done.changes.index("Machines_update") > 0
    assert lab.images() == ["nginx:2", "nginx:2"]


@pytest.mark.parametrize("below", [404, 401, 400])
@pytest.mark.parametrize("release", ["", "migrate"])
async def test_a_new_app_that_is_known_late_to_what_lies_below_it_is_waited_for(
    below: int, release: str
) -> None:
    lab = Lab.build(unknown_below=6.0, below_missing_app=below)
    done = await lab.deploy(toml(VOLUME, release=release))
    assert done.code == 0, done.text
    made = next(n for n, call in enumerate(done.calls) if call.operation == "Apps_create")
    assert below in {call.status for call in done.calls[made:]}


async def test_a_release_command_whose_machine_shows_late_is_waited_for() -> None:
    lab = Lab.build(visibility_delay=1.0)
    done = await lab.deploy(toml(release="migrate"))
    assert done.code == 0, done.text


@pytest.mark.parametrize("look", ["Machines_list", "Machines_show", "Machines_wait"])
async def test_a_look_at_a_new_app_that_is_refused_in_passing_says_nothing(look: str) -> None:
    skip = int(look == "Machines_list")  # the first one is to plan from
    lab = Lab.build()
    done = await lab.deploy(toml(release="migrate"), faults=f"{look}: 401 times=1 skip={skip}")
    assert done.code == 0, done.text


@pytest.mark.parametrize("look", ["Machines_wait", "Machines_show"])
@pytest.mark.parametrize("failure", ["503", "reset", "html", "429", "refuse"])
async def test_a_release_command_outlives_looks_that_fail(look: str, failure: str) -> None:
    lab = Lab.build(one_shot=30.0)
    await lab.deploy(toml())
    faults = f"{look}: {failure} times=12"
    done = await lab.deploy(toml(image="nginx:2", release="migrate"), faults=faults)
    assert done.code == 0, done.text
    assert "Machines_delete" not in done.changes


async def test_several_apps_deploy_side_by_side(lab: Lab) -> None:
    done = await lab.deploy(toml(app="one"), toml(app="two"), score("three"))
    assert done.code == 0, done.text
    assert [len(lab.machines(name)) for name in ("one", "two", "three")] == [2, 2, 2]


async def test_what_the_platform_fills_in_is_nothing_to_do(lab: Lab) -> None:
    service = """
[[services]]
internal_port = 9000
protocol = "tcp"
[[services.ports]]
port = 9000
handlers = ["tls", "http"]
[[services.http_checks]]
interval = "5m"
path = "/"
"""
    first = await lab.deploy(toml(service))
    assert first.code == 0, first.text
    assert first.report is not None
    assert "Fly runs its check every 1m0s, not every 5m0s" in " ".join(first.report.apps[0].notes)
    done = await lab.deploy(toml(service))
    assert (done.code, done.changes) == (0, [])


async def test_what_a_fly_toml_says_in_vain_is_told_by_plan_and_deploy(lab: Lab) -> None:
    app = toml("[experimental]\nenable_etcd = true")
    told = "fly.toml:17: experimental.enable_etcd: has no effect"
    async with lab.engine() as engine:
        plan = await engine.plan([app], QUICK)
    assert f"note: {told}" in plan.describe()
    done = await lab.deploy(app)
    warnings = [event.message for event in done.events if isinstance(event, WarningRaised)]
    assert [warning.startswith(told) for warning in warnings] == [True]
    async with lab.engine() as engine:
        plan = await engine.plan([app], QUICK)
    assert "web: nothing to do\n  note: " in plan.describe()


@pytest.mark.parametrize("refused", ["", "Apps_list: 403"])
async def test_many_apps_are_looked_up_in_one_list(lab: Lab, refused: str) -> None:
    names = [f"app-{n}" for n in range(5)]
    first = await lab.deploy(*(toml(app=name) for name in names), faults=refused)
    later = await lab.deploy(*(toml(app=name, env="A = '2'") for name in names), faults=refused)
    for done, missing in ((first, True), (later, False)):
        assert done.code == 0, done.text
        assert len(done.of("Apps_list")) == 1
        asked = {call.app for call in done.of("Apps_show")}
        assert asked == (set(names) if refused and not missing else set())
    assert {m.config["env"]["A"] for name in names for m in lab.machines(name)} == {"2"}


async def test_an_app_of_another_organization_is_asked_for_itself() -> None:
    orgs = (Organization(slug="personal", name="P"), Organization(slug="acme", name="A"))
    lab = Lab.build(organizations=orgs)
    names = [f"app-{n}" for n in range(5)]
    await lab.deploy(*(toml(app=name) for name in names))
    lab.fly.world.apps["app-3"].organization = "acme"
    done = await lab.deploy(*(toml(app=name, env="A = '2'") for name in names))
    assert {call.app for call in done.of("Apps_show")} == {"app-3"}


async def test_what_the_platform_fills_in_is_no_difference(lab: Lab) -> None:
    """Nor what it cuts, which is told."""
    text = """
[[http_service.checks]]
path = "/"
interval = "5m"
timeout = "5s"
[http_service.concurrency]
type = "requests"
[[services]]
protocol = "tcp"
internal_port = 9000
[[services.ports]]
port = 8443
handlers = ["tls", "http"]
"""
    assert (await lab.deploy(toml(text, check=False))).code == 0
    async with lab.engine() as engine:
        (plan,) = (await engine.plan([toml(text, check=False)], QUICK)).apps
    assert plan.empty, [step.describe() for step in plan.steps]
    assert any("5m" in note for note in plan.notes), plan.notes
    assert (await lab.deploy(toml(text, check=False))).changes == []
