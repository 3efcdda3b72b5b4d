"""What the platform was observed to do, beside or against its document."""

from __future__ import annotations

import anyio
import pytest
from attrs import evolve

from fly_emulator import Organization, Principal, lifecycle
from fly_emulator.records import VolumeRecord
from score_flyio.base.secret import Secret
from score_flyio.deploy.options import GuestOptions
from score_flyio.engine.operations.scale import ScaleRequest
from score_flyio.engine.run import Run
from score_flyio.engine.target import EmulatorTarget
from score_flyio.errors import ConfigError, NameTaken
from tests.engine.lab import QUICK, Lab, score, toml

CHECK = "interval = '15s'\n"
TWO_PORTS = "\n".join(
    f"[[services]]\ninternal_port = 9000\nprotocol = 'tcp'\n[[services.tcp_checks]]\n{CHECK}"
    f"[[services.ports]]\nport = {port}\n"
    for port in (9000, 9001)
)
EVERYWHERE = f"""
[checks.servicecheck-00-tcp-9000]
type = "tcp"
port = 9000
[[http_service.checks]]
path = "/a"
[[http_service.checks]]
path = "/b"
[processes]
app = "serve"
worker = "work"
[[services]]
internal_port = 8080
protocol = "tcp"
processes = ["app", "worker"]
[[services.http_checks]]
{CHECK}
[[services.ports]]
port = 9000
[[services]]
internal_port = 9000
protocol = "tcp"
processes = ["worker"]
[[services.tcp_checks]]
{CHECK}
[[services.ports]]
port = 9001
"""


@pytest.mark.parametrize("within_service", [True, False])
@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen"])
@pytest.mark.parametrize("checks", [TWO_PORTS, EVERYWHERE], ids=["services", "everywhere"])
async def test_checks_of_one_name_become_healthy(
    checks: str, strategy: str, within_service: bool
) -> None:
    lab = Lab.build(checks_numbered_in_service=within_service)
    for image in ("nginx:1", "nginx:2"):
        done = await lab.deploy(toml(checks, image=image, strategy=strategy, check=False))
        assert done.code == 0, done.text
    sick = toml(checks, image="nginx:3", strategy=strategy, check=False, env="UNHEALTHY = '1'")
    assert (await lab.deploy(sick)).code == 3
    assert set(lab.images()) == {"nginx:2"}


@pytest.mark.parametrize(("for_good", "state"), [(False, "failed"), (True, "destroyed")])
async def test_a_release_command_whose_machine_never_starts_ends_at_once(
    for_good: bool, state: str
) -> None:
    lab = Lab.build(launch_fails_for_good=for_good)
    await lab.deploy(toml(release="migrate"))
    began = lab.clock.time()
    failing = toml(release="migrate", image="nginx:2", env="EMULATE_START = 'fail'")
    done = await lab.deploy(failing)
    assert lab.clock.time() - began < 25
    assert done.code == 1
    assert f"was never run: its machine is in state {state}; nothing else was changed" in done.text
    assert lab.images() == ["nginx:1", "nginx:1"]
    assert "Machines_update" not in done.changes
    lab.check_clean()


async def test_a_release_command_whose_machine_somebody_destroys_ends_at_once(lab: Lab) -> None:
    await lab.deploy(toml())

    async def destroy(_: Run) -> None:
        await anyio.sleep(10)
        lifecycle.destroy(lab.fly.world, lab.machines()[-1], lab.clock.time())

    long = "EMULATE_EXIT_AFTER = '200'"
    began = lab.clock.time()
    done = await lab.deploy(toml(release="migrate", env=long), body=destroy)
    assert lab.clock.time() - began < 40
    assert done.code == 1
    assert "left no exit code: its machine is in state destroyed" in done.text
    assert "Machines_update" not in done.changes
    lab.check_clean()


@pytest.mark.parametrize(
    ("status", "text", "creates"),
    [
        (409, "aborted: insufficient CPUs available to fulfill request", 2),  # of one host
        (412, "insufficient IPs available", 1),
        (412, "failed_precondition: the host is about to go", 1),
    ],
)
async def test_a_release_command_that_finds_no_room_ends_at_once(
    status: int, text: str, creates: int
) -> None:
    lab = Lab.build(capacity_status=status, capacity_text=text)
    await lab.deploy(toml())
    for host in lab.fly.world.hosts.values():
        host.memory_mb = host.used_mb
    began = lab.clock.time()
    done = await lab.deploy(toml(release="migrate", image="nginx:2"))
    assert lab.clock.time() - began < 10
    assert done.code == 1
    assert "release command `migrate` was never run: POST" in done.text
    assert text in done.text
    assert "nothing else was changed" in done.text
    assert done.changes == ["Machines_create"] * creates
    lab.check_clean()


