"""Back to an earlier release: its exact images and configs, as a new release."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from functools import partial
from typing import TypeAlias

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.metadata import (
    ALL_SECRETS_SEEN,
    BACK_TO,
    GROUP,
    OWN_PREFIX,
    RELEASE_VERSION,
    from_group,
    group_of,
    last_release,
)
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.observe import Wanted
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.returning import Then, plan_return
from score_flyio.deploy.planning.updates import Reconfiguration
from score_flyio.deploy.releases.known import config_of, next_number
from score_flyio.deploy.step import CreateMachine, DestroyMachine, UpdateMachine
from score_flyio.engine.apply import Work
from score_flyio.engine.operations.apps import AppRef, observe
from score_flyio.engine.operations.change import Before, Change, Operation, operation
from score_flyio.engine.operations.releases import came_to_an_end, known_releases
from score_flyio.engine.session import Session
from score_flyio.errors import UsageError
from score_flyio.fly.present import metadata
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import DeploymentRecord, Release

_PASSED = frozenset({ALL_SECRETS_SEEN, BACK_TO})
"""Our metadata that is about the last start of a machine, or about the release itself."""
_Earlier: TypeAlias = Callable[[str], models.FlyMachineConfig | None]
"""What a group had with the release; None: nobody knows of a change. Raises UsageError."""


async def rollback(
    session: Session,
    ref: AppRef,
    *,
    to: int | None = None,
    options: DeployOptions | None = None,
    before: Before | None = None,
    dry_run: bool = False,
) -> Change:
    """Back to release `to`, as a new release, whose `back_to` says where it went.

    None: to the newest earlier one that was different; where a rollback was interrupted, to the one
    that it was going back to, with a warning where nothing is left to do. The project's records
    count; where they lack a release, what the machines carry and the versions that the platform
    keeps of them do, but of releases that came to no end only by `to`: how those ended that are
    missing between others of the records, Fly tells.
    What is earlier changes with each release: where somebody else made one meanwhile, it is refused
    without `to`.

    Groups that began since go, those that left come back, with their volumes where those are free.
    So do machines that have lost the data of their group since, to another one or to no machine.

    Raises UsageError, and ConfigError for a strategy that is impossible for a group.
    """
    options = options or DeployOptions()
    async with operation(session, "rollback", ref, dry_run=dry_run) as do:
        known, recorder = do.known_definition(ref), do.recorder

        async def look() -> Change:
            wanted = Wanted(volumes=_may_move_data(recorder.of(ref.app)))
            seen = await observe(session, ref, wanted)
            record = recorder.met(ref.app, seen.machines)
            plan, gone = await _plan(
                do, ref, seen, record, to=to, options=options, definition=known
            )
            told = None if dry_run else do.definition_after(ref, seen, plan, known)
            work = Work(plan=plan, observed=seen, options=options, definition=told)
            return Change(ref=ref, work=work, destroys=gone)

        again = look if to is not None else None
        return await do.carry_out(await look(), before=before, look=again)


async def _plan(
    do: Operation,
    ref: AppRef,
    observed: ObservedApp,
    known: DeploymentRecord,
    *,
    to: int | None,
    options: DeployOptions,
    definition: AppSpec | None,
) -> tuple[AppPlan, tuple[str, ...]]:
    """The plan, and the machines that go."""
    asked, to = to, to if to is not None else _unfinished(observed, known)
    remembered = {release.version for release in known.releases}
    releases = await known_releases(
        do.session, observed, known, ask_for_versions=to not in remembered
    )
    versions = [release.version for release in releases]
    number = next_number(observed.machines, known.releases)
    present = number - 1  # its machines may all be gone
    candidates, unknown = [v for v in versions if v == to], list[int]()
    if to is None:
        candidates, unknown = await _earlier_ones(do.session, ref, known, releases, present)
    for target in candidates:
        then = Then.of(observed, releases, target)
        earlier = partial(_earlier, ref, releases, target)
        others = any(v > target and v not in remembered for v in versions)
        _refuse_loss(ref, then, target, others=others)
        change = Reconfiguration(
            observed=observed,
            label=ref.label,
            configs=_configs(then, earlier),
            release=evolve(do.session.release(number), back_to=target),
            new_id=do.session.new_id,
            options=options,
            definition=definition,
        )
        plan = plan_return(change, then, _lost(then, earlier))
        changes = any(
            isinstance(step, UpdateMachine | CreateMachine | DestroyMachine) for step in plan.steps
        )
        if changes or to is not None:
            _warn_of_tags(do, ref, plan, target)
            _warn_of_unknown(do, ref, [v for v in unknown if v > target], target)
            if not changes and asked is None:
                _warn_of_repeat(do, ref, versions, present, target)
            return plan, tuple(then.gone)
    raise _nothing(ref, asked, versions, alike=candidates)


def _refuse_loss(ref: AppRef, then: Then, target: int, *, others: bool) -> None:
    """Raises UsageError where groups would go for others of which nobody knows how to make them."""
    stay = {then.groups[m.id or ""] for m in then.kept} | {group for group, _ in then.lost}
    going = sorted({then.groups[name] for name in then.gone} - stay)
    if not going or not then.empty or (stay and not others):
        return
    raise UsageError(
        f"{ref}: release {target} had group {', '.join(then.empty)}, of which no machine is left, "
        f"and nobody remembers how many there were: group {', '.join(going)} would go for nothing",
        hint="deploy the files of that release again",
        code="unknown_release",
    )


async def _earlier_ones(
    session: Session,
    ref: AppRef,
    known: DeploymentRecord,
    releases: Sequence[Release],
    present: int,
) -> tuple[list[int], list[int]]:
    """The numbers of releases to go back to, newest first, and of those that may be some.

    Of releases that the state lacks Fly tells whether they came to their end: others made them, or
    runs of this project were cut short. Where Fly does not tell, those before all that the state
    knows count as if they had.
    """
    remembered = {release.version for release in known.releases}
    oldest = min(remembered, default=present)
    doubtful = [r for r in releases if r.version < present and r.version not in remembered]
    ends = await came_to_an_end(session.client, ref.app, doubtful)
    unknown = [r.version for r in doubtful if r.version > oldest and r.version not in ends]
    left_out = {*unknown, *(version for version, whole in ends.items() if not whole)}
    versions = [release.version for release in reversed(releases)]
    return [v for v in versions if v < present and v not in left_out], unknown


def _may_move_data(record: DeploymentRecord) -> bool:
    """Whether machines of an earlier release may have had volumes that they now have not."""
    return any(
        release.members or any((config or {}).get("mounts") for config in release.configs.values())
        for release in record.releases
    )


def _unfinished(observed: ObservedApp, known: DeploymentRecord) -> int | None:
    """The release that the last run was going back to, if it ended before it was remembered.

    Without any record nobody can tell whether it came to its end.
    """
    present = last_release(observed.machines)
    if not known.releases or present in {release.version for release in known.releases}:
        return None
    marks = (metadata(machine) for machine in observed.machines)
    found = {m.get(BACK_TO, "") for m in marks if m.get(RELEASE_VERSION) == str(present)}
    (text,) = found if len(found) == 1 else ("",)
    return int(text) if text.isdigit() else None


def _configs(then: Then, earlier: _Earlier) -> dict[str, models.FlyMachineConfig]:
    """What each machine had with the release. Raises UsageError."""
    wanted = {}
    for machine in then.kept:
        group = then.groups[machine.id or ""]
        former = group_of(machine)
        if (config := earlier(group)) is not None:
            own = _as_own(config, machine, group)
            place = then.places.get(machine.id or "")
            wanted[machine.id or ""] = from_group(own, former, place) if former != group else own
    return wanted


def _lost(then: Then, earlier: _Earlier) -> dict[str, models.FlyMachineConfig]:
    """What the machines had of groups that are not there any more. Raises UsageError."""
    groups = {group for group, _ in (*then.lost, *then.standbys)}
    return {group: config for group in sorted(groups) if (config := earlier(group)) is not None}


def _earlier(
    ref: AppRef, releases: Sequence[Release], target: int, group: str
) -> models.FlyMachineConfig | None:
    try:
        return config_of(releases, group, target)
    except LookupError as error:
        raise UsageError(
            f"{ref}: what release {error} was in group {group} is not known any more: its"
            " config was too large to be kept with the machines",
            hint="deploy the files of that release again",
            code="unknown_release",
        ) from error


def _warn_of_tags(do: Operation, ref: AppRef, plan: AppPlan, target: int) -> None:
    """An image that is known by its tag alone may be another one by now."""
    configs = [step.request.config for step in plan.steps if isinstance(step, UpdateMachine)]
    images = {config.image for config in configs if config}
    for image in sorted(image for image in images if image and "@" not in image):
        message = (
            f"the digest of {image} in release {target} is not known: if the tag was moved since, "
            "it brings another image"
        )
        do.warn(ref, message, "digest_unknown")


def _warn_of_unknown(do: Operation, ref: AppRef, passed: Sequence[int], target: int) -> None:
    """A release that others made may be the one that is meant."""
    if not passed:
        return
    message = (
        f"goes back to release {target}, over {', '.join(map(str, passed))}: nobody knows whether "
        f"{'they' if passed[1:] else 'it'} came to an end; --to {passed[-1]} goes back to release "
        f"{passed[-1]}"
    )
    do.warn(ref, message, "releases_passed_over")


def _warn_of_repeat(
    do: Operation, ref: AppRef, versions: Sequence[int], present: int, target: int
) -> None:
    """What counts as cut short, for the state lacks it, may have been finished by others."""
    others = [v for v in versions if v < present and v != target]
    further = f"; --to {others[-1]} goes back to release {others[-1]}" if others else ""
    message = (
        f"release {present} went back to release {target} already, and nothing is left of it to do"
        f"{further}"
    )
    do.warn(ref, message, "rollback_repeated")


def _nothing(
    ref: AppRef, to: int | None, versions: Sequence[int], *, alike: Sequence[int]
) -> UsageError:
    """There was nothing to do for any of `alike`: they do not differ from what is there."""
    known = ", ".join(map(str, versions)) or "none"
    if alike:
        known += f"; going back to {', '.join(map(str, sorted(alike)))} would change no machine"
    wanted = "no earlier release" if to is None else f"no release {to}"
    return UsageError(
        f"{ref}: there is {wanted} to go back to",
        hint=f"known releases: {known}",
        code="unknown_release",
    )


def _as_own(
    config: models.FlyMachineConfig, machine: models.Machine, group: str
) -> models.FlyMachineConfig:
    """The earlier config with what belongs to this very machine: volume, standby, marks."""
    wanted = deepcopy(config)
    present = machine.config or models.FlyMachineConfig()
    wanted.mounts = _own_mounts(wanted, present)
    wanted.standbys = present.standbys
    env = {k: v for k, v in (wanted.env or {}).items() if k != "FLY_STANDBY_FOR"}
    if standby := (present.env or {}).get("FLY_STANDBY_FOR"):
        env["FLY_STANDBY_FOR"] = standby
    wanted.env = env or None
    found = metadata(machine)
    own = {k: v for k, v in found.items() if k.startswith(OWN_PREFIX) and k not in _PASSED}
    others = {k: v for k, v in (wanted.metadata or {}).items() if not k.startswith(OWN_PREFIX)}
    wanted.metadata = {**others, **own, GROUP: group}
    return wanted


def _own_mounts(
    wanted: models.FlyMachineConfig, present: models.FlyMachineConfig
) -> list[models.FlyMachineMount] | None:
    """The volumes that the machine has, mounted as they were then: none can be taken or given."""
    earlier = {mount.name: mount for mount in wanted.mounts or []}
    return [
        evolve(
            earlier.get(mount.name, mount),
            volume=mount.volume,
            size_gb=mount.size_gb,
            encrypted=mount.encrypted,
        )
        for mount in present.mounts or []
    ] or None
