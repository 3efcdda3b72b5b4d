"""What is undone after a failure: canaries and green machines go, updated ones go back. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from score_flyio.deploy.model import Ref
from score_flyio.deploy.options import OnFailure
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.planning.unsettled import is_well
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    DestroyMachine,
    RevertMachine,
    RunMachineCheck,
    Step,
    UncordonMachine,
    UpdateMachine,
    WatchForCrashes,
)


def plan_recovery(
    plan: AppPlan, outcomes: Mapping[str, str], on_failure: OnFailure
) -> tuple[Step, ...]:
    """`outcomes` are those of the plan's steps, by id: `done`, `failed`, `skipped`, `unchanged`."""
    return (
        *_remove_canaries(plan, outcomes),
        *_remove_greens(plan, outcomes),
        *_remove_replacements(plan, outcomes),
        *(_revert(plan, outcomes) if on_failure == "rollback" else ()),
    )


def _made(plan: AppPlan, outcomes: Mapping[str, str], role: str) -> list[CreateMachine]:
    return [
        step
        for step in plan.steps
        if isinstance(step, CreateMachine) and step.role == role and outcomes.get(step.id) == "done"
    ]


def _remove_canaries(plan: AppPlan, outcomes: Mapping[str, str]) -> list[Step]:
    return [
        _destroy(step, "the canary was not well")
        for step in _made(plan, outcomes, "canary")
        if outcomes.get(f"{step.id}:removed") != "done"
    ]


def _remove_greens(plan: AppPlan, outcomes: Mapping[str, str]) -> list[Step]:
    """Green machines go as long as no blue machine left the routing; later they stay."""
    steps: list[Step] = []
    for step in _made(plan, outcomes, "green"):
        switched = [
            other
            for other in plan.steps
            if isinstance(other, UncordonMachine) and other.group == step.group
        ]
        if not switched or not all(outcomes.get(other.id) == "done" for other in switched):
            steps.append(_destroy(step, "the new machines were not all well"))
    return steps


def _remove_replacements(plan: AppPlan, outcomes: Mapping[str, str]) -> list[Step]:
    return [
        _destroy(step, "the replacement was not well")
        for step in _made(plan, outcomes, "replacement")
        if outcomes.get(f"{step.id}:healthy") == "failed"
    ]


def _destroy(step: CreateMachine, reason: str) -> DestroyMachine:
    return DestroyMachine(
        id=f"{step.id}:undone",
        app=step.app,
        group=step.group,
        ref=step.ref,
        reason=reason,
    )


def _revert(plan: AppPlan, outcomes: Mapping[str, str]) -> list[Step]:
    """Machines of a group go back when one of the group turned out bad after its update.

    Those that were well before are waited for: they must be so again.
    """
    waits = [
        step
        for step in plan.steps
        if isinstance(step, AwaitHealthy | WatchForCrashes | RunMachineCheck) and step.ref.machine
    ]
    bad_groups = {step.group for step in waits if outcomes.get(step.id) == "failed"}
    timeouts = {step.ref.machine: step for step in waits if isinstance(step, AwaitHealthy)}
    known = {machine.id: machine for machine in plan.machines}
    steps: list[Step] = []
    for step in plan.steps:
        changed = isinstance(step, UpdateMachine) and outcomes.get(step.id) == "done"
        if not isinstance(step, UpdateMachine) or not changed or step.group not in bad_groups:
            continue
        back = RevertMachine(
            id=f"{step.id}:reverted",
            app=step.app,
            group=step.group,
            machine=step.machine,
            config=step.previous,
            region=step.region,
            launch=not step.request.skip_launch,
        )
        steps.append(back)
        waited, before = timeouts.get(step.machine), known.get(step.machine)
        if back.launch and waited and before and is_well(before, checks=waited.wait_for_checks):
            ref = Ref(step=back.id, label=f"machine {step.machine} with its previous config")
            steps.append(
                evolve(waited, id=f"{back.id}:healthy", ref=ref, needs=(back.id,), frees=None)
            )
    return steps
