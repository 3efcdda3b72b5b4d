"""Each built-in type with its real server behind the emulated platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
from attrs import asdict, define, field

from fly_emulator import Emulator, parse_faults
from score_flyio.errors import ProvisionFailed
from score_flyio.resources.provisioner import (
    Provisioner,
    ProvisionIncomplete,
    ProvisionRequest,
    ProvisionResult,
)
from score_flyio.resources.sharing import merge_patch
from score_flyio.score.resources import ResourceUid
from tests.integration.conftest import QUICK, Killer, Platform, provision_at_once, served
from tests.integration.servers.real import REAL, Machines, Real, Refused

SHARED = frozenset({"mysql", "amqp"})
"""The types whose resources are on one server."""

CHANGES = ("Apps_create", "App_IPAssignments_create", "Secrets_update", "Volumes_create",
           "Machines_create", "Machines_exec")  # fmt: skip
KILLS = range(1, 13)
"""The requests that a run makes for one resource, and one more."""
SLOW = frozenset({"amqp", "s3", "postgres-instance"})
"""Of lost answers, only those of the machine and of commands in it are tried: the rest is the same."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def started() -> Iterator[dict[str, Real]]:
    """The servers that run, by type."""
    found: dict[str, Real] = {}
    try:
        yield found
    finally:
        for real in found.values():
            real.stop()


@pytest.fixture(params=sorted(REAL))
def running(request: pytest.FixtureRequest, started: dict[str, Real]) -> Real:
    if request.param not in started:
        real = started[request.param] = REAL[request.param]()
        real.start()
    return started[request.param]


@define
class World:
    """A platform with a real server in its machines, and what a project keeps."""

    real: Real
    platform: Platform
    shared: dict[str, Any] = field(factory=lambda: {"score-flyio-app-prefix": "pfx-"})
    states: dict[str, dict[str, Any]] = field(factory=dict)

    @classmethod
    def of(cls, real: Real, faults: str = "") -> World:
        emulator = Emulator(QUICK, faults=parse_faults(faults) if faults else None)
        emulator.exec_runner = Machines.of(emulator, real)
        return cls(real, Platform(emulator))

    @property
    def provisioner(self) -> Provisioner:
        return served(self.real.type, self.platform.access())

    def _request(self, name: str) -> ProvisionRequest:
        return ProvisionRequest(
            uid=ResourceUid(self.real.type, "default", f"shop.{name}"),
            guid=f"guid-of-{name}",
            state=self.states.get(name, {}),
            shared=self.shared,
        )

    def _keep(self, name: str, result: ProvisionResult) -> None:
        if result.state is not None:
            self.states[name] = result.state
        self.shared = merge_patch(self.shared, result.shared or {})

    async def provision(self, name: str) -> ProvisionResult:
        try:
            result = await self.provisioner.provision(self._request(name))
        except ProvisionIncomplete as error:
            self._keep(name, error.result)
            raise
        self._keep(name, result)
        return result

    async def deprovision(self, name: str) -> None:
        self._keep(name, await self.provisioner.deprovision(self._request(name)))

    def use(self, *results: ProvisionResult) -> None:
        machines = self.platform.emulator.exec_runner
        assert isinstance(machines, Machines)
        for machine in self.platform.emulator.world.machines.values():
            if not machine.destroyed:
                machines.boot(machine)
        for result in results:
            self.real.use(result)

    def assert_nothing_doubled(self, resources: int) -> None:
        servers = 1 if self.real.type in SHARED else resources
        assert len(self.platform.apps) == servers
        found = [self.platform.living(kind) for kind in ("machines", "volumes", "addresses")]
        assert found == [servers] * 3
        if self.real.type in SHARED:
            assert len(self.real.accounts()) == resources

    def assert_nothing_left(self) -> None:
        assert self.platform.apps == []
        assert set(self.shared) == {"score-flyio-app-prefix"}


@pytest.fixture
def world(running: Real) -> World:
    running.clear()
    return World.of(running)


