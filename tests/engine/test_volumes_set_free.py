"""A machine that goes lets go of its volume after a while: whoever comes next gets it all the same."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from fly_emulator import lifecycle
from tests.engine.lab import Lab, toml
from tests.engine.test_counts import scale_to
from tests.engine.test_departures import holders, volumes

DATA = toml('[[mounts]]\nsource = "data"\ndestination = "/data"\n', service=False)
SLOW = 20.0
"""Seconds that a machine needs to go."""


@pytest.fixture(params=[True, False])
def lab(request: pytest.FixtureRequest) -> Lab:
    return Lab.build(destroy=SLOW, lists_those_that_go=request.param)


async def scaled_up(lab: Lab) -> None:
    await scale_to(lab, app=1)


async def deployed(lab: Lab) -> None:
    assert (await lab.deploy(DATA)).code == 0


@pytest.mark.parametrize("after", [scaled_up, deployed])
async def test_it_goes_on_in_the_next_machine(lab: Lab, after: Any) -> None:
    await lab.deploy(DATA)
    (volume,) = volumes(lab)
    await scale_to(lab, app=0)
    assert volume.attached_machine_id is not None
    await after(lab)
    assert holders(lab) == {volume.id: "app"}
    assert [v.id for v in volumes(lab)] == [volume.id]
    lab.check_clean()


async def test_one_of_a_machine_that_lists_do_not_show_yet_is_not_free(lab: Lab) -> None:
    await lab.deploy(DATA)
    (volume,) = volumes(lab)
    (machine,) = lab.machines()
    machine.visible_at = lab.clock.time() + 3600
    await lab.deploy(DATA)
    assert volume.attached_machine_id == machine.id


async def test_a_volume_that_is_never_let_go_is_told_by_name(lab: Lab) -> None:
    """The platform's fault: a machine that never ends, however long one waits."""
    await lab.deploy(DATA)
    (volume,) = volumes(lab)
    (machine,) = lab.machines()
    lifecycle.destroy(lab.fly.world, machine, lab.clock.time() + 3600)
    await anyio.sleep(1)
    failed = await lab.deploy(DATA)
    assert failed.code == 1
    assert volume.id in failed.text
    assert machine.id in failed.text
    assert [v.id for v in volumes(lab)] == [volume.id]
    assert lab.leased() == []
