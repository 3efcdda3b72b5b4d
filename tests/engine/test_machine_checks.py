"""`[[machine_checks]]`: a command in a machine of its own tests the first machine of a group."""

from __future__ import annotations

import pytest
from attrs import evolve

from fly_emulator.records import MachineRecord
from score_flyio.errors import MachineCheckFailed
from tests.engine.lab import QUICK, Done, Lab, toml

TEST_GROUP = "fly_app_test_machine_command"
PASSING = (
    '\n[[http_service.machine_checks]]\ncommand = ["curl", "-f", "http://[$FLY_TEST_MACHINE_IP]"]\n'
)
FAILING = '\n[[machine_checks]]\ncommand = ["sh", "-c", "exit 22"]\nimage = "curl:1"\n'
GROUPS = """
[[machine_checks]]
command = ["true"]
[[http_service.machine_checks]]
command = ["true", "served"]
[processes]
app = "serve"
worker = "work"
"""


def checkers(lab: Lab, done: Done) -> list[MachineRecord]:
    """The machines that this run made for checks, in the order of their creation."""
    called = {call.machine for call in done.calls}
    return [
        machine
        for machine in lab.fly.world.machines.values()
        if machine.config["metadata"]["fly_process_group"] == TEST_GROUP and machine.id in called
    ]


async def test_a_failing_check_ends_the_deploy_and_puts_back_what_ran(lab: Lab) -> None:
    await lab.deploy(toml())
    done = await lab.deploy(toml(FAILING, image="nginx:2"))
    assert done.code == 3
    assert isinstance(done.report and done.report.failures[0], MachineCheckFailed)
    assert "machine check `sh -c 'exit 22'` of group app ended with exit code 22" in done.text
    assert len({call.machine for call in done.of("Machines_update")}) == 1
    assert lab.images() == ["nginx:1", "nginx:1"]
    assert {machine.state for machine in lab.machines()} == {"started"}
    lab.check_clean()


async def test_the_check_knows_the_machine_that_it_tests(lab: Lab) -> None:
    await lab.deploy(toml())
    done = await lab.deploy(toml(FAILING, image="nginx:2", env="A = '2'"))
    (tester,) = checkers(lab, done)
    (tested,) = {call.machine for call in done.of("Machines_update")}
    machine = lab.fly.world.machines[tested or ""]
    assert tester.config["env"]["FLY_TEST_MACHINE_IP"] == machine.private_ip
    assert tester.config["env"]["A"] == "2"
    assert tester.config["image"] == "curl:1"
    assert tester.region == machine.region
    assert tester.state == "destroyed"


@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen"])
async def test_one_machine_of_a_group_is_tested_before_the_others_follow(
    lab: Lab, strategy: str
) -> None:
    await lab.deploy(toml(strategy=strategy))
    before = {machine.id for machine in lab.machines()}
    done = await lab.deploy(toml(PASSING, image="nginx:2", strategy=strategy))
    assert done.code == 0, done.text
    assert lab.images() == ["nginx:2", "nginx:2"]
    (tester,) = checkers(lab, done)
    ended = next(i for i, call in enumerate(done.calls) if call.machine == tester.id)
    late = ("Machines_update", "Machines_delete", "Machines_cordon")
    touched = [call.machine for call in done.calls[:ended] if call.operation in late]
    assert len(set(touched) & before) <= (strategy == "rolling")
    lab.check_clean()


@pytest.mark.parametrize("strategy", ["canary", "bluegreen"])
async def test_a_failing_check_of_a_spare_machine_changes_no_other(lab: Lab, strategy: str) -> None:
    await lab.deploy(toml(strategy=strategy))
    before = [machine.id for machine in lab.machines()]
    done = await lab.deploy(toml(FAILING, image="nginx:2", strategy=strategy))
    assert done.code == 3
    assert done.of("Machines_update") == []
    assert [machine.id for machine in lab.machines()] == before
    lab.check_clean()


async def test_each_group_has_its_checks(lab: Lab) -> None:
    await lab.deploy(toml(GROUPS))
    done = await lab.deploy(toml(GROUPS, image="nginx:2"))
    assert done.code == 0, done.text
    commands = sorted(machine.config["init"]["cmd"] for machine in checkers(lab, done))
    assert commands == [["true"], ["true"], ["true", "served"]]


async def test_the_first_machine_of_a_launch_is_tested(lab: Lab) -> None:
    done = await lab.deploy(toml(FAILING))
    assert done.code == 3
    assert len(checkers(lab, done)) == 1
    done = await lab.deploy(toml(PASSING, app="other"))
    assert (done.code, len(checkers(lab, done))) == (0, 1)


async def test_nothing_is_tested_where_nothing_changes(lab: Lab) -> None:
    await lab.deploy(toml(PASSING))
    done = await lab.deploy(toml(PASSING))
    assert (done.code, done.changes) == (0, [])


async def test_a_check_that_does_not_end_is_ended(lab: Lab) -> None:
    await lab.deploy(toml())
    slow = toml(PASSING, image="nginx:2", env="EMULATE_EXIT_AFTER = '400'")
    done = await lab.deploy(slow)
    assert done.code == 3
    assert "did not end within 20 s" in done.text
    assert {machine.state for machine in checkers(lab, done)} <= {"destroyed", "destroying"}
    lab.check_clean()


@pytest.mark.parametrize(("strategy", "detach"), [("immediate", False), ("rolling", True)])
async def test_where_nothing_is_waited_for_nothing_is_tested_and_that_is_told(
    lab: Lab, strategy: str, *, detach: bool
) -> None:
    await lab.deploy(toml())
    options = evolve(QUICK, detach=detach)
    changed = toml(FAILING, image="nginx:2", strategy=strategy)
    async with lab.engine() as engine:
        plan = await engine.plan([changed], options)
    assert "machine checks of group app are not run" in plan.describe()
    done = await lab.deploy(changed, options=options)
    assert (done.code, checkers(lab, done)) == (0, [])
