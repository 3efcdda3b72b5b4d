"""What a machine is given, as people read it."""

from __future__ import annotations

from typing import Any

import pytest

from fly_machines.models import FlyMachineConfig
from score_flyio.deploy.fields import fields_of
from score_flyio.fly.codec import structure


def fields(config: dict[str, Any]) -> dict[str, str]:
    return {each.path: each.after for each in fields_of(structure(config, FlyMachineConfig))}


def test_a_line_for_each_part() -> None:
    found = fields(
        {
            "image": "nginx:1",
            "env": {"A": "secret value", "B": "", "FLY_PROCESS_GROUP": "app"},
            "guest": {"cpu_kind": "performance", "cpus": 2, "memory_mb": 4096},
            "services": [
                {
                    "internal_port": 8080,
                    "protocol": "tcp",
                    "autostop": "suspend",
                    "autostart": True,
                    "min_machines_running": 1,
                    "concurrency": {"type": "requests", "soft_limit": 5},
                    "ports": [
                        {"port": 443, "handlers": ["tls", "http"]},
                        {"start_port": 4000, "end_port": 4010},
                        {"port": 80, "handlers": ["http"], "force_https": True},
                    ],
                    "checks": [
                        {"type": "http", "method": "GET", "path": "/", "interval": "10s"},
                    ],
                }
            ],
            "checks": {"up": {"type": "tcp", "port": 9, "grace_period": "5s", "timeout": "2s"}},
            "mounts": [{"name": "data", "path": "/data", "volume": "vol1"}],
            "files": [
                {"guest_path": "/a", "raw_value": "aGk="},
                {"guest_path": "/b", "secret_name": "KEY"},
                {"guest_path": "/c", "image_config": "."},
            ],
            "init": {"cmd": ["serve", "all"]},
            "metadata": {"fly_process_group": "app", "mine": "1"},
            "restart": {"policy": "on-failure", "max_retries": 10},
        }
    )
    assert found == {
        "image": "nginx:1",
        "size": "performance-2x, 4096 MB",
        "env": "A, B",
        "services[0]": "443 (http tls), 4000-4010, 80 (http https forced) → 8080 tcp, "
        "autostop suspend, autostart, at least 1 running, 5 to any number of requests",
        "services[0].checks[0]": "http GET / every 10s",
        "checks.up": "tcp on 9 within 2s",
        "checks.up.grace_period": "5s",
        "mounts[/data]": "data",
        "mounts[/data].volume": "vol1",
        "files[/a]": "sha256:8f434346648f6b96 (2 bytes)",
        "files[/b]": "secret KEY",
        "files[/c]": "from image .",
        "init.cmd": '["serve", "all"]',
        "metadata.mine": "1",
    }


@pytest.mark.parametrize(
    ("guest", "told"),
    [
        (None, "shared-cpu-1x, 256 MB"),
        ({"cpu_kind": "shared", "cpus": 3}, "3 shared CPUs, 768 MB"),
        ({"cpu_kind": "shared", "cpus": 2, "memory_mb": 512}, "shared-cpu-2x, 512 MB"),
        (
            {
                "cpu_kind": "performance",
                "cpus": 8,
                "memory_mb": 32768,
                "gpus": 1,
                "gpu_kind": "l40s",
            },
            "l40s, 32768 MB, gpu_kind l40s, gpus 1",
        ),
    ],
)
def test_sizes_by_their_names(guest: dict[str, Any] | None, told: str) -> None:
    assert fields({"guest": guest})["size"] == told


def test_values_of_variables_show_nowhere() -> None:
    hidden = {"env": {"KEY": "hunter2"}}
    containers = [{"name": "a", "image": "x", **hidden}, {"name": "b", "image": "y"}]
    found = fields({"containers": containers, "processes": [hidden], **hidden})
    assert "hunter2" not in str(found)
    assert found["env"] == "KEY"
    assert found["containers[a]"] == "x"


def test_containers_are_told_as_machines_are() -> None:
    container = {
        "name": "web",
        "image": "nginx:1",
        "env": {"A": "1", "B": "2"},
        "cmd": ["serve"],
        "depends_on": [{"name": "db", "condition": "healthy"}],
        "files": [{"guest_path": "/a", "secret_name": "KEY"}],
        "mounts": [{"name": "data", "path": "/data"}],
        "healthchecks": [
            {"name": "up", "http": {"port": 80, "path": "/", "scheme": "http"}, "interval": 10},
            {"name": "works", "exec": {"command": ["true"]}, "timeout": 2},
        ],
    }
    found = fields({"containers": [container]})
    assert {path: value for path, value in found.items() if path.startswith("containers")} == {
        "containers[web]": "nginx:1",
        "containers[web].env": "A, B",
        "containers[web].healthchecks[up]": "http http / on 80 every 10s",
        "containers[web].healthchecks[works]": "exec within 2s",
        "containers[web].healthchecks[works].command": '["true"]',
        "containers[web].mounts[/data]": "data",
        "containers[web].files[/a]": "secret KEY",
        "containers[web].cmd": '["serve"]',
        "containers[web].depends_on[0].condition": "healthy",
        "containers[web].depends_on[0].name": "db",
    }