async def test_what_is_answered_serves_and_keeps_others_out(world: World) -> None:
    first, second = await world.provision("one"), await world.provision("two")
    world.use(first, second)
    world.assert_nothing_doubled(2)
    for one, other in ((first, second), (second, first)):
        with pytest.raises(Refused):
            world.real.enter(one, other)
    names = {*(first.values or {}), *(first.secrets or {})}
    assert names >= EXPECTED[world.real.type]


EXPECTED = {
    "postgres-instance": {"host", "port", "name", "database", "username", "password", "url"},
    "redis": {"host", "port", "username", "password", "url"},
    "mysql": {"host", "port", "name", "database", "username", "password", "url"},
    "amqp": {"host", "port", "vhost", "username", "password", "url"},
    "mongodb": {"host", "port", "username", "password", "connection", "url"},
    "s3": {"endpoint", "bucket", "region", "access_key_id", "secret_key", "aws_access_key_id",
           "aws_secret_key"},
}  # fmt: skip


async def test_two_at_the_same_time(world: World) -> None:
    """Of a shared server the first makes it; what the others get is made at once."""
    machines = world.platform.emulator.exec_runner
    assert isinstance(machines, Machines)
    names = ["one", "two"]
    if world.real.type in SHARED:
        names += ["three", "four"]
        machines.meeting.begun, machines.meeting.of = 0, 3
    state, found = await provision_at_once(world.provisioner, world.real.type, names)
    world.use(*found.values())
    world.assert_nothing_doubled(len(names))
    with pytest.raises(Refused):
        world.real.enter(found["two"], found["one"])
    world.shared = state.shared
    world.states = {uid.id.removeprefix("shop."): r.state for uid, r in state.resources.items()}
    for name in names:
        await world.deprovision(name)
    world.assert_nothing_left()


async def test_again_changes_nothing(world: World) -> None:
    first = await world.provision("one")
    seen = len(world.platform.emulator.journal.entries)
    again = await world.provision("one")
    assert (again.values, again.secrets) == (first.values, first.secrets)
    later = world.platform.emulator.journal.entries[seen:]
    assert [entry.operation for entry in later] == ["Apps_show"]


async def test_the_last_one_leaves_nothing(world: World) -> None:
    await world.provision("one")
    second = await world.provision("two")
    await world.deprovision("one")
    world.use(second)
    world.assert_nothing_doubled(1)
    await world.deprovision("two")
    world.assert_nothing_left()
    await world.deprovision("two")


@pytest.mark.parametrize(
    ("running", "number"),
    [(t, n) for t in sorted(REAL) for n in KILLS],
    indirect=["running"],
)
async def test_a_run_killed_at_any_request_is_carried_on(world: World, number: int) -> None:
    with anyio.CancelScope() as scope:
        killer = Killer(world.platform.emulator.transport(), scope, number)
        world.platform.transport = lambda: killer
        await world.provision("one")
    assert scope.cancelled_caught or number > 9
    world.platform.transport = None
    world.use(await world.provision("one"))
    world.assert_nothing_doubled(1)


@pytest.mark.parametrize("action", ["lost times=1", "400 times=1"])
@pytest.mark.parametrize(
    ("running", "operation"),
    [(t, o) for t in sorted(REAL) for o in (CHANGES[-2:] if t in SLOW else CHANGES)],
    indirect=["running"],
)
async def test_a_lost_or_refused_call_makes_nothing_twice(
    running: Real, operation: str, action: str
) -> None:
    running.clear()
    world = World.of(running, f"{operation}: {action}")
    try:
        await world.provision("one")
    except ProvisionFailed:
        assert action.startswith("400")
    world.use(await world.provision("one"))
    world.assert_nothing_doubled(1)


async def test_no_password_is_in_any_request_but_the_one_that_sets_secrets(world: World) -> None:
    results = [await world.provision("one"), await world.provision("two")]
    await world.deprovision("one")
    shown = json.dumps([asdict(entry) for entry in world.platform.emulator.journal.entries])
    for result in results:
        assert result.secrets
        assert not any(secret in shown for secret in result.secrets.values())
    for entry in world.shared.values():
        if isinstance(entry, dict):
            assert entry["password"] not in shown
