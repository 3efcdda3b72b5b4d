"""Bluegreen: a second set of machines is made and becomes healthy before the first one goes.

Order as flyctl's: create all green outside routing, wait until all are healthy, put them into
routing, mark the blue ones, give the proxy time, take blue out of routing, give it time again, stop
and destroy blue.
"""

from __future__ import annotations

from score_flyio.deploy.metadata import SAFE_TO_DESTROY, TAG
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.strategies.model import GroupUpdate, Ordered, waiting_steps
from score_flyio.deploy.step import (
    CordonMachine,
    CreateMachine,
    DestroyMachine,
    Pause,
    SetMetadata,
    Step,
    StopMachine,
    UncordonMachine,
)


def bluegreen(update: GroupUpdate) -> Ordered:
    """Serving capacity never drops below what it was."""
    steps: list[Step] = []
    well: list[str] = []
    for green in update.green.values():
        made = green.after(*update.before)
        steps.append(made)
        if made.request.skip_launch:
            well.append(made.id)
            continue
        healthy, watch = waiting_steps(
            update.waiting, app=update.app, group=update.group, made_by=made, ref=made.ref
        )
        steps += [step for step in (healthy, watch) if step is not None]
        well.append((watch or healthy).id)
    switched = _uncordon(update, tuple(well))
    steps += switched
    blue = tuple(update.green)
    ended = _retire(update, blue, tuple(step.id for step in switched))
    steps += ended
    done = tuple(step.id for step in ended if isinstance(step, DestroyMachine))
    return Ordered(steps=tuple(steps), done=done or tuple(step.id for step in switched))


def _uncordon(update: GroupUpdate, well: tuple[str, ...]) -> list[Step]:
    greens: tuple[CreateMachine, ...] = tuple(update.green.values())
    return [
        UncordonMachine(
            id=f"{green.id}:uncordon",
            app=update.app,
            group=update.group,
            ref=green.ref,
            needs=well,
        )
        for green in greens
    ]


def _retire(update: GroupUpdate, blue: tuple[str, ...], switched: tuple[str, ...]) -> list[Step]:
    app, group = update.app, update.group
    steps: list[Step] = []
    learned = _pause(update, "learn", "the proxy learns of the new machines", switched)
    cordons: list[Step] = []
    for machine in blue:
        ref = Ref(machine=machine)
        mark = SetMetadata(
            id=f"mark:{machine}",
            app=app,
            group=group,
            ref=ref,
            key=TAG,
            value=SAFE_TO_DESTROY,
            needs=switched,
        )
        steps.append(mark)
        cordons.append(
            CordonMachine(
                id=f"cordon:{machine}", app=app, group=group, ref=ref, needs=(learned.id, mark.id)
            )
        )
    drained = _pause(
        update, "drain", "the proxy drains the old machines", tuple(step.id for step in cordons)
    )
    steps += [learned, *cordons, drained]
    for machine in blue:
        ref = Ref(machine=machine)
        stop = StopMachine(id=f"stop:{machine}", app=app, group=group, ref=ref, needs=(drained.id,))
        gone = DestroyMachine(
            id=f"destroy:{machine}",
            app=app,
            group=group,
            ref=ref,
            reason="replaced by a green machine",
            needs=(stop.id,),
        )
        steps += [stop, gone]
    return steps


def _pause(update: GroupUpdate, name: str, reason: str, needs: tuple[str, ...]) -> Pause:
    return Pause(
        id=f"{update.group}:{name}",
        app=update.app,
        group=update.group,
        seconds=update.bluegreen_pause,
        reason=reason,
        needs=needs,
    )
