"""Create and update requests, special machines, volumes, settings."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from fly_machines.models import (
    CreateMachineRequest,
    FlyMachineGuest,
    Machine,
)
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.guest import preset
from score_flyio.deploy.desired.mounts import first_deploy_volumes, volume_request
from score_flyio.deploy.desired.render import render
from score_flyio.deploy.desired.requests import (
    MachineUpdate,
    availability,
    launch_request,
    standby_request,
    update_input,
)
from score_flyio.deploy.desired.settings import build_strategies, deploy_settings
from score_flyio.deploy.desired.special import (
    console_machine,
    machine_check_input,
    release_command_input,
)
from score_flyio.fly.codec import structure, unstructure
from score_flyio.flytoml.spec import (
    AppSpec,
    BuildSection,
    DeploySection,
    ExperimentalSection,
    HttpService,
    MachineCheck,
    Mount,
    Service,
    VmSpec,
)
from score_flyio.flytoml.values import Duration
from score_flyio.state.deployments import Release
from tests.unit.deploy.desired.conftest import MemoryFiles

HTTP = HttpService(internal_port=80)
DATA = Mount(source="data", destination="/data")
NONE = MemoryFiles()


# --- create


@pytest.mark.parametrize(
    ("spec", "ha", "gets"),
    [
        (AppSpec(http_service=HTTP), True, "pair"),
        (AppSpec(services=(Service(),)), True, "pair"),
        (AppSpec(), True, "standby"),
        (AppSpec(http_service=HTTP, mounts=(DATA,)), True, "single"),
        (AppSpec(http_service=HTTP), False, "single"),
        (AppSpec(), False, "single"),
    ],
)
def test_availability(spec: AppSpec, ha: bool, gets: str, release: Release) -> None:
    request = launch_request(spec, "app", image="i", release=release, files=NONE)
    assert request.config is not None
    assert availability(request.config, ha=ha) == gets


def test_create_request(release: Release) -> None:
    spec = AppSpec(
        primary_region="ams",
        host_dedication_id="rack",
        deploy=DeploySection(wait_timeout=Duration.of_seconds(61.9)),
        mounts=(DATA, Mount(source="more", destination="/more")),
        vm=(VmSpec(host_dedication_id="other"),),
    )
    first = launch_request(spec, "app", image="i", release=release, files=NONE)
    assert unstructure(first) == {
        "region": "ams",
        "lease_ttl": 61,
        "skip_secrets": False,
        "config": {
            "image": "i",
            "env": {"FLY_PROCESS_GROUP": "app", "PRIMARY_REGION": "ams"},
            "init": {},
            "guest": {
                "cpu_kind": "shared",
                "cpus": 1,
                "memory_mb": 256,
                "host_dedication_id": "rack",
            },
            "metadata": {
                "fly_platform_version": "v2",
                "fly_process_group": "app",
                "fly_release_id": "rel-1",
                "fly_release_version": "3",
                "fly_flyctl_version": "score-flyio/test",
            },
            "mounts": [
                {"name": "data", "path": "/data"},
                {"name": "more", "path": "/more"},
            ],
        },
    }


def test_the_given_guest_counts_without_a_vm_table_and_is_not_changed(release: Release) -> None:
    guest = preset("shared-cpu-4x")
    spec = AppSpec(host_dedication_id="rack")
    first = launch_request(spec, "app", image="i", release=release, files=NONE, guest=guest)
    assert first.config is not None
    assert first.config.guest == preset_on("shared-cpu-4x", "rack")
    assert guest == preset("shared-cpu-4x")


def preset_on(size: str, rack: str) -> FlyMachineGuest:
    guest = preset(size)
    guest.host_dedication_id = rack
    return guest


def test_a_standby_leaves_the_first_request_alone(release: Release) -> None:
    first = launch_request(AppSpec(), "app", image="i", release=release, files=NONE)
    before = deepcopy(first)
    standby = standby_request(first, "m1")
    assert first == before
    assert standby.skip_launch is True
    assert standby.config is not None
    assert standby.config.standbys == ["m1"]
    assert (standby.config.env or {})["FLY_STANDBY_FOR"] == "m1"


# --- update


def update(spec: AppSpec, release: Release, **machine: Any) -> Any:
    existing = structure(
        {"id": "m1", "region": "lax", "state": "started", "config": {}, **machine}, Machine
    )
    before = deepcopy(existing)
    found = update_input(spec, "app", existing, image="i", release=release, files=NONE)
    assert existing == before
    return found


def mounted(**mount: Any) -> dict[str, Any]:
    return {"config": {"mounts": [{"volume": "vol_1", "encrypted": True, **mount}]}}


def first_mount(found: MachineUpdate) -> dict[str, Any]:
    mounts: list[dict[str, Any]] = unstructure(found.request)["config"]["mounts"]
    return mounts[0]


def test_the_present_mount_is_kept_and_only_its_growth_is_renewed(release: Release) -> None:
    present = mounted(name="data", path="/data", size_gb=9, add_size_gb=77)
    spec = AppSpec(
        mounts=(
            Mount(
                source="data",
                destination="/data",
                auto_extend_size_threshold=80,
                auto_extend_size_increment="2gb",
                auto_extend_size_limit="20gb",
            ),
        )
    )
    found = update(spec, release, **present)
    assert not found.replaced_because
    assert first_mount(found) == {
        "name": "data",
        "path": "/data",
        "volume": "vol_1",
        "encrypted": True,
        "size_gb": 9,
        "extend_threshold_percent": 80,
        "add_size_gb": 2,
        "size_gb_limit": 20,
    }


def test_a_changed_path_keeps_the_volume(release: Release) -> None:
    found = update(AppSpec(mounts=(DATA,)), release, **mounted(name="data", path="/old"))
    assert not found.replaced_because
    assert first_mount(found) == {"name": "data", "path": "/data", "volume": "vol_1"}


def test_a_present_mount_without_name_is_kept_and_its_growth_renewed(release: Release) -> None:
    mounts = (evolve(DATA, auto_extend_size_increment="2gb"),)
    found = update(AppSpec(mounts=mounts), release, **mounted(path="/old", add_size_gb=77))
    assert not found.replaced_because
    assert first_mount(found) == {
        "path": "/old",
        "volume": "vol_1",
        "encrypted": True,
        "add_size_gb": 2,
    }


@pytest.mark.parametrize(
    ("machine", "mounts"),
    [
        (mounted(name="old", path="/data"), (DATA,)),
        ({}, (DATA,)),
        (mounted(name="data", path="/data"), ()),
    ],
)
def test_other_changes_of_mounts_need_a_new_machine(
    machine: dict[str, Any], mounts: tuple[Mount, ...], release: Release
) -> None:
    found = update(AppSpec(mounts=mounts), release, **machine)
    assert found.replaced_because == "its mounts change"
    if mounts:
        assert first_mount(found) == {"name": "data", "path": "/data"}


@pytest.mark.parametrize(
    ("host_status", "reason"),
    [("ok", ""), (None, ""), ("unreachable", "its host is unreachable")],
)
def test_a_lost_host(host_status: str | None, reason: str, release: Release) -> None:
    extra = {"host_status": host_status} if host_status else {}
    assert update(AppSpec(), release, **extra).replaced_because == reason


def test_another_dedicated_host(release: Release) -> None:
    spec = AppSpec(host_dedication_id="rack")
    found = update(spec, release, config={"guest": {"cpus": 2, "host_dedication_id": "old"}})
    assert found.replaced_because == "it moves to hosts rack"
    assert found.request.config.guest == FlyMachineGuest(cpus=2, host_dedication_id="rack")
    same = update(spec, release, config={"guest": {"host_dedication_id": "rack"}})
    assert not same.replaced_because


def test_a_volume_cannot_move_to_another_host(release: Release) -> None:
    spec = AppSpec(host_dedication_id="rack", mounts=(DATA,))
    with pytest.raises(ConversionError) as raised:
        update(spec, release, **mounted(name="data", path="/data"))
    assert raised.value.field == "host_dedication_id"


@pytest.mark.parametrize(
    ("state", "standby", "skip"),
    [
        ("started", False, False),
        ("starting", False, False),
        ("failed", True, False),
        ("stopped", False, True),
        ("suspended", False, True),
        ("created", True, True),
    ],
)
def test_launch_of_updated_machines(
    state: str, standby: bool, skip: bool, release: Release
) -> None:
    config = {"standbys": ["m0"]} if standby else {}
    found = update(AppSpec(), release, state=state, config=config)
    assert found.request.skip_launch is skip
    assert found.request.region == "lax"
    assert found.request.config.standbys == (["m0"] if standby else None)


def test_a_standby_of_a_group_that_now_has_services_stops_being_one(release: Release) -> None:
    found = update(AppSpec(http_service=HTTP), release, config={"standbys": ["m0"]})
    assert found.request.config.standbys is None


def test_metadata_of_the_platforms_postgres_is_removed(release: Release) -> None:
    found = update(
        AppSpec(), release, config={"metadata": {"fly-managed-postgres": "true", "team": "x"}}
    )
    assert found.request.config.metadata == {
        "team": "x",
        "fly_platform_version": "v2",
        "fly_process_group": "app",
        "fly_release_id": "rel-1",
        "fly_release_version": "3",
        "fly_flyctl_version": "score-flyio/test",
    }


# --- special machines


def release_guest(spec: AppSpec, release: Release, **given: Any) -> FlyMachineGuest | None:
    request = release_command_input(spec, image="i", release=release, files=NONE, **given)
    assert request is not None
    assert request.config is not None
    return request.config.guest


COMMAND = DeploySection(release_command="migrate 'all of it'")


def test_size_of_the_release_machine(release: Release) -> None:
    spec = AppSpec(deploy=COMMAND, vm=(VmSpec(size="performance-1x"),))
    small, large = preset("shared-cpu-1x"), preset("shared-cpu-8x")
    assert release_guest(spec, release) == preset("shared-cpu-2x")
    assert release_guest(spec, release, guest=small) == small
    assert release_guest(spec, release, guest=small, existing=[small, large]) == large
    own = DeploySection(release_command="x", release_command_vm=VmSpec(host_dedication_id="own"))
    racked = AppSpec(deploy=own, host_dedication_id="rack")
    assert release_guest(racked, release, existing=[large]) == preset_on("shared-cpu-1x", "rack")
    assert large == preset("shared-cpu-8x")


def test_release_request(release: Release) -> None:
    spec = AppSpec(
        env={"A": "1"},
        deploy=COMMAND,
        swap_size_mb=0,
        kill_signal="SIGTERM",
        experimental=ExperimentalSection(entrypoint=("/e",), cmd=("c",), exec=("x",)),
        http_service=HTTP,
        mounts=(DATA,),
    )
    request = release_command_input(spec, image="i", release=release, files=NONE)
    document = unstructure(request)
    assert document.pop("skip_launch") is True
    config = document.pop("config")
    assert document == {"skip_secrets": False}
    assert set(config["metadata"]) >= {"fly_release_id", "fly_process_group"}
    for member in ("metadata", "guest"):
        del config[member]
    assert config == {
        "image": "i",
        "env": {"A": "1", "RELEASE_COMMAND": "1", "FLY_PROCESS_GROUP": "fly_app_release_command"},
        "init": {"cmd": ["migrate", "all of it"], "entrypoint": ["/e"], "swap_size_mb": 0},
        "restart": {"policy": "no"},
        "auto_destroy": True,
        "dns": {"skip_registration": True},
        "stop_config": {"signal": "SIGTERM"},
    }


@pytest.mark.parametrize("command", ["", "  ", "# nothing"])
def test_no_release_command(command: str, release: Release) -> None:
    spec = AppSpec(deploy=DeploySection(release_command=command))
    assert release_command_input(spec, image="i", release=release, files=NONE) is None


def checked(check: MachineCheck, release: Release, **keys: Any) -> dict[str, Any]:
    tested = structure(
        {
            "private_ip": "fdaa::1",
            "config": {"image": "tested", "env": {"T": "1"}, "init": {"entrypoint": ["/t"]}},
        },
        Machine,
    )
    spec = AppSpec(http_service=HttpService(internal_port=1, machine_checks=(check,)), **keys)
    request = machine_check_input(spec, check, tested, release=release)
    assert isinstance(request, CreateMachineRequest)
    config: dict[str, Any] = unstructure(request)["config"]
    return config


def test_a_check_runs_in_the_image_under_test(release: Release) -> None:
    config = checked(
        MachineCheck(command=("true",)),
        release,
        kill_signal="SIGINT",
        env={"T": "0", "A": "1"},
    )
    assert config["image"] == "tested"
    assert config["init"] == {"cmd": ["true"], "entrypoint": ["/t"]}
    assert config["stop_config"] == {"signal": "SIGINT"}
    assert config["env"] == {
        "A": "1",
        "T": "1",
        "FLY_TEST_COMMAND": "1",
        "FLY_TEST_MACHINE_IP": "fdaa::1",
        "FLY_PROCESS_GROUP": "fly_app_test_machine_command",
    }


def test_a_check_with_its_own_image(release: Release) -> None:
    check = MachineCheck(command=("true",), image="own", entrypoint=("/c",))
    config = checked(check, release, kill_signal="SIGINT")
    assert config["image"] == "own"
    assert config["init"]["entrypoint"] == ["/c"]
    assert config["stop_config"] == {}
    forced = ExperimentalSection(entrypoint=("/forced",))
    assert checked(check, release, experimental=forced)["init"]["entrypoint"] == ["/forced"]


def test_a_check_without_command(release: Release) -> None:
    with pytest.raises(ConversionError) as raised:
        checked(MachineCheck(image="own"), release)
    assert (raised.value.field, raised.value.code) == ("machine_checks.command", "missing")


def test_console() -> None:
    config = console_machine(AppSpec(primary_region="ams"))
    assert config.env == {"FLY_PROCESS_GROUP": "fly_app_console", "PRIMARY_REGION": "ams"}
    assert unstructure(config.init) == {"exec": ["/bin/sleep", "inf"]}


# --- volumes


def test_volumes_of_a_first_deploy() -> None:
    spec = AppSpec(
        primary_region="ams",
        processes={"a": "x", "b": "y"},
        mounts=(
            Mount(source="data", destination="/d", processes=("a", "b")),
            Mount(source="big", initial_size="20gb", snapshot_retention=3, processes=("b",)),
        ),
        vm=(VmSpec(size="l40s", processes=("b",)),),
    )
    found = first_deploy_volumes(spec, image="i")
    assert [(v.name, v.size_gb, v.region) for v in found] == [
        ("data", 1, "ams"),
        ("data", 100, "ams"),
        ("big", 20, "ams"),
    ]
    assert found[2].snapshot_retention == 3
    assert found[2].compute == preset("l40s")


def test_given_volume_size() -> None:
    spec = AppSpec(mounts=(DATA,))
    guest = preset("shared-cpu-2x")
    volume = volume_request(spec, "app", DATA, image="i", guest=guest, initial_size_gb=5)
    assert (volume.size_gb, volume.compute, volume.encrypted) == (5, guest, True)


# --- settings and rendering


def test_settings() -> None:
    assert unstructure(deploy_settings(AppSpec()).max_unavailable) == 0.33
    assert deploy_settings(AppSpec()).strategy == "rolling"
    assert deploy_settings(AppSpec()).wait_timeout == Duration.of_seconds(300)
    given = DeploySection(strategy="immediate", max_unavailable=0.0, wait_timeout=Duration(0))
    settings = deploy_settings(AppSpec(deploy=given))
    assert (settings.strategy, settings.max_unavailable, settings.wait_timeout) == (
        "immediate",
        0.0,
        Duration(0),
    )


@pytest.mark.parametrize(
    ("build", "count"),
    [
        (None, 0),
        (BuildSection(), 0),
        (BuildSection(image="i"), 1),
        (BuildSection(builder="b", buildpacks=("p",)), 1),
        (BuildSection(dockerfile="d", build_target="t"), 1),
        (BuildSection(build_target="t", builtin="x"), 2),
    ],
)
def test_build_strategies(build: BuildSection | None, count: int) -> None:
    assert len(build_strategies(build)) == count


def test_rendering_goes_on_after_a_failure() -> None:
    spec = AppSpec(
        processes={"bad": "x", "good": "y"},
        vm=(VmSpec(size="huge", processes=("bad",)),),
        deploy=DeploySection(release_command="m", release_command_vm=VmSpec(memory="0")),
    )
    rendered, errors = render(spec, files=NONE, image="img")
    assert [error.code for error in errors] == ["unsupported_value", "zero"]
    document = rendered.to_json()
    assert document["machine_configs"]["bad"] is None
    assert document["machine_configs"]["good"]["image"] == "img"
    assert document["conversion_errors"] == {
        "bad": {"stage": "convert", "field": "vm.size", "code": "unsupported_value"}
    }
    assert document["release_command_error"]["field"] == "deploy.release_command_vm.memory"
    assert (render(AppSpec(), files=NONE)[0].machine_configs or {})["app"]
