"""Counts belong to people: what a deploy may add to a group that has machines. Pure.

A launch makes two machines at most, one after the other, so an interruption leaves the second one
out, and the next deploy makes it. Once both were there, or once somebody scaled the group, it is
for people to say how many there are. The machines carry a mark then: whoever deploys next may know
nothing else of the app.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fly_machines import models
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.metadata import COUNTED, Launch, Marks, group_of
from score_flyio.deploy.model import Ref
from score_flyio.deploy.step import SetMetadata

LAUNCHED: Final = "launched"
"""Value of the mark: the launch of the machine came to its end, or `--no-ha` ended it."""
SCALED: Final = "scaled"
"""Somebody said how many machines there are to be, while the launch had not come to its end."""


@frozen(kw_only=True)
class Missing:
    """What an interrupted launch still has to create."""

    launch: str
    first: str
    """Id of the machine that is there."""


def missing_of_launch(machines: Iterable[models.Machine]) -> Missing | None:
    """The second machine of a launch that was never there, as far as the first one tells.

    Where the first one is missing, a person removed it, and it stays away. A machine that another
    one is about to replace counts no more.
    """
    machines = tuple(machines)
    replaced = {Marks.of(machine).stands_for for machine in machines}
    machines = tuple(machine for machine in machines if machine.id not in replaced)
    for machine in machines:
        launch = Launch.of_machine(machine)
        if launch is None or launch.number == launch.of or Marks.of(machine).counted:
            continue
        if not launch.is_of(group_of(machine, launch.group)):  # somebody cloned it from another one
            continue
        same = [m for m in machines if (other := Launch.of_machine(m)) and other.id == launch.id]
        if len(same) < launch.of:
            return Missing(launch=launch.id, first=machine.id or "")
    return None


def is_open(machine: models.Machine) -> bool:
    """Whether nothing on the machine tells that the launch before it came to its end."""
    counted, launch = Marks.of(machine).counted, Launch.of_machine(machine)
    if counted == LAUNCHED:
        return False
    return counted == SCALED or (launch is not None and launch.number < launch.of)


def as_counted(machines: Iterable[models.Machine]) -> tuple[models.Machine, ...]:
    """The machines of a group that somebody scales: what is made of their configs says so, too."""
    machines = tuple(machines)
    marks = Marks(counted=SCALED if missing_of_launch(machines) else LAUNCHED)
    return tuple(
        evolve(machine, config=marks.stamp(machine.config or models.FlyMachineConfig()))
        if is_open(machine) and not Marks.of(machine).counted
        else machine
        for machine in machines
    )


def mark_counted(group: str | None, target: Ref, value: str, *needs: str) -> SetMetadata:
    """The step that records on a machine that its group is counted."""
    return SetMetadata(
        id=f"counted:{target.machine or target.step}",
        group=group,
        target=target,
        key=COUNTED,
        value=value,
        needs=needs,
    )
