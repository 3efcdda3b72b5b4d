"""Back to an earlier release: its exact images and configs, as a new release."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy

import anyio
from attrs import frozen

from fly_machines import models
from score_flyio.app.spec import AppSpec
from score_flyio.deploy.metadata import GROUP, RELEASE_VERSION, group_of
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.plan import AppPlan
from score_flyio.deploy.planning.reconfigure import (
    Reconfiguration,
    next_release,
    plan_reconfiguration,
)
from score_flyio.deploy.planning.secrets import SEEN_KEY
from score_flyio.deploy.step import CreateMachine, UpdateMachine
from score_flyio.errors import UsageError
from score_flyio.fly.codec import structure
from score_flyio.fly.present import LAUNCH_KEY, metadata
from score_flyio.operations.apps import AppRef
from score_flyio.operations.secrets import ALL_SEEN_KEY
from score_flyio.operations.session import Session
from score_flyio.state.deployments import DeploymentRecord
from score_flyio.unwrap import unwrapped

_OWN = (LAUNCH_KEY, "score_flyio_stands_for", SEEN_KEY, ALL_SEEN_KEY)
"""Metadata that belongs to the machine, not to the release."""


@frozen(kw_only=True)
class Rollback:
    """What will be done."""

    to: int
    plan: AppPlan


async def plan_rollback(
    session: Session,
    ref: AppRef,
    observed: ObservedApp,
    known: DeploymentRecord,
    *,
    to: int | None = None,
    options: DeployOptions | None = None,
    definition: AppSpec | None = None,
) -> Rollback:
    """The plan back to release `to`; None: to the newest earlier one that was different.

    The project's records count; where they lack a release, the versions that the platform keeps of
    each machine do. `definition` is the app's fly.toml, where it is known.

    Raises:
        UsageError: there is no such release.
        ConfigError: the strategy that the options name is impossible for a group.
    """
    recorded = {release.version for release in known.releases}
    kept = await _kept(session, observed) if to not in recorded else {}
    versions = sorted(recorded.union(*kept.values()))
    present = next_release(observed) - 1
    candidates = [v for v in reversed(versions) if (v == to if to is not None else v < present)]
    if not candidates:
        raise _nothing(ref, to, versions)
    release = session.release(next_release(observed))
    for target in candidates:
        change = Reconfiguration(
            observed=observed,
            label=ref.label,
            configs=_configs(observed, known, kept, target),
            release=release,
            new_id=session.new_id,
            options=options or DeployOptions(),
            definition=definition,
        )
        plan = plan_reconfiguration(change)
        if any(isinstance(step, UpdateMachine | CreateMachine) for step in plan.steps):
            break
    return Rollback(to=target, plan=plan)


def _configs(
    observed: ObservedApp,
    known: DeploymentRecord,
    kept: Mapping[str, Mapping[int, models.FlyMachineConfig]],
    target: int,
) -> dict[str, models.FlyMachineConfig]:
    """What each machine had with the release."""
    wanted = {}
    for machine in observed.machines:
        earlier = _earlier(group_of(machine), known, target)
        if earlier is None:
            earlier = _newest(kept.get(machine.id or "", {}), target)
        if earlier is not None:
            wanted[machine.id or ""] = _as_own(earlier, machine)
    return wanted


def _nothing(ref: AppRef, to: int | None, versions: list[int]) -> UsageError:
    known = ", ".join(map(str, versions)) or "none"
    wanted = "no earlier release" if to is None else f"no release {to}"
    return UsageError(
        f"{ref}: there is {wanted} to go back to",
        hint=f"known releases: {known}",
        code="unknown_release",
    )


def _earlier(group: str, known: DeploymentRecord, target: int) -> models.FlyMachineConfig | None:
    """The config that a group had with the release: that of the last release that changed it."""
    if target not in {release.version for release in known.releases}:
        return None
    for release in reversed(known.releases):
        if release.version <= target and group in release.configs:
            return structure(dict(release.configs[group]), models.FlyMachineConfig)
    return None


def _newest(
    kept: Mapping[int, models.FlyMachineConfig], target: int
) -> models.FlyMachineConfig | None:
    fitting = [version for version in kept if version <= target]
    return kept[max(fitting)] if fitting else None


def _as_own(config: models.FlyMachineConfig, machine: models.Machine) -> models.FlyMachineConfig:
    """The earlier config with what belongs to this very machine: volume, standby, marks."""
    wanted = deepcopy(config)
    present = machine.config or models.FlyMachineConfig()
    volumes = {mount.name: mount.volume for mount in present.mounts or []}
    for mount in wanted.mounts or []:
        mount.volume = volumes.get(mount.name, mount.volume)
    if _runs(machine, wanted.image):
        wanted.image = present.image
    wanted.standbys = present.standbys
    env = {k: v for k, v in (wanted.env or {}).items() if k != "FLY_STANDBY_FOR"}
    if standby := (present.env or {}).get("FLY_STANDBY_FOR"):
        env["FLY_STANDBY_FOR"] = standby
    wanted.env = env or None
    found = metadata(machine)
    marks = {key: found[key] for key in (GROUP, *_OWN) if key in found}
    wanted.metadata = {
        **{k: v for k, v in (wanted.metadata or {}).items() if k not in _OWN},
        **marks,
    }
    return wanted


def _runs(machine: models.Machine, image: str | None) -> bool:
    """Whether the machine runs this very image, by its digest, whatever its config calls it."""
    digest = machine.image_ref.digest if machine.image_ref else None
    return bool(digest and image and image.endswith(f"@{digest}"))


async def _kept(
    session: Session, observed: ObservedApp
) -> dict[str, dict[int, models.FlyMachineConfig]]:
    """Configs by release, by machine, as the platform keeps them."""
    found: dict[str, dict[int, models.FlyMachineConfig]] = {}

    async def read(machine: str) -> None:
        versions = await session.client.api.machines_list_versions(observed.name, machine)
        found[machine] = _by_release(versions)

    with unwrapped():
        async with anyio.create_task_group() as tasks:
            for machine in observed.machines:
                tasks.start_soon(read, machine.id or "")
    return found


def _by_release(
    versions: list[models.MachineVersion],
) -> dict[int, models.FlyMachineConfig]:
    """Newest first in the platform's list: the newest of a release counts."""
    found: dict[int, models.FlyMachineConfig] = {}
    for version in versions:
        config = version.user_config
        number = ((config.metadata if config else None) or {}).get(RELEASE_VERSION, "")
        if config is not None and number.isdigit():
            found.setdefault(int(number), config)
    return found
