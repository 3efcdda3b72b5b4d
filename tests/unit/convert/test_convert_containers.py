"""Workloads that need several containers in a machine."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

from score_flyio.convert import Conversion
from score_flyio.deploy.desired.machine_config import machine_config
from score_flyio.flytoml import read_fly_toml, to_workload_toml
from tests.unit.flytoml.conversions import RESOURCE, container, converted


class NoFiles:
    def read(self, path: str) -> bytes:
        return path.encode()


def _containers(conversion: Conversion) -> dict[str, Any]:
    document = json.loads(conversion.spec.machine_config)
    assert document.keys() == {"containers"}
    return {each.pop("name"): each for each in document["containers"]}


TWO = """\
containers:
  migrate:
    image: tools:1
    before: {web: {ready: complete}}
  web:
    image: shop:2
    command: [/web]
    args: [serve]
    before: {side: {ready: healthy}}
    readinessProbe: {httpGet: {path: /r, port: 8080, host: h}}
  side:
    image: proxy:3
    livenessProbe: {exec: {command: [check]}, httpGet: {path: /l, port: 9}}
service: {ports: {web: {port: 80, targetPort: 8080}}}
"""


def test_start_order_and_health() -> None:
    conversion = converted(TWO)
    found = _containers(conversion)
    assert found["migrate"] == {"image": "tools:1", "restart": {"policy": "on-failure"}}
    assert found["web"]["depends_on"] == [{"name": "migrate", "condition": "exited_successfully"}]
    assert found["side"]["depends_on"] == [{"name": "web", "condition": "healthy"}]
    assert (found["web"]["entrypoint"], found["web"]["cmd"]) == (["/web"], ["serve"])
    (ready,) = found["web"]["healthchecks"]
    assert (ready["kind"], ready["http"]["port"]) == ("readiness", 8080)
    assert ready["http"]["headers"] == [{"name": "Host", "values": ["h"]}]
    (alive,) = found["side"]["healthchecks"]
    assert (alive["kind"], alive["unhealthy"], alive["exec"]) == (
        "liveness",
        "stop",
        {"command": ["check"]},
    )
    assert all(isinstance(alive[key], int) for key in ("interval", "timeout"))


def test_the_container_that_serves_gets_the_image_of_the_app() -> None:
    spec = converted(TWO).spec
    assert spec.container == "web"
    assert spec.build is not None
    assert spec.build.image == "shop:2"
    assert spec.services[0].http_checks[0].path == "/r"
    assert list(spec.checks) == ["side_liveness_probe"]
    assert not spec.env
    assert spec.experimental is None


def test_the_container_that_is_built_here_comes_first() -> None:
    spec = converted(TWO.replace("proxy:3", ".")).spec
    assert spec.container == "side"
    assert spec.build is not None
    assert spec.build.dockerfile == "svc/Dockerfile"


def test_a_file_mode_needs_a_container() -> None:
    body = "files: {/a: {content: 'x${metadata.name}', mode: '0755'}, /b: {source: plain.txt}}\n"
    (main,) = _containers(converted(container(body))).values()
    assert main["files"] == [
        {"guest_path": "/a", "raw_value": base64.b64encode(b"xshop").decode(), "mode": 0o755},
        {"guest_path": "/b", "local_path": "svc/plain.txt"},
    ]


def test_sizes_are_added_up() -> None:
    text = """\
containers:
  one: {image: a, resources: {limits: {cpu: 700m, memory: 200Mi}}}
  two: {image: b, resources: {requests: {cpu: 700m, memory: 200Mi}}}
  three: {image: c}
"""
    (vm,) = converted(text).spec.vm
    assert (vm.cpus, vm.memory) == (2, "512MB")


SECRETS = """\
containers:
  one: {image: a, variables: {URL: '1${resources.db.password}', PW: '${resources.db.password}'}}
  two-b: {image: b, variables: {URL: '2${resources.db.password}', PW: '${resources.db.password}'}}
  three: {image: c, variables: {X: '${resources.db.password}'}}
  four: {image: d, variables: {X: open}}
"""


def test_secrets_of_the_same_name_with_other_values_are_kept_apart() -> None:
    conversion = converted(SECRETS + RESOURCE)
    secrets = {name: secret.reveal() for name, secret in conversion.secrets.items()}
    assert secrets == {
        "PW": "s3cret",
        "URL__ONE": "1s3cret",
        "URL__TWO_B": "2s3cret",
        "X__THREE": "s3cret",
    }
    found = _containers(conversion)
    assert found["two-b"]["secrets"] == [
        {"env_var": "PW", "name": "PW"},
        {"env_var": "URL", "name": "URL__TWO_B"},
    ]
    assert found["four"]["env"] == {"X": "open"}
    assert "s3cret" not in conversion.spec.machine_config


def test_secrets_in_variables_whose_names_no_secret_can_have() -> None:
    names = ("spring.datasource.password", "spring-datasource-password", "my-pass", "1PASS", "OK")
    variables = ", ".join(f"{name}: '{name} ${{resources.db.password}}'" for name in names)
    conversion = converted(container(f"variables: {{{variables}, open-1: x}}\n") + RESOURCE)
    (main,) = _containers(conversion).values()
    secrets = {each["env_var"]: each["name"] for each in main["secrets"]}
    assert {name: conversion.secrets[secrets[name]].reveal() for name in names} == {
        name: f"{name} s3cret" for name in names
    }
    assert (secrets["my-pass"], secrets["1PASS"], secrets["OK"]) == ("my_pass", "_1PASS", "OK")
    assert all(re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name) for name in conversion.secrets)
    assert main["env"] == {"open-1": "x"}


def test_the_written_fly_toml_gives_the_same_machines() -> None:
    spec = converted(TWO + RESOURCE).spec
    document = read_fly_toml(to_workload_toml(spec), file="fly.toml")
    assert document.spec == spec
    assert not document.problems
    config = machine_config(spec, "app", files=NoFiles())
    images = {each.name: each.image for each in config.containers or []}
    assert images == {"migrate": "tools:1", "web": ".", "side": "proxy:3"}
