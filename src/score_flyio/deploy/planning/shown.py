"""A plan as people and programs read it: what is made, changed and taken away, field by field.

Equal machines are one action. Steps that only wait, look or keep records are left out of the text
as long as there is something else to tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Final, Literal

from score_flyio.base.counted import counted
from score_flyio.base.document import MAY_BE_MISSING, Document
from score_flyio.base.printable import one_line, short_digests
from score_flyio.base.record import field, frozen, values
from score_flyio.deploy.app_step import AllocateAddress, CreateVolume, DestroyVolume, SetSecrets
from score_flyio.deploy.compare import Difference
from score_flyio.deploy.fields import fields_of
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.step import (
    CreateMachine,
    DestroyMachine,
    RevertMachine,
    SetMetadata,
    Sign,
    Step,
    UpdateMachine,
)

_WORDS: Final[Mapping[Sign, Literal["create", "update", "destroy", "do"]]] = {
    "+": "create",
    "~": "update",
    "-": "destroy",
    " ": "do",
}
_NAMED: Final = 6
"""So many of equal machines are named; the others are counted."""
_OWN_VOLUME: Final = re.compile(r"mounts\[.*\]\.volume")
"""What differs between machines that are equal but for it."""
USD_A_MONTH: Final[Mapping[str, int]] = {"v4": 2}
"""What addresses cost, by kind."""


@frozen(kw_only=True)
class Action(Document):
    """Equal steps, as one."""

    action: Literal["create", "update", "destroy", "do"]
    """What they do to a machine, or to something else."""
    kind: str
    """What kind of steps they are."""
    description: str
    """What they do, for people."""
    group: str | None
    """Process group."""
    count: int
    """How many there are."""
    machines: tuple[str, ...]
    """Machines that are there, and that they are about."""
    regions: Mapping[str, int]
    """How many are in which region, of what is new."""
    fields: tuple[Difference, ...]
    """What is set or changes."""
    steps: tuple[str, ...]
    """Their ids."""


@frozen(kw_only=True)
class StepDocument(Document):
    """One step."""

    id: str
    """Unique within the app's plan."""
    kind: str
    """What kind of step it is."""
    description: str
    """What it does, for people."""
    group: str | None
    """Process group."""
    needs: tuple[str, ...]
    """Ids of the steps that come before it."""
    mutates: bool
    """Whether it changes something at Fly."""
    calls: tuple[str, ...]
    """Calls of the API that it makes."""
    machine: str | None = field(default=None, metadata=MAY_BE_MISSING)
    """The machine that is updated."""
    differences: tuple[Difference, ...] | None = field(default=None, metadata=MAY_BE_MISSING)
    """What changes in its config."""
    secrets: Mapping[str, str] | None = field(default=None, metadata=MAY_BE_MISSING)
    """Names of secrets that are set, and why."""


@frozen(kw_only=True)
class AppPlanDocument(Document):
    """What is done to one app."""

    app: str
    """Its name at Fly."""
    workload: str
    """How it is called: the workload, or the app."""
    changes: bool
    """Whether anything changes."""
    actions: tuple[Action, ...]
    """What is done, equal steps as one."""
    steps: tuple[StepDocument, ...]
    """What is done, step by step."""
    unchanged_machines: tuple[str, ...]
    """Machines that stay as they are."""
    notes: tuple[str, ...]
    """What is remarkable."""


@frozen(kw_only=True)
class MachineTotals(Document):
    """How many machines change."""

    create: int = 0
    """Machines that are made."""
    update: int = 0
    """Machines that get another config."""
    destroy: int = 0
    """Machines that go."""


@frozen(kw_only=True)
class Totals(Document):
    """How much changes, of one app or of a whole run."""

    apps: int = 0
    """Apps that change."""
    resources: int = 0
    """Resources that are provisioned for the first time."""
    machines: MachineTotals = MachineTotals()
    """How many machines change."""
    addresses_usd_per_month: int = 0
    """What new addresses cost."""

    def __str__(self) -> str:
        told = [(n, verb) for verb, n in values(self.machines).items() if n]
        words = [f"{n} to {verb}" for n, verb in told]
        if told:
            words[0] = f"{counted(told[0][0], 'machine')} to {told[0][1]}"
        changed = ", ".join(words) or "no machine to change"
        apps = counted(self.apps, "app")
        made = f"{counted(self.resources, 'resource')} to provision, " if self.resources else ""
        return f"{apps}, {made}{changed}; {self.addresses_usd_per_month} USD a month in addresses"


def totals(plans: Iterable[AppPlan], resources: int = 0) -> Totals:
    """How much the plans change together."""
    plans = [plan for plan in plans if not plan.empty]
    steps = [step for plan in plans for step in plan.steps]
    counts = Counter(type(step) for step in steps)
    return Totals(
        apps=len(plans),
        resources=resources,
        machines=MachineTotals(
            create=counts[CreateMachine],
            update=counts[UpdateMachine] + counts[RevertMachine],
            destroy=counts[DestroyMachine],
        ),
        addresses_usd_per_month=sum(
            USD_A_MONTH.get(step.kind, 0) for step in steps if isinstance(step, AllocateAddress)
        ),
    )


