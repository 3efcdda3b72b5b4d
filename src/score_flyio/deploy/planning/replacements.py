"""Machines that an update cannot change: a new one comes before the old one goes."""

from __future__ import annotations

from attrs import evolve

from fly_machines import models
from score_flyio.deploy.desired.update import MachineUpdate
from score_flyio.deploy.desired.volumes import volume_request
from score_flyio.deploy.metadata import STANDS_FOR, Launch, take_over
from score_flyio.deploy.model import DesiredApp, ObservedApp, Ref
from score_flyio.deploy.planning.group_plan import GroupPlan, PlanSettings
from score_flyio.deploy.planning.hosts import host_answers
from score_flyio.deploy.planning.launches import with_secrets_seen
from score_flyio.deploy.planning.leftovers import Members
from score_flyio.deploy.planning.secrets import SecretsPlan
from score_flyio.deploy.planning.sizes import options_guest
from score_flyio.deploy.planning.strategies.model import Waiting, waiting_steps
from score_flyio.deploy.planning.waiting import waiting_for
from score_flyio.deploy.releases.in_metadata import with_history
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    CreateVolume,
    DestroyMachine,
    Step,
)
from score_flyio.deploy.verdict import newest_exit
from score_flyio.errors import DestructiveChange, PlanError
from score_flyio.flytoml.groups import flatten


def replacement_steps(
    desired: DesiredApp,
    group: str,
    replaced: list[tuple[models.Machine, MachineUpdate]],
    *,
    observed: ObservedApp,
    settings: PlanSettings,
    secrets: SecretsPlan,
    members: Members,
    taken: set[str],
) -> GroupPlan:
    """Raises DestructiveChange where a volume would be left behind without consent."""
    steps: list[Step] = []
    notes: list[str] = []
    previous: tuple[str, ...] = ()
    for number, (machine, update) in enumerate(replaced, start=1):
        notes.append(_allowed(desired, machine, update, observed, settings))
        if stand_in := members.stand_ins.get(machine.id or ""):
            found = next(m for m in members.machines if m.id == stand_in)
            waiting = waiting_for(desired.spec, group, settings.options)
            steps += finish_replacement(desired.name, group, machine, found, waiting)
            continue
        made = _replacement(
            desired,
            group,
            machine,
            update,
            observed=observed,
            settings=settings,
            secrets=secrets,
            taken=taken,
        )
        made = evolve(made, number=number, of=len(replaced), needs=previous)
        made = evolve(made, standby_for=_stands_by_for(machine, made, members))
        steps += _in_turn(desired, group, machine, made, settings, reason=notes[-1])
        previous = (made.id,)
    held = tuple(m.id or "" for m, _ in replaced if host_answers(m))
    return GroupPlan(steps=tuple(steps), leases=held)


def _in_turn(
    desired: DesiredApp,
    group: str,
    machine: models.Machine,
    made: CreateMachine,
    settings: PlanSettings,
    *,
    reason: str,
) -> list[Step]:
    """The volume, the new machine, its health, the end of the old one."""
    volume = _volume(desired, group, made, options_guest(settings.options))
    if volume is not None:
        made = evolve(made.after(volume.id), volume_from=volume.id)
    healthy, _ = waiting_steps(
        evolve(waiting_for(desired.spec, group, settings.options), smoke_window=0.0),
        app=desired.name,
        group=group,
        made_by=made,
        ref=made.ref,
    )
    resting = bool(made.request.skip_launch)
    gone = DestroyMachine(
        id=f"destroy:{machine.id}",
        app=desired.name,
        group=group,
        ref=Ref(machine=machine.id),
        reason=f"replaced: {reason}",
        needs=(made.id if resting else healthy.id,),
    )
    return [step for step in (volume, made, None if resting else healthy, gone) if step]


def _stands_by_for(machine: models.Machine, made: CreateMachine, members: Members) -> Ref | None:
    """What a replaced standby stands by for: what a lost host shows of it does not tell."""
    config = made.request.config or models.FlyMachineConfig()
    place = Launch.of_machine(machine)
    if config.standbys or config.services or config.mounts or place is None or place.number == 1:
        return None
    for other in members.machines:
        launch = Launch.of_machine(other)
        if launch is not None and (launch.id, launch.number) == (place.id, 1):
            return Ref(machine=other.id)
    return None


