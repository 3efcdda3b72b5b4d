"""Machine config files: what survives of them, and in which spelling."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fly_machines.models import FlyMachineConfig
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.machine_config import machine_config
from score_flyio.fly.codec import structure, unstructure
from score_flyio.flytoml.spec import AppSpec, BuildSection, ComposeSection
from tests.unit.deploy.desired.conftest import MemoryFiles

ALWAYS_THERE = {"env", "init", "metadata"}


def converted(document: Any, **base: Any) -> dict[str, Any]:
    text = document if isinstance(document, str) else json.dumps(document)
    spec = AppSpec(machine_config=text)
    present = structure(base, FlyMachineConfig) if base else None
    config = unstructure(machine_config(spec, "app", base=present, files=MemoryFiles()))
    return {name: value for name, value in config.items() if name not in ALWAYS_THERE}


def of_container(**members: Any) -> dict[str, Any]:
    (container,) = converted({"containers": [{"name": "app", **members}]})["containers"]
    return {k: v for k, v in container.items() if k not in {"name", "image"}}


@pytest.mark.parametrize(
    ("document", "config"),
    [
        ({}, {}),
        ({"containers": []}, {}),
        ({"auto_destroy": False, "schedule": "", "standbys": [], "size": ""}, {}),
        ({"guest": {"cpus": 2, "gpus": 0}}, {"guest": {"cpus": 2}}),
        ({"guest": {"persist_rootfs": 2}}, {"guest": {"persist_rootfs": "restart"}}),
        ({"guest": {"persist_rootfs": "none"}}, {"guest": {}}),
        ({"dns": {}, "rootfs": {"size_gb": 0}}, {"dns": {}, "rootfs": {}}),
        ({"rootfs": {"persist": 3}}, {"rootfs": {"persist": "always"}}),
        ({"Guest": {"CPUS": 2}, "ROOTFS": {"size_GB": 5}},
         {"guest": {"cpus": 2}, "rootfs": {"size_gb": 5}}),
        ({"disable_machine_autostart": False}, {"disable_machine_autostart": False}),
        ({"stop_config": {"timeout": 5}, "services": [{"autostop": "stop"}]}, {}),
        ({"volumes": [{"temp_dir": {}}]}, {"volumes": [{"name": "", "temp_dir": {"storage_type": ""}}]}),
        ({"env": {"A": None}, "unknown": 1}, {}),
    ],
)  # fmt: skip
def test_what_survives(document: Any, config: dict[str, Any]) -> None:
    assert converted(document) == config


@pytest.mark.parametrize(
    ("members", "container"),
    [
        ({"stop": {"timeout": "90s"}}, {"stop": {"timeout": "1m30s"}}),
        ({"stop": {"timeout": 1_500_000_000}}, {"stop": {"timeout": "1.5s"}}),
        ({"cmd": [], "env": {}, "user": "", "files": []}, {}),
        ({"env": {"A": ""}}, {"env": {"A": ""}}),
        ({"ENV": {"Path": "x", "path": "y"}}, {"env": {"Path": "x", "path": "y"}}),
        (
            {"Files": [{"Guest_Path": "/a", "Raw_Value": "YQ=="}]},
            {"files": [{"guest_path": "/a", "raw_value": "YQ=="}]},
        ),
        ({"restart": {"policy": "no", "max_retries": 0}}, {"restart": {"policy": "no"}}),
        ({"secrets": [{"env_var": "A"}]}, {"secrets": [{"env_var": "A", "name": ""}]}),
        (
            {"healthchecks": [{"interval": 0, "http": {"tls_skip_verify": False}}]},
            {"healthchecks": [{"name": "", "http": {"port": 0, "tls_skip_verify": False}}]},
        ),
        (
            {"depends_on": [{"name": "b"}]},
            {"depends_on": [{"name": "b", "condition": ""}]},
        ),
    ],
)
def test_what_survives_of_a_container(members: Any, container: dict[str, Any]) -> None:
    assert of_container(**members) == container


def test_a_search_for_a_compose_file_that_finds_none_leaves_the_machine_config() -> None:
    build = BuildSection(compose=ComposeSection())
    spec = AppSpec(build=build, machine_config='{"schedule": "daily"}')
    assert machine_config(spec, "app", files=MemoryFiles()).schedule == "daily"
    services = MemoryFiles({"compose.yaml": b"services: {a: {image: x}}"})
    assert machine_config(spec, "app", files=services).schedule is None


def test_a_zero_value_replaces_what_a_machine_has() -> None:
    assert converted({"auto_destroy": False}, auto_destroy=True, schedule="daily") == {
        "schedule": "daily"
    }


@pytest.mark.parametrize(
    "text",
    [
        '{"stop_config": {"timeout": "soon"}}',
        '{"containers": [{"name": "a", "stop": {"timeout": true}}]}',
        '{"services": [{"autostop": "maybe"}]}',
        '{"checks": {"a": {"interval": "x"}}}',
        '{"guest": {"persist_rootfs": "often"}}',
        '{"guest": {"persist_rootfs": 4}}',
        '{"rootfs": {"persist": "often"}}',
        '{"containers": [{"env_from": [{"env_var": "A", "field_ref": true}]}]}',
        '{"guest": {"cpus": 1.0}}',
        '{"guest": {"cpus": NaN}}',
        '{"a": Infinity}',
        '{"containers":' + "[" * 5000,
    ],
)
def test_what_is_no_machine_config(text: str) -> None:
    with pytest.raises(ConversionError) as raised:
        converted(text)
    assert (raised.value.field, raised.value.code) == ("machine_config", "invalid_json")
    assert raised.value.hint


def test_half_characters_become_readable() -> None:
    assert of_container(user="\ud800x") == {"user": "\ufffdx"}
