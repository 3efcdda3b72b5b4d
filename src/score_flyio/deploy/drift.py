"""How the machines of an app differ from what a fly.toml says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fly_machines.models import Machine
from score_flyio.base.document import Document
from score_flyio.base.record import frozen
from score_flyio.deploy.compare import Difference, differences
from score_flyio.deploy.desired.requests import update_input
from score_flyio.deploy.metadata import group_of, is_stray
from score_flyio.deploy.model import FileSource
from score_flyio.flytoml.groups import process_groups
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release

_RELEASE = Release(version=0)
"""Release metadata is not compared."""


@frozen(kw_only=True)
class Drift(Document):
    """How a machine differs from a fly.toml, or that a group has none."""

    group: str
    """Process group."""
    machine: str | None = None
    """Null where a group has none."""
    differences: tuple[Difference, ...] = ()
    """What deploying the file would change in it."""
    note: str | None = None
    """Another reason."""

    def __str__(self) -> str:
        head = f"{self.group} {self.machine or ''}".rstrip()
        lines = [f"{head}: {self.note}" if self.note else head]
        return "\n".join([*lines, *(f"  {each}" for each in self.differences)])


@frozen(kw_only=True)
class Differs(Document):
    """How an app differs from a fly.toml."""

    app: str
    drift: tuple[Drift, ...]
    """Empty where it does not."""


def drift(
    spec: AppSpec,
    machines: Sequence[Machine],
    *,
    files: FileSource,
    others: Iterable[Machine] = (),
) -> list[Drift]:
    """Every difference between a fly.toml and what runs; the image counts where the file names it.

    `others` are machines of the app that are part of no group.
    """
    groups = process_groups(spec)
    found: list[Drift] = []
    for machine in machines:
        group = group_of(machine)
        if group not in groups:
            note = "the file has no such process group"
            found.append(Drift(group=group, machine=machine.id, note=note))
        elif changes := _changes(spec, group, machine, files):
            found.append(Drift(group=group, machine=machine.id, differences=changes))
    found += [
        Drift(group="-", machine=machine.id, note="no deploy made it")
        for machine in others
        if is_stray(machine)
    ]
    served = {group_of(machine) for machine in machines}
    found += [Drift(group=g, note="no machine runs it") for g in groups if g not in served]
    return found


def _changes(
    spec: AppSpec, group: str, machine: Machine, files: FileSource
) -> tuple[Difference, ...]:
    present = machine.config or machine.incomplete_config
    if present is None:
        return ()
    named = spec.build.image if spec.build else ""
    update = update_input(
        spec, group, machine, image=named or present.image or "", release=_RELEASE, files=files
    )
    return differences(update.config, present)
