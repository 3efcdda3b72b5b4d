"""What a person should know beside the steps of a plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from fly_machines import models
from score_flyio.deploy.metadata import Marks, is_stray
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.model import PlanContext
from score_flyio.deploy.planning.new_machine import options_guest
from score_flyio.deploy.planning.removal import left_behind
from score_flyio.deploy.planning.secrets import has_seen_others, waiting_secrets
from score_flyio.deploy.step import CreateMachine, Step, UpdateMachine
from score_flyio.flytoml.groups import vm_of
from score_flyio.flytoml.spec import VmSpec


def notes_of(context: PlanContext, steps: Sequence[Step]) -> tuple[str, ...]:
    """All of an app."""
    updates = [step for step in steps if isinstance(step, UpdateMachine)]
    return (
        *_not_ours(context.observed),
        *_waiting(context.observed),
        *_unseen(context, updates),
        *_resting(updates),
        *_smaller(context, steps),
        *_sizes_kept(context),
        *left_behind(context.observed, steps),
    )


def _not_ours(observed: ObservedApp) -> Iterator[str]:
    strays = [machine for machine in observed.others if is_stray(machine)]
    if strays:
        yield f"no deploy made {_named(strays)}: left alone"
    taken = [machine for machine in observed.machines if Marks.of(machine).release_id is None]
    if taken:
        yield f"of no release: {_named(taken)}: treated as part of the app, as flyctl does"


def _named(machines: Iterable[models.Machine]) -> str:
    texts = (f"machine {m.id} ({m.state} in {m.region})" for m in machines)
    return ", ".join(texts)


def _waiting(observed: ObservedApp) -> Iterator[str]:
    names = {name for m in observed.machines for name in waiting_secrets(m, observed)}
    if names:
        yield f"secrets that were staged go live with this deploy: {', '.join(sorted(names))}"


def _unseen(context: PlanContext, updates: Iterable[UpdateMachine]) -> Iterator[str]:
    """Why machines change whose configs do not: a run was cut short, or others set secrets."""
    observed = {machine.id: machine for machine in context.observed.machines}
    names = [
        update.machine
        for update in updates
        if not update.differences
        and has_seen_others(observed[update.machine], context.secrets)
        and not waiting_secrets(observed[update.machine], context.observed)
    ]
    if names:
        verb = "have" if names[1:] else "has"
        yield f"machine {', '.join(names)} {verb} not seen the present secrets of the workload"


def _resting(updates: Iterable[UpdateMachine]) -> Iterator[str]:
    stay = [u.machine for u in updates if u.request.skip_launch and not u.standby_for]
    if stay:
        yield (
            f"at rest, and left so with the new config: machine {', '.join(stay)}; "
            "deploy --start starts them"
        )


def _smaller(context: PlanContext, steps: Iterable[Step]) -> Iterator[str]:
    """What a `[[vm]]` says only by the name of a size, or leaves to a preset, undoes a scaling."""
    sizes = {m.id: m.config.guest for m in context.observed.machines if m.config}
    for step in steps:
        if not isinstance(step, CreateMachine | UpdateMachine):
            continue
        machine = step.machine if isinstance(step, UpdateMachine) else step.previous
        vm = vm_of(context.desired.spec, step.group or "")
        old, new = sizes.get(machine), step.config.guest
        if vm is not None and old is not None and new is not None and (lost := _lost(vm, old, new)):
            why = f"has size {vm.size!r}: change" if vm.size else "leaves that out: write"
            yield (
                f"machine {machine} gets smaller ({', '.join(lost)}), because [[vm]] {why} it "
                "there to keep what it was scaled to"
            )


def _lost(vm: VmSpec, old: models.FlyMachineGuest, new: models.FlyMachineGuest) -> list[str]:
    """What gets less without being named."""
    unsaid = {
        "cpus": (vm.cpus, old.cpus, new.cpus),
        "memory_mb": (vm.memory, old.memory_mb, new.memory_mb),
    }
    return [
        f"{name} {before} → {after}"
        for name, (said, before, after) in unsaid.items()
        if not said and (after or 0) < (before or 0)
    ]


def _sizes_kept(context: PlanContext) -> Iterator[str]:
    """`--vm-*` is for new machines of groups without `[[vm]]`, as with flyctl."""
    guest = options_guest(context.options)
    if guest is None:
        return
    other = [
        machine.id or ""
        for machine in context.observed.machines
        if (found := machine.config and machine.config.guest)
        and (found.cpu_kind, found.cpus, found.memory_mb)
        != (guest.cpu_kind, guest.cpus, guest.memory_mb)
    ]
    if other:
        yield (
            f"--vm-* is for new machines of groups without [[vm]], and does not change "
            f"{'machines' if other[1:] else 'machine'} {', '.join(other)}: scale --vm-size or "
            "[[vm]] in the fly.toml does"
        )
