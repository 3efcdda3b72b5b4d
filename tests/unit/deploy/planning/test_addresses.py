"""Which addresses are allocated."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import ADDRESSES
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.addresses import address_notes, address_steps, is_first
from score_flyio.flytoml.names import Exposure
from tests.unit.deploy.planning.plans import (
    SERVICE,
    half_launched,
    ids,
    launched,
    marked,
    planned,
    wanted,
)

RAW_TCP = "[[services]]\ninternal_port = 5\nprotocol = 'tcp'\n[[services.ports]]\nport = 5\n"
UDP = "[[services]]\ninternal_port = 5\nprotocol = 'udp'\n[[services.ports]]\nport = 5\n"
NOBODY = ObservedApp(name="web")


@pytest.mark.parametrize(
    ("text", "options", "kinds"),
    [
        (SERVICE, DeployOptions(), ["v6", "shared_v4"]),
        (RAW_TCP, DeployOptions(), []),
        (UDP, DeployOptions(), []),
        (RAW_TCP + UDP, DeployOptions(), []),
        ("", DeployOptions(), []),
        (SERVICE, DeployOptions(public_ips=False), []),
        (SERVICE, DeployOptions(flycast=True), ["private_v6"]),
    ],
)
def test_kinds_of_a_first_deploy(text: str, options: DeployOptions, kinds: list[str]) -> None:
    steps = address_steps(wanted(text), NOBODY, options)
    assert [step.kind for step in steps if hasattr(step, "kind")] == kinds


@pytest.mark.parametrize(
    ("exposure", "text", "kinds"),
    [
        ("private", SERVICE, []),
        ("private", UDP, []),
        ("shared", RAW_TCP, ["v6", "shared_v4"]),
        ("shared", "", []),
        ("dedicated", SERVICE, ["v4", "v6"]),
        ("dedicated", UDP, ["v4", "v6"]),
    ],
)
def test_kinds_for_a_workload(exposure: Exposure, text: str, kinds: list[str]) -> None:
    desired = evolve(wanted(text), exposure=exposure)
    steps = address_steps(desired, NOBODY, DeployOptions())
    assert [step.kind for step in steps if hasattr(step, "kind")] == kinds


@pytest.mark.parametrize(
    ("exposure", "text", "first", "later"),
    [
        (None, RAW_TCP, ["v4", "v6"], ["v4"]),
        (None, SERVICE, ["v4", "v6"], ["v4"]),
        ("shared", UDP, ["v4", "v6"], ["v4"]),
        ("private", RAW_TCP, [], []),
        (None, "", [], []),
    ],
)
def test_an_address_that_costs_money_by_option(
    exposure: Exposure | None, text: str, first: list[str], later: list[str]
) -> None:
    desired, options = evolve(wanted(text), exposure=exposure), DeployOptions(dedicated_ipv4=True)
    there = launched(desired)
    bought = evolve(there, addresses=(*there.addresses, models.IPAssignment(ip="137.66.1.1")))
    for observed, kinds in ((NOBODY, first), (there, later), (bought, [])):
        steps = address_steps(desired, observed, options)
        assert [step.kind for step in steps if hasattr(step, "kind")] == kinds
    assert address_notes(desired, NOBODY, options, address_steps(desired, NOBODY, options)) == ()


@pytest.mark.parametrize(
    ("exposure", "text", "ports"),
    [
        (None, RAW_TCP + UDP, ["port 5 (tcp)", "port 5 (udp)"]),
        ("shared", RAW_TCP, ["port 5 (tcp)"]),
        ("private", RAW_TCP, []),
        ("dedicated", RAW_TCP, []),
        (None, SERVICE, []),
    ],
)
def test_what_would_need_an_address_that_costs_money(
    exposure: Exposure | None, text: str, ports: list[str]
) -> None:
    desired = evolve(wanted(text), exposure=exposure)
    steps = address_steps(desired, NOBODY, DeployOptions())
    notes = address_notes(desired, NOBODY, DeployOptions(), steps)
    assert [note.partition(" can ")[0] for note in notes] == ports
    assert all("2 USD" in note and "ips allocate v4" in note for note in notes)
    v6 = evolve(NOBODY, addresses=(models.IPAssignment(ip="2a09::1"),))
    over_v6 = "; over IPv6 it is reached at its v6"
    for observed, reached in ((NOBODY, "v6" if steps else ""), (v6, "v6")):
        for note in address_notes(desired, observed, DeployOptions(), steps):
            if "2 USD" in note:
                tail = over_v6 if reached and "(tcp)" in note else ""
                assert note.partition(" can ")[2] == (
                    "be reached over IPv4 only at a dedicated address, 2 USD per month: "
                    f"--dedicated-ipv4, or ips allocate v4 --app web{tail}"
                )
    has = evolve(NOBODY, addresses=(models.IPAssignment(ip="137.66.1.1"),))
    assert address_notes(desired, has, DeployOptions(), ()) == ()


@pytest.mark.parametrize(
    ("ip", "shared", "missing"),
    [
        ("2a09::1", False, ["shared_v4"]),
        ("66.241.1.1", True, ["v6"]),
        ("137.66.1.1", False, ["v6", "shared_v4"]),
        ("fdaa:0:1::2", False, ["v6", "shared_v4"]),
    ],
)
def test_what_an_interrupted_run_left_out_is_made_up_for(
    ip: str, shared: bool, missing: list[str]
) -> None:
    address = models.IPAssignment(ip=ip, shared=shared)
    observed = ObservedApp(name="web", app=models.App(name="web"), addresses=(address,))
    steps = address_steps(wanted(), observed, DeployOptions())
    assert [step.kind for step in steps if hasattr(step, "kind")] == missing


def test_addresses_that_are_there_are_not_made_again() -> None:
    for text, options, ip in (
        (SERVICE, DeployOptions(flycast=True), "fdaa:0:1::2"),
        (UDP, DeployOptions(), "137.66.1.1"),
    ):
        address = models.IPAssignment(ip=ip)
        observed = ObservedApp(name="web", app=models.App(name="web"), addresses=(address,))
        assert address_steps(wanted(text), observed, options) == ()


@pytest.mark.parametrize(
    ("text", "exposure", "kinds"),
    [
        (SERVICE, None, ["v6", "shared_v4", "private_v6"]),
        (RAW_TCP, "private", ["private_v6"]),
        ("", "private", []),
    ],
)
def test_an_app_that_others_reach_through_the_proxy(
    text: str, exposure: Exposure | None, kinds: list[str]
) -> None:
    desired = evolve(wanted(text), exposure=exposure, flycast=True)
    steps = address_steps(desired, NOBODY, DeployOptions())
    assert [step.kind for step in steps if hasattr(step, "kind")] == kinds


def test_others_may_come_later() -> None:
    desired, observed = evolve(wanted(), flycast=True), launched(wanted())
    (step,) = address_steps(desired, observed, DeployOptions())
    assert getattr(step, "kind", None) == "private_v6"
    (step,) = address_steps(desired, NOBODY, DeployOptions(flycast=True))
    assert getattr(step, "kind", None) == "private_v6"
    private = models.IPAssignment(ip="fdaa:0:1::2")
    has = evolve(observed, addresses=(*observed.addresses, private))
    assert address_steps(desired, has, DeployOptions()) == ()


def test_an_app_whose_machines_were_all_launched_keeps_what_it_has() -> None:
    observed = launched(wanted())
    fewer = evolve(observed, addresses=observed.addresses[:1])
    assert address_steps(wanted(), fewer, DeployOptions()) == ()


def test_one_machine_that_says_so_is_enough_for_an_app_to_count_as_deployed() -> None:
    half = half_launched(wanted())
    (first,) = half.machines
    again = marked(evolve(half, addresses=()), first.id or "", **{ADDRESSES: "1"})
    both = evolve(again, machines=(*again.machines, evolve(first, id="other")))
    assert is_first(half)
    counted = evolve(launched(wanted()).machines[1], id="other")
    assert not is_first(evolve(half, machines=(first, counted)))
    assert not is_first(again)
    assert not is_first(both)
    assert address_steps(wanted(), both, DeployOptions()) == ()


def test_a_workload_with_an_address_of_another_kind_keeps_to_it() -> None:
    worker = evolve(launched(wanted("")), addresses=(models.IPAssignment(ip="137.66.1.1"),))
    assert address_steps(evolve(wanted(), exposure="shared"), worker, DeployOptions()) == ()


def test_a_workload_that_served_before_stays_as_it_is() -> None:
    whole = launched(wanted())
    served = evolve(whole, machines=whole.machines[-1:], addresses=())
    worker = evolve(launched(wanted("")).machines[0], id="worker")
    for observed in (served, evolve(served, machines=(worker, *served.machines))):
        assert address_steps(evolve(wanted(), exposure="shared"), observed, DeployOptions()) == ()


def test_ports_that_need_no_address_of_their_own_are_told_of_beside_others() -> None:
    http = "[[services.ports]]\nport = 80\nhandlers = ['http']\n"
    released = evolve(launched(wanted()), addresses=())
    first, second = address_notes(wanted(SERVICE + RAW_TCP + http), released, DeployOptions(), ())
    assert "no public address" in first
    assert first.count("2 USD") == 0
    assert second.startswith("port 5 (tcp) can be reached over IPv4 only")


DEPLOYED = models.App(name="web", status="deployed")


def test_an_app_without_addresses_stays_private() -> None:
    private = evolve(launched(wanted()), addresses=())
    assert address_steps(wanted(), private, DeployOptions()) == ()
    of_flyctl = evolve(private, machines=(unmarked(private.machines[0]),))
    assert address_steps(wanted(), of_flyctl, DeployOptions()) == ()
    scaled_to_none = ObservedApp(name="web", app=DEPLOYED)
    assert address_steps(wanted(), scaled_to_none, DeployOptions()) == ()
    for exposure in ("shared", "dedicated"):
        desired = evolve(wanted(), exposure=exposure)
        assert address_steps(desired, private, DeployOptions()) == ()


def unmarked(machine: models.Machine) -> models.Machine:
    config = machine.config or models.FlyMachineConfig()
    return evolve(machine, config=evolve(config, metadata={"fly_platform_version": "v2"}))


def test_an_app_that_lost_a_machine_was_deployed_all_the_same() -> None:
    whole = launched(wanted())
    plan = planned(wanted(), evolve(half_launched(wanted()), addresses=()))
    assert "address:v6" in ids(plan)
    kept = planned(wanted(), evolve(whole, machines=whole.machines[:1], addresses=()))
    assert not [name for name in ids(kept) if name.startswith("address:")]


def test_a_workload_that_becomes_public_gets_what_is_free_and_nothing_else() -> None:
    worker = launched(wanted(""))
    for exposure in ("shared", "dedicated"):
        desired = evolve(wanted(), exposure=exposure)
        steps = address_steps(desired, worker, DeployOptions())
        assert [getattr(step, "kind", "") for step in steps] == ["v6", "shared_v4"]
        assert address_steps(desired, worker, DeployOptions(public_ips=False)) == ()
    assert address_steps(wanted(), worker, DeployOptions()) == ()


def test_a_private_app_is_told_how_it_becomes_public() -> None:
    released = evolve(launched(wanted()), addresses=())
    (note,) = address_notes(wanted(), released, DeployOptions(), ())
    assert "web.internal" in note
    assert "ips allocate shared_v4 --app web" in note
    private = evolve(launched(wanted()), addresses=(models.IPAssignment(ip="fdaa:0:1::2"),))
    assert "web.flycast" in address_notes(wanted(), private, DeployOptions(), ())[0]
    assert address_notes(wanted(), private, DeployOptions(public_ips=False), ()) == ()
    assert address_notes(wanted(), launched(wanted()), DeployOptions(), ()) == ()


def test_addresses_that_are_kept_against_what_is_asked_for_are_told() -> None:
    public = evolve(
        launched(wanted()),
        addresses=(
            models.IPAssignment(ip="2a09::1"),
            models.IPAssignment(ip="66.1.1.1", shared=True),
        ),
    )
    private = evolve(public, addresses=(models.IPAssignment(ip="fdaa:0:1::2"),))
    hidden, flycast = DeployOptions(public_ips=False), DeployOptions(flycast=True)
    (kept,) = address_notes(wanted(), public, hidden, ())
    assert kept.startswith("--no-public-ips is for the first deploy of an app: this one keeps")
    assert "keeps its public addresses (shared_v4, v6)" in kept
    assert "ips release ADDRESS --app web" in kept
    kept, lacks = address_notes(wanted(), public, flycast, ())
    assert kept.startswith("--flycast is for the first deploy")
    assert "ips allocate private_v6 --app web" in lacks
    dedicated = evolve(wanted(), exposure="dedicated")
    assert address_notes(dedicated, private, DeployOptions(), ()) == ()
    closed = evolve(wanted(), exposure="private")
    (kept,) = address_notes(closed, public, DeployOptions(), ())
    assert kept.startswith("no port is public: this one keeps its public addresses")
    assert address_notes(closed, private, DeployOptions(), ()) == ()
    assert address_notes(wanted(), private, hidden, ()) == ()
    assert address_notes(wanted(), private, flycast, ()) == ()
    assert address_notes(wanted(), NOBODY, hidden, ()) == ()


@pytest.mark.parametrize(
    ("observed", "options", "url"),
    [
        (NOBODY, {}, "https://web.fly.dev/"),
        (NOBODY, {"public_ips": False}, None),
        (NOBODY, {"flycast": True}, None),
        (launched(wanted()), {}, "https://web.fly.dev/"),
        (evolve(launched(wanted()), addresses=()), {}, None),
    ],
)
def test_the_url_is_told_where_something_serves_it(
    observed: ObservedApp, options: dict[str, Any], url: str | None
) -> None:
    assert planned(wanted(), observed, **options).url == url
