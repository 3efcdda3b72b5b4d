"""Machine configs whose images are held by their digests: a tag may be moved at any time. Pure.

Digests of the images of further containers are not known: the platform tells one for a machine.
"""

from __future__ import annotations

from copy import deepcopy

from fly_machines import models
from score_flyio.deploy.releases.images import held, with_digest


def digest_of(machine: models.Machine) -> str | None:
    """The digest of the image that a machine runs, as far as the platform tells."""
    return (machine.image_ref.digest if machine.image_ref else None) or None


def exact(config: models.FlyMachineConfig, digest: str | None) -> models.FlyMachineConfig:
    """The config with its image by digest, where that is known."""
    return renamed(config, with_digest(config.image or "", digest)) if config.image else config


def with_image_that_runs(
    config: models.FlyMachineConfig, machine: models.Machine
) -> models.FlyMachineConfig:
    """The config holds the image of a machine by its digest, unless it is to become another one.

    Its tag may have been moved since the machine got it.
    """
    before, digest = machine.config and machine.config.image, digest_of(machine)
    same = config.image == before or (config.image or "").endswith(f"@{digest}")
    return renamed(config, held(before, digest)) if before and digest and same else config


def renamed(config: models.FlyMachineConfig, image: str) -> models.FlyMachineConfig:
    """The config with another name of its image, in each place that names it."""
    before, changed = config.image, deepcopy(config)
    changed.image = image
    for container in changed.containers or []:
        container.image = image if container.image == before else container.image
        for file in container.files or []:
            file.image_config = image if file.image_config == before else file.image_config
    return changed
