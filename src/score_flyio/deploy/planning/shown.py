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
from score_flyio.base.document import Documented
from score_flyio.base.printable import one_line, short_digests
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.app_step import AllocateAddress, CreateVolume, DestroyVolume, SetSecrets
from score_flyio.deploy.compare import Difference
from score_flyio.deploy.fields import Field, fields_of
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.plan_document import (
    ActionDocument,
    AppPlanDocument,
    FieldDocument,
    MachineTotals,
    StepDocument,
    TotalsDocument,
)
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
class Action(Documented):
    """Equal steps, as one."""

    sign: Sign
    steps: tuple[Step, ...]
    fields: tuple[Field | Difference, ...] = ()

    @property
    def text(self) -> str:
        """One line without a sign."""
        first = self.steps[0]
        if len(self.steps) == 1:
            return first.describe()
        named = f" ({told})" if (told := self._told()) else ""
        reason = f": {first.reason}" if isinstance(first, DestroyMachine) else ""
        return f"{_kind(first)} × {len(self.steps)}{named}{reason}"

    def _told(self) -> str:
        """Where new ones are, and which present ones it is about."""
        if self.sign == "+":
            found = Counter(filter(None, map(_region, self.steps)))
            return ", ".join(f"{r} × {n}" if len(found) > 1 else r for r, n in found.items())
        names = [name for step in self.steps if (name := _name(step))]
        more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
        return ", ".join([*names[:_NAMED], *more])

    def document(self) -> ActionDocument:
        """For programs, in full."""
        targets = (step.target.machine for step in self.steps if step.target)
        return ActionDocument(
            action=_WORDS[self.sign],
            kind=type(self.steps[0]).__name__,
            description=self.text,
            group=self.steps[0].group,
            count=len(self.steps),
            machines=tuple(filter(None, targets)),
            regions=Counter(filter(None, map(_region, self.steps))),
            fields=tuple(map(FieldDocument.of, self.fields)),
            steps=tuple(step.id for step in self.steps),
        )


@frozen(kw_only=True)
class Totals(Documented):
    """How much changes, of one app or of a whole run."""

    apps: int = 0
    resources: int = 0
    create: int = 0
    update: int = 0
    destroy: int = 0
    usd: int = 0
    """A month, for addresses."""

    def __str__(self) -> str:
        machines = ((self.create, "create"), (self.update, "update"), (self.destroy, "destroy"))
        told = [(n, verb) for n, verb in machines if n]
        words = [f"{n} to {verb}" for n, verb in told]
        if told:
            words[0] = f"{counted(told[0][0], 'machine')} to {told[0][1]}"
        changed = ", ".join(words) or "no machine to change"
        apps = counted(self.apps, "app")
        made = f"{counted(self.resources, 'resource')} to provision, " if self.resources else ""
        return f"{apps}, {made}{changed}; {self.usd} USD a month in addresses"

    def document(self) -> TotalsDocument:
        """For programs."""
        return TotalsDocument(
            apps=self.apps,
            resources=self.resources,
            machines=MachineTotals(create=self.create, update=self.update, destroy=self.destroy),
            addresses_usd_per_month=self.usd,
        )


def totals(plans: Iterable[AppPlan], resources: int = 0) -> Totals:
    """How much the plans change together."""
    plans = [plan for plan in plans if not plan.empty]
    steps = [step for plan in plans for step in plan.steps]
    counts = Counter(type(step) for step in steps)
    return Totals(
        apps=len(plans),
        resources=resources,
        create=counts[CreateMachine],
        update=counts[UpdateMachine] + counts[RevertMachine],
        destroy=counts[DestroyMachine],
        usd=sum(
            USD_A_MONTH.get(step.kind, 0) for step in steps if isinstance(step, AllocateAddress)
        ),
    )


def actions(plan: AppPlan, *, quiet: bool = False) -> tuple[Action, ...]:
    """What the plan does, in the order in which it begins; `quiet`: waiting and records, too."""
    shown = [step for step in plan.steps if quiet or tells(step)]
    folded: dict[Hashable, list[Action]] = {}
    for action in map(_alone, shown or plan.steps):
        folded.setdefault(_key(action), []).append(action)
    return tuple(map(_together, folded.values()))


def describe_app(plan: AppPlan, *, show_calls: bool = False) -> str:
    """One app's part of the plan, a line an action, with the fields of each machine.

    `show_calls`: each step by itself, with the calls of the Machines API that it makes.
    """
    title = plan.label if plan.label == plan.app else f"{plan.label} (app {plan.app})"
    lines = [f"{title}:" if plan.steps else f"{title}: nothing to do"]
    for action in map(_alone, plan.steps) if show_calls else actions(plan):
        lines.append(f"  {action.sign} {action.text}")
        lines += [f"      {short_digests(str(field))}" for field in action.fields]
        if show_calls:
            lines += [f"      > {call}" for call in action.steps[0].calls()]
    lines += [f"  note: {note}" for note in plan.notes]
    return "\n".join(map(one_line, lines))


def plan_document(plan: AppPlan) -> AppPlanDocument:
    """One app's plan, for programs."""
    return AppPlanDocument(
        app=plan.app,
        workload=plan.label,
        changes=not plan.empty,
        actions=tuple(action.document() for action in actions(plan, quiet=True)),
        steps=tuple(map(_step, plan.steps)),
        unchanged_machines=tuple(plan.unchanged),
        notes=tuple(plan.notes),
    )


def tells(step: Step) -> bool:
    """Whether it changes what people know of; marks are the tool's own."""
    return step.mutates and not isinstance(step, SetMetadata)


def _alone(step: Step) -> Action:
    return Action(sign=step.sign, steps=(step,), fields=_fields(step))


def _together(alike: Sequence[Action]) -> Action:
    first, *others = alike
    steps = tuple(step for action in alike for step in action.steps)
    return evolve(first, steps=steps, fields=_common(first)) if others else first


def _common(action: Action) -> tuple[Field | Difference, ...]:
    """What a machine has in common with others like it."""
    return tuple(field for field in action.fields if not _OWN_VOLUME.fullmatch(field.path))


def _fields(step: Step) -> tuple[Field | Difference, ...]:
    match step:
        case CreateMachine():
            return fields_of(step.config)
        case UpdateMachine():
            return step.differences
        case _:
            return ()


def _key(action: Action) -> Hashable:
    """What steps have in common that are one action."""
    step = action.steps[0]
    match step:
        case CreateMachine():
            return CreateMachine, step.group, step.role, _common(action)
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


def _step(step: Step) -> StepDocument:
    updated = step if isinstance(step, UpdateMachine) else None
    return StepDocument(
        id=step.id,
        kind=type(step).__name__,
        description=step.describe(),
        group=step.group,
        needs=tuple(step.needs),
        mutates=step.mutates,
        calls=tuple(step.calls()),
        machine=None if updated is None else updated.machine,
        differences=(
            None if updated is None else tuple(map(FieldDocument.of, updated.differences))
        ),
        secrets=dict(sorted(step.changes.items())) if isinstance(step, SetSecrets) else None,
    )
