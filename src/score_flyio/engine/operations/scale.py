"""Count and size of machines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import deepcopy
from typing import Final

from fly_machines import models
from score_flyio.base.document import Document
from score_flyio.base.record import evolve, field, frozen
from score_flyio.deploy.desired.guest import default_guest, refuse_impossible
from score_flyio.deploy.metadata import Marks, by_group, group_of, is_own, release_number
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.observe import Wanted, with_secrets
from score_flyio.deploy.options import DeployOptions, GuestOptions
from score_flyio.deploy.planning.counts import as_counted, mark_counted
from score_flyio.deploy.planning.model import GroupPlan, behind, join
from score_flyio.deploy.planning.new_machine import asked_guest
from score_flyio.deploy.planning.scaling import GroupScale, scale_group
from score_flyio.deploy.planning.secrets import for_a_new_start
from score_flyio.deploy.planning.settling import settle
from score_flyio.deploy.planning.updates import (
    Reconfiguration,
    app_plan,
    reconfigured_groups,
    with_guest,
)
from score_flyio.deploy.releases.images import with_image_that_runs
from score_flyio.deploy.releases.known import next_number
from score_flyio.deploy.step import DestroyMachine
from score_flyio.engine.ahead import unknown_regions
from score_flyio.engine.apply import Work
from score_flyio.engine.operations.apps import AppRef, observe
from score_flyio.engine.operations.change import (
    Before,
    Change,
    definition_after,
    known_definition,
    operation,
)
from score_flyio.engine.session import Session
from score_flyio.errors import ConfigError, UsageError
from score_flyio.fly.codec import structure_answer
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import DeploymentRecord

MOST_NEW: Final = 1000
"""More new machines of a group at once are a slip of the hand, whatever `--yes` agreed to."""


@frozen(kw_only=True)
class ScaleRequest:
    """What is asked for."""

    counts: Mapping[str | None, int] = field(factory=dict)
    """Machines by group; None: the only group, or `app`."""
    groups: tuple[str, ...] = ()
    """Groups whose size changes; empty: those of `counts`, or else all."""
    regions: tuple[str, ...] = ()
    """Where machines are counted, made and removed; empty: where the group has some."""
    guest: GuestOptions | None = None
    """The new size; None: it stays."""
    options: DeployOptions = field(factory=DeployOptions)
    """How machines are changed, and what is waited for."""


@frozen(kw_only=True)
class GroupSize(Document):
    """A group as it is."""

    group: str
    """Its name."""
    count: int
    """Machines that it has."""
    size: str
    """Of each of them."""
    regions: tuple[str, ...]
    """Where they are, one a machine."""


@frozen(kw_only=True)
class Sizes(Document):
    """The groups of an app."""

    groups: tuple[GroupSize, ...]


async def sizes(session: Session, ref: AppRef) -> tuple[GroupSize, ...]:
    """Count and size of each group. Raises UsageError when there is no such app."""
    observed = await observe(session, ref)
    return tuple(
        GroupSize(
            group=group,
            count=len(machines),
            size=" or ".join(sorted(set(map(_guest_text, machines)))),
            regions=tuple(sorted(machine.region or "" for machine in machines)),
        )
        for group, machines in sorted(by_group(observed.machines).items())
    )


@frozen(kw_only=True)
class _Known:
    """An app, as it runs and as it is remembered."""

    ref: AppRef
    plan: GroupPlan
    """What takes away what an interrupted run left."""
    observed: ObservedApp
    """The app without that."""
    record: DeploymentRecord
    groups: Mapping[str, tuple[models.Machine, ...]]
    former: Mapping[str, models.FlyMachineConfig] = field(factory=dict)
    """Of groups without machines, the config of the last one that they had."""

    @property
    def names(self) -> set[str]:
        """All groups that are known."""
        remembered = {group for release in self.record.releases for group in release.configs}
        return {*self.groups, *remembered, *self.former}

    def group(self, name: str | None) -> str:
        """The group that is meant. Raises UsageError."""
        every = sorted(self.names)
        if name is None:
            if len(every) == 1:
                return every[0]
            if "app" in every:
                return "app"
        elif name in every:
            return name
        if not every:
            raise UsageError(f"{self.ref} has no machines yet", hint="deploy it first")
        wanted = f"has no group {name!r}" if name else "has several groups"
        raise UsageError(
            f"{self.ref} {wanted}",
            hint=f"give GROUP=N; groups are: {', '.join(every)}",
            code="unknown_group",
        )

    def counted(self, groups: Collection[str]) -> _Known:
        """The same where people say how many machines these groups have."""
        known = {
            group: as_counted(machines) if group in groups else machines
            for group, machines in self.groups.items()
        }
        machines = (machine for machines in known.values() for machine in machines)
        observed = evolve(self.observed, machines=tuple(sorted(machines, key=lambda m: m.id or "")))
        return evolve(self, observed=observed, groups=known)

    def template(self, group: str) -> models.FlyMachineConfig:
        """The config of a running machine, else of any, else of the last one that is gone.

        It carries the releases before its own. A later release counts before it, and any where the
        platform does not tell of it.
        """
        configs = [
            with_image_that_runs(machine.config, machine)
            for machine in self.groups.get(group, ())
            if machine.config
        ]
        if configs:
            return min(configs, key=lambda config: bool(config.standbys))
        former = self.former.get(group) or models.FlyMachineConfig()
        later = release_number(former.metadata or {})
        for release in reversed(self.record.releases):
            if release.version > later and (config := release.configs.get(group)):
                return structure_answer(config, models.FlyMachineConfig)
        return former

    def regions(self, group: str, *, default: str | None) -> tuple[str, ...]:
        """Where a group without machines gets its first one; empty: where the platform likes."""
        primary = (self.template(group).env or {}).get("PRIMARY_REGION")
        elsewhere = sorted({machine.region or "" for machine in self.observed.machines})
        return (primary or next(iter(elsewhere), "") or default or "",)


async def scale(
    session: Session,
    ref: AppRef,
    request: ScaleRequest,
    *,
    before: Before | None = None,
    dry_run: bool = False,
) -> Change:
    """Brings the app to the request. A change of size is a release; one of the count is none.

    Raises:
        UsageError: no such app, an unknown group, a region that is missing, nothing is known to
            make machines from, or far more of them than anybody means.
        ConfigError: a region that Fly does not have.
        ConversionError: a size that Fly does not have.
        PlanError: the host of a machine that would change does not answer.
    """
    async with operation(session, "scale", ref, dry_run=dry_run) as do:
        definition = known_definition(session, ref)

        async def look() -> Change:
            observed = await observe(session, ref, Wanted(volumes=True))
            if any(Marks.of(machine).all_secrets_seen for machine in observed.machines):
                observed = await with_secrets(session.client, observed)
            asked = {
                "--region": request.regions,
                "--fallback-regions": request.options.fallback_regions,
            }
            if problems := await unknown_regions(session.client, asked, observed):
                raise ConfigError(problems=problems)
            record = do.recorder.met(ref.app, observed.machines)
            known = await _known(
                session, ref, observed, request, record=record, definition=definition
            )
            change = _plan(session, known, observed, request, definition=definition)
            if dry_run or not change.work.makes_release:
                return change
            told = definition_after(session, ref, observed, change.plan, definition)
            return evolve(change, work=evolve(change.work, definition=told))

        return await do.carry_out(await look(), before=before, look=look)


async def _known(
    session: Session,
    ref: AppRef,
    observed: ObservedApp,
    request: ScaleRequest,
    *,
    record: DeploymentRecord,
    definition: AppSpec | None,
) -> _Known:
    """What is known of the app; of groups without machines, what the platform still tells."""
    named = {name for name in request.counts if name}
    begins = set(by_group(observed.machines)) if None in request.counts else named
    kept, leftovers = settle(observed, request.options, definition, begins=begins)
    groups = by_group(kept.machines)
    known = _Known(ref=ref, plan=leftovers, observed=kept, record=record, groups=groups)
    names = known.names
    sure = bool(names) and {name for name in request.counts if name} <= names
    empty = {known.group(name) for name in request.counts} - groups.keys() if sure else None
    if empty is not None and not empty:
        return known
    gone = await session.client.api.machines_list(ref.app, include_deleted=True)
    former = {}
    for machine in sorted(gone, key=_last_seen):
        config, group = machine.config, group_of(machine)
        if config is None or (empty is not None and group not in empty):
            continue
        if is_own(machine) and not config.standbys and not Marks.of(machine).canary:
            former[group] = with_image_that_runs(config, machine)
    return evolve(known, former=former)


def _last_seen(machine: models.Machine) -> tuple[int, str]:
    """The later, the longer it was there: one that a failed deploy made goes before the others."""
    return max((e.timestamp or 0 for e in machine.events or []), default=0), machine.id or ""


def _plan(
    session: Session,
    known: _Known,
    observed: ObservedApp,
    request: ScaleRequest,
    *,
    definition: AppSpec | None,
) -> Change:
    ref, record, groups, before = known.ref, known.record, known.groups, known.observed
    counts = _by_group(known, request)
    _refuse_slips(counts, groups)
    known = known.counted(counts)
    resized = tuple(map(known.group, request.groups)) or tuple(counts) or tuple(groups)
    number = next_number(observed.machines, record.releases) if request.guest is not None else 0
    release = session.release(number)
    guests = {group: _guest(known.template(group), request.guest) for group in resized}
    counting = _count(session, known, request, counts, guests)
    gone = tuple(
        step.target.machine or "" for step in counting.steps if isinstance(step, DestroyMachine)
    )
    plans = [known.plan, counting]
    if request.guest is not None:
        kept = tuple(m for m in known.observed.machines if m.id not in gone)
        change = Reconfiguration(
            observed=evolve(known.observed, machines=kept),
            label=ref.label,
            configs={
                machine.id or "": with_guest(_anew(machine, observed), guests[group])
                for group, machines in by_group(kept).items()
                for machine in machines
                if group in resized
            },
            release=release,
            new_id=session.new_id,
            options=request.options,
            definition=definition,
        )
        plans.append(reconfigured_groups(change))
    marks = _marks(before, known, gone)
    plan = app_plan(observed, ref.label, release, join([marks, behind(join(plans), marks.steps)]))
    work = Work(
        plan=plan,
        observed=observed,
        options=request.options,
        makes_release=request.guest is not None,
        groups_leave=False,
    )
    return Change(ref=ref, work=work, destroys=gone)


def _by_group(known: _Known, request: ScaleRequest) -> dict[str, int]:
    counts: dict[str, int] = {}
    for name, count in request.counts.items():
        group = known.group(name)
        if counts.setdefault(group, count) != count:
            raise UsageError(
                f"there are two counts for group {group}, {counts[group]} and {count}: the one "
                "without a group means that one",
                hint="give one for each group",
            )
    return counts


def _refuse_slips(
    counts: Mapping[str, int], groups: Mapping[str, Sequence[models.Machine]]
) -> None:
    for group, count in counts.items():
        here = len(groups.get(group, ()))
        if count - here > MOST_NEW:
            raise UsageError(
                f"group {group}: {count:,} machines are {count - here:,} more than there are, and "
                f"at most {MOST_NEW:,} are made at once",
                hint="where so many are meant, scale in several steps",
                code="too_many_machines",
            )


def _anew(machine: models.Machine, observed: ObservedApp) -> models.FlyMachineConfig:
    return for_a_new_start(machine.config or models.FlyMachineConfig(), observed)


def _marks(observed: ObservedApp, known: _Known, gone: Collection[str]) -> GroupPlan:
    """What comes first: machines that stay say that their group is counted.

    A deploy would complete a launch that was interrupted.
    """
    before = {machine.id: machine for machine in observed.machines}
    marks = (
        mark_counted(group_of(m), Ref(machine=m.id), Marks.of(m).counted or "")
        for m in known.observed.machines
        if m != before[m.id] and m.id not in gone
    )
    return GroupPlan(steps=tuple(marks))


def _count(
    session: Session,
    known: _Known,
    request: ScaleRequest,
    counts: Mapping[str, int],
    guests: Mapping[str, models.FlyMachineGuest],
) -> GroupPlan:
    taken: set[str] = set()
    plans = []
    for group, count in counts.items():
        template = for_a_new_start(known.template(group), known.observed)
        if request.guest is not None and group in guests:
            template = with_guest(template, guests[group])
        here = known.groups.get(group, ())
        regions = request.regions or (
            () if here else known.regions(group, default=session.default_region)
        )
        plans.append(
            scale_group(
                GroupScale(
                    observed=known.observed,
                    group=group,
                    machines=tuple(m for m in here if not regions or m.region in regions),
                    count=count,
                    regions=regions,
                    template=template,
                    new_id=session.new_id,
                    options=request.options,
                    taken=taken,
                )
            )
        )
        elsewhere = sum(bool(regions) and m.region not in regions for m in here)
        if elsewhere and request.regions:
            note = f"group {group}: {count} in {', '.join(regions)}, and {elsewhere} elsewhere stay"
            plans.append(GroupPlan(notes=(f"{note}: {count + elsewhere} in all",)))
    return join(plans)


def _guest(template: models.FlyMachineConfig, asked: GuestOptions | None) -> models.FlyMachineGuest:
    """A named size anew, else the present one with what is asked for changed."""
    present = deepcopy(template.guest) or default_guest()
    if asked is None:
        return present
    new = asked_guest(asked)
    if not asked.size:
        new = evolve(
            present,
            cpus=new.cpus if asked.cpus else present.cpus,
            cpu_kind=new.cpu_kind if asked.cpu_kind else present.cpu_kind,
            memory_mb=new.memory_mb if asked.memory else present.memory_mb,
        )
    refuse_impossible(new, place="--vm")
    return new


def _guest_text(machine: models.Machine) -> str:
    guest = (machine.config.guest if machine.config else None) or default_guest()
    kind = f"{guest.gpu_kind}, " if guest.gpu_kind else ""
    return f"{kind}{guest.cpu_kind}-cpu-{guest.cpus}x, {guest.memory_mb} MB"
