"""Which sections go to which process group."""

from __future__ import annotations

import pytest

from score_flyio.flytoml import read_fly_toml
from score_flyio.flytoml.groups import flatten

GROUPS = '[processes]\nworker = "run"\nzed = "run"\n'


@pytest.mark.parametrize(
    ("processes", "group", "served"),
    [
        ('[""]', "worker", True),
        ('[""]', "zed", False),
        ('["", "zed"]', "worker", True),
        ('["", "zed"]', "zed", True),
        ('["zed"]', "worker", False),
    ],
)
def test_an_empty_name_stands_for_the_default_group(
    processes: str, group: str, served: bool
) -> None:
    """As flyctl has it; `worker` is the default group here."""
    mount = f'[[mounts]]\nsource = "data"\ndestination = "/data"\nprocesses = {processes}\n'
    document = read_fly_toml(f"{GROUPS}{mount}")
    assert document.valid
    assert document.remarks == ()
    assert document.spec is not None
    assert bool(flatten(document.spec, group).mounts) == served


@pytest.mark.parametrize("group", ["worker", "zed"])
def test_a_size_for_an_empty_name_is_for_every_group(group: str) -> None:
    sizes = '[[vm]]\nsize = "shared-cpu-2x"\nprocesses = [""]\n[[vm]]\nsize = "shared-cpu-4x"\n'
    spec = read_fly_toml(f"{GROUPS}{sizes}").spec
    assert spec is not None
    assert [vm.size for vm in flatten(spec, group).vm] == ["shared-cpu-2x"]