async def test_a_release_command_goes_to_a_fallback_region(lab: Lab) -> None:
    await lab.deploy(toml())
    for host in lab.fly.world.hosts.values():
        host.memory_mb = host.used_mb if host.region == "iad" else host.memory_mb
    options = evolve(QUICK, fallback_regions=("ord",))
    done = await lab.deploy(toml(release="migrate", image="nginx:2"), options=options)
    assert done.code == 0, done.text
    (command,) = [
        machine
        for machine in lab.fly.world.machines.values()
        if machine.config["metadata"]["fly_process_group"] == "fly_app_release_command"
    ]
    assert command.region == "ord"
    assert lab.images() == ["nginx:2", "nginx:2"]


async def test_secrets_that_arrive_late_are_waited_for() -> None:
    lab = Lab.build(secrets_arrive_after=29.0)
    done = await lab.deploy(score(secret=True))
    assert done.code == 0, done.text
    assert any(call.status == 412 for call in done.of("Machines_create"))
    lab.databases.password = "s3cr3t-another-value"
    done = await lab.deploy(score(secret=True))
    assert done.code == 0, done.text
    assert any(call.status == 412 for call in done.of("Machines_update"))
    async with lab.engine() as engine:
        await engine.change_secrets("web", {"TOKEN": Secret("s3cr3t-one")}, options=QUICK)
        await engine.scale("web", ScaleRequest(counts={"app": 3}, options=QUICK))
    assert len(lab.machines()) == 3


MOUNT = "[[mounts]]\nsource = 'data'\ndestination = '/data'\n"


@pytest.mark.parametrize("size", ["size = 'a10'", "gpu_kind = 'l40s'", "gpus = 1"])
async def test_a_gpu_is_refused_before_a_volume_is_made_for_it(lab: Lab, size: str) -> None:
    with_gpu = f"{MOUNT}[[vm]]\n{size}\n"
    done = await lab.deploy(toml(with_gpu))
    assert done.code == 2
    assert "machines of group app would have a GPU (" in done.text
    assert not lab.fly.world.apps
    await lab.deploy(toml(MOUNT))
    done = await lab.deploy(toml(with_gpu, release="migrate"))
    assert (done.code, done.changes) == (2, [])
    request = ScaleRequest(counts={"app": 2}, guest=GuestOptions(size="l40s"), options=QUICK)
    for asked in (request, evolve(request, counts={})):
        async with lab.engine() as engine:
            with pytest.raises(ConfigError, match=r"would have a GPU \(l40s\)"):
                await engine.scale("web", asked)
    assert len(lab.fly.world.volumes) == 1


async def test_a_gpu_of_a_release_command_is_refused_before_anything_is_made(lab: Lab) -> None:
    of_command = "[deploy.release_command_vm]\nsize = 'a10'\n"
    done = await lab.deploy(toml(of_command, release="migrate"))
    assert done.code == 2
    assert "machines of the release command would have a GPU (a10)" in done.text
    assert not lab.fly.world.apps


def add_volume(lab: Lab, region: str) -> VolumeRecord:
    """One more volume of the app, in no machine, on a host that does not answer."""
    world = lab.fly.world
    busy = {machine.host for machine in lab.machines()}
    host = next(h for h in world.hosts.values() if h.region == region and h.id not in busy)
    host.status = "unreachable"
    volume = VolumeRecord(
        id=f"vol_0{region}",
        name="data",
        app="web",
        region=region,
        host=host.id,
        zone=host.zone,
        size_gb=1,
        created_at=lab.clock.time(),
        ready_at=0.0,
        number=world.number(),
    )
    world.volumes[volume.id] = volume
    world.apps["web"].volumes.append(volume.id)
    return volume


ONE = evolve(QUICK, ha=False)


async def test_a_volume_on_a_host_that_does_not_answer_is_not_taken(lab: Lab) -> None:
    await lab.deploy(toml(MOUNT), options=ONE)
    (machine,) = lab.machines()
    machine.state = "destroyed"
    (own,) = lab.fly.world.volumes.values()
    own.deleted_at = 0.0
    volume = add_volume(lab, "iad")
    done = await lab.deploy(toml(MOUNT), options=ONE)
    assert done.code == 0, done.text
    assert volume.attached_machine_id is None
    told = f"volume {volume.id} (data, 1 GB, iad) is on a host that is unreachable"
    assert done.report is not None
    assert any(note.startswith(told) for note in done.report.apps[0].notes)


async def test_a_deleted_volume_that_is_listed_is_not_taken() -> None:
    lab = Lab.build(lists_deleted_volumes=True)
    await lab.deploy(toml(MOUNT), options=ONE)
    (own,) = lab.fly.world.volumes.values()
    async with lab.engine() as engine:
        await engine.scale("web", ScaleRequest(counts={"app": 0}, options=QUICK))
        own.deleted_at = lab.fly.now()
        done = await lab.deploy(toml(MOUNT), options=ONE)
    assert done.code == 0, done.text
    (machine,) = lab.machines()
    (mount,) = machine.config["mounts"]
    assert mount["volume"] not in {"", own.id}


