"""What machines tell of the group that they came from, as long as others are left there."""

from __future__ import annotations

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.metadata import Marks
from score_flyio.deploy.model import ObservedApp
from tests.unit.deploy.planning.plans import changed, launched, planned, updates, wanted

GROUPS = "[processes]\na = 'a'\nb = 'b'\n"


def marked_as(observed: ObservedApp, name: str, group: str, former: str | None) -> ObservedApp:
    """The same platform, with a machine of a group that came from another one."""
    (config,) = (m.config for m in observed.machines if m.id == name)
    assert config is not None
    plain = {k: v for k, v in (config.metadata or {}).items() if k != "fly_process_group"}
    named = {**plain, "fly_process_group": group} if group else plain
    config = evolve(config, metadata=named)
    return changed(observed, name, config=Marks(former_group=former).stamp(config))


@pytest.mark.parametrize("unmarked", [False, True])
@pytest.mark.parametrize(("former", "told"), [("a", "a"), ("gone", None), (None, None)])
def test_an_update_keeps_where_a_machine_came_from_while_others_are_there(
    former: str | None, told: str | None, *, unmarked: bool
) -> None:
    """Machines without a mark are there, too: they are of the default group."""
    observed = marked_as(launched(wanted(GROUPS)), "create:b:1", "b", former)
    if unmarked:
        for name in ("create:a:1", "create:a:2"):
            observed = marked_as(observed, name, "", None)
    found = {u.machine: u for u in updates(planned(wanted(GROUPS, image="nginx:2"), observed))}
    assert set(found) == {m.id for m in observed.machines}
    for name, update in found.items():
        expected = told if name == "create:b:1" else None
        assert Marks.of(models.Machine(config=update.config)).former_group == expected
