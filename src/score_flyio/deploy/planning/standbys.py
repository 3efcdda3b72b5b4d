"""Who stands by for whom in a group, and what becomes of standbys. Pure.

A standby goes on with the machines that it names, or with what takes their place. Where they are
gone, as after a bluegreen deploy of flyctl, it stands by for another member: of its own launch,
without a standby, and in the same region, if there is such a one. Where a group has only standbys,
one becomes its member: one that runs, if any does. In a group with a mount, a standby is useless:
once started, it would run on a volume of its own, without the data.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping

from fly_machines import models
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.condition import host_answers, rests
from score_flyio.deploy.desired.requests import MachineUpdate
from score_flyio.deploy.metadata import Launch
from score_flyio.deploy.model import Ref
from score_flyio.deploy.planning.leftovers import Members
from score_flyio.deploy.planning.model import GroupContext, GroupPlan, replacement_of
from score_flyio.deploy.planning.new_machine import volumes_of
from score_flyio.deploy.step import CreateMachine, DestroyMachine
from score_flyio.fly.present import shown_config


@frozen(kw_only=True)
class Standbys:
    """The standbys of a group, as they are from now on."""

    targets: Mapping[str, tuple[str, ...]]
    """By id: the machines that each stands by for."""
    starting: frozenset[str]
    """Those at rest that are to run, since they become members."""
    bare: frozenset[str]
    """Those in reach that go, since their volumes would not have the data of their group."""
    stand_ins: Mapping[str, str]
    """What takes the place of machines in reach: none of those that go."""
    replaced: frozenset[str] = frozenset()
    """The machines in whose place others come; for those that serve, new ones."""

    @classmethod
    def of(cls, context: GroupContext, members: Members, reached: Collection[str]) -> Standbys:
        """Of the machines of a group, of which some are in reach."""
        config = context.launch.config or models.FlyMachineConfig()
        found = {m.id or "": m for m in members.machines}
        named = {name: _named(context, m) for name, m in found.items() if not config.services}
        named = {name: names for name, names in named.items() if names}
        bare = {
            name
            for name in named.keys() & {*reached}
            if config.mounts and not shown_config(found[name]).mounts
        }
        stand_ins = {
            old: new for old, new in members.stand_ins.items() if old in reached and new not in bare
        }
        takes = {new for old, new in stand_ins.items() if old not in named}
        standbys = [name for name in named if name not in takes and name not in stand_ins]
        serving = [name for name in found if name not in standbys and name not in stand_ins]
        if standbys and not serving:
            serving = [min(standbys, key=lambda name: (rests(found[name]), name not in reached))]
            standbys.remove(serving[0])
        targets = {name: _that_are_there(named[name], serving, stand_ins) for name in standbys}
        covered = Counter(name for names in named.values() for name in names)
        for name in (name for name in standbys if not targets[name]):
            nearest = min(serving, key=lambda other: _far(found[name], found[other], covered))
            targets[name] = (nearest,)
            covered[nearest] += 1
        return cls(
            targets=targets,
            starting=frozenset(
                n for n in serving if n in named and n in reached and rests(found[n])
            ),
            bare=frozenset(bare & targets.keys()),
            stand_ins=stand_ins,
        )

    def refs(self, standby: str) -> tuple[Ref, ...]:
        """What a machine stands by for, also where that is made first; empty: it is no standby."""
        return tuple(
            Ref(step=replacement_of(name)) if name in self.replaced else Ref(machine=name)
            for name in self.targets.get(standby, ())
        )

    def needs(self, standby: str) -> tuple[str, ...]:
        """What comes before a machine stands by for others: the ends of those they replace."""
        return tuple(f"destroy:{n}" for n in self.targets.get(standby, ()) if n in self.replaced)

    def with_targets(self, standby: str, update: MachineUpdate) -> MachineUpdate:
        """What becomes of a machine, with what it stands by for: ids, or the steps that make it."""
        names = [ref.machine or str(ref) for ref in self.refs(standby)]
        config = evolve(update.config, standbys=names or None)
        return evolve(update, request=evolve(update.request, config=config))

    def ends(self, context: GroupContext) -> GroupPlan:
        """The ends of those that go."""
        reason = "a standby would have a volume of its own, without the data of its group"
        return GroupPlan(
            steps=tuple(
                DestroyMachine.of(name, group=context.group, reason=reason)
                for name in sorted(self.bare)
            )
        )


def _named(context: GroupContext, machine: models.Machine) -> tuple[str, ...]:
    """What a machine stands by for; a lost host hides it, but not its place in its launch."""
    launch = Launch.of_machine(machine)
    hidden = not host_answers(machine) and not volumes_of(context.observed, machine)
    likely = (launch.id,) if hidden and launch is not None and launch.number > 1 else ()
    return tuple(shown_config(machine).standbys or likely)


def _that_are_there(
    named: Iterable[str], serving: Collection[str], stand_ins: Mapping[str, str]
) -> tuple[str, ...]:
    """What a standby names, or what takes its place; nothing where none of these serves."""
    names = dict.fromkeys(named)
    for _ in stand_ins:  # they may lead in a circle
        names = dict.fromkeys(stand_ins.get(name, name) for name in names)
    return tuple(names) if any(name in serving for name in names) else ()


def _far(
    standby: models.Machine, other: models.Machine, covered: Mapping[str, int]
) -> tuple[bool, int, bool]:
    """The lower, the better another member suits a standby whose own is gone."""
    own, its = Launch.of_machine(standby), Launch.of_machine(other)
    launched_together = own is not None and its is not None and own.id == its.id
    return not launched_together, covered.get(other.id or "", 0), other.region != standby.region


def standbys_last(plan: GroupPlan) -> GroupPlan:
    """Of what is launched, machines that serve come first: the rate limit counts standbys, too."""
    creates = [step for step in plan.steps if isinstance(step, CreateMachine)]
    serving = tuple(step.id for step in creates if not step.role)
    steps = tuple(
        step.after(*serving) if isinstance(step, CreateMachine) and step.role == "standby" else step
        for step in plan.steps
    )
    return evolve(plan, steps=steps)
