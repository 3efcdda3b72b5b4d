"""What flyctl was recorded to do badly, and what this tool does in its place."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from anyio import current_time
from attrs import define, field
from trio.testing import MockClock

from fly_emulator import Emulator, EmulatorSettings, JournalEntry, parse_faults
from fly_emulator.records import MachineRecord
from score_flyio import DeployOptions, EmulatorTarget, Engine, FlyTomlApp, InMemoryStore, Project
from score_flyio.base.clock import EventLoopClock
from score_flyio.deploy.execution.report import Report
from score_flyio.errors import DeployError

SETTINGS = EmulatorSettings(rate_limits=False, boot=1, healthy_after=1)
APP = """
app = 'shop'
primary_region = 'ams'
[build]
image = 'nginx:1'
"""
WEB = """
[http_service]
internal_port = 8080
[[http_service.checks]]
path = '/'
interval = '1s'
timeout = '1s'
"""
BAD = {"VERSION": "bad", "UNHEALTHY": "1"}


@pytest.fixture
def anyio_backend() -> Any:
    return "trio", {"clock": MockClock(autojump_threshold=0)}


@define
class Shop:
    """One app on an emulated platform, deployed again and again."""

    folder: Path
    fly: Emulator = field(factory=lambda: Emulator(SETTINGS, clock=EventLoopClock()))
    requests: list[JournalEntry] = field(factory=list)
    """Those of the last deploy."""
    took: float = 0.0
    """Seconds of the mock clock."""

    async def deploy(
        self, config: str = WEB, env: dict[str, str] | None = None, **options: Any
    ) -> Report:
        variables = "".join(f"{name} = '{value}'\n" for name, value in (env or {}).items())
        (self.folder / "fly.toml").write_text(f"{APP}[env]\n{variables}{config}")
        app = FlyTomlApp.load("fly.toml", self.folder)
        before, start = len(self.fly.journal.entries), current_time()
        target = EmulatorTarget(emulator=self.fly)
        async with Engine(Project(self.folder, InMemoryStore()), target=target) as engine:
            run = engine.deploy([app], DeployOptions(**options))
            with suppress(DeployError):  # it is in the report, too
                async with run:
                    pass
        self.fly.advance()
        self.requests = self.fly.journal.entries[before:]
        self.took = current_time() - start
        return run.report

    @property
    def machines(self) -> list[MachineRecord]:
        everything = self.fly.world.machines.values()
        return [m for m in everything if m.state not in {"destroying", "destroyed"}]

    @property
    def versions(self) -> list[str | None]:
        """The variable VERSION of each machine."""
        return [machine.config["env"].get("VERSION") for machine in self.machines]

    @property
    def calls(self) -> Counter[str]:
        return Counter(request.operation for request in self.requests)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen"])
async def test_a_bad_version_goes_and_the_good_one_stays(shop: Shop, strategy: str) -> None:
    await shop.deploy(env={"VERSION": "1"})
    report = await shop.deploy(env=BAD, strategy=strategy, wait_timeout=20)
    assert (report.outcome, report.exit_code) == ("unhealthy", 3)
    assert shop.versions == ["1", "1"]


async def test_a_bad_version_can_be_kept_to_look_at(shop: Shop) -> None:
    await shop.deploy(env={"VERSION": "1"})
    await shop.deploy(env=BAD, wait_timeout=20, on_failure="keep")
    assert sorted(map(str, shop.versions)) == ["1", "bad"]


async def test_the_immediate_strategy_waits_for_nothing_as_in_flyctl(shop: Shop) -> None:
    await shop.deploy(env={"VERSION": "1"})
    report = await shop.deploy(env=BAD, strategy="immediate")
    assert (report.outcome, shop.versions) == ("done", ["bad", "bad"])


async def test_only_machines_that_differ_are_updated(shop: Shop) -> None:
    await shop.deploy(env={"VERSION": "1"})
    shop.machines[0].config["env"]["VERSION"] = "by hand"
    report = await shop.deploy(env={"VERSION": "1"})
    assert (report.outcome, shop.versions) == ("done", ["1", "1"])
    assert shop.calls["Machines_update"] == 1
    assert (await shop.deploy(env={"VERSION": "1"})).outcome == "unchanged"
    assert {request.method for request in shop.requests} == {"GET"}


async def test_bluegreen_goes_from_machines_with_different_images(shop: Shop) -> None:
    await shop.deploy(env={"VERSION": "1"})
    shop.machines[0].config["image"] = "nginx:0"
    report = await shop.deploy(env={"VERSION": "2"}, strategy="bluegreen")
    assert (report.outcome, shop.versions) == ("done", ["2", "2"])


@pytest.mark.parametrize("fault", ["503 after", "504 after", "408 after", "reset after", "hang"])
async def test_a_machine_is_never_made_twice(shop: Shop, fault: str) -> None:
    shop.fly.faults = parse_faults(f"Machines_create: {fault} times=1")
    report = await shop.deploy()
    assert (report.outcome, len(shop.machines)) == ("done", 2)


@pytest.mark.parametrize("fault", ["500 before", "503 after", "reset after", "429 before"])
async def test_an_update_goes_on_after_a_fault(shop: Shop, fault: str) -> None:
    await shop.deploy(env={"VERSION": "1"})
    shop.fly.faults = parse_faults(f"Machines_update: {fault} times=1")
    report = await shop.deploy(env={"VERSION": "2"})
    assert (report.outcome, shop.versions) == ("done", ["2", "2"])


async def test_an_error_while_health_is_watched_ends_nothing(shop: Shop) -> None:
    shop.fly.faults = parse_faults("Machines_show,Machines_list: 500 before skip=3 times=3")
    assert (await shop.deploy()).outcome == "done"
    assert 500 in {request.status for request in shop.requests}


async def test_leases_are_given_back(shop: Shop) -> None:
    await shop.deploy(env={"VERSION": "1"})
    made = [request.body for request in shop.requests if request.operation == "Machines_create"]
    assert all(body and body["lease_ttl"] == 30 for body in made)
    assert not shop.calls["Machines_create_lease"]
    assert shop.calls["Machines_release_lease"] == 2
    await shop.deploy(env={"VERSION": "2"})
    assert shop.calls["Machines_release_lease"] == 2


async def test_new_machines_are_awaited_together(shop: Shop) -> None:
    await shop.deploy()
    assert len(shop.machines) == 2
    assert shop.took < 12, "one window of 10 s for crashes, not two"


async def test_the_app_and_its_addresses_are_made(shop: Shop) -> None:
    port = "[[services]]\ninternal_port = 80\nprotocol = 'tcp'\n[[services.ports]]\nport = 80\n"
    assert (await shop.deploy(port)).outcome == "done"
    assert shop.calls["Apps_create"] == 1
    kinds = [
        r.body and r.body["type"] for r in shop.requests if "IPAssignments_create" in r.operation
    ]
    assert kinds == []


GROUPS = """
[processes]
app = ''
worker = 'work'
[[mounts]]
source = '{volume}'
destination = '/data'
processes = ['worker']
"""


async def test_volumes_of_a_new_group_are_made(shop: Shop) -> None:
    await shop.deploy("")
    assert (await shop.deploy(GROUPS.format(volume="data"))).outcome == "done"
    assert shop.calls["Volumes_create"] == 1


async def test_a_replaced_machine_goes_when_the_new_one_is_well(shop: Shop) -> None:
    await shop.deploy(GROUPS.format(volume="data"))
    other = GROUPS.format(volume="other")
    report = await shop.deploy(other)
    assert (report.exit_code, shop.calls["Machines_create"]) == (2, 0), "needs consent"
    assert (await shop.deploy(other, allow_destructive=True)).outcome == "done"
    changes = [
        r.operation for r in shop.requests if r.operation.startswith(("Machines_c", "Machines_d"))
    ]
    assert changes.index("Machines_create") < changes.index("Machines_delete")


async def test_limits_are_kept_without_a_429(tmp_path: Path) -> None:
    settings = EmulatorSettings(boot=1, healthy_after=1)
    shop = Shop(tmp_path, Emulator(settings, clock=EventLoopClock()))
    groups = "".join(f"g{number} = 'work'\n" for number in range(6))
    assert (await shop.deploy(f"[processes]\n{groups}")).outcome == "done"
    assert len(shop.machines) == 12
    assert 429 not in {request.status for request in shop.requests}


async def test_many_machines_are_watched_by_few_requests(shop: Shop) -> None:
    groups = "[processes]\n" + "".join(f"g{number} = 'work'\n" for number in range(10))
    await shop.deploy(groups)
    await shop.deploy(groups, env={"VERSION": "2"})
    assert shop.calls["Machines_update"] == len(shop.machines) == 20
    assert shop.calls["Machines_show"] + shop.calls["Machines_list"] < 2 * len(shop.machines)
