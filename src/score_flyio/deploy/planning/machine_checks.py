"""Machine checks: commands that test the first machine of a group that gets a new config. Pure."""

from __future__ import annotations

import shlex

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.special import group_machine_checks, machine_check_input
from score_flyio.deploy.planning.model import GroupContext, GroupPlan
from score_flyio.deploy.planning.new_machine import options_guest
from score_flyio.deploy.planning.strategies.model import MachineTest, Waiting, waiting_for
from score_flyio.deploy.step import CreateMachine, RunMachineCheck, UpdateMachine


def waiting_with_tests(context: GroupContext) -> Waiting:
    """What is waited for in a group, with its machine checks.

    Raises ConversionError: a check has no command, or the config of the group cannot be made.
    """
    desired = context.desired
    waiting = waiting_for(desired.spec, context.group, context.options)
    checks = group_machine_checks(desired.spec, context.group)
    if not checks:
        return waiting
    tested = models.Machine(config=context.launch.config)
    guest = options_guest(context.options)
    tests = (
        MachineTest(
            command=shlex.join(check.command),
            request=machine_check_input(
                desired.spec,
                check,
                tested,
                release=context.release,
                images=desired.images,
                guest=guest,
            ),
            launch_id=context.settings.new_id(),
        )
        for check in checks
    )
    return evolve(waiting, tests=tuple(tests))


def telling_untested(context: GroupContext, plan: GroupPlan) -> GroupPlan:
    """The plan of a group, with a note where its machines change and no machine check runs."""
    changed = any(isinstance(step, CreateMachine | UpdateMachine) for step in plan.steps)
    tested = any(isinstance(step, RunMachineCheck) for step in plan.steps)
    if not changed or tested or not group_machine_checks(context.desired.spec, context.group):
        return plan
    note = f"machine checks of group {context.group} are not run: no new machine is waited for"
    return evolve(plan, notes=(*plan.notes, note))
