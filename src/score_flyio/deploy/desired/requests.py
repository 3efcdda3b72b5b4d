"""Requests that create the machines of a group, and that bring existing ones to its config."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Literal, TypeAlias

from fly_machines.models import (
    CreateMachineRequest,
    FlyMachineConfig,
    FlyMachineGuest,
    Machine,
    UpdateMachineRequest,
)
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.condition import host_answers, rests
from score_flyio.deploy.desired.containers import BUILT_IMAGE, NOTHING, with_image
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.guest import default_guest
from score_flyio.deploy.desired.machine_config import add_release, machine_config
from score_flyio.deploy.desired.mounts import updated_mounts
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.model import FileSource
from score_flyio.fly.present import shown_config
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release

Availability: TypeAlias = Literal["single", "pair", "standby"]
"""What a group without machines gets: one machine, two equal ones, or one and a standby for it."""


def launch_request(
    spec: AppSpec,
    group: str,
    *,
    image: str,
    release: Release,
    files: FileSource,
    images: Mapping[str, str] = NOTHING,
    guest: FlyMachineGuest | None = None,
) -> CreateMachineRequest:
    """The request that every running machine of `group` is made from, where it has none.

    `images` tells what the names of further images mean; `guest` is the size where no `[[vm]]`
    table serves the group.
    """
    config = machine_config(spec, group, files=files)
    config.guest = config.guest or deepcopy(guest) or default_guest()
    if spec.host_dedication_id:
        config.guest.host_dedication_id = spec.host_dedication_id
    # in an update flyctl leaves the `"."` of a file's `image_config` to the platform
    with_image(config, image, {**images, BUILT_IMAGE: image})
    add_release(config, release)
    return CreateMachineRequest(
        config=config,
        region=spec.primary_region or None,
        lease_ttl=int(deploy_settings(spec).wait_timeout.seconds) or None,
        skip_launch=True if config.standbys else None,
        skip_secrets=False,
    )


def availability(config: FlyMachineConfig, *, ha: bool = True) -> Availability:
    """How many machines a group of this config gets on its first deploy."""
    if config.mounts or not ha:
        return "single"
    return "pair" if config.services else "standby"


def standby_request(first: CreateMachineRequest, *machines: str) -> CreateMachineRequest:
    """A machine like the `first` one that starts when the host of one of the machines fails."""
    config = standing_by(first.config or FlyMachineConfig(), machines)
    return evolve(first, config=config, skip_launch=True)


def standing_by(config: FlyMachineConfig, machines: Sequence[str]) -> FlyMachineConfig:
    """The config of a machine that starts when the host of one of the machines fails."""
    env = {**(config.env or {}), "FLY_STANDBY_FOR": ",".join(machines)}
    return evolve(config, standbys=list(machines), env=env)


@frozen(kw_only=True)
class MachineUpdate:
    """What becomes of one existing machine."""

    request: UpdateMachineRequest
    replaced_because: str = ""
    """Why the machine has to be destroyed and created anew with the config of `request`."""

    @property
    def config(self) -> FlyMachineConfig:
        """What the machine is given."""
        return self.request.config or FlyMachineConfig()


def update_input(
    spec: AppSpec,
    group: str,
    existing: Machine,
    *,
    image: str,
    release: Release,
    files: FileSource,
    images: Mapping[str, str] = NOTHING,
    start: bool = False,
) -> MachineUpdate:
    """How to update `existing`, a machine of `group`; it is not changed.

    One at rest stays so, unless the update is to `start` it.
    """
    present = shown_config(existing)
    config = machine_config(spec, group, base=present, files=files)
    with_image(config, image, images)
    add_release(config, release)
    config.mounts, replaced = updated_mounts(config.mounts, present.mounts)
    if config.services:
        config.standbys = None
    moved = _move(spec.host_dedication_id, config, present)
    request = UpdateMachineRequest(
        config=config,
        region=existing.region,
        skip_launch=rests(existing) and not start,
        skip_secrets=False,
    )
    reason = f"it moves to hosts {spec.host_dedication_id}" if moved else ""
    reason = "its mounts change" if replaced else reason
    reason = reason if host_answers(existing) else f"its host is {existing.host_status}"
    return MachineUpdate(request=request, replaced_because=reason)


def _move(dedication: str, config: FlyMachineConfig, present: FlyMachineConfig) -> bool:
    """Set the app's `host_dedication_id`; whether the machine must move to other hosts for it."""
    at_present = present.guest.host_dedication_id if present.guest else None
    if not dedication or dedication == at_present:
        return False
    if present.mounts and config.mounts:
        raise ConversionError(
            "host_dedication_id",
            "volume_attached",
            f"a machine with a volume cannot move to hosts {dedication!r}",
            hint="create a volume there, move the data, and destroy the machine first",
        )
    config.guest = config.guest or FlyMachineGuest()
    config.guest.host_dedication_id = dedication
    return True
