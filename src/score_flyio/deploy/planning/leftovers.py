"""What an interrupted deploy left in a group, and what becomes of it. Pure.

Canaries go. Of a bluegreen update, blue machines that were marked go, since their green ones serve;
green machines whose blue one still serves go, and the update begins anew; those of flyctl do not
say which one that is, so that their number tells. A replacement whose old
machine is still there is kept, and the old one goes once the replacement is well. Of two first
deploys that met, the later one gives way, or was killed before it could. Where nothing but
standbys at rest is left, whose machines are gone, the group begins anew: nothing would ever start
them. One that runs serves, and one with a volume has data: these stay, and become its members.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final

from fly_machines import models
from score_flyio.base.record import field, frozen
from score_flyio.deploy.condition import host_answers, rests
from score_flyio.deploy.metadata import SAFE_TO_DESTROY, Launch, Marks, group_of
from score_flyio.deploy.step import DestroyMachine
from score_flyio.fly.present import LAUNCH_KEY, SENT_KEY, is_standby, metadata

MEET_WITHIN: Final = 300.0
"""Seconds between the first machines of two launches that met."""
_NO_SERVICE: Final = "an earlier run did not put it into service"
_DIGITS: Final = 4
"""No creation is sent so often that its count has so many digits."""


@frozen(kw_only=True)
class Members:
    """The machines of a group, without what an interrupted deploy left."""

    machines: tuple[models.Machine, ...]
    gone: tuple[DestroyMachine, ...] = ()
    stand_ins: Mapping[str, str] = field(factory=dict)
    """Id of a machine that was to be replaced to the id of its replacement."""


def sort_out(group: str, machines: Iterable[models.Machine]) -> Members:
    """Tells members from leftovers; a group never loses its last machine that could run."""
    machines = tuple(machines)
    by_id = {m.id or "": m for m in machines}
    unused = _unused(by_id)
    reasons = {name: _why_gone(m, by_id, unused) for name, m in by_id.items()}
    own = [machine for machine in machines if group_of(machine, group) == group]
    own = [machine for machine in own if _is_no_copy(machine, group)]
    reasons |= dict.fromkeys(_second_launch(own), "another run launched the group before")
    reasons |= dict.fromkeys(_twins(machines), "its creation was sent again")
    reasons |= dict.fromkeys(_idle_greens(machines), _NO_SERVICE)
    kept = tuple(m for m in machines if not reasons[m.id or ""])
    if not kept:
        return Members(machines=machines)
    if all(map(_is_useless, kept)):  # nothing runs, and nothing ever would
        reasons |= {m.id or "": "what it stood by for is gone" for m in kept}
        kept = ()
    present = {m.id for m in kept}
    return Members(
        machines=kept,
        gone=tuple(
            DestroyMachine.of(name, group=group, reason=reason)
            for name, reason in reasons.items()
            if reason
        ),
        stand_ins={
            old: m.id or ""
            for m in kept
            if (old := Marks.of(m).stands_for) in present and old and not _came_back(by_id[old], m)
        },
    )


def _came_back(machine: models.Machine, replacement: models.Machine) -> bool:
    """Whether a machine went to another group, and came back in the place of its replacement."""
    marks = Marks.of(machine)
    return marks.former_group is not None and marks.stands_for == replacement.id


def _is_useless(machine: models.Machine) -> bool:
    """Whether it is a standby that has no data: without a member, nothing would ever start it."""
    may_have_data = machine.config is None or bool(machine.config.mounts)
    return is_standby(machine) and rests(machine) and not may_have_data


def _is_no_copy(machine: models.Machine, group: str) -> bool:
    """Whether it may have been launched in its group: a copy tells of the launch of another one."""
    launch = Launch.of_machine(machine)
    return launch is None or launch.is_of(group)


def _second_launch(machines: Iterable[models.Machine]) -> tuple[str, ...]:
    """The machines of launches that met another one.

    What was deployed with the others since is part of the group: it has a release in common with
    them, or took over from a machine of its launch. So is what came from another group.
    """
    launches: dict[str, list[models.Machine]] = {}
    for machine in machines:
        launch = Launch.of_machine(machine)
        taken_over = Marks.of(machine).former_group is not None
        if launch is not None and not launch.again and not taken_over and _age(machine):
            launches.setdefault(launch.id, []).append(machine)
    begun = {name: min(map(_age, made)) for name, made in launches.items()}
    releases = {name: {Marks.of(m).release_id for m in made} for name, made in launches.items()}
    first = min(begun, key=begun.__getitem__, default="")
    return tuple(
        machine.id or ""
        for name, made in launches.items()
        if 0 < begun[name] - begun[first] < MEET_WITHIN and not releases[name] & releases[first]
        for machine in made
    )


def _twins(machines: Iterable[models.Machine]) -> Iterator[str]:
    """The machines whose creation was not answered, and showed only when it had been sent again."""
    known: dict[str, list[models.Machine]] = {}
    for machine in machines:
        if key := metadata(machine).get(LAUNCH_KEY):
            known.setdefault(key, []).append(machine)
    for same in known.values():
        last = max(map(_sent, same))
        yield from (machine.id or "" for machine in same if _sent(machine) < last)


def _idle_greens(machines: Iterable[models.Machine]) -> tuple[str, ...]:
    """The machines that a bluegreen update of flyctl made and, since it was cut short, never used.

    flyctl tags them with the time of its deploy, and copies our marks from what they were to
    replace, so that these say nothing. All that they were to replace is older, without
    that tag, and still there: a blue machine is marked before it goes. One that an earlier update
    of ours marked has another successor. Canaries, and greens that are copies of them, go anyway.
    What `fly machine clone` makes of a green has its launch id, too, and serves.
    """
    machines = tuple(machine for machine in machines if not Marks.of(machine).canary)
    marks = {machine.id: Marks.of(machine) for machine in machines}
    tags = {found.tag for found in marks.values() if found.tag and found.green_launch}
    tags.discard(SAFE_TO_DESTROY)
    if not tags:
        return ()
    newest = max(tags)
    replaced = {found.stands_for for found in marks.values() if found.tag != newest}
    if any(found.tag == SAFE_TO_DESTROY and name not in replaced for name, found in marks.items()):
        return ()
    tagged = sorted((m for m in machines if marks[m.id].tag == newest), key=_age, reverse=True)
    greens = list({marks[m.id].green_launch or m.id: m for m in tagged}.values())
    begun = min(map(_age, greens), default=0.0)
    made_then = newest.isdecimal() and all(_age(m) - int(newest) < MEET_WITHIN for m in greens)
    blues = [
        machine
        for machine in machines
        if marks[machine.id].tag != newest and host_answers(machine) and 0 < _age(machine) < begun
    ]
    idle = greens if made_then and len(blues) >= len(greens) else ()
    return tuple(machine.id or "" for machine in idle)


def _sent(machine: models.Machine) -> int:
    """How often its creation had been sent when it was made."""
    text = metadata(machine).get(SENT_KEY, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < _DIGITS else 1


def _age(machine: models.Machine) -> float:
    """When it was made, in seconds since the epoch; 0 where nothing tells."""
    try:
        return datetime.fromisoformat(machine.created_at or "").timestamp()
    except ValueError:
        return 0.0


def _unused(machines: Mapping[str, models.Machine]) -> frozenset[tuple[str, str]]:
    """Groups and tags of bluegreen updates of ours that were cut short before all was switched.

    All blue machines of a group are marked before any of them goes: where some are there and none
    has the mark, it was somebody else who destroyed another, and no green one took its place.
    """
    waiting, replaced = set[tuple[str, str]](), set[tuple[str, str]]()
    for machine in machines.values():
        own = Marks.of(machine)
        blue = machines.get(own.stands_for or "")
        if not own.tag or own.tag.isdecimal() or blue is None:
            continue
        of = group_of(machine, ""), own.tag
        if Marks.of(blue).tag == SAFE_TO_DESTROY:
            replaced.add(of)
        elif host_answers(blue):
            waiting.add(of)
    return frozenset(waiting - replaced)


def _why_gone(
    machine: models.Machine,
    machines: Mapping[str, models.Machine],
    unused: Container[tuple[str, str]],
) -> str:
    own = Marks.of(machine)
    if own.canary:
        return "a canary that an earlier run left behind"
    if own.tag == SAFE_TO_DESTROY:
        return "an earlier run replaced it"
    blue = machines.get(own.stands_for or "")
    if own.tag and blue is not None and Marks.of(blue).tag != SAFE_TO_DESTROY:
        return _NO_SERVICE
    if own.stands_for and (group_of(machine, ""), own.tag) in unused:
        return _NO_SERVICE
    return ""
