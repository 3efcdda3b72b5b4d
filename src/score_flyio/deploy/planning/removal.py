"""What takes machines away, and an app: machines, volumes, addresses, then the app itself. Pure."""

from __future__ import annotations

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.app_step import DestroyApp, DestroyVolume, ReleaseAddress
from score_flyio.deploy.condition import Condition, condition
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.holding import hold_step
from score_flyio.deploy.step import DestroyMachine, Step


def removal_steps(observed: ObservedApp, *, keep_volumes: bool = False) -> tuple[Step, ...]:
    """All of it, in order; with `keep_volumes` the app stays, for volumes belong to an app."""
    if not observed.exists:
        return ()
    app = observed.name
    every = (*observed.machines, *observed.others, *observed.leftovers)
    machines = [machine.id or "" for machine in every]
    hold = hold_step(observed, every, machines, everything=True)
    steps: list[Step] = [] if hold is None else [hold]
    gone = [
        DestroyMachine.of(machine, app=app, reason="the app is destroyed").after("hold")
        for machine in machines
    ]
    before = tuple(step.id for step in gone)
    rest: list[Step] = [
        ReleaseAddress(id=f"release:{address.ip}", app=app, address=address.ip or "", needs=before)
        for address in observed.addresses
    ]
    if not keep_volumes:
        rest += [
            DestroyVolume(id=f"volume:{volume.id}", app=app, volume=volume.id or "", needs=before)
            for volume in observed.volumes
        ]
    steps += [*gone, *rest]
    if not keep_volumes:
        needs = tuple(step.id for step in steps)
        steps.append(DestroyApp(id="app", app=app, needs=needs))
    return tuple(steps)


def end_of(machine: models.Machine, app: str, group: str, reason: str) -> DestroyMachine:
    """The end of a machine without a successor, which may be answering somebody."""
    serves = condition(machine, checks=False) is Condition.RUNS
    return evolve(
        DestroyMachine.of(machine.id or "", app=app, group=group, reason=reason), serves=serves
    )
