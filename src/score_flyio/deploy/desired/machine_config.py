"""The machine config of one process group.

Which field is replaced, merged or kept follows flyctl (fly.toml reference, "Building a machine
config"), so that a machine made by either tool looks the same to both.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final, cast

from fly_machines.models import (
    FlyMachineConfig,
    FlyMachineInit,
    FlyMachineMetrics,
    FlyMachineRestart,
    FlyStatic,
    FlyStopConfig,
)
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.checks import machine_checks
from score_flyio.deploy.desired.containers import NOTHING, with_sources
from score_flyio.deploy.desired.files import merged_files
from score_flyio.deploy.desired.guest import guest_of
from score_flyio.deploy.desired.mounts import machine_mounts
from score_flyio.deploy.desired.sections import of_section
from score_flyio.deploy.desired.services import machine_services
from score_flyio.deploy.metadata import (
    ALL_SECRETS_SEEN,
    BACK_TO,
    GROUP,
    PLATFORM,
    Marks,
    without_marks,
)
from score_flyio.deploy.model import FileSource
from score_flyio.flytoml.groups import flatten
from score_flyio.flytoml.spec import AppSpec, ExperimentalSection, MetricsSpec
from score_flyio.flytoml.values import Duration, split_command
from score_flyio.state.deployments import Release

MANAGED_POSTGRES: Final = "fly-managed-postgres"

_RESTART_POLICIES: Final = {"always": "always", "on-failure": "on-failure", "never": "no"}


def machine_config(
    spec: AppSpec, group: str, *, base: FlyMachineConfig | None = None, files: FileSource
) -> FlyMachineConfig:
    """The config of a machine of `group`; `base` is the present one of a machine to be updated.

    The image, release metadata and volume ids are not set here; `base` is not changed.
    """
    flat = flatten(spec, group)
    merged = merged_files(spec.files, files)
    config = with_sources(deepcopy(base) if base else FlyMachineConfig(), flat, files)
    config.metrics = _metrics(flat)
    _set_init(config, flat, group)
    config.metadata = group_metadata(config.metadata, group)
    config.services = machine_services(flat)
    config.checks = machine_checks(flat)
    config.env = environment(flat, group)
    config.statics = _statics(flat)
    config.mounts = machine_mounts(flat)
    config.stop_config = stop_config(flat.kill_signal, flat.kill_timeout)
    config.files = merged
    if flat.vm:
        config.guest = guest_of(flat.vm[0], host_dedication_id=flat.host_dedication_id)
    config.restart = _restart(flat)
    return config


def environment(spec: AppSpec, group: str, more: Mapping[str, str] = NOTHING) -> dict[str, str]:
    """`[env]`, then `more`, then the variables that the tool itself sets."""
    region = {"PRIMARY_REGION": spec.primary_region} if spec.primary_region else {}
    return {**spec.env, **more, "FLY_PROCESS_GROUP": group, **region}


def group_metadata(present: dict[str, str] | None, group: str) -> dict[str, str]:
    """Metadata by which either tool knows a machine of the group; keys of others are kept."""
    kept = {k: v for k, v in (present or {}).items() if k != ALL_SECRETS_SEEN}
    return {**kept, PLATFORM: "v2", GROUP: group}


def add_release(config: FlyMachineConfig, release: Release) -> None:
    """Mark `config` as made by a release, and as not one of the platform's Postgres apps."""
    marks = Marks(
        release_id=release.id,
        release_version=str(release.version),
        tool_version=release.tool_version,
        back_to=None if release.back_to is None else str(release.back_to),
    )
    config.metadata = marks.stamp(without_marks(config, {MANAGED_POSTGRES, BACK_TO})).metadata


def stop_config(signal: str | None, timeout: Duration | None) -> FlyStopConfig | None:
    """How a machine is stopped; None when neither is given."""
    if signal is None and timeout is None:
        return None
    return FlyStopConfig(
        signal=cast("Any", signal), timeout=None if timeout is None else timeout.text()
    )


def _set_init(config: FlyMachineConfig, flat: AppSpec, group: str) -> None:
    experimental = flat.experimental or ExperimentalSection()
    line = flat.processes.get(group, "")
    init = config.init or FlyMachineInit()
    # a line that is only a comment is a command all the same, of no words
    init.cmd = list(split_command(line) if line else experimental.cmd) or None
    init.entrypoint = list(experimental.entrypoint) or None
    init.exec = list(experimental.exec) or None
    init.swap_size_mb = flat.swap_size_mb
    config.init = init


def _metrics(flat: AppSpec) -> FlyMachineMetrics | None:
    first = evolve(flat.metrics[0], processes=()) if flat.metrics else MetricsSpec()
    return None if first == MetricsSpec() else of_section(first, FlyMachineMetrics)


def _statics(flat: AppSpec) -> list[FlyStatic] | None:
    statics = [
        FlyStatic(
            guest_path=static.guest_path,
            url_prefix=static.url_prefix,
            tigris_bucket=static.tigris_bucket,
            index_document=static.index_document,
        )
        for static in flat.statics
    ]
    return statics or None


def _restart(flat: AppSpec) -> FlyMachineRestart | None:
    if not flat.restart:
        return None
    last = flat.restart[-1]
    return FlyMachineRestart(
        policy=cast("Any", _RESTART_POLICIES[last.policy]), max_retries=last.retries or None
    )
