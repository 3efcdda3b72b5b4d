"""Bluegreen: a second set of machines is made and becomes healthy before the first one goes.

Order as flyctl's: create all green outside routing, wait until all are healthy, put them into
routing, mark the blue ones, give the proxy time, take blue out of routing, give it time again, stop
and destroy blue.
"""

from __future__ import annotations

from fly_machines import models
from score_flyio.deploy.metadata import (
    SAFE_TO_DESTROY,
    TAG,
    Marks,
    in_place_of,
    is_stray,
    take_over,
)
from score_flyio.deploy.model import Ref, Undo
from score_flyio.deploy.planning.model import GroupPlan
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Strategy
from score_flyio.deploy.step import (
    CordonMachine,
    CreateMachine,
    DestroyMachine,
    Pause,
    SetMetadata,
    Step,
    StopMachine,
    UncordonMachine,
    UpdateMachine,
)
from score_flyio.errors import Problem


def bluegreen(update: GroupUpdate) -> GroupPlan:
    """Serving capacity never drops below what it was."""
    steps: list[Step] = []
    well: list[str] = []
    greens = _greens(update)
    waits = update.waiting.first
    for green in greens:
        steps.append(green)
        if not green.request.skip_launch:
            steps += waits(green)
            waits = update.waiting.after
        well.append(steps[-1].id)
    switched = [
        UncordonMachine(
            id=_uncordon(green.id), group=update.group, target=green.target, needs=tuple(well)
        )
        for green in greens
    ]
    blue = tuple(green.previous or "" for green in greens)
    steps += [*switched, *_retire(update, blue, tuple(step.id for step in switched))]
    return GroupPlan(steps=tuple(steps))


def _greens(update: GroupUpdate) -> tuple[CreateMachine, ...]:
    """One green machine for each blue one, created in turn so that the platform spreads them.

    They go again as long as no blue machine left the routing; later they stay.
    """
    steps = update.steps
    switched = tuple(_uncordon(_name(step)) for step in steps)
    undo = Undo(unless_done=switched, reason="the new machines were not all healthy")
    made: dict[str | None, CreateMachine] = {}
    previous: tuple[str, ...] = ()
    for number, step in enumerate(steps, start=1):
        green = CreateMachine(
            id=_name(step),
            group=update.group,
            request=_request(step, update.release.id, update.new_id()),
            launch_id=take_over(update.machines.get(step.machine), update.new_id()),
            number=number,
            of=len(steps),
            role="green",
            undo=undo,
            standby_for=tuple(
                made[ref.machine].target if ref.machine in made else ref for ref in step.standby_for
            ),
            secrets_from=step.secrets_from,
            previous=step.machine,
            needs=(*previous, *update.before, *step.needs),
        )
        previous = (green.id,)
        made[step.machine] = green
    return tuple(made.values())


def _name(step: UpdateMachine) -> str:
    return f"green:{step.machine}"


def _uncordon(green: str) -> str:
    return f"{green}:uncordon"


def _request(step: UpdateMachine, release: str, launch: str) -> models.CreateMachineRequest:
    marks = Marks(tag=release, green_launch=launch)
    return models.CreateMachineRequest(
        config=marks.stamp(in_place_of(step.config, step.machine)),
        region=step.region,
        skip_launch=step.request.skip_launch,
        skip_service_registration=True,
        min_secrets_version=step.request.min_secrets_version,
    )


def _retire(update: GroupUpdate, blue: tuple[str, ...], switched: tuple[str, ...]) -> list[Step]:
    group = update.group
    steps: list[Step] = []
    learned = _pause(update, "learn", "the proxy learns of the new machines", switched)
    cordons: list[Step] = []
    for machine in blue:
        target = Ref(machine=machine)
        mark = SetMetadata(
            id=f"mark:{machine}",
            group=group,
            target=target,
            key=TAG,
            value=SAFE_TO_DESTROY,
            needs=switched,
        )
        steps.append(mark)
        cordons.append(
            CordonMachine(
                id=f"cordon:{machine}", group=group, target=target, needs=(learned.id, mark.id)
            )
        )
    drained = _pause(
        update, "drain", "the proxy drains the old machines", tuple(step.id for step in cordons)
    )
    steps += [learned, *cordons, drained]
    for machine in blue:
        target = Ref(machine=machine)
        stop = StopMachine(id=f"stop:{machine}", group=group, target=target, needs=(drained.id,))
        reason = "replaced by a green machine"
        gone = DestroyMachine.of(machine, group=group, reason=reason)
        steps += [stop, gone.after(stop.id)]
    return steps


def _pause(update: GroupUpdate, name: str, reason: str, needs: tuple[str, ...]) -> Pause:
    return Pause(
        id=f"{update.group}:{name}",
        group=update.group,
        seconds=update.options.bluegreen_pause,
        reason=reason,
        needs=needs,
    )


def _impossible(update: GroupUpdate) -> Problem | None:
    strays = [machine.id or "" for machine in update.observed.others if is_stray(machine)]
    if strays:
        return Problem(
            message=f"cannot be used beside machine {', '.join(strays)}, which no deploy "
            "made: it would go on beside the new machines",
            hint="destroy it (flyctl machine destroy ID), or use --strategy rolling",
        )
    if not update.app_has_checks:
        return _no_checks(update.group)
    return _no_volumes(update.group) if update.mounts else None


def _no_checks(group: str) -> Problem:
    return Problem(
        code="strategy_without_checks",
        message=f"needs a check in group {group}, to know when the new machines can take over",
        hint="add a check to fly.toml or a probe to the Score file, or use --strategy rolling",
    )


def _no_volumes(group: str) -> Problem:
    return Problem(
        code="strategy_with_volumes",
        message=f"cannot be used for group {group}, "
        "whose machines have volumes: a volume cannot be in two machines",
        hint="use --strategy rolling",
    )


BLUEGREEN = Strategy(
    order=bluegreen,
    impossible=_impossible,
    no_volumes=_no_volumes,
    no_checks=_no_checks,
    whole_group=True,
)
