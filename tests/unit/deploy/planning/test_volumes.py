"""Which volumes new machines get, and what becomes of those of old ones."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.app_step import CreateVolume
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.step import CreateMachine, DestroyMachine, HoldMachines
from score_flyio.errors import DestructiveChange, PlanError
from tests.unit.deploy.planning.plans import CHECK, SERVICE, changed, launched, planned, wanted

MOUNT = "[[mounts]]\nsource = 'data'\ndestination = '/data'\n"
ONE, TWO = "create:app:1", "create:app:2"


def volume(name: str, attached: str | None = None) -> models.Volume:
    return models.Volume(id=name, name="data", region="iad", attached_machine_id=attached)


def mounted_volume(step: CreateMachine) -> str | None:
    mounts = step.request.config.mounts if step.request.config else None
    return mounts[0].volume if mounts else None


def test_a_lost_host_that_hides_the_mounts_does_not_hide_the_volume() -> None:
    observed = launched(wanted(MOUNT))
    config = observed.machines[0].config
    assert config is not None
    bare = evolve(config, mounts=None)
    lost = changed(observed, ONE, host_status="unreachable", config=None, incomplete_config=bare)
    with pytest.raises(PlanError, match="vol1"):
        planned(wanted(MOUNT), evolve(lost, volumes=(volume("vol1", ONE),)))


def test_changed_mounts_need_consent_and_each_replacement_a_volume_of_its_own() -> None:
    observed = launched(wanted())
    free = evolve(observed, volumes=(volume("vol1"),))
    plan = planned(wanted(SERVICE + MOUNT), free, allow_destructive=True)
    sources = {
        each.id: (mounted_volume(each), each.volume_from)
        for each in plan.steps
        if isinstance(each, CreateMachine) and each.role == "replacement"
    }
    assert sources == {
        f"replace:{ONE}": ("vol1", None),
        f"replace:{TWO}": (None, f"volume:replace:{TWO}"),
    }
    mounted = launched(wanted(SERVICE + MOUNT))
    attached = evolve(mounted, volumes=(volume("vol1", ONE),))
    with pytest.raises(DestructiveChange, match="vol1"):
        planned(wanted(SERVICE), attached)


TWO_GROUPS = "[processes]\napp = 'a'\nworker = 'b'\n"
SHARED_NAME = TWO_GROUPS + MOUNT + "processes = ['app', 'worker']\n"
"""Two groups whose machines mount volumes of one name."""


def volumes_given(plan: AppPlan) -> list[str]:
    """The free volumes that new machines get, sorted."""
    creates = [each for each in plan.steps if isinstance(each, CreateMachine)]
    return sorted(volume for each in creates if (volume := mounted_volume(each)))


def test_a_free_volume_is_given_to_one_machine_of_one_group() -> None:
    free = ObservedApp(name="web", app=models.App(name="web"), volumes=(volume("vol1"),))
    plan = planned(wanted(SHARED_NAME), free)
    assert volumes_given(plan) == ["vol1"]
    made = [each for each in plan.steps if isinstance(each, CreateVolume)]
    assert [each.group for each in made] == ["worker"]


def test_a_machine_without_a_region_goes_where_its_free_volume_is() -> None:
    anywhere = wanted(MOUNT)
    anywhere = evolve(anywhere, spec=evolve(anywhere.spec, primary_region=""))
    free = ObservedApp(
        name="web", app=models.App(name="web"), volumes=(evolve(volume("vol1"), region="ord"),)
    )
    (made,) = [s for s in planned(anywhere, free).steps if isinstance(s, CreateMachine)]
    assert (mounted_volume(made), made.request.region) == ("vol1", "ord")


def test_a_volume_on_a_lost_host_is_given_to_nobody() -> None:
    lost = evolve(volume("vol1"), host_status="unreachable")
    good = evolve(volume("vol2"), host_status="ok")
    free = ObservedApp(name="web", app=models.App(name="web"), volumes=(lost, good))
    assert volumes_given(planned(wanted(SHARED_NAME), free)) == ["vol2"]


def test_replacements_in_two_groups_never_get_the_same_volume() -> None:
    observed = evolve(launched(wanted(TWO_GROUPS)), volumes=(volume("vol1"), volume("vol2")))
    plan = planned(wanted(SHARED_NAME), observed, allow_destructive=True)
    assert volumes_given(plan) == ["vol1", "vol2"]


def test_a_replacement_and_a_new_group_never_get_the_same_volume() -> None:
    both = launched(wanted(TWO_GROUPS))
    app_only = evolve(both, machines=both.machines[:1], volumes=(volume("vol1"),))
    plan = planned(wanted(SHARED_NAME), app_only, allow_destructive=True)
    assert volumes_given(plan) == ["vol1"]


def test_the_first_size_of_new_volumes_can_be_chosen() -> None:
    def sizes(**options: Any) -> list[int | None]:
        steps = planned(wanted(MOUNT), **options).steps
        return [step.request.size_gb for step in steps if isinstance(step, CreateVolume)]

    assert set(sizes(volume_initial_size=7)) == {7}
    assert 7 not in sizes()


def test_only_fallback_regions_have_volumes_that_a_machine_may_go_to() -> None:
    places = tuple(evolve(volume(name), region=name) for name in ("ams", "fra"))
    observed = ObservedApp(name="web", app=models.App(name="web"), volumes=places)
    plan = planned(wanted(MOUNT), observed, fallback_regions=("fra",), ha=False)
    assert volumes_given(plan) == ["fra"]


def test_a_volume_that_is_left_behind_is_named() -> None:
    mounted = launched(wanted(SERVICE + MOUNT))
    attached = evolve(mounted, volumes=(evolve(volume("vol1", ONE), size_gb=3),))
    note = f"volume vol1 (data, 3 GB, iad) of machine {ONE} stays, in no machine, and is billed"
    for text in (SERVICE, "[processes]\nweb = 'a'\n" + MOUNT.replace("'data'", "'other'")):
        assert note in planned(wanted(text), attached, allow_destructive=True).notes
    assert note not in planned(wanted(SERVICE + MOUNT, image="nginx:2"), attached).notes


def test_a_standby_goes_where_its_group_gets_a_volume() -> None:
    plan = planned(wanted(CHECK + MOUNT), launched(wanted(CHECK)), allow_destructive=True)
    gone = {s.target.machine: s for s in plan.steps if isinstance(s, DestroyMachine)}
    assert set(gone) == {ONE, TWO}
    assert gone[TWO].reason == (
        "a standby would have a volume of its own, without the data of its group"
    )
    assert gone[TWO].group == "app"
    assert f"destroy:{ONE}" in gone[TWO].needs
    (held,) = [step for step in plan.steps if isinstance(step, HoldMachines)]
    assert held.machines == (ONE, TWO)
    assert [s.id for s in plan.steps if isinstance(s, CreateMachine)] == [f"replace:{ONE}"]
