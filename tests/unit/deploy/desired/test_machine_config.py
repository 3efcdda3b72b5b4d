from __future__ import annotations

import json
from copy import deepcopy

import pytest

from fly_machines.models import (
    FlyDNSConfig,
    FlyMachineConfig,
    FlyMachineGuest,
    FlyMachineInit,
    FlyMachineMetrics,
    FlyMachineRestart,
)
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.machine_config import machine_config
from score_flyio.fly.codec import structure, unstructure
from score_flyio.flytoml.spec import (
    AppSpec,
    BuildSection,
    Check,
    ComposeSection,
    ExperimentalSection,
    FileSpec,
    HttpService,
    MetricsSpec,
    Mount,
    RestartSpec,
    Service,
    ServiceHttpCheck,
    ServiceTcpCheck,
    VmSpec,
)
from score_flyio.flytoml.values import Duration
from tests.unit.deploy.desired.conftest import MemoryFiles

GROUPS = AppSpec(processes={"app": "serve --fast", "worker": ""})


def make(spec: AppSpec, group: str = "app", files: MemoryFiles | None = None) -> FlyMachineConfig:
    return machine_config(spec, group, files=files or MemoryFiles())


def test_the_smallest_app(files: MemoryFiles) -> None:
    assert unstructure(machine_config(AppSpec(), "app", files=files)) == {
        "env": {"FLY_PROCESS_GROUP": "app"},
        "init": {},
        "metadata": {"fly_platform_version": "v2", "fly_process_group": "app"},
    }


def test_what_an_update_keeps_and_replaces(files: MemoryFiles) -> None:
    base = FlyMachineConfig(
        auto_destroy=True,
        dns=FlyDNSConfig(skip_registration=True),
        env={"BY_HAND": "1"},
        guest=FlyMachineGuest(cpu_kind="shared", cpus=2, memory_mb=512),
        init=FlyMachineInit(tty=True, cmd=["old"], exec=["x"], swap_size_mb=1),
        metadata={"team": "blue", "fly_process_group": "other"},
        metrics=FlyMachineMetrics(port=1),
        restart=FlyMachineRestart(policy="no"),
        schedule="daily",
        extra={"new_member": 1},
    )
    before = deepcopy(base)
    config = machine_config(AppSpec(env={"A": "1"}), "app", base=base, files=files)
    assert base == before
    assert unstructure(config) == {
        "auto_destroy": True,
        "dns": {"skip_registration": True},
        "env": {"A": "1", "FLY_PROCESS_GROUP": "app"},
        "guest": {"cpu_kind": "shared", "cpus": 2, "memory_mb": 512},
        "init": {"tty": True},
        "metadata": {
            "team": "blue",
            "fly_platform_version": "v2",
            "fly_process_group": "app",
        },
        "schedule": "daily",
        "new_member": 1,
    }


def test_env_cannot_override_what_the_tool_sets() -> None:
    spec = AppSpec(primary_region="ams", env={"PRIMARY_REGION": "x", "FLY_PROCESS_GROUP": "y"})
    assert make(spec).env == {"PRIMARY_REGION": "ams", "FLY_PROCESS_GROUP": "app"}


@pytest.mark.parametrize(
    ("spec", "group", "cmd"),
    [
        (GROUPS, "app", ["serve", "--fast"]),
        (GROUPS, "worker", None),
        (AppSpec(experimental=ExperimentalSection(cmd=("c",))), "app", ["c"]),
        (
            AppSpec(processes={"app": "# none"}, experimental=ExperimentalSection(cmd=("c",))),
            "app",
            None,
        ),
        (
            AppSpec(processes={"app": "own"}, experimental=ExperimentalSection(cmd=("c",))),
            "app",
            ["own"],
        ),
    ],
)
def test_command(spec: AppSpec, group: str, cmd: list[str] | None) -> None:
    init = make(spec, group).init
    assert init is not None
    assert init.cmd == cmd


