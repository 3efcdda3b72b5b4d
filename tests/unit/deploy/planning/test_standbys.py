"""Standbys whose group gets a mount."""

from __future__ import annotations

import pytest

from fly_machines import models
from score_flyio.deploy.planning.standbys import gains_a_volume

MOUNTS = [models.FlyMachineMount(name="data", path="/data")]
HAS = models.FlyMachineConfig(mounts=MOUNTS)
NONE = models.FlyMachineConfig()


@pytest.mark.parametrize(
    ("machine", "standbys", "gains"),
    [
        (models.Machine(config=NONE), ["m1"], True),
        (models.Machine(config=NONE), None, False),
        (models.Machine(config=HAS), ["m1"], False),
        (models.Machine(incomplete_config=HAS), ["m1"], False),
        (models.Machine(incomplete_config=NONE), ["m1"], True),
        (models.Machine(), ["m1"], True),
    ],
)
def test_a_standby_gains_a_volume_where_it_had_none(
    machine: models.Machine, standbys: list[str] | None, *, gains: bool
) -> None:
    config = models.FlyMachineConfig(mounts=MOUNTS, standbys=standbys)
    assert gains_a_volume(machine, config) is gains
    assert not gains_a_volume(machine, models.FlyMachineConfig(standbys=standbys))
