"""What becomes of machines whose group left the app, or whose volume another group is to have."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.app_step import CreateVolume
from score_flyio.deploy.metadata import FORMER_GROUP, STANDS_FOR, group_of
from score_flyio.deploy.model import DesiredApp, ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.departures import departures, refuse_unasked
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.step import CreateMachine, DestroyMachine, HoldMachines, Step, UpdateMachine
from score_flyio.errors import ConfigError, DestructiveChange, PlanError
from tests.unit.deploy.planning.plans import (
    CHECK,
    acyclic,
    changed,
    launched,
    machine,
    marked,
    planned,
    step,
    wanted,
)

MOUNT = "[[mounts]]\nsource = 'data'\ndestination = '/data'\n"
ALONE = wanted(MOUNT)
WEB = "[processes]\nweb = 'a'\n" + MOUNT
TWO = "[processes]\na = 'a'\nb = 'b'\n" + MOUNT + "processes = ['a', 'b']\n"
SPLIT = "[processes]\napp = 'a'\nworker = 'b'\n" + MOUNT + "processes = ['worker']\n"
LOGS = models.Volume(id="vol9", name="logs", region="iad", attached_machine_id="m1")


def with_data(count: int = 1, *, group: str = "app", regions: Iterable[str] = ()) -> ObservedApp:
    """So many machines of a group, each with a volume."""
    first = launched(ALONE).machines[0].config
    assert first is not None
    places = (*regions, *("iad" for _ in range(count)))[:count]
    machines, volumes = [], []
    for number, region in enumerate(places, start=1):
        metadata = {**(first.metadata or {}), "fly_process_group": group}
        mounts = [evolve(mount, volume=f"vol{number}") for mount in first.mounts or []]
        config = evolve(first, metadata=metadata, mounts=mounts)
        machines.append(machine(f"m{number}", config, region=region))
        volume = models.Volume(id=f"vol{number}", name="data", region=region, size_gb=1)
        volumes.append(evolve(volume, attached_machine_id=f"m{number}"))
    app = models.App(name="web")
    return ObservedApp(name="web", app=app, machines=tuple(machines), volumes=tuple(volumes))


def agreed(desired: DesiredApp, observed: ObservedApp) -> AppPlan:
    return planned(desired, observed, allow_destructive=True)


def taken_over(plan: AppPlan) -> dict[str, str | None]:
    """By machine that is updated, its new group."""
    return {s.machine: s.group for s in plan.steps if isinstance(s, UpdateMachine)}


def of_kind(plan: AppPlan, *kinds: type[Step]) -> list[str]:
    return [step.id for step in plan.steps if isinstance(step, kinds)]


@pytest.mark.parametrize("region", ["iad", "fra"])
def test_a_renamed_group_takes_the_machine_with_its_volume_wherever_it_is(region: str) -> None:
    plan = agreed(wanted(WEB), with_data(regions=[region]))
    (step,) = [s for s in plan.steps if isinstance(s, UpdateMachine)]
    assert (step.machine, step.group, step.region) == ("m1", "web", region)
    assert group_of(models.Machine(config=step.config)) == "web"
    assert [mount.volume for mount in step.config.mounts or []] == ["vol1"]
    assert not of_kind(plan, CreateMachine, CreateVolume, DestroyMachine)
    assert "machine m1 goes on in group web, with its volume vol1" in plan.notes


def test_all_machines_with_data_go_on_and_groups_that_begin_share_them() -> None:
    assert taken_over(agreed(wanted(WEB), with_data(3))) == dict.fromkeys(("m1", "m2", "m3"), "web")
    plan = agreed(wanted(TWO), with_data(3))
    assert taken_over(plan) == {"m1": "a", "m2": "b", "m3": "a"}
    assert not of_kind(plan, CreateVolume)


def test_a_group_that_gets_no_data_begins_with_a_new_volume() -> None:
    plan = agreed(wanted(TWO), with_data(1))
    assert taken_over(plan) == {"m1": "a"}
    assert [s.group for s in plan.steps if isinstance(s, CreateMachine)] == ["b"]
    assert len(of_kind(plan, CreateVolume)) == 1


def test_what_was_cut_short_goes_on() -> None:
    observed = with_data(3)
    first = next(s for s in agreed(wanted(WEB), observed).steps if isinstance(s, UpdateMachine))
    cut = changed(observed, first.machine, config=first.config)
    assert came_from(cut, first.machine) == "app"
    plan = agreed(wanted(WEB), cut)
    assert taken_over(plan) == {"m2": "web", "m3": "web"}
    assert not of_kind(plan, CreateMachine, CreateVolume, DestroyMachine)


def came_from(observed: ObservedApp, name: str) -> str | None:
    config = next(m.config for m in observed.machines if m.id == name)
    return (config.metadata or {}).get(FORMER_GROUP) if config else None


def test_a_machine_forgets_where_it_came_from_once_nothing_is_left_there() -> None:
    alone = marked(with_data(group="web"), "m1", **{FORMER_GROUP: "app"})
    (step,) = [
        s for s in agreed(wanted(WEB, image="nginx:2"), alone).steps if isinstance(s, UpdateMachine)
    ]
    assert FORMER_GROUP not in (step.config.metadata or {})


def test_a_group_that_has_machines_takes_none_and_the_volume_is_named() -> None:
    both = with_data(2)
    config = both.machines[1].config
    assert config is not None
    config = evolve(config, metadata={**(config.metadata or {}), "fly_process_group": "web"})
    plan = agreed(wanted(WEB), changed(both, "m2", config=config))
    assert of_kind(plan, DestroyMachine) == ["destroy:m1"]
    assert any("volume vol1 (data, 1 GB, iad) of machine m1 stays" in n for n in plan.notes)


def test_a_mount_that_moves_to_a_new_group_takes_the_machine_behind_its_replacement() -> None:
    plan = agreed(wanted(SPLIT), with_data())
    made = next(s for s in plan.steps if isinstance(s, CreateMachine) and s.role == "replacement")
    assert (made.group, made.config.mounts) == ("app", None)
    assert taken_over(plan) == {"m1": "worker"}
    update = next(s for s in plan.steps if s.id == "update:m1")
    assert "replace:m1:healthy" in update.needs
    assert not of_kind(plan, CreateVolume, DestroyMachine)


def test_a_move_that_was_cut_short_behind_the_replacement_goes_on() -> None:
    observed = with_data()
    made = next(s for s in agreed(wanted(SPLIT), observed).steps if isinstance(s, CreateMachine))
    replacement = machine("m2", made.config)
    assert (made.config.metadata or {})[STANDS_FOR] == "m1.app"
    half = evolve(observed, machines=(*observed.machines, replacement))
    plan = agreed(wanted(SPLIT), half)
    assert taken_over(plan) == {"m1": "worker"}
    assert not of_kind(plan, CreateMachine, CreateVolume, DestroyMachine)


@pytest.mark.parametrize(
    ("text", "observed", "told", "keep"),
    [
        (
            WEB,
            with_data(2),
            (
                "group app is no longer part of the app: "
                "machine m1 goes on in group web, with its volume vol1; "
                "machine m2 goes on in group web, with its volume vol2"
            ),
            "group",
        ),
        (
            WEB.replace("data", "other"),
            with_data(),
            (
                "group app is no longer part of the app: "
                "machine m1 would be destroyed, and its volume vol1 is left behind, in no machine"
            ),
            "group",
        ),
        (
            SPLIT,
            with_data(),
            "mounts change: machine m1 goes on in group worker, with its volume vol1",
            "mounts",
        ),
        (
            "[processes]\nc = 'c'\n",
            evolve(launched(wanted("[processes]\na = 'a'\nb = 'b'\n")), volumes=()),
            (
                "group a, b is no longer part of the app: "
                "machine create:a:1 would be destroyed; machine create:a:2 would be destroyed; "
                "machine create:b:1 would be destroyed; machine create:b:2 would be destroyed"
            ),
            "group",
        ),
    ],
)
def test_nobody_agreed_to_what_becomes_of_machines(
    text: str, observed: ObservedApp, told: str, keep: str
) -> None:
    with pytest.raises(DestructiveChange) as refused:
        planned(wanted(text), observed)
    assert refused.value.message == f"app web: {told}"
    assert refused.value.hint == f"confirm with --yes, or keep the {keep}"


@pytest.mark.parametrize(
    "options",
    [
        {"process_groups": ("web",)},
        {"exclude_machines": ("m1",)},
        {"only_regions": ("fra",)},
    ],
)
def test_no_group_begins_without_data_that_the_options_leave_out(options: Any) -> None:
    observed = with_data()
    observed = evolve(observed, volumes=(*observed.volumes, LOGS))
    for agreed_to in (True, False):
        with pytest.raises(ConfigError) as refused:
            planned(wanted(WEB), observed, allow_destructive=agreed_to, **options)
        assert refused.value.message == (
            "app web: group web would get a new, empty volume: its data is in volume vol1, vol9 "
            "of group app, which the options leave out"
        )
        assert refused.value.hint == (
            "deploy them together: --process-groups app,web, "
            "and without options that leave out regions or machines"
        )
    none = planned(wanted(WEB), with_data(), update_only=True, **options)
    assert none.empty


def test_what_other_regions_have_of_a_group_that_begins_comes_later() -> None:
    observed = with_data(2, regions=["fra", "iad"])
    plan = planned(wanted(WEB), observed, allow_destructive=True, only_regions=("fra",))
    assert taken_over(plan) == {"m1": "web"}
    assert not of_kind(plan, CreateMachine, CreateVolume, DestroyMachine)


def test_a_group_out_of_reach_needs_no_consent() -> None:
    observed, options = with_data(), DeployOptions(process_groups=("app",))
    spec = wanted(WEB.replace("web", "app")).spec
    refuse_unasked(observed, departures(spec, observed, options), options)


BOTH = "[processes]\napp = 'a'\nworker = 'b'\n"
IN_APP = wanted(BOTH + MOUNT + "processes = ['app']\n")
IN_WORKER = wanted(BOTH + MOUNT + "processes = ['worker']\n")


def with_workers(count: int, *, of: int = 1, regions: Iterable[str] = ()) -> ObservedApp:
    """An app whose volumes are in `count` of the machines m1, m2, …; w1, w2, … have none."""
    observed = with_data(of)
    config = observed.machines[0].config
    assert config is not None
    metadata = {**(config.metadata or {}), "fly_process_group": "worker"}
    config = evolve(config, metadata=metadata, mounts=None)
    places = (*regions, *("iad" for _ in range(count)))[:count]
    workers = (machine(f"w{n}", config, region=r) for n, r in enumerate(places, start=1))
    return evolve(observed, machines=(*observed.machines, *workers))


@pytest.mark.parametrize(("data", "workers"), [(1, 1), (2, 2), (3, 1), (1, 3), (2, 1)])
def test_a_mount_that_moves_between_groups_takes_a_machine_for_each_without_data(
    data: int, workers: int
) -> None:
    plan = agreed(IN_WORKER, with_workers(workers, of=data))
    both = min(data, workers)
    pairs = {f"m{n}": f"w{n}" for n in range(1, both + 1)}
    assert taken_over(plan) == dict.fromkeys(pairs, "worker")
    made = [s for s in plan.steps if isinstance(s, CreateMachine)]
    assert sorted(s.group or "" for s in made) == ["app"] * data + ["worker"] * (workers - both)
    assert len(of_kind(plan, CreateVolume)) == workers - both
    gone = {f"m{n}" for n in range(both + 1, data + 1)} | {f"w{n}" for n in range(1, workers + 1)}
    assert set(of_kind(plan, DestroyMachine)) == {f"destroy:{name}" for name in gone}
    for mover, place in pairs.items():
        end = next(s for s in plan.steps if s.id == f"destroy:{place}")
        assert end.needs == (f"update:{mover}:healthy",)
        update = next(s for s in plan.steps if s.id == f"update:{mover}")
        assert f"replace:{mover}:healthy" in update.needs
        assert f"machine {mover} goes on in group worker, with its volume vol{mover[1:]}" in (
            plan.notes
        )
    left = [n for n in plan.notes if "stays, in no machine" in n]
    assert len(left) == data - both


def test_a_machine_takes_a_place_in_its_own_region_first() -> None:
    plan = agreed(IN_WORKER, with_workers(2, regions=["fra", "iad"]))
    config = next(s for s in plan.steps if isinstance(s, UpdateMachine)).config
    assert (config.metadata or {})[STANDS_FOR] == "w2.worker"


def test_a_move_into_a_place_that_was_cut_short_goes_on() -> None:
    observed = with_workers(2, of=3)
    plan = agreed(IN_WORKER, observed)
    updates = {s.machine: s for s in plan.steps if isinstance(s, UpdateMachine)}
    made = next(s for s in plan.steps if isinstance(s, CreateMachine) and s.previous == "m1")
    half = changed(observed, "m1", config=updates["m1"].config)
    half = evolve(half, machines=(*half.machines, machine("m9", made.config)))
    again = agreed(IN_WORKER, half)
    assert taken_over(again) == {"m2": "worker"}
    assert set(of_kind(again, DestroyMachine)) == {"destroy:w1", "destroy:w2", "destroy:m3"}
    assert not of_kind(again, CreateVolume)


@pytest.mark.parametrize("state", ["started", "stopped"])
@pytest.mark.parametrize("strategy", ["rolling", "immediate"])
@pytest.mark.parametrize("pair", [("m1", "m2"), ("m2", "m1")])
def test_a_machine_and_what_was_to_take_its_place_move_together(
    pair: tuple[str, str], strategy: Any, state: str
) -> None:
    old, new = pair
    observed = changed(marked(with_workers(2, of=2), new, **{STANDS_FOR: old}), new, state=state)
    plan = planned(IN_WORKER, observed, allow_destructive=True, strategy=strategy)
    assert taken_over(plan) == {"m1": "worker", "m2": "worker"}
    assert acyclic(plan)
    (made,) = [s for s in plan.steps if isinstance(s, CreateMachine)]
    assert (made.group, made.previous) == ("app", new)
    well = made.id if made.request.skip_launch else f"{made.id}:healthy"
    for name in pair:
        assert well in step(plan, f"update:{name}").needs
    assert f"replaced:{old}:healthy" not in {s.id for s in plan.steps}


@pytest.mark.parametrize("resting", ["m1", "w1", "both"])
def test_what_takes_a_running_place_runs(resting: str) -> None:
    observed = with_workers(1)
    for name in ("m1", "w1") if resting == "both" else (resting,):
        observed = changed(observed, name, state="stopped")
    plan = agreed(IN_WORKER, observed)
    update = next(s for s in plan.steps if isinstance(s, UpdateMachine))
    assert update.request.skip_launch is (resting == "both")
    end = next(s for s in plan.steps if s.id == "destroy:w1")
    assert end.needs == (("update:m1",) if resting == "both" else ("update:m1:healthy",))


def test_the_data_comes_back_when_the_mount_does() -> None:
    observed = with_workers(1)
    (update,) = (s for s in agreed(IN_WORKER, observed).steps if isinstance(s, UpdateMachine))
    config = observed.machines[1].config
    assert config is not None
    metadata = {**(config.metadata or {}), "fly_process_group": "app", STANDS_FOR: "m1"}
    new = machine("m9", evolve(config, metadata=metadata))
    there = changed(observed, "m1", config=update.config)
    there = evolve(there, machines=(there.machines[0], new))
    plan = agreed(IN_APP, there)
    assert taken_over(plan) == {"m1": "app"}
    assert of_kind(plan, DestroyMachine) == ["destroy:m9"]
    assert not of_kind(plan, CreateVolume)


@pytest.mark.parametrize(
    "options", [{"process_groups": ("worker",)}, {"exclude_machines": ("m1",)}]
)
def test_no_machine_is_replaced_on_an_empty_volume_while_the_data_is_left_out(options: Any) -> None:
    with pytest.raises(ConfigError, match="new, empty volume"):
        planned(IN_WORKER, with_workers(1), allow_destructive=True, **options)
    rest = planned(
        IN_WORKER, with_workers(1), allow_destructive=True, exclude_machines=("w1", "m1")
    )
    assert not of_kind(rest, CreateVolume, DestroyMachine, UpdateMachine)


def test_who_comes_back_takes_the_place_of_what_came_for_it() -> None:
    """And others rather take a place of which no machine that is there has come to be missed."""
    moved = with_data(3, group="worker")
    config = with_workers(1).machines[-1].config
    assert config is not None
    metadata = {**(config.metadata or {}), "fly_process_group": "app"}
    places = [
        machine(name, evolve(config, metadata={**metadata, **marks}))
        for name, marks in {
            "n1": {STANDS_FOR: "m2"},
            "n2": {STANDS_FOR: "m1"},
            "n3": {STANDS_FOR: "gone"},
        }.items()
    ]

    def heirs(observed: ObservedApp) -> dict[str, str | None]:
        steps = agreed(IN_APP, observed).steps
        updates = (s for s in steps if isinstance(s, UpdateMachine) and s.group == "app")
        return {s.machine: (s.config.metadata or {}).get(STANDS_FOR) for s in updates}

    every = evolve(moved, machines=(*moved.machines, *places))
    assert heirs(every) == {"m1": "n2.app", "m2": "n1.app", "m3": "n3.app"}
    fewer = evolve(every, machines=(*moved.machines[:2], *places[::2]))
    assert heirs(fewer) == {"m1": "n3.app", "m2": "n1.app"}


def heirs_of(desired: DesiredApp, observed: ObservedApp) -> dict[str, str]:
    """By machine that goes, the one that takes its place."""
    return dict(departures(desired.spec, observed, DeployOptions()).moves.heirs)


def test_machines_that_the_options_reach_are_taken_first() -> None:
    observed = with_workers(1, of=2)
    for reached in ("m1", "m2"):
        options = DeployOptions(only_machines=("w1", reached))
        found = departures(IN_WORKER.spec, observed, options).moves
        assert dict(found.heirs) == {"w1": reached}


def test_a_machine_with_the_data_of_its_group_takes_no_place_in_it() -> None:
    observed = marked(with_workers(1), "m1", fly_process_group="worker")
    assert heirs_of(IN_WORKER, observed) == {}


def test_a_standby_gives_its_place_last() -> None:
    observed = with_workers(2)
    config = observed.machines[1].config or models.FlyMachineConfig()
    assert heirs_of(IN_WORKER, observed) == {"w1": "m1"}
    standby = changed(observed, "w1", config=evolve(config, standbys=["w2"]))
    assert heirs_of(IN_WORKER, standby) == {"w2": "m1"}


def test_what_a_machine_may_have_of_the_data_unseen_neither_gives_nor_takes_a_place() -> None:
    observed = changed(with_workers(1), "w1", host_status="unreachable")
    hidden = models.Volume(id="vol9", name="data", region="iad", attached_machine_id="w1")
    assert heirs_of(IN_WORKER, observed) == {"w1": "m1"}
    assert heirs_of(IN_WORKER, evolve(observed, volumes=(*observed.volumes, hidden))) == {}
    bare = changed(observed, "m1", config=observed.machines[1].config)
    assert heirs_of(IN_WORKER, marked(bare, "m1", fly_process_group="app")) == {}


def test_a_group_that_began_with_others_goes_on_beside_a_machine_of_its_own() -> None:
    observed = marked(with_data(3), "m1", fly_process_group="web", **{FORMER_GROUP: "app"})
    observed = marked(observed, "m3", fly_process_group="web")
    found = departures(wanted(WEB).spec, observed, DeployOptions()).moves
    assert (found.taker, found.heirs) == ({"m2": "web"}, {})


def test_a_machine_that_names_no_group_is_of_the_first_one() -> None:
    observed = with_data()
    config = observed.machines[0].config
    assert config is not None
    metadata = {k: v for k, v in (config.metadata or {}).items() if k != "fly_process_group"}
    unnamed = changed(observed, "m1", config=evolve(config, metadata=metadata))
    assert departures(wanted(WEB).spec, unnamed, DeployOptions()).moves.taker == {}


def test_groups_that_exchange_their_mounts_are_refused_with_the_way_out() -> None:
    observed = with_workers(1)
    config = observed.machines[1].config
    assert config is not None
    logs = models.FlyMachineMount(name="logs", path="/logs", volume="vol9")
    observed = changed(observed, "w1", config=evolve(config, mounts=[logs]))
    volume = models.Volume(id="vol9", name="logs", region="iad", attached_machine_id="w1")
    observed = evolve(observed, volumes=(*observed.volumes, volume))
    text = BOTH + MOUNT + "processes = ['worker']\n" + MOUNT.replace("data", "logs")
    with pytest.raises(ConfigError, match="exchange their mounts") as refused:
        agreed(wanted(text + "processes = ['app']\n"), observed)
    assert "of the machines m1, w1 each would take the place" in str(refused.value)
    assert refused.value.hint == "deploy twice: first with one of the groups without its mount"
    first = agreed(wanted(BOTH + MOUNT.replace("data", "logs") + "processes = ['app']\n"), observed)
    assert taken_over(first) == {"w1": "app"}


def test_data_on_a_lost_host_is_waited_for() -> None:
    observed = with_data()
    config = observed.machines[0].config
    assert config is not None
    lost = changed(
        observed,
        "m1",
        host_status="unreachable",
        config=None,
        incomplete_config=evolve(config, mounts=None),
    )
    with pytest.raises(PlanError, match="vol1"):
        agreed(wanted(WEB), lost)


def test_bluegreen_is_refused_as_for_all_machines_with_volumes() -> None:
    with pytest.raises(ConfigError, match="volumes"):
        planned(wanted(WEB + CHECK), with_data(), allow_destructive=True, strategy="bluegreen")


ONLY_WEB = wanted("[processes]\nweb = 'a'\n")


def fates(observed: ObservedApp) -> str:
    with pytest.raises(DestructiveChange) as refused:
        planned(ONLY_WEB, observed)
    return refused.value.message


def test_what_would_be_destroyed_is_told_with_all_of_its_volumes_or_none() -> None:
    observed = with_data()
    both = evolve(observed, volumes=(*observed.volumes, LOGS))
    assert fates(both).endswith(
        ": machine m1 would be destroyed, and its volume vol1, vol9 is left behind, in no machine"
    )
    config = observed.machines[0].config
    assert config is not None
    alone = evolve(changed(observed, "m1", config=evolve(config, mounts=None)), volumes=())
    assert fates(alone).endswith(": machine m1 would be destroyed")


def test_a_volume_that_only_its_machine_names_is_told_without_facts() -> None:
    unlisted = evolve(with_data(), volumes=())
    assert fates(unlisted).endswith("and its volume vol1 is left behind, in no machine")
    note = "volume vol1 of machine m1 stays, in no machine, and is billed"
    assert note in agreed(ONLY_WEB, unlisted).notes


def test_all_volumes_of_a_machine_that_goes_on_are_told() -> None:
    observed = with_data()
    plan = agreed(wanted(WEB), evolve(observed, volumes=(*observed.volumes, LOGS)))
    assert "machine m1 goes on in group web, with its volume vol1, vol9" in plan.notes


def test_a_volume_of_a_lost_host_is_told_where_a_new_one_takes_its_place() -> None:
    mounts = {"a": MOUNT, "b": MOUNT.replace("data", "cache")}
    text = BOTH.replace("app", "a").replace("worker", "b")
    text += "".join(f"{mount}processes = ['{group}']\n" for group, mount in mounts.items())
    lost = [
        models.Volume(id=name, name=name, region=region, size_gb=1, host_status="unreachable")
        for name, region in (("data", "iad"), ("logs", "iad"), ("cache", "fra"))
    ]
    observed = ObservedApp(name="web", app=models.App(name="web"), volumes=tuple(lost))
    told = "it stays, in no machine, and a new, empty one is made"
    assert [note for note in planned(wanted(text), observed).notes if told in note] == [
        f"volume data (data, 1 GB, iad) is on a host that is unreachable: {told}"
    ]
    taken = evolve(observed, volumes=(evolve(lost[0], attached_machine_id="m1"), *lost[1:]))
    assert not [note for note in planned(wanted(text), taken).notes if told in note]


def test_a_group_that_began_goes_on_without_the_data_that_the_options_leave_out() -> None:
    begun = marked(with_data(2), "m1", fly_process_group="web", **{FORMER_GROUP: "app"})
    plan = planned(wanted(WEB), begun, allow_destructive=True, exclude_machines=("m2",))
    assert not of_kind(plan, CreateMachine, CreateVolume, DestroyMachine)


def test_standbys_of_a_group_that_left_go_last_behind_all_else() -> None:
    observed = launched(wanted("[processes]\napp = 'a'\n" + CHECK))
    plan = agreed(ONLY_WEB, observed)
    first, last = (s for s in plan.steps if isinstance(s, DestroyMachine))
    assert [s.target.machine for s in (first, last)] == ["create:app:1", "create:app:2"]
    made = {s.id for s in plan.steps if s.group == "web"}
    assert made & {*first.needs}
    assert {*first.needs, first.id} == {*last.needs}
    holds = (s for s in plan.steps if isinstance(s, HoldMachines))
    assert [{*hold.machines} for hold in holds] == [{"create:app:1", "create:app:2"}]


def test_a_machine_of_a_group_that_left_is_stopped_first_even_if_it_is_not_well() -> None:
    failing = [models.CheckStatus(name="alive", status="critical")]
    observed = launched(wanted("[processes]\napp = 'a'\n" + CHECK), checks=failing)
    ends = [s for s in agreed(ONLY_WEB, observed).steps if isinstance(s, DestroyMachine)]
    assert [end.serves for end in ends if end.target.machine == observed.machines[0].id] == [True]
