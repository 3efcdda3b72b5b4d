"""Host names of several workloads: each leads to one app, and what would not is refused."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Cli

WORKLOAD = """\
apiVersion: score.dev/v1b1
metadata:
  name: {name}
containers:
  main:
    image: nginx
    variables: {{URL: "{url}"}}
service: {{ports: {{web: {{port: 8080}}}}}}
resources:
"""
DNS = "  host: {type: dns, id: shop}\n"
ROUTE = "  way: {type: route, params: {host: '%s', path: /%s}}\n"
OWN_NAME = "${resources.host.host}"
FAST = ("--emulate", "--no-smoke-checks", "--ha=false")


@pytest.fixture
def project(cli: Cli) -> Cli:
    cli("init", "--fly-app-prefix", "pfx-", "--no-sample")
    return cli


def write(folder: Path, name: str, resources: str, url: str = "none") -> str:
    text = WORKLOAD.format(name=name, url=url) + resources
    (folder / f"{name}.yaml").write_text(text)
    return f"{name}.yaml"


def test_a_shared_name_is_that_of_the_workload_with_routes_on_it(project: Cli) -> None:
    api = write(project.directory, "api", DNS, url="https://${resources.host.host}")
    web = write(project.directory, "web", DNS + ROUTE % (OWN_NAME, ""), "${resources.way.url}")
    deployed = project("deploy", api, web, *FAST)
    assert deployed.exit_code == 0, deployed.stderr
    world = json.loads(
        (project.directory / ".score-flyio/emulator/world.json").read_text(encoding="utf-8")
    )
    public = {app["name"]: sorted(ip["type"] for ip in app["ips"]) for app in world["apps"]}
    assert public == {"pfx-api": [], "pfx-web": ["shared_v4", "v6"]}
    for name, url in (("api", "https://pfx-web.fly.dev"), ("web", "https://pfx-web.fly.dev/")):
        toml = tomllib.loads((project.directory / f"fly_{name}.toml").read_text(encoding="utf-8"))
        assert toml["env"]["URL"] == url
    again = project("plan", "--target", "emulator", "--ha=false", "--detailed-exitcode")
    assert again.exit_code == 0, again.stdout


@pytest.mark.parametrize("command", [("generate",), ("plan", "--emulate"), ("deploy", *FAST)])
def test_routes_of_two_workloads_on_one_host_are_refused_with_their_place(
    project: Cli, command: tuple[str, ...]
) -> None:
    web = write(project.directory, "web", ROUTE % ("shop.example.com", ""))
    api = write(project.directory, "api", ROUTE % ("shop.example.com", "api"))
    refused = project(*command, web, api)
    assert refused.exit_code == 2
    assert "api.yaml:10: resources.way.params.host: workloads 'api' and 'web'" in refused.stderr
    assert "host 'shop.example.com': at Fly a host name leads to one app" in refused.stderr
    assert "let one pass requests on to the others" in refused.stderr


def test_names_that_only_provisioners_know_are_refused_once_they_are_known(project: Cli) -> None:
    values = json.dumps({"host": "shop.example.com"})
    project("provisioners", "add", "names", "dns", "--static-json", values)
    files = [write(project.directory, name, "  host: {type: dns}\n") for name in ("one", "two")]
    refused = project("deploy", *files, *FAST)
    assert refused.exit_code != 0
    assert "workloads 'one' and 'two' both have the host name shop.example.com" in refused.stderr
    listed = project("certs", "list", "one", "--target", "emulator", "--json").json
    assert "shop.example.com" in json.dumps(listed)
    listed = project("certs", "list", "two", "--target", "emulator", "--json").json
    assert "shop.example.com" not in json.dumps(listed)
    planned = project("plan", "two.yaml", "--target", "emulator")
    assert planned.exit_code == 2
    assert "both have the host name" in planned.stderr


def test_the_name_of_another_app_is_refused(project: Cli) -> None:
    web = write(project.directory, "web", ROUTE % ("pfx-api.fly.dev", ""))
    refused = project("generate", web)
    assert refused.exit_code == 1
    assert "'pfx-api.fly.dev' is the name of another app than 'pfx-web'" in refused.stderr


def test_circles_and_conflicts_come_with_all_other_problems(project: Cli) -> None:
    resources = """\
  one: {type: redis, params: {of: "${resources.two.host}"}}
  two: {type: redis, params: {of: "${resources.one.host}"}}
  events: {type: kafka-topic}
"""
    write(project.directory, "other", "  data: {type: volume, id: shared}\n")
    assert project("generate", "other.yaml").exit_code == 0
    web = write(project.directory, "web", resources + "  data: {type: volume, id: shared}\n")
    found = project("generate", web, "--json")
    assert [(p["line"], p["code"]) for p in found.json["error"]["problems"]] == [
        (13, "resource_conflict"),
        (10, "resource_cycle"),
        (12, "provisioner_not_found"),
    ]
    text = (project.directory / "web.yaml").read_text().replace("image: nginx", "imag: nginx")
    (project.directory / "web.yaml").write_text(text)
    found = project("generate", web, "--json")
    codes = [problem["code"] for problem in found.json["error"]["problems"]]
    assert codes[:1] == ["schema_invalid"]
    assert codes[-3:] == ["resource_conflict", "resource_cycle", "provisioner_not_found"]


@pytest.mark.parametrize("host", ["https://shop.example.com", "a b.example.com", "192.0.2.1"])
def test_what_a_provisioner_gives_as_host_has_to_be_one(project: Cli, host: str) -> None:
    project("provisioners", "add", "names", "dns", "--static-json", json.dumps({"host": host}))
    file = write(project.directory, "web", "  host: {type: dns}\n")
    refused = project("deploy", file, *FAST)
    assert refused.exit_code == 2
    wrong = f"web.yaml:10: resources.host: its provisioner gives {host!r} as host, which is no host"
    assert wrong in refused.stderr
