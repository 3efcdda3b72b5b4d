"""What is undone after a failure: canaries and green machines go, updated ones go back. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from score_flyio.base.record import evolve
from score_flyio.deploy.condition import is_well
from score_flyio.deploy.model import Ref
from score_flyio.deploy.options import OnFailure
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    DestroyMachine,
    RevertMachine,
    RunMachineCheck,
    Step,
    UpdateMachine,
    WatchForCrashes,
)


def undone(step: str) -> str:
    """The id of the step that takes away what a step made."""
    return f"{step}:undone"


def reverted(step: str) -> str:
    """The id of the step that gives a machine back what it had before a step."""
    return f"{step}:reverted"


def plan_recovery(
    plan: AppPlan, outcomes: Mapping[str, str], on_failure: OnFailure
) -> tuple[Step, ...]:
    """`outcomes` are those of the plan's steps, by id: `done`, `failed`, `skipped`, `unchanged`."""
    undone = (_undone(step, outcomes) for step in plan.steps if isinstance(step, CreateMachine))
    reverted = _revert(plan, outcomes) if on_failure == "rollback" else ()
    return (*(step for step in undone if step is not None), *reverted)


def _undone(made: CreateMachine, outcomes: Mapping[str, str]) -> DestroyMachine | None:
    """What takes a machine away again that must not stay after the failure."""
    undo = made.undo
    if undo is None or outcomes.get(made.id) != "done":
        return None
    stays = undo.unless_done and all(outcomes.get(name) == "done" for name in undo.unless_done)
    failed = any(outcomes.get(name) == "failed" for name in undo.if_failed)
    if stays or (undo.if_failed and not failed):
        return None
    return DestroyMachine(
        id=undone(made.id), group=made.group, target=made.target, reason=undo.reason
    )


def _revert(plan: AppPlan, outcomes: Mapping[str, str]) -> list[Step]:
    """Machines of a group go back when one of the group turned out bad after its update.

    Those that were well before are waited for: they must be so again.
    """
    waits = [
        step
        for step in plan.steps
        if isinstance(step, AwaitHealthy | WatchForCrashes | RunMachineCheck)
        and step.target.machine
    ]
    bad_groups = {step.group for step in waits if outcomes.get(step.id) == "failed"}
    timeouts = {step.target.machine: step for step in waits if isinstance(step, AwaitHealthy)}
    known = {machine.id: machine for machine in plan.machines}
    steps: list[Step] = []
    for step in plan.steps:
        changed = isinstance(step, UpdateMachine) and outcomes.get(step.id) == "done"
        if not isinstance(step, UpdateMachine) or not changed or step.group not in bad_groups:
            continue
        back = RevertMachine(
            id=reverted(step.id),
            group=step.group,
            machine=step.machine,
            config=step.previous,
            region=step.region,
            launch=not step.request.skip_launch,
        )
        steps.append(back)
        waited, before = timeouts.get(step.machine), known.get(step.machine)
        if back.launch and waited and before and is_well(before, checks=waited.wait_for_checks):
            target = Ref(step=back.id, label=f"machine {step.machine} with its previous config")
            steps.append(
                evolve(waited, id=f"{back.id}:healthy", target=target, needs=(back.id,), frees=None)
            )
    return steps
