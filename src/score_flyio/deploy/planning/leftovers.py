"""What an interrupted deploy left in a group, and what becomes of it. Pure.

Canaries go. Of a bluegreen update, blue machines that were marked go, since their green ones serve;
green machines whose blue one still serves go, and the update begins anew. A replacement whose old
machine is still there is kept, and the old one goes once the replacement is well. Where nothing but
standbys is left, whose machines are gone, the group begins anew: nothing would ever start them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from attrs import field, frozen

from fly_machines import models
from score_flyio.deploy.metadata import SAFE_TO_DESTROY, Marks
from score_flyio.deploy.model import Ref
from score_flyio.deploy.step import DestroyMachine


@frozen(kw_only=True)
class Members:
    """The machines of a group, without what an interrupted deploy left."""

    machines: tuple[models.Machine, ...]
    gone: tuple[DestroyMachine, ...] = ()
    stand_ins: Mapping[str, str] = field(factory=dict)
    """Id of a machine that was to be replaced to the id of its replacement."""


def sort_out(app: str, group: str, machines: Iterable[models.Machine]) -> Members:
    """Tells members from leftovers; a group never loses its last machine that could run."""
    machines = tuple(machines)
    reasons = {m.id or "": _why_gone(m, machines) for m in machines}
    kept = tuple(m for m in machines if not reasons[m.id or ""])
    if not kept:
        return Members(machines=machines)
    if all(_orphaned(m, machines) for m in kept):  # nothing runs, and nothing ever would
        reasons |= {m.id or "": "what it stood by for is gone" for m in kept}
        kept = ()
    present = {m.id for m in kept}
    return Members(
        machines=kept,
        gone=tuple(
            DestroyMachine(
                id=f"destroy:{name}", app=app, group=group, target=Ref(machine=name), reason=reason
            )
            for name, reason in reasons.items()
            if reason
        ),
        stand_ins={
            old: m.id or "" for m in kept if (old := Marks.of(m).stands_for) and old in present
        },
    )


def _orphaned(machine: models.Machine, machines: tuple[models.Machine, ...]) -> bool:
    """Whether it is a standby of machines that are not there."""
    standbys = (machine.config.standbys if machine.config else None) or []
    return bool(standbys) and not {m.id for m in machines} & set(standbys)


def _why_gone(machine: models.Machine, machines: tuple[models.Machine, ...]) -> str:
    own = Marks.of(machine)
    if own.canary:
        return "a canary that an earlier run left behind"
    if own.tag == SAFE_TO_DESTROY:
        return "an earlier run replaced it"
    blue = next((m for m in machines if m.id == own.stands_for), None)
    if own.tag and blue is not None and Marks.of(blue).tag != SAFE_TO_DESTROY:
        return "an earlier run did not put it into service"
    return ""
