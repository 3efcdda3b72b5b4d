"""Requests that create the machines of a process group."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Literal, TypeAlias

from fly_machines.models import CreateMachineRequest, FlyMachineConfig, FlyMachineGuest
from score_flyio.base.record import evolve, frozen
from score_flyio.deploy.desired.containers import BUILT_IMAGE, NOTHING, with_image
from score_flyio.deploy.desired.guest import default_guest
from score_flyio.deploy.desired.machine_config import add_release, machine_config
from score_flyio.deploy.desired.settings import deploy_settings
from score_flyio.deploy.model import FileSource
from score_flyio.flytoml.spec import AppSpec
from score_flyio.state.deployments import Release

Availability: TypeAlias = Literal["single", "pair", "standby"]
"""What a group without machines gets: one machine, two equal ones, or one and a standby for it."""


@frozen(kw_only=True)
class LaunchPlan:
    """How the machines of a group that has none are created."""

    availability: Availability
    first: CreateMachineRequest
    """Every running machine of the group is made from it."""

    def standby(self, machine_id: str) -> CreateMachineRequest:
        """A machine that starts when the host of `machine_id` fails."""
        config = deepcopy(self.first.config) or FlyMachineConfig()
        config.standbys = [machine_id]
        config.env = {**(config.env or {}), "FLY_STANDBY_FOR": machine_id}
        return evolve(self.first, config=config, skip_launch=True)


def launch_plan(
    spec: AppSpec,
    group: str,
    *,
    image: str,
    release: Release,
    files: FileSource,
    images: Mapping[str, str] = NOTHING,
    ha: bool = True,
    guest: FlyMachineGuest | None = None,
) -> LaunchPlan:
    """How to create the machines of `group`.

    `images` tells what the names of further images mean. With `ha` the group gets a second machine
    where it can have one; `guest` is the size where no `[[vm]]` table serves the group.
    """
    config = machine_config(spec, group, files=files)
    config.guest = config.guest or deepcopy(guest) or default_guest()
    if spec.host_dedication_id:
        config.guest.host_dedication_id = spec.host_dedication_id
    # in an update flyctl leaves the `"."` of a file's `image_config` to the platform
    with_image(config, image, {**images, BUILT_IMAGE: image})
    add_release(config, release)
    first = CreateMachineRequest(
        config=config,
        region=spec.primary_region or None,
        lease_ttl=int(deploy_settings(spec).wait_timeout.seconds) or None,
        skip_launch=True if config.standbys else None,
        skip_secrets=False,
    )
    return LaunchPlan(availability=availability(config, ha=ha), first=first)


def availability(config: FlyMachineConfig, *, ha: bool = True) -> Availability:
    """How many machines a group of this config gets on its first deploy."""
    if config.mounts or not ha:
        return "single"
    return "pair" if config.services else "standby"