def test_checks_take_the_port_of_the_http_service() -> None:
    spec = AppSpec(
        http_service=HttpService(internal_port=8080),
        checks={"alive": Check(type="http", method="get", headers={"B": "2", "A": "1", "": "3"})},
    )
    checks = make(spec).checks or {}
    assert unstructure(checks["alive"]) == {
        "type": "http",
        "port": 8080,
        "method": "GET",
        "headers": [
            {"values": ["3"]},
            {"name": "A", "values": ["1"]},
            {"name": "B", "values": ["2"]},
        ],
    }


def test_a_check_without_port() -> None:
    with pytest.raises(ConversionError) as raised:
        make(AppSpec(checks={"alive": Check(type="tcp")}))
    assert (raised.value.field, raised.value.code) == ("checks.alive.port", "missing")


def test_services_come_in_order_and_tcp_checks_before_http_checks() -> None:
    seconds = Duration.of_seconds(90)
    spec = AppSpec(
        http_service=HttpService(internal_port=1, auto_stop_machines="off", force_https=True),
        services=(
            Service(
                internal_port=2,
                auto_stop_machines="suspend",
                http_checks=(ServiceHttpCheck(method="get"),),
                tcp_checks=(ServiceTcpCheck(interval=seconds),),
            ),
            Service(protocol="udp", auto_stop_machines="stop", min_machines_running=0),
        ),
    )
    assert [unstructure(s) for s in make(spec).services or []] == [
        {
            "protocol": "tcp",
            "internal_port": 1,
            "autostop": False,
            "ports": [
                {"port": 80, "handlers": ["http"], "force_https": True},
                {"port": 443, "handlers": ["http", "tls"]},
            ],
            "force_instance_key": None,
        },
        {
            "internal_port": 2,
            "autostop": "suspend",
            "checks": [{"type": "tcp", "interval": "1m30s"}, {"type": "http", "method": "get"}],
            "force_instance_key": None,
        },
        {
            "protocol": "udp",
            "autostop": True,
            "min_machines_running": 0,
            "force_instance_key": None,
        },
    ]


@pytest.mark.parametrize(
    ("metrics", "sent"),
    [
        (MetricsSpec(), None),
        (MetricsSpec(processes=("app",)), None),
        (MetricsSpec(port=0), FlyMachineMetrics()),
        (MetricsSpec(https=False, path=""), FlyMachineMetrics()),
        (MetricsSpec(path="/m", https=True), FlyMachineMetrics(path="/m", https=True)),
    ],
)
def test_metrics(metrics: MetricsSpec, sent: FlyMachineMetrics | None) -> None:
    assert make(AppSpec(metrics=(metrics,))).metrics == sent


def test_sections_without_groups_go_to_the_default_group() -> None:
    spec = AppSpec(
        processes={"app": "a", "worker": "w"},
        mounts=(Mount(source="d", destination="/d"),),
        metrics=(MetricsSpec(port=1), MetricsSpec(port=2)),
        restart=(RestartSpec(policy="never"), RestartSpec(policy="always", retries=2)),
        files=(FileSpec(guest_path="/f", raw_value="x", processes=("app",)),),
        vm=(VmSpec(size="shared-cpu-2x"),),
    )
    app, worker = make(spec), make(spec, "worker")
    assert app.mounts is not None
    assert app.metrics == FlyMachineMetrics(port=1)
    assert app.restart == FlyMachineRestart(policy="always", max_retries=2)
    assert (worker.mounts, worker.metrics, worker.restart) == (None, None, None)
    assert worker.files == app.files is not None
    assert worker.guest == app.guest is not None


# --- machine config files


def sourced(document: object, **keys: str) -> FlyMachineConfig:
    return make(AppSpec(machine_config=json.dumps(document), **keys))  # type: ignore[arg-type]


