"""The size of machines that the command line asks for."""

from __future__ import annotations

from fly_machines import models
from score_flyio.deploy.desired.guest import guest_of
from score_flyio.deploy.options import DeployOptions
from score_flyio.flytoml.spec import VmSpec


def options_guest(options: DeployOptions) -> models.FlyMachineGuest | None:
    """The guest of `--vm-*`; None where no size was asked for.

    Raises:
        ConversionError: the size is unknown or its memory cannot be read.
    """
    given = options.guest
    if given is None:
        return None
    return guest_of(
        VmSpec(
            size=given.size or "",
            cpus=given.cpus or 0,
            cpu_kind=given.cpu_kind or "",
            memory=given.memory or "",
        )
    )
