"""How machines are spread over regions, which go first, and what new ones are made from."""

from __future__ import annotations

import random
from collections.abc import Mapping

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from fly_machines import models
from score_flyio.deploy.app_step import CreateVolume
from score_flyio.deploy.metadata import ALL_SECRETS_SEEN
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.new_machine import new_machine_config
from score_flyio.deploy.planning.scaling import GroupScale, scale_group, spread
from score_flyio.deploy.step import CreateMachine, DestroyMachine
from score_flyio.fly.present import LAUNCH_KEY

REGIONS = st.lists(st.sampled_from("abcdef"), min_size=1, max_size=6, unique=True)


@given(
    present=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9)),
    regions=REGIONS,
    count=st.integers(0, 30),
)
def test_the_count_is_met_with_as_few_changes_as_can_be(
    present: Mapping[str, int], regions: list[str], count: int
) -> None:
    wanted = spread(present, regions, count)
    assert sum(wanted.values()) == count
    assert list(wanted) == regions
    before = sum(present.get(region, 0) for region in regions)
    moved = sum(abs(wanted[region] - present.get(region, 0)) for region in regions)
    assert moved == abs(count - before)


@given(regions=REGIONS, count=st.integers(0, 30))
def test_from_nothing_it_is_even(regions: list[str], count: int) -> None:
    wanted = spread({}, regions, count).values()
    assert max(wanted) - min(wanted) <= 1


@given(
    present=st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 9)),
    regions=REGIONS,
    count=st.integers(0, 30),
)
def test_fewer_machines_go_where_there_are_most(
    present: Mapping[str, int], regions: list[str], count: int
) -> None:
    wanted = spread(present, regions, count)
    fewer = [region for region in regions if wanted[region] < present.get(region, 0)]
    for region in fewer:
        assert all(wanted[other] <= wanted[region] + 1 for other in regions)


@pytest.mark.parametrize(
    ("count", "left"),
    [(5, [3, 1, 1]), (4, [2, 1, 1]), (3, [1, 1, 1]), (2, [1, 1, 0]), (1, [1, 0, 0])],
)
def test_of_equals_the_last_region_loses_first(count: int, left: list[int]) -> None:
    assert list(spread({"c": 4, "b": 1, "a": 1}, ["c", "b", "a"], count).values()) == left


def machine(name: str, *, state: str = "started", standby: bool = False) -> models.Machine:
    config = models.FlyMachineConfig(
        image="a:1",
        metadata={},
        standbys=["other"] if standby else None,
    )
    return models.Machine(id=name, region="iad", state=state, config=config)


def scaled(
    machines: tuple[models.Machine, ...], count: int, *, volumes: tuple[models.Volume, ...] = ()
) -> GroupScale:
    rng = random.Random(1)
    template = machines[0].config
    return GroupScale(
        observed=ObservedApp(name="demo", machines=machines, volumes=volumes),
        group="app",
        machines=machines,
        count=count,
        regions=(),
        template=template,
        new_id=lambda: str(rng.random()),
        options=DeployOptions(smoke_checks=False),
    )


@pytest.mark.parametrize(
    ("machines", "gone"),
    [
        ([machine("a"), machine("b", standby=True, state="stopped")], "b"),
        ([machine("a"), machine("b", state="stopped")], "b"),
        ([machine("a"), machine("b")], "a"),
        ([machine("b"), machine("a")], "a"),
    ],
)
def test_what_serves_least_goes_first(machines: list[models.Machine], gone: str) -> None:
    plan = scale_group(scaled(tuple(machines), 1))
    (step,) = plan.steps
    assert isinstance(step, DestroyMachine)
    assert step.target.machine == gone


def test_creates_of_a_region_go_out_one_after_another() -> None:
    plan = scale_group(scaled((machine("a"),), 4))
    creates = [step for step in plan.steps if isinstance(step, CreateMachine)]
    assert [step.needs for step in creates] == [(), (creates[0].id,), (creates[1].id,)]
    assert len({step.launch_id for step in creates}) == 3