def test_a_machine_config_lies_under_the_file_and_over_the_present_config() -> None:
    document = {
        "env": {"LOST": "1"},
        "metadata": {"team": "pilots"},
        "guest": {"cpus": 4},
        "init": {"tty": True, "cmd": ["lost"]},
        "schedule": "daily",
        "not_documented": 1,
    }
    base = structure(
        {"guest": {"cpus": 2, "memory_mb": 512}, "metadata": {"team": "blue", "x": "y"}},
        FlyMachineConfig,
    )
    spec = AppSpec(machine_config=json.dumps(document))
    config = machine_config(spec, "app", base=base, files=MemoryFiles())
    assert unstructure(config) == {
        "env": {"FLY_PROCESS_GROUP": "app"},
        "guest": {"cpus": 4, "memory_mb": 512},
        "init": {"tty": True},
        "metadata": {
            "team": "pilots",
            "x": "y",
            "fly_platform_version": "v2",
            "fly_process_group": "app",
        },
        "schedule": "daily",
    }


@pytest.mark.parametrize(
    ("names", "wanted", "built"),
    [
        (["web", "app"], "", "app"),
        (["web", "side"], "", "web"),
        (["web", "app"], "web", "web"),
    ],
)
def test_the_chosen_container_gets_the_deployed_image(
    names: list[str], wanted: str, built: str
) -> None:
    document = {"containers": [{"name": name, "image": "i"} for name in names]}
    images = {c.name: c.image for c in sourced(document, container=wanted).containers or []}
    assert images == {name: "." if name == built else "i" for name in names}


def test_local_files_of_containers_are_read() -> None:
    files = [
        {"guest_path": "/a", "local_path": "a"},
        {"guest_path": "/b", "local_path": "a", "secret_name": "S"},
    ]
    text = json.dumps({"containers": [{"name": "app", "files": files}]})
    config = make(AppSpec(machine_config=text), files=MemoryFiles({"a": b"A"}))
    assert unstructure(config)["containers"][0]["files"] == [
        {"guest_path": "/a", "raw_value": "QQ=="},
        {"guest_path": "/b", "secret_name": "S"},
    ]


SIDE = '{"containers": [{"name": "app"}, {"name": "side"}]}'


@pytest.mark.parametrize(
    ("spec", "field", "code"),
    [
        (AppSpec(machine_config="m.yaml"), "machine_config", "unsupported_source"),
        (AppSpec(machine_config=" {}"), "machine_config", "unsupported_source"),
        (AppSpec(machine_config="gone.json"), "machine_config", "file_not_found"),
        (AppSpec(machine_config="{"), "machine_config", "invalid_json"),
        (AppSpec(machine_config="list.json"), "machine_config", "invalid_json"),
        (AppSpec(machine_config='{"guest": 1}'), "machine_config", "invalid_json"),
        (AppSpec(machine_config='{"containers": {}}'), "machine_config", None),
        (AppSpec(machine_config='{"containers": [1]}'), "machine_config", "invalid_json"),
        (AppSpec(machine_config=SIDE), "machine_config.containers.side.image", "missing"),
        (AppSpec(machine_config=SIDE, container="x"), "container", "unknown_container"),
        (
            AppSpec(experimental=ExperimentalSection(machine_config="{"), machine_config="{}"),
            "experimental.machine_config",
            "invalid_json",
        ),
        (
            AppSpec(build=BuildSection(compose=ComposeSection(file="c.yml")), machine_config="{}"),
            "build.compose.file",
            "file_not_found",
        ),
        (
            AppSpec(files=(FileSpec(local_path="gone"),), machine_config="{"),
            "files.local_path",
            "file_not_found",
        ),
        (AppSpec(vm=(VmSpec(size="big"),)), "vm.size", "unsupported_value"),
    ],
)
def test_refused(spec: AppSpec, field: str, code: str | None) -> None:
    with pytest.raises(ConversionError) as raised:
        make(spec, files=MemoryFiles({"list.json": b"[]"}))
    assert raised.value.field == field
    assert raised.value.code == (code or "invalid_json")
    assert raised.value.hint
    assert raised.value.exit_code == 2


def test_an_empty_compose_table_without_a_file_changes_nothing() -> None:
    spec = AppSpec(build=BuildSection(compose=ComposeSection()))
    assert make(spec) == make(AppSpec())
