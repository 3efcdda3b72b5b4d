"""Count and size of machines."""

from __future__ import annotations

from collections.abc import Collection, Mapping
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
from score_flyio.engine.operations.change import Before, Change, operation
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
class _Scaling:
    """An app, as it runs and as it is remembered, and what is asked for."""

    session: Session
    ref: AppRef
    request: ScaleRequest
    definition: AppSpec | None
    record: DeploymentRecord
    seen: ObservedApp
    settling: GroupPlan
    """What takes away what an interrupted run left."""
    observed: ObservedApp
    """The app without that."""
    former: Mapping[str, models.FlyMachineConfig] = field(factory=dict)
    """Of groups without machines, the config of the last one that they had."""

    async def informed(self) -> _Scaling:
        """The same with what the platform still tells of groups without machines."""
        names = self.names
        sure = bool(names) and {name for name in self.request.counts if name} <= names
        empty = {*map(self.group, self.request.counts)} - self.groups.keys() if sure else None
        if empty is not None and not empty:
            return self
        gone = await self.session.client.api.machines_list(self.ref.app, include_deleted=True)
        former = {}
        for machine in sorted(gone, key=_last_seen):
            config, group = machine.config, group_of(machine)
            if config is None or (empty is not None and group not in empty):
                continue
            if is_own(machine) and not config.standbys and not Marks.of(machine).canary:
                former[group] = with_image_that_runs(config, machine)
        return evolve(self, former=former)

    @property
    def groups(self) -> Mapping[str, tuple[models.Machine, ...]]:
        return by_group(self.observed.machines)

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

    def counts(self) -> dict[str, int]:
        """How many machines each group is to have. Raises UsageError."""
        counts: dict[str, int] = {}
        for name, count in self.request.counts.items():
            group = self.group(name)
            if counts.setdefault(group, count) != count:
                raise UsageError(
                    f"there are two counts for group {group}, {counts[group]} and {count}: the one "
                    "without a group means that one",
                    hint="give one for each group",
                )
            here = len(self.groups.get(group, ()))
            if count - here > MOST_NEW:
                raise UsageError(
                    f"group {group}: {count:,} machines are {count - here:,} more than there are, "
                    f"and at most {MOST_NEW:,} are made at once",
                    hint="where so many are meant, scale in several steps",
                    code="too_many_machines",
                )
        return counts

    def counted(self, groups: Collection[str]) -> _Scaling:
        """The same where people say how many machines these groups have."""
        machines = sorted(
            (
                machine
                for group, present in self.groups.items()
                for machine in (as_counted(present) if group in groups else present)
            ),
            key=lambda machine: machine.id or "",
        )
        return evolve(self, observed=evolve(self.observed, machines=tuple(machines)))

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

    def regions(self, group: str) -> tuple[str, ...]:
        """Where a group without machines gets its first one; empty: where the platform likes."""
        primary = (self.template(group).env or {}).get("PRIMARY_REGION")
        elsewhere = sorted({machine.region or "" for machine in self.observed.machines})
        return (primary or next(iter(elsewhere), "") or self.session.default_region or "",)

    def change(self) -> Change:
        """What brings the app to the request. Raises UsageError."""
        request, session, seen = self.request, self.session, self.seen
        counts = self.counts()
        known = self.counted(counts)
        resized = tuple(map(self.group, request.groups)) or tuple(counts) or tuple(self.groups)
        resizes = request.guest is not None
        number = next_number(seen.machines, self.record.releases) if resizes else 0
        release = session.release(number)
        guests = {group: _guest(known.template(group), request.guest) for group in resized}
        counting = known.count(counts, guests)
        gone = tuple(
            step.target.machine or "" for step in counting.steps if isinstance(step, DestroyMachine)
        )
        plans = [self.settling, counting]
        if resizes:
            kept = tuple(m for m in known.observed.machines if m.id not in gone)
            change = Reconfiguration(
                observed=evolve(known.observed, machines=kept),
                label=self.ref.label,
                configs={
                    machine.id or "": with_guest(
                        for_a_new_start(machine.config or models.FlyMachineConfig(), seen),
                        guests[group],
                    )
                    for group, machines in by_group(kept).items()
                    for machine in machines
                    if group in resized
                },
                release=release,
                new_id=session.new_id,
                options=request.options,
                definition=self.definition,
            )
            plans.append(reconfigured_groups(change))
        marks = self.marks(known.observed, gone)
        steps = join([marks, behind(join(plans), marks.steps)])
        work = Work(
            plan=app_plan(seen, self.ref.label, release, steps),
            observed=seen,
            options=request.options,
            makes_release=resizes,
            groups_leave=False,
        )
        return Change(ref=self.ref, work=work, destroys=gone)

    def marks(self, counted: ObservedApp, gone: Collection[str]) -> GroupPlan:
        """What comes first: machines that stay say that their group is counted.

        A deploy would complete a launch that was interrupted.
        """
        before = {machine.id: machine for machine in self.observed.machines}
        marks = (
            mark_counted(group_of(m), Ref(machine=m.id), Marks.of(m).counted or "")
            for m in counted.machines
            if m != before[m.id] and m.id not in gone
        )
        return GroupPlan(steps=tuple(marks))

    def count(
        self, counts: Mapping[str, int], guests: Mapping[str, models.FlyMachineGuest]
    ) -> GroupPlan:
        """The machines that are made and that go."""
        taken: set[str] = set()
        plans = []
        for group, count in counts.items():
            template = for_a_new_start(self.template(group), self.observed)
            if self.request.guest is not None and group in guests:
                template = with_guest(template, guests[group])
            here = self.groups.get(group, ())
            regions = self.request.regions or (() if here else self.regions(group))
            scale = GroupScale(
                observed=self.observed,
                group=group,
                machines=tuple(m for m in here if not regions or m.region in regions),
                count=count,
                regions=regions,
                template=template,
                new_id=self.session.new_id,
                options=self.request.options,
                taken=taken,
            )
            plans.append(scale_group(scale))
            elsewhere = len(here) - len(scale.machines)
            if elsewhere:
                where = f"{', '.join(regions)}, and {elsewhere} elsewhere stay"
                note = f"group {group}: {count} in {where}: {count + elsewhere} in all"
                plans.append(GroupPlan(notes=(note,)))
        return join(plans)