def describe_app(plan: AppPlan, *, show_calls: bool = False) -> str:
    """One app's part of the plan, a line an action, with the fields of each machine.

    `show_calls`: each step by itself, with the calls of the Machines API that it makes.
    """
    title = plan.label if plan.label == plan.app else f"{plan.label} (app {plan.app})"
    lines = [f"{title}:" if plan.steps else f"{title}: nothing to do"]
    for steps in ([step] for step in plan.steps) if show_calls else _alike(plan):
        action = _action(steps)
        lines.append(f"  {steps[0].sign} {action.description}")
        lines += [f"      {short_digests(str(field))}" for field in action.fields]
        if show_calls:
            lines += [f"      > {call}" for call in steps[0].calls(plan.app)]
    lines += [f"  note: {note}" for note in plan.notes]
    return "\n".join(map(one_line, lines))


def plan_document(plan: AppPlan) -> AppPlanDocument:
    """One app's plan, for programs."""
    return AppPlanDocument(
        app=plan.app,
        workload=plan.label,
        changes=not plan.empty,
        actions=tuple(map(_action, _alike(plan, quiet=True))),
        steps=tuple(_step(plan.app, step) for step in plan.steps),
        unchanged_machines=tuple(plan.unchanged),
        notes=tuple(plan.notes),
    )


def tells(step: Step) -> bool:
    """Whether it changes what people know of; marks are the tool's own."""
    return step.mutates and not isinstance(step, SetMetadata)


def _alike(plan: AppPlan, *, quiet: bool = False) -> Iterable[list[Step]]:
    """The steps that are told, those together that are one action; `quiet`: waiting, too."""
    shown = [step for step in plan.steps if quiet or tells(step)]
    folded: dict[Hashable, list[Step]] = {}
    for step in shown or plan.steps:
        folded.setdefault(_key(step), []).append(step)
    return folded.values()


def _key(step: Step) -> Hashable:
    """What steps have in common that are one action."""
    match step:
        case CreateMachine():
            return CreateMachine, step.group, step.role, _common(step)
        case UpdateMachine():
            return UpdateMachine, step.group, step.differences, step.only_if_secrets_differ
        case CreateVolume():
            return CreateVolume, step.group, step.request.name, step.request.size_gb
        case DestroyMachine():
            return DestroyMachine, step.group, step.reason
        case SetMetadata():
            return SetMetadata, step.group, step.key, step.value
        case _ if step.target is not None or isinstance(step, DestroyVolume):
            return type(step), step.group
        case _:
            return step.id


def _fields(step: Step) -> tuple[Difference, ...]:
    match step:
        case CreateMachine():
            return fields_of(step.config)
        case UpdateMachine():
            return step.differences
        case _:
            return ()


def _common(step: Step) -> tuple[Difference, ...]:
    """What a machine has in common with others like it."""
    return tuple(field for field in _fields(step) if not _OWN_VOLUME.fullmatch(field.path))


def _action(steps: Sequence[Step]) -> Action:
    first, alone = steps[0], len(steps) == 1
    regions = Counter(filter(None, map(_region, steps)))
    targets = (step.target.machine for step in steps if step.target)
    return Action(
        action=_WORDS[first.sign],
        kind=type(first).__name__,
        description=first.describe() if alone else _together(steps, regions),
        group=first.group,
        count=len(steps),
        machines=tuple(filter(None, targets)),
        regions=regions,
        fields=_fields(first) if alone else _common(first),
        steps=tuple(step.id for step in steps),
    )


def _together(steps: Sequence[Step], regions: Mapping[str, int]) -> str:
    """Equal steps in a line: where new machines are, and which present ones it is about."""
    first = steps[0]
    names = [name for step in steps if (name := _name(step))]
    told = [*names[:_NAMED], *([f"and {len(names) - _NAMED} more"] if names[_NAMED:] else [])]
    if first.sign == "+":
        told = [f"{r} × {n}" if len(regions) > 1 else r for r, n in regions.items()]
    named = f" ({', '.join(told)})" if told else ""
    reason = f": {first.reason}" if isinstance(first, DestroyMachine) else ""
    return f"{_kind(first)} × {len(steps)}{named}{reason}"


def _kind(step: Step) -> str:
    """What equal steps do, in the words of each."""
    match step:
        case CreateMachine():
            return f"create {f'{step.role} ' if step.role else ''}machine of group {step.group}"
        case UpdateMachine():
            condition = " if its secrets changed" if step.only_if_secrets_differ else ""
            return f"update machine of group {step.group}{condition}"
        case CreateVolume():
            size = f", {step.request.size_gb} GB" if step.request.size_gb else ""
            return f"create volume {step.request.name}{size}"
        case _:
            return step.verb


def _region(step: Step) -> str | None:
    if isinstance(step, CreateMachine | CreateVolume):
        return step.request.region
    return getattr(step, "region", None)


def _name(step: Step) -> str | None:
    if isinstance(step, DestroyVolume):
        return step.volume
    return step.target.machine if step.target else None


def _step(app: str, step: Step) -> StepDocument:
    updated = step if isinstance(step, UpdateMachine) else None
    return StepDocument(
        id=step.id,
        kind=type(step).__name__,
        description=step.describe(),
        group=step.group,
        needs=tuple(step.needs),
        mutates=step.mutates,
        calls=step.calls(app),
        machine=None if updated is None else updated.machine,
        differences=None if updated is None else updated.differences,
        secrets=dict(sorted(step.changes.items())) if isinstance(step, SetSecrets) else None,
    )
