"""A plan as programs read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from score_flyio.base.document import MAY_BE_MISSING, Document
from score_flyio.base.record import field, frozen
from score_flyio.deploy.compare import Difference
from score_flyio.deploy.fields import Field


@frozen(kw_only=True)
class FieldDocument(Document):
    """A field of a machine's config that is set, or that changes."""

    path: str
    """Where in the config."""
    before: Any
    """What it is; null for a new machine."""
    after: Any
    """What it becomes."""

    @classmethod
    def of(cls, each: Field | Difference) -> FieldDocument:
        """A field of what is new, or a difference."""
        if isinstance(each, Field):
            return cls(path=each.path, before=None, after=each.value)
        return cls(path=each.path, before=each.before, after=each.after)


@frozen(kw_only=True)
class ActionDocument(Document):
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
    fields: tuple[FieldDocument, ...]
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
    differences: tuple[FieldDocument, ...] | None = field(default=None, metadata=MAY_BE_MISSING)
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
    actions: tuple[ActionDocument, ...]
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

    create: int
    """Machines that are made."""
    update: int
    """Machines that get another config."""
    destroy: int
    """Machines that go."""


@frozen(kw_only=True)
class TotalsDocument(Document):
    """How much changes."""

    apps: int
    """Apps that change."""
    resources: int
    """Resources that are provisioned for the first time."""
    machines: MachineTotals
    """How many machines change."""
    addresses_usd_per_month: int
    """What new addresses cost."""