async def scale(
    session: Session,
    ref: AppRef,
    request: ScaleRequest,
    *,
    before: Before | None = None,
    dry_run: bool = False,
) -> Change:
    """Brings the app to the request. A change of size is a release; one of the count is none.

    Raises UsageError, ConfigError for a region and ConversionError for a size that Fly does not
    have, and PlanError where the host of a machine that would change does not answer.
    """
    async with operation(session, "scale", ref, dry_run=dry_run) as do:
        definition = do.known_definition(ref)

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
            begins = {name for name in request.counts if name}
            if None in request.counts:
                begins = {*by_group(observed.machines)}
            kept, leftovers = settle(observed, request.options, definition, begins=begins)
            scaling = _Scaling(
                session=session,
                ref=ref,
                request=request,
                definition=definition,
                record=do.recorder.met(ref.app, observed.machines),
                seen=observed,
                settling=leftovers,
                observed=kept,
            )
            change = (await scaling.informed()).change()
            if dry_run or not change.work.makes_release:
                return change
            told = do.definition_after(ref, observed, change.plan, definition)
            return evolve(change, work=evolve(change.work, definition=told))

        return await do.carry_out(await look(), before=before, look=look)


def _last_seen(machine: models.Machine) -> tuple[int, str]:
    """The later, the longer it was there: one that a failed deploy made goes before the others."""
    return max((e.timestamp or 0 for e in machine.events or []), default=0), machine.id or ""


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
