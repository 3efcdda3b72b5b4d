"""Image references: when do two texts mean the same image, and which one runs? Pure.

The platform gives short Docker Hub names back expanded, and flyctl sends references through Fly's
mirror of Docker Hub with the digest behind the tag (Machines API documentation, flyctl). A tag may
be moved at any time: configs that are to come back hold their image by its digest. Of the images of
further containers no digest is known: the platform tells one for a machine.
"""

from __future__ import annotations

from copy import deepcopy

from fly_machines import models
from score_flyio.base.record import evolve
from score_flyio.deploy.desired.containers import with_image
from score_flyio.images.reference import DEFAULT_TAG, ImageReference, held


def with_digest(image: str, digest: str | None) -> str:
    """`name:tag` as `name@digest`; a digest that stands there already counts before the given one.

    Without its tag, the name is that of no other image. What has no digest at all stays.
    """
    name, _, own = image.partition("@")
    digest = own or digest
    if not name or not digest:
        return image
    folder, slash, last = name.rpartition("/")
    return f"{folder}{slash}{last.partition(':')[0]}@{digest}"


def same_image(one: str, other: str) -> bool:
    """Whether both name one image: by digest where both have one, else by tag."""
    if one == other:
        return True
    a, b = ImageReference.split(one), ImageReference.split(other)
    if a.name != b.name:
        return False
    if a.digest and b.digest:
        return a.digest == b.digest
    if (a.digest and not a.tag) or (b.digest and not b.tag):
        return False
    return (a.tag or DEFAULT_TAG) == (b.tag or DEFAULT_TAG)


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
    new = evolve(config, containers=deepcopy(config.containers))
    with_image(new, image, {config.image or "": image})
    return new
