"""Params of resources that the types which come with score-flyio refuse or do not know."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Cli


@pytest.fixture
def project(cli: Cli) -> Cli:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    return cli


WRONG_PARAMS = """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers: {main: {image: nginx}}
resources:
  db: {type: mysql}
  cart: {type: service-port, params: {workload: cart}}
  pay: {type: service, params: {workload: cart, port: nope}}
  fine: {type: service, params: {workload: cart, port: grpc}}
  way: {type: route, params: {host: other.fly.dev}}
  late: {type: service, params: {workload: cart, port: "${resources.db.port}"}}
"""
CART = """\
apiVersion: score.dev/v1b1
metadata: {name: cart}
containers: {main: {image: nginx}}
service: {ports: {grpc: {port: 7070}}}
"""


@pytest.mark.parametrize("command", ["plan", "deploy"])
def test_params_that_a_built_in_type_refuses_are_told_before_anything_is_made(
    project: Cli, command: str
) -> None:
    (project.directory / "web.yaml").write_text(WRONG_PARAMS)
    (project.directory / "cart.yaml").write_text(CART)
    found = project(command, "--emulate", "web.yaml", "cart.yaml")
    assert found.exit_code == 2
    told = [line.strip() for line in found.stderr.splitlines() if "web.yaml:" in line]
    assert [(line.split(":")[1], line.split("init: ")[1]) for line in told] == [
        ("6", "the params workload and port are needed"),
        ("7", "workload 'cart' has no port 'nope'"),
        ("9", "'other.fly.dev' is the name of another app than 'pfx-web', and leads there"),
    ]
    for state in (project.directory / ".score-flyio").rglob("state.yaml"):
        assert "provisioner: server" not in state.read_text(), "nothing may be made"


def test_params_are_told_with_other_problems_and_not_blamed_for_these(project: Cli) -> None:
    (project.directory / "web.yaml").write_text(WRONG_PARAMS.replace("nginx", "nginx, imag: x"))
    (project.directory / "cart.yaml").write_text(CART)
    problems = project("generate", "web.yaml", "cart.yaml", "--json").json["error"]["problems"]
    assert [p["line"] for p in problems] == [3, 6, 7, 9]
    broken = CART.replace("grpc: {port: 7070}", "grpc: {port: x}")
    (project.directory / "cart.yaml").write_text(broken)
    problems = project("generate", "web.yaml", "cart.yaml", "--json").json["error"]["problems"]
    assert [(p["file"], p["line"]) for p in problems] == [
        ("web.yaml", 3),
        ("web.yaml", 9),
        ("cart.yaml", 4),
    ]


@pytest.mark.parametrize("command", [("generate",), ("plan", "--emulate"), ("deploy", "--emulate")])
def test_a_param_that_the_type_does_not_know_is_warned_of(
    project: Cli, command: tuple[str, ...]
) -> None:
    (project.directory / "web.yaml").write_text(
        """\
apiVersion: score.dev/v1b1
metadata: {name: web}
containers: {main: {image: nginx}}
service: {ports: {web: {port: 80}}}
resources:
  way:
    type: route
    params: {path: /, prot: 80}
  disk: {type: volume, params: {size: 10}}
  any: {type: thing, params: {x: 1}}
"""
    )
    project("provisioners", "add", "mine", "thing", "--static-json", "{}")
    found = project(*command, "web.yaml")
    assert found.exit_code == 0, found.stderr
    told = (
        "web.yaml:8: resources.way.params.prot: route has no such param: it has no effect "
        "(did you mean port?)"
    )
    assert (found.stdout + found.stderr).count(told) == 1
    told = (
        "web.yaml:9: resources.disk.params.size: volume has no such param: it has no effect "
        "(it takes name)"
    )
    assert (found.stdout + found.stderr).count(told) == 1
    assert "params.x" not in found.stdout + found.stderr
