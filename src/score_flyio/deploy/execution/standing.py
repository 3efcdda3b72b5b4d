"""How an app stands after a run: its release, its machines, and how far the run came. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Final

from fly_machines import models
from score_flyio.base.counted import counted
from score_flyio.deploy.execution.context import MadeMachine
from score_flyio.deploy.execution.execute import AppResult, StepResult
from score_flyio.deploy.metadata import last_release
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.recovery import reverted, undone
from score_flyio.deploy.step import CreateMachine, DestroyMachine, Step, StopMachine, UpdateMachine

GO_ON: Final = "the same command goes on from there"
NOTHING_CHANGED: Final = f"no machine was changed; {GO_ON}"
_UNSEEN: Final = "started"
"""How a machine is called that was made to run and not looked at."""


def release_of(result: AppResult) -> int | None:
    """The release that the run made and did not take back, else the newest that machines run."""
    steps = _standing(result)
    if _gives_release(steps, result.plan):
        return result.plan.release.version
    made = [models.Machine(config=s.config) for s in steps if isinstance(s, CreateMachine)]
    return last_release([*result.plan.machines, *made]) or None


def machines_by_state(result: AppResult) -> dict[str, int]:
    """How many machines are in which state, as far as the run has seen."""
    states = {machine.id or "": machine.state or "?" for machine in result.plan.machines}
    for step in _done(result):
        if isinstance(step.step, CreateMachine) and isinstance(step.value, MadeMachine):
            states[step.value.id] = _UNSEEN if step.value.launched else "stopped"
        if isinstance(step.step, UpdateMachine) and step.step.starts:
            states[step.step.machine] = _UNSEEN
    states |= {name: state for name, state in result.states.items() if name in states}
    for step in _done(result):
        name = _id_of(result, step.step)
        if name is not None and isinstance(step.step, StopMachine):
            states[name] = "stopped"
        if name is not None and isinstance(step.step, DestroyMachine):
            states.pop(name, None)
    return dict(sorted(Counter(states.values()).items()))


def account_of(result: AppResult) -> str:
    """How far a run came that was cut short, and what to do about it."""
    wanted = [s for s in result.plan.steps if isinstance(s, CreateMachine | UpdateMachine)]
    done = sum(isinstance(step, CreateMachine | UpdateMachine) for step in _standing(result))
    if not wanted:
        return NOTHING_CHANGED
    machines = counted(len(wanted), "machine")
    if not _gives_release(wanted, result.plan):
        return f"{done} of {machines} {'was' if done == 1 else 'were'} created; {GO_ON}"
    verb = "runs" if done == 1 else "run"
    return f"{done} of {machines} {verb} release {result.plan.release.version}; {GO_ON}"


def _standing(result: AppResult) -> list[Step]:
    """What was done and not taken back."""
    steps = {each.step.id: each.step for each in _done(result)}
    return [s for s in steps.values() if not steps.keys() & {undone(s.id), reverted(s.id)}]


def _done(result: AppResult) -> list[StepResult]:
    every = [*result.results.values(), *result.recovery.values()]
    return [step for step in every if step.outcome == "done"]


def _gives_release(steps: Iterable[Step], plan: AppPlan) -> bool:
    """Whether any belongs to the release of the plan, where that makes one."""
    return bool(plan.release.version) and any(
        isinstance(step, CreateMachine | UpdateMachine) for step in steps
    )


def _id_of(result: AppResult, step: Step) -> str | None:
    """The machine that a step was about, which another step may have made."""
    target = step.target or Ref()
    maker = result.results.get(target.step or "")
    return maker.value.id if maker and isinstance(maker.value, MadeMachine) else target.machine