def finish_replacement(
    app: str,
    group: str,
    machine: models.Machine,
    stand_in: models.Machine,
    waiting: Waiting,
) -> list[Step]:
    """The old machine goes once its replacement, made by an earlier run, is well.

    One that was made to rest, since the old one rested, has nothing to be waited for.
    """
    healthy = AwaitHealthy(
        id=f"replaced:{machine.id}:healthy",
        app=app,
        group=group,
        ref=Ref(machine=stand_in.id),
        timeout=waiting.timeout,
        wait_for_checks=waiting.checks,
        needs=(f"update:{stand_in.id}",),
    )
    gone = DestroyMachine(
        id=f"destroy:{machine.id}",
        app=app,
        group=group,
        ref=Ref(machine=machine.id),
        reason=f"replaced by machine {stand_in.id} in an earlier run",
        needs=() if _rests(stand_in) else (healthy.id,),
    )
    return [gone] if _rests(stand_in) else [healthy, gone]


def behind_replaced_ones(plan: GroupPlan) -> GroupPlan:
    """A replacement that is itself replaced need not be well; the old machine goes behind it."""
    going = {step.ref.machine for step in plan.steps if isinstance(step, DestroyMachine)}
    waits = {
        step.id: f"destroy:{step.ref.machine}"
        for step in plan.steps
        if isinstance(step, AwaitHealthy)
        and step.id.startswith("replaced:")
        and step.ref.machine in going
    }
    return evolve(
        plan,
        steps=tuple(
            evolve(step, needs=tuple(waits.get(name, name) for name in step.needs))
            for step in plan.steps
            if step.id not in waits
        ),
    )


def _rests(machine: models.Machine) -> bool:
    """Whether it stands still and never ran: it was made so."""
    return machine.state in {"stopped", "suspended", "created"} and newest_exit(machine) is None


def _allowed(
    desired: DesiredApp,
    machine: models.Machine,
    update: MachineUpdate,
    observed: ObservedApp,
    settings: PlanSettings,
) -> str:
    host = machine.host_status or "ok"
    config = machine.config or machine.incomplete_config or models.FlyMachineConfig()
    volumes = [mount.volume for mount in config.mounts or [] if mount.volume]
    volumes += [v.id for v in observed.volumes if v.id and v.attached_machine_id == machine.id]
    if host != "ok" and volumes:
        raise PlanError(
            f"app {desired.name}: machine {machine.id} is on a host that is {host}, "
            f"and so is its volume {volumes[0]}",
            hint="wait for the host, or restore a snapshot of the volume and destroy the machine",
        )
    if host != "ok":
        return f"its host is {host}"
    if volumes and not settings.options.allow_destructive:
        raise DestructiveChange(
            f"app {desired.name}: the mounts of machine {machine.id} change, so it has to be "
            f"replaced, and its volume {volumes[0]} is left behind",
            hint="agree with --yes; the volume is kept, unattached",
        )
    return "its mounts change" if update.requires_replacement else "it cannot be updated"


def _replacement(
    desired: DesiredApp,
    group: str,
    machine: models.Machine,
    update: MachineUpdate,
    *,
    observed: ObservedApp,
    settings: PlanSettings,
    secrets: SecretsPlan,
    taken: set[str],
) -> CreateMachine:
    config = with_history(update.request.config or models.FlyMachineConfig(), machine)
    free = [
        volume
        for volume in observed.volumes
        if config.mounts
        and volume.name == config.mounts[0].name
        and volume.region == machine.region
        and not volume.attached_machine_id
        and volume.id not in taken
    ]
    if config.mounts:
        volume = free[0].id if free else None
        taken.update({volume} if volume else ())
        config = evolve(
            config, mounts=[evolve(config.mounts[0], volume=volume), *config.mounts[1:]]
        )
    config = evolve(config, metadata={**(config.metadata or {}), STANDS_FOR: machine.id or ""})
    request = models.CreateMachineRequest(
        config=config, region=machine.region, skip_launch=update.request.skip_launch
    )
    return CreateMachine(
        id=f"replace:{machine.id}",
        app=desired.name,
        group=group,
        request=with_secrets_seen(request, secrets),
        launch_id=take_over(machine, settings.new_id()),
        number=1,
        of=1,
        role="replacement",
        secrets_from="secrets" if secrets.changes else None,
        previous=machine.id,
    )


def _volume(
    desired: DesiredApp, group: str, made: CreateMachine, guest: models.FlyMachineGuest | None
) -> CreateVolume | None:
    mounts = (made.request.config or models.FlyMachineConfig()).mounts
    if not mounts or mounts[0].volume:
        return None
    mount = flatten(desired.spec, group).mounts[0]
    request = volume_request(desired.spec, group, mount, image=desired.image, guest=guest)
    return CreateVolume(
        id=f"volume:{made.id}",
        app=desired.name,
        group=group,
        request=evolve(request, region=made.request.region),
    )
