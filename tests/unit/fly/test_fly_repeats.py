"""After a doubtful outcome nothing is made twice and nothing made is overlooked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
from attrs import define, field

from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.errors import (
    FlyServerError,
    InsufficientCapacity,
    InvalidRequest,
    NameTaken,
    NotAuthorized,
    NotFound,
    PreconditionFailed,
)
from score_flyio.fly.creation import create_machine
from score_flyio.fly.present import LAUNCH_KEY, SENT_KEY, ip_type
from score_flyio.fly.repeats import (
    ask_for_certificate,
    assign_ip,
    create_volume,
    delete_machine,
    ensure_app,
    set_secrets,
    start_machine,
    update_machine,
)
from tests.unit.fly.scripted import Connect, Seen, answer, script

BEFORE = "fails before it is carried out"
AFTER = "fails after it was carried out"
CUT = "is cut after it was carried out"


@define
class Small:
    """A small platform whose changes can fail, before or after they are carried out."""

    faults: list[str] = field(factory=list)
    apps: dict[str, str] = field(factory=dict)
    """Name → owner."""
    machines: list[dict[str, Any]] = field(factory=list)
    volumes: list[dict[str, Any]] = field(factory=list)
    ips: list[dict[str, Any]] = field(factory=list)
    hostnames: list[str] = field(factory=list)
    visible_at: float = 0.0
    made: int = 0

    def __call__(self, seen: Seen) -> httpx.Response:
        if seen.method == "GET":
            return self.read(seen)
        fault = self.faults.pop(0) if self.faults else ""
        if fault == BEFORE:
            return answer(503, {"error": "try later"})
        result = self.change(seen)
        if fault == AFTER:
            return answer(504, {"error": "gateway"})
        if fault == CUT:
            raise httpx.ReadError("cut")
        return result

    def read(self, seen: Seen) -> httpx.Response:
        if seen.at < self.visible_at:
            return answer(404, {"error": "not found"})
        match seen.path.split("/")[3:]:
            case [name]:
                owner = self.apps.get(name)
                if owner is None:
                    return answer(404, {"error": "not found"})
                return (
                    answer(200, {"name": name}) if owner == "me" else answer(403, {"error": "no"})
                )
            case [_, "machines"]:
                return answer(200, self.machines)
            case [_, "machines", machine]:
                found = [m for m in self.machines if m["id"] == machine]
                return (
                    answer(200, found[0]) if found else answer(404, {"error": "machine not found"})
                )
            case [_, "volumes"]:
                return answer(200, self.volumes)
            case [_, "ip_assignments"]:
                return answer(200, {"ips": self.ips})
            case [_, "certificates", hostname]:
                known = hostname in self.hostnames
                return answer(200 if known else 404, {"hostname": hostname, "error": "not found"})
        raise AssertionError(seen.path)

    def change(self, seen: Seen) -> httpx.Response:
        self.made += 1
        body, number = seen.body or {}, self.made
        match [seen.method, *seen.path.split("/")[3:]]:
            case ["POST"]:
                if body["name"] in self.apps:
                    error = {"error": "Validation failed: Name has already been taken"}
                    return answer(422, error)
                self.apps[body["name"]] = "me"
                return answer(201)
            case ["POST", _, "certificates", "acme"]:
                if body["hostname"] in self.hostnames:
                    return answer(422, {"error": "Hostname already exists on app"})
                self.hostnames.append(body["hostname"])
                return answer(201, {"hostname": body["hostname"]})
            case ["POST", _, "machines"]:
                machine = {"id": f"m{number}", "created_at": f"{number}", "config": body["config"]}
                self.machines.append(machine)
                return answer(200, machine)
            case ["POST", _, "machines", machine_id]:
                [machine] = [m for m in self.machines if m["id"] == machine_id]
                machine |= {"config": body["config"], "instance_id": f"v{number}"}
                return answer(200, machine)
            case ["DELETE", _, "machines", machine_id]:
                left = [m for m in self.machines if m["id"] != machine_id]
                found, self.machines = len(left) < len(self.machines), left
                return answer(200, {"ok": True}) if found else answer(404, {"error": "gone"})
            case ["POST", _, "volumes"]:
                volume = {"id": f"vol{number}", "state": "created", **body}
                self.volumes.append(volume)
                return answer(200, volume)
            case ["POST", _, "ip_assignments"]:
                address = {
                    "v4": f"1.2.3.{number}",
                    "v6": f"2a09::{number}",
                    "shared_v4": f"6.6.6.{number}",
                }
                ip = {
                    "ip": address.get(body["type"], f"fdaa::{number}"),
                    "shared": body["type"] == "shared_v4",
                }
                self.ips.append(ip)
                return answer(200, ip)
        raise AssertionError(seen.path)


FAULTS = [[], [BEFORE], [AFTER], [CUT], [BEFORE, BEFORE, AFTER], [BEFORE, CUT]]


def machine_request(image: str = "i") -> models.CreateMachineRequest:
    config = models.FlyMachineConfig(image=image, metadata={"mine": "1"})
    return models.CreateMachineRequest(region="fra", config=config)


@pytest.mark.parametrize("faults", FAULTS)
async def test_one_machine_a_launch(connect: Connect, faults: list[str]) -> None:
    small = Small(faults=list(faults))
    request = machine_request()
    machine = await create_machine(connect(small).client.api, "web", request, "launch-1")
    assert [m["id"] for m in small.machines] == [machine.id]
    told = small.machines[0]["config"]["metadata"]
    assert told.pop(SENT_KEY, "1") == str(1 + sum(fault == BEFORE for fault in faults))
    assert told == {"mine": "1", LAUNCH_KEY: "launch-1"}
    assert request == machine_request()


async def test_a_machine_of_another_launch_is_not_taken(connect: Connect) -> None:
    small = Small(faults=[BEFORE])
    other = {"id": "other", "config": {"metadata": {LAUNCH_KEY: "launch-0"}}}
    small.machines = [other, {"id": "bare"}]
    machine = await create_machine(connect(small).client.api, "web", machine_request(), "launch-1")
    assert machine.id not in ("other", "bare")


async def test_a_machine_that_shows_late_does_not_stay_beside_its_twin(connect: Connect) -> None:
    small = Small()
    hidden: list[dict[str, Any]] = []

    def late(seen: Seen) -> httpx.Response:
        if seen.method == "POST" and not small.made:
            small(seen)
            hidden.extend(small.machines)
            small.machines = []
            raise httpx.ReadError("cut")
        if seen.method == "POST":
            small.machines = [*hidden, *small.machines]
        return small(seen)

    machine = await create_machine(connect(late).client.api, "web", machine_request(), "launch-1")
    assert [m["id"] for m in small.machines] == [machine.id]


async def test_a_list_without_the_machine_itself_says_nothing_of_its_twin(
    connect: Connect,
) -> None:
    """A whole region may be missing from lists for a while."""
    small = Small()
    looks = 0

    def late(seen: Seen) -> httpx.Response:
        nonlocal looks
        if seen.method == "GET":
            looks += 1
            return small(seen) if looks > 20 else answer(200, [])
        if not small.made:
            small(seen)
            raise httpx.ReadError("cut")
        return small(seen)

    machine = await create_machine(connect(late).client.api, "web", machine_request(), "launch-1")
    assert [m["id"] for m in small.machines] == [machine.id]
    assert machine.config is not None
    assert (machine.config.metadata or {})[SENT_KEY] == "2"


async def test_a_second_machine_that_shows_late_does_not_stay_either(connect: Connect) -> None:
    small = Small()
    hidden: list[dict[str, Any]] = []
    listed = 0

    def late(seen: Seen) -> httpx.Response:
        nonlocal listed
        if seen.method == "POST" and small.made < 2:
            small(seen)
            hidden.append(small.machines.pop())
            raise httpx.ReadError("cut")
        if seen.method == "GET" and small.made == 2:
            listed += 1  # the first shows at once, the second only later
            small.machines += [hidden.pop(0)] if hidden and listed in {1, 4} else []
        return small(seen)

    machine = await create_machine(connect(late).client.api, "web", machine_request(), "launch-1")
    assert [m["id"] for m in small.machines] == [machine.id]
    assert hidden == []


async def test_a_platform_that_keeps_failing_is_given_up(connect: Connect) -> None:
    small = Small(faults=[BEFORE] * 100)
    with pytest.raises(FlyServerError):
        await create_machine(connect(small).client.api, "web", machine_request(), "x")
    assert small.machines == []


async def test_a_refusal_is_not_repeated(connect: Connect) -> None:
    session = connect([answer(422, {"error": "x", "status": "insufficient_capacity"})])
    with pytest.raises(InsufficientCapacity):
        await create_machine(session.client.api, "web", machine_request(), "x")


FULL = "aborted: could not reserve resource for machine: insufficient memory on the current host"


@pytest.mark.parametrize(
    ("refusal", "volume", "sent"),
    [
        (answer(409, {"error": FULL}), None, 2),
        (httpx.Response(409, text="insufficient CPUs available to fulfill request"), None, 2),
        (answer(409, {"error": FULL}), "vol_1", 1),
        (answer(409, {"error": "aborted: no capacity"}), None, 1),
        (answer(409, {"error": FULL, "status": "insufficient_capacity"}), None, 1),
        (answer(412, {"error": "insufficient resources to create new machine"}), None, 1),
    ],
)
@pytest.mark.parametrize("room", [True, False])
async def test_the_platform_chooses_once_more_where_the_host_that_it_chose_is_full(
    connect: Connect, refusal: httpx.Response, volume: str | None, sent: int, room: bool
) -> None:
    session = connect(script(refusal, answer(200, {"id": "m1"}) if room else refusal))
    mounts = [models.FlyMachineMount(volume=volume)]
    request = models.CreateMachineRequest(config=models.FlyMachineConfig(mounts=mounts))
    if room and sent == 2:
        made = await create_machine(session.client.api, "web", request, "x")
        assert made.id == "m1"
    else:
        with pytest.raises(InsufficientCapacity):
            await create_machine(session.client.api, "web", request, "x")
    assert [seen.method for seen in session.platform.seen] == ["POST"] * sent


@pytest.mark.parametrize("faults", FAULTS)
async def test_one_update(connect: Connect, faults: list[str]) -> None:
    small = Small(faults=list(faults), machines=[{"id": "m1", "instance_id": "v0"}])
    session = connect(small)
    machine = await update_machine(
        session.client.api,
        "web",
        "m1",
        models.UpdateMachineRequest(config=models.FlyMachineConfig(image="new")),
        nonce="n",
        previous_instance_id="v0",
    )
    assert machine.config is not None
    assert machine.config.image == "new"
    assert small.made == 1
    assert session.platform.calls("POST")[0].headers["fly-machine-lease-nonce"] == "n"


async def test_an_update_that_met_another_goes_out_again_after_a_look(connect: Connect) -> None:
    met = {"error": "aborted: machine update failed due to concurrent update"}
    before = {"id": "m", "instance_id": "v1"}
    steps = [answer(409, met), answer(200, before), answer(200, before)]
    session = connect(script(*steps, answer(200, {"id": "m", "instance_id": "v2"})))
    request = models.UpdateMachineRequest(config=models.FlyMachineConfig(image="new"))
    machine = await update_machine(
        session.client.api, "web", "m", request, previous_instance_id="v1"
    )
    assert machine.instance_id == "v2"


OWN_ADDRESSES: list[dict[str, Any]] = [
    {"ip": "1.2.3.4", "shared": False},
    {"ip": "66.241.124.1", "shared": True},
    {"ip": "2a09::1"},
    {"ip": "fdaa::1"},
]


@pytest.mark.parametrize("status", [409, 422])
@pytest.mark.parametrize(
    ("kind", "text", "own"),
    [
        ("v4", "IPv4 address already allocated", "1.2.3.4"),
        ("shared_v4", "shared IPv4 address already allocated", "66.241.124.1"),
        ("v6", "Already allocated", "2a09::1"),
        ("private_v6", "app has a private IPv6 already allocated to it", "fdaa::1"),
    ],
)
@pytest.mark.parametrize("looks", [1, 3, None])
async def test_an_address_that_is_allocated_already_is_success(
    connect: Connect, status: int, kind: str, text: str, own: str, looks: int | None
) -> None:
    """Lists may lack it for a while, or for longer than anybody waits."""
    lists = [answer(200, {"ips": []})] * ((looks or 4) - 1)
    lists += [answer(200, {"ips": OWN_ADDRESSES})] if looks else []
    session = connect(script(answer(status, {"error": text}), *lists))
    request = models.AssignIPRequest(type=kind)
    address = await assign_ip(session.client.api, "web", request, set())
    assert address.ip == (own if looks else None)


async def test_a_start_is_repeated_until_the_platform_lets_it(connect: Connect) -> None:
    busy = {"error": "failed_precondition: machine getting replaced, refusing to start"}
    steps = [answer(412, busy), answer(200, {"id": "m", "state": "replacing"})]
    steps += [answer(412, busy), answer(200, {"id": "m", "state": "stopped"}), answer(200, {})]
    session = connect(script(*steps))
    await start_machine(session.client.api, "web", "m", nonce="n")
    starts = session.platform.calls("POST")
    assert len(starts) == 3
    assert starts[-1].headers["fly-machine-lease-nonce"] == "n"


async def test_a_machine_that_starts_by_itself_is_started(connect: Connect) -> None:
    busy = {"error": "failed_precondition: machine still attempting to start"}
    session = connect(script(answer(412, busy), answer(200, {"id": "m", "state": "starting"})))
    await start_machine(session.client.api, "web", "m")


@pytest.mark.parametrize("status", ["ok", "unreachable"])
async def test_a_start_is_not_repeated_for_ever(connect: Connect, status: str) -> None:
    def refuse(seen: Seen) -> httpx.Response:
        stopped = {"id": "m", "state": "stopped", "host_status": status}
        return answer(200, stopped) if seen.method == "GET" else answer(412, {"error": "no"})

    session = connect(refuse)
    began = anyio.current_time()
    with pytest.raises(PreconditionFailed):
        await start_machine(session.client.api, "web", "m")
    waited = anyio.current_time() - began
    assert waited < 1 if status == "unreachable" else 30 < waited <= 61


@pytest.mark.parametrize("faults", FAULTS)
async def test_one_volume(connect: Connect, faults: list[str]) -> None:
    old = {"id": "old", "name": "data", "region": "fra", "state": "created"}
    gone = {"id": "gone", "name": "data", "region": "fra", "state": "pending_destroy"}
    far = {"id": "far", "name": "data", "region": "syd", "state": "created"}
    small = Small(faults=list(faults), volumes=[old, gone, far])
    known = {"old"}
    request = models.CreateVolumeRequest(name="data", region="fra", size_gb=1)
    volume = await create_volume(connect(small).client.api, "web", request, known)
    assert volume.id is not None
    assert volume.id.startswith("vol")
    assert known == {"old", volume.id}
    assert len(small.volumes) == 4


@pytest.mark.parametrize("kind", ["v4", "v6", "shared_v4", "private_v6"])
@pytest.mark.parametrize("faults", FAULTS)
async def test_one_address(connect: Connect, faults: list[str], kind: str) -> None:
    present: list[dict[str, Any]] = [
        {"ip": "9.9.9.9", "shared": False},
        {"ip": "8.8.8.8", "shared": True},
        {"ip": "2a09::ffff"},
        {"ip": "fdaa::ffff"},
    ]
    small = Small(faults=list(faults), ips=list(present))
    known = {str(ip["ip"]) for ip in present}
    request = models.AssignIPRequest(type=kind)
    assignment = await assign_ip(connect(small).client.api, "web", request, known)
    assert ip_type(assignment) == kind
    assert len(small.ips) == 5
    assert assignment.ip in known


@pytest.mark.parametrize("present", [[], ["www.example.com"]])
@pytest.mark.parametrize("faults", FAULTS)
async def test_one_certificate(connect: Connect, faults: list[str], present: list[str]) -> None:
    small = Small(faults=list(faults), hostnames=list(present))
    api = connect(small).client.api
    found = await ask_for_certificate(api, "web", "www.example.com")
    assert found.hostname == "www.example.com"
    assert small.hostnames == ["www.example.com"]


async def test_a_refused_host_name_stays_refused(connect: Connect) -> None:
    session = connect([answer(422, {"error": "bad hostname"}), answer(404, {"error": "none"})])
    with pytest.raises(InvalidRequest, match="bad hostname"):
        await ask_for_certificate(session.client.api, "web", "www")


# --- apps


@pytest.mark.parametrize("faults", FAULTS)
async def test_one_app(connect: Connect, faults: list[str]) -> None:
    small = Small(faults=list(faults))
    session = connect(small)
    app = await ensure_app(session.client.api, "web", "personal")
    assert app.name == "web"
    assert small.apps == {"web": "me"}
    first = session.platform.calls("POST")[0]
    assert first.body == {"name": "web", "org_slug": "personal"}
    assert first.query == (("wait", "true"),)


async def test_an_own_app_is_taken_as_it_is(connect: Connect) -> None:
    small = Small(apps={"web": "me"})
    assert (await ensure_app(connect(small).client.api, "web", "personal")).name == "web"


async def test_someone_elses_name_is_refused_with_a_way_out(connect: Connect) -> None:
    small = Small(apps={"web": "them"})
    with pytest.raises(NameTaken) as caught:
        await ensure_app(connect(small).client.api, "web", "personal")
    assert "another name" in (caught.value.hint or "")


async def test_a_refusal_for_another_reason_stays_what_it_is(connect: Connect) -> None:
    session = connect([answer(422, {"error": "name is too long"}), answer(404, {})])
    with pytest.raises(InvalidRequest, match="too long"):
        await ensure_app(session.client.api, "w" * 100, "personal")


async def test_a_new_app_is_waited_for(connect: Connect) -> None:
    start = anyio.current_time()
    small = Small(visible_at=start + 10)
    assert (await ensure_app(connect(small).client.api, "web", "personal")).name == "web"
    assert 10 <= anyio.current_time() - start <= 13


async def test_a_new_app_that_never_shows_is_an_error(connect: Connect) -> None:
    small = Small(visible_at=1e9)
    with pytest.raises(NotFound):
        await ensure_app(connect(small).client.api, "web", "personal")


@pytest.mark.parametrize(("status", "kind"), [(401, None), (403, NotAuthorized)])
async def test_a_new_app_may_be_unauthorized_for_a_moment(
    connect: Connect, status: int, kind: type[Exception] | None
) -> None:
    session = connect([answer(201), answer(status, {"error": "x"}), answer(200, {"name": "web"})])
    call: Callable[[], Any] = lambda: ensure_app(session.client.api, "web", "personal")  # noqa: E731
    if kind is None:
        assert (await call()).name == "web"
    else:
        with pytest.raises(kind):
            await call()


# --- repeat-safe as they are


async def test_deleting_a_machine_that_is_gone_is_done(connect: Connect) -> None:
    small = Small(faults=[AFTER], machines=[{"id": "m1"}])
    session = connect(small)
    await delete_machine(session.client.api, "web", "m1", nonce="n")
    assert small.machines == []
    assert session.platform.seen[0].query == (("force", "true"),)
    assert session.platform.seen[0].headers["fly-machine-lease-nonce"] == "n"


@pytest.mark.parametrize("field_name", ["version", "Version"])
async def test_secrets_are_set_and_deleted_in_one_call(connect: Connect, field_name: str) -> None:
    body = {field_name: 7, "secrets": [{"name": "A", "digest": "d"}, {"name": "C"}]}
    session = connect([answer(503), answer(200, body)])
    result = await set_secrets(session.client.api, "web", {"A": Secret("1"), "B": None})
    assert session.platform.seen[1].body == {"values": {"A": "1", "B": None}}
    assert result.version == 7
    assert result.digests == {"A": "d"}