@pytest.mark.parametrize("region", ["iad", "ord"])
async def test_a_scale_takes_no_volume_on_a_host_that_does_not_answer(
    lab: Lab, region: str
) -> None:
    await lab.deploy(toml(MOUNT), options=ONE)
    volume = add_volume(lab, region)
    count = 2 if region == "iad" else 1
    async with lab.engine() as engine:
        request = ScaleRequest(counts={"app": count}, regions=(region,), options=QUICK)
        await engine.scale("web", request)
    assert volume.attached_machine_id is None
    assert len(lab.machines()) == 2
    assert len(lab.fly.world.volumes) == 3


async def test_a_replacement_takes_no_volume_on_a_host_that_does_not_answer(lab: Lab) -> None:
    await lab.deploy(toml(), options=ONE)
    volume = add_volume(lab, "iad")
    done = await lab.deploy(toml(MOUNT), options=ONE)
    assert done.code == 0, done.text
    assert volume.attached_machine_id is None
    (machine,) = lab.machines()
    assert machine.config["mounts"][0]["volume"] in set(lab.fly.world.volumes) - {volume.id}


@pytest.mark.parametrize("below", [400, 401, 403])
@pytest.mark.parametrize("current", [None, 401, 403])
async def test_a_first_deploy_whatever_the_platform_says_of_what_is_not_there(
    below: int, current: int | None
) -> None:
    lab = Lab.build(below_missing_app=below, current_token=current)
    lab.target = EmulatorTarget(emulator=lab.fly, org=None)
    done = await lab.deploy(toml())
    assert done.code == 0, done.text
    assert lab.fly.world.apps["web"].organization == "personal"


async def test_a_name_of_another_organization_is_told_as_such_though_it_looks_free() -> None:
    lab = Lab.build(foreign_app=404)
    await lab.deploy(toml())
    orgs = (Organization(slug="personal", name="Me"), Organization(slug="other", name="Them"))
    lab.fly.settings = lab.fly.world.settings = evolve(
        lab.fly.settings,
        organizations=orgs,
        tokens={"emulated": Principal(organizations=frozenset({"other"}))},
    )
    lab.target = EmulatorTarget(emulator=lab.fly, org="other")
    done = await lab.deploy(toml())
    assert isinstance(done.report and done.report.failures[0], NameTaken)
    assert "belongs to another organization" in done.text


async def test_an_image_that_is_not_there_is_no_lag_of_a_new_app() -> None:
    lab = Lab.build(missing_images=frozenset({"nginx:1"}))
    began = lab.clock.time()
    done = await lab.deploy(toml())
    assert done.code == 1
    assert "manifest not found" in done.text
    assert lab.clock.time() - began < 10


@pytest.mark.parametrize("strategy", ["rolling", "bluegreen"])
async def test_an_update_that_the_platform_gives_up_is_told_soon(strategy: str) -> None:
    """Where its image cannot be pulled, say, or where the host turns out to have no room."""
    lab = Lab.build(missing_images=frozenset({"nginx:2"}))
    await lab.deploy(toml(strategy=strategy))
    options = evolve(QUICK, wait_timeout=300)
    done = await lab.deploy(toml(image="nginx:2", strategy=strategy), options=options)
    assert done.report is not None
    assert done.report.seconds < 60
    told = "manifest not found" if strategy == "bluegreen" else "Fly gave its update up"
    assert (done.code, told in done.text) == (1 if strategy == "bluegreen" else 3, True)
    assert lab.images() == ["nginx:1", "nginx:1"]
    assert {machine.state for machine in lab.machines()} == {"started"}
    lab.check_clean()


async def test_a_machine_that_the_platform_put_back_is_not_started_anew(lab: Lab) -> None:
    await lab.deploy(toml())
    missing = frozenset({"nginx:2"})
    lab.fly.settings = lab.fly.world.settings = evolve(lab.fly.settings, missing_images=missing)
    options = evolve(QUICK, on_failure="rollback")
    done = await lab.deploy(toml(image="nginx:2"), options=options)
    assert done.code == 3
    updated = [call.machine for call in done.of("Machines_update")]
    assert len(updated) == len(set(updated))
    assert lab.images() == ["nginx:1", "nginx:1"]
    lab.check_clean()


async def test_what_was_given_up_in_an_earlier_run_says_nothing(lab: Lab) -> None:
    missing = evolve(lab.fly.settings, missing_images=frozenset({"nginx:2"}))
    before = lab.fly.settings
    await lab.deploy(toml())
    lab.fly.settings = lab.fly.world.settings = missing
    assert (await lab.deploy(toml(image="nginx:2"))).code == 3
    lab.fly.settings = lab.fly.world.settings = before
    done = await lab.deploy(toml(image="nginx:2"))
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:2", "nginx:2"]