def test_creates_of_several_regions_are_told_apart() -> None:
    plan = scale_group(evolve(scaled((machine("a"),), 4), regions=("iad", "fra", "lhr", "ord")))
    assert [step.id for step in plan.steps if isinstance(step, CreateMachine)] == [
        "create:app:1",
        "create:app:2",
        "create:app:3",
    ]


def test_free_volumes_come_before_new_ones() -> None:
    config = models.FlyMachineConfig(
        image="a:1", mounts=[models.FlyMachineMount(name="data", path="/data", volume="v1")]
    )
    present = models.Machine(id="a", region="iad", state="started", config=config)
    volumes = (
        models.Volume(id="v1", name="data", region="iad", attached_machine_id="a", size_gb=3),
        models.Volume(
            id="v2",
            name="data",
            region="iad",
            size_gb=7,
            snapshot_retention=14,
            auto_backup_enabled=False,
        ),
        models.Volume(id="v3", name="data", region="fra"),
    )
    plan = scale_group(scaled((present,), 3, volumes=volumes))
    (new,) = [step for step in plan.steps if isinstance(step, CreateVolume)]
    creates = [step for step in plan.steps if isinstance(step, CreateMachine)]
    mounts = [(step.request.config or config).mounts for step in creates]
    assert [mount[0].volume for mount in mounts if mount] == ["v2", None]
    assert new.request.size_gb == 7
    assert (new.request.snapshot_retention, new.request.auto_backup_enabled) == (14, False)
    assert creates[1].volume_from == new.id


@pytest.mark.parametrize(("regions", "volume"), [((), None), (("fra",), "v1")])
def test_a_free_volume_of_a_fallback_region_is_taken(
    regions: tuple[str, ...], volume: str | None
) -> None:
    mounts = [models.FlyMachineMount(name="data", path="/data")]
    scale = scaled((machine("a"),), 2, volumes=(models.Volume(id="v1", name="data", region="fra"),))
    template = models.FlyMachineConfig(image="a:1", mounts=mounts)
    options = evolve(scale.options, fallback_regions=regions)
    steps = scale_group(evolve(scale, template=template, options=options)).steps
    (made,) = [step for step in steps if isinstance(step, CreateMachine)]
    assert [mount.volume for mount in made.config.mounts or []] == [volume]


def test_a_first_volume_has_one_gigabyte() -> None:
    mounts = [models.FlyMachineMount(name="data", path="/data")]
    config = models.FlyMachineConfig(image="a:1", mounts=mounts)
    for template, expected in ((config, [1]), (evolve(config, mounts=None), [])):
        steps = scale_group(evolve(scaled((machine("a"),), 2), template=template)).steps
        sizes = [step.request.size_gb for step in steps if isinstance(step, CreateVolume)]
        assert sizes == expected


def test_a_new_machine_has_seen_the_secrets_that_its_template_has() -> None:
    template = models.FlyMachineConfig(image="a:1", metadata={ALL_SECRETS_SEEN: "digest"})
    (made,) = (
        step
        for step in scale_group(evolve(scaled((machine("a"),), 2), template=template)).steps
        if isinstance(step, CreateMachine)
    )
    assert (made.config.metadata or {})[ALL_SECRETS_SEEN] == "digest"


def test_a_new_machine_has_nothing_that_was_anothers() -> None:
    template = models.FlyMachineConfig(
        env={"A": "1", "FLY_STANDBY_FOR": "x"},
        metadata={LAUNCH_KEY: "L:1/2", "fly_canary": "true", "kept": "yes"},
        standbys=["x"],
    )
    made = new_machine_config(template)
    assert (made.env, made.metadata, made.standbys) == ({"A": "1"}, {"kept": "yes"}, None)
    assert template.standbys == ["x"]
