"""`ips`: the addresses of an app."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv6Address
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import FLY_TOML, Platform, platform, use

APP = ("-c", "fly.toml")


@pytest.fixture
def deployed(cli: Cli) -> Iterator[Platform]:
    with platform() as served:
        use(cli, served)
        Path("fly.toml").write_text(FLY_TOML)
        done = cli("deploy", *APP, "--no-smoke-checks", "--no-public-ips")
        assert done.exit_code == 0, done.stderr
        yield served


def listed(served: Platform) -> list[str]:
    return [each["ip"] for each in served.get("/apps/by-hand/ip_assignments")["ips"]]


def test_an_address_comes_and_goes(cli: Cli, deployed: Platform) -> None:
    assert cli("ips", "list", *APP, "--json").json == []
    made = cli("ips", "allocate", "v6", *APP, "--region", "ams", "--json").json
    assert made["outcome"] == "done"
    (one,) = cli("ips", "list", *APP, "--json").json
    assert (one["ip"], one["type"], one["region"]) == (made["address"], "v6", "ams")
    assert one["created_at"]
    assert made["address"] in cli("ips", "list", *APP).stdout
    gone = cli("ips", "release", made["address"], *APP)
    assert gone.exit_code == 0
    assert f"released {made['address']}" in gone.stdout
    assert listed(deployed) == []


def test_an_address_is_released_however_it_is_spelt(cli: Cli, deployed: Platform) -> None:
    made = cli("ips", "allocate", "v6", *APP, "--json").json
    spelt = IPv6Address(made["address"]).exploded.upper()
    gone = cli("ips", "release", spelt, *APP)
    assert gone.exit_code == 0, gone.stderr
    assert f"released {made['address']}" in gone.stdout
    assert listed(deployed) == []


@pytest.mark.parametrize("kind", ["v6", "shared_v4", "private_v6"])
def test_each_kind(cli: Cli, deployed: Platform, kind: str) -> None:
    assert cli("ips", "allocate", kind, *APP).exit_code == 0
    (one,) = cli("ips", "list", "--app", "by-hand", "--json").json
    assert one["type"] == kind
    again = cli("ips", "allocate", kind, *APP, "--json").json
    assert again["outcome"] == ("unchanged" if kind == "shared_v4" else "done")
    assert len(listed(deployed)) == (1 if kind == "shared_v4" else 2)


def test_what_costs_asks_first(cli: Cli, deployed: Platform) -> None:
    asked = cli("ips", "allocate", "v4", *APP)
    assert asked.exit_code == 2
    assert "2 USD per month" in asked.stderr
    assert "--yes" in asked.stderr
    assert listed(deployed) == []
    assert cli("ips", "allocate", "v4", *APP, "--yes").exit_code == 0
    assert len(listed(deployed)) == 1


def test_a_lost_answer_makes_no_second_address(cli: Cli) -> None:
    with platform(faults="App_IPAssignments_create: lost times=1") as served:
        use(cli, served)
        Path("fly.toml").write_text(FLY_TOML)
        cli("deploy", *APP, "--no-smoke-checks", "--no-public-ips")
        result = cli("ips", "allocate", "v6", *APP, "--json")
        assert result.exit_code == 0, result.stderr
        assert listed(served) == [result.json["address"]]


def test_a_deploy_buys_an_ipv4_when_it_is_asked_to(cli: Cli, deployed: Platform) -> None:
    raw = "[[services]]\ninternal_port = 5\nprotocol = 'tcp'\n[[services.ports]]\nport = 5\n"
    Path("fly.toml").write_text(FLY_TOML + raw)
    dedicated = ("deploy", *APP, "--dedicated-ipv4", "--no-smoke-checks")
    for other in ("--no-public-ips", "--flycast"):
        refused = cli(*dedicated, other)
        assert refused.exit_code == 2
        assert other in refused.stderr
    assert listed(deployed) == []
    done = cli(*dedicated)
    assert done.exit_code == 0, done.stderr
    assert [each["type"] for each in cli("ips", "list", *APP, "--json").json] == ["v4"]


@pytest.mark.parametrize(
    ("args", "part"),
    [
        (["release", "1.2.3.4", *APP], "no address '1.2.3.4'"),
        (["release", *APP], "give one address"),
        (["allocate", *APP], "one of v4, v6"),
        (["allocate", "v5", *APP], "'v5': give the type of the address"),
        (["allocate", "shared_v4", "--region", "ams", *APP], "belongs to no region"),
        (["list", "-a", "missing"], "no such app"),
        (["list", "more", *APP], "more"),
    ],
)
def test_wrong_ips(cli: Cli, deployed: Platform, args: list[str], part: str) -> None:
    result = cli("ips", *args)
    assert result.exit_code == 2
    assert part in result.stderr
    assert listed(deployed) == []


def test_a_refusal_is_told(cli: Cli, deployed: Platform) -> None:
    result = cli("ips", "allocate", "v6", "--region", "eu", *APP)
    assert result.exit_code == 1
    assert "invalid region" in result.stderr
    assert listed(deployed) == []
