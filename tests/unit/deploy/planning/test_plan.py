"""Desired and observed apps → steps."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.metadata import (
    CANARY,
    SAFE_TO_DESTROY,
    SECRETS_SEEN,
    STANDS_FOR,
    TAG,
    Launch,
)
from score_flyio.deploy.model import DesiredApp, KnownApp, ObservedApp, Ref
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.secrets import digests_hash, fingerprint
from score_flyio.deploy.planning.shown import describe_app
from score_flyio.deploy.step import (
    AwaitHealthy,
    CreateMachine,
    HoldMachines,
    RunMachineCheck,
    UpdateMachine,
)
from score_flyio.flytoml.names import StrategyName
from score_flyio.state.deployments import SecretRecord
from tests.unit.deploy.planning.plans import (
    CHECK,
    SERVICE,
    acyclic,
    carried_out,
    changed,
    half_launched,
    ids,
    launched,
    marked,
    planned,
    step,
    updates,
    wanted,
)

ONE, TWO = "create:app:1", "create:app:2"
CRASH = models.MachineEvent(
    type="exit", request={"exit_event": {"exit_code": 1, "requested_stop": False}}
)
"""The end of a process that the platform starts no more."""


def config_of(observed: ObservedApp, place: int) -> models.FlyMachineConfig:
    config = observed.machines[place].config
    assert config is not None
    return config


def behind(plan: AppPlan, name: str) -> set[str]:
    """All that a step waits for."""
    needs = set(step(plan, name).needs)
    return needs.union(*(behind(plan, each) for each in needs))


@pytest.mark.parametrize("strategy", ["rolling", "immediate", "canary", "bluegreen"])
def test_plans_can_be_carried_out_and_leave_nothing_to_do(strategy: str) -> None:
    desired = wanted(SERVICE + CHECK)
    first = planned(desired, strategy=strategy)
    observed = carried_out(first)
    assert acyclic(first)
    assert planned(desired, observed, strategy=strategy).steps == ()
    second = planned(wanted(SERVICE + CHECK, image="nginx:2"), observed, strategy=strategy)
    assert acyclic(second)
    assert not second.empty


OLD, NEW = (f"sha256:{letter * 64}" for letter in "ab")


@pytest.mark.parametrize(
    ("config", "runs", "image", "changes"),
    [
        ("nginx:1", OLD, f"nginx:1@{NEW}", True),
        ("nginx:1", OLD, f"nginx:1@{OLD}", False),
        (f"nginx:1@{OLD}", OLD, f"nginx:1@{NEW}", True),
        (f"nginx:1@{OLD}", OLD, f"nginx:1@{OLD}", False),
        ("nginx:1", OLD, "nginx:1", False),
        ("nginx", OLD, "nginx", False),
        (f"nginx:1@{OLD}", OLD, "nginx:1", False),
        ("nginx:1", None, f"nginx:1@{NEW}", False),
    ],
)
def test_a_moved_tag_is_a_change(
    config: str, runs: str | None, image: str, *, changes: bool
) -> None:
    observed = launched(wanted(image=config))
    machines = [
        evolve(machine, image_ref=models.ImageRef(digest=runs)) for machine in observed.machines
    ]
    plan = planned(wanted(image=image), evolve(observed, machines=tuple(machines)))
    assert plan.empty is not changes
    if changes:
        told = describe_app(plan, show_calls=False)
        assert f"nginx:1@{OLD[:19]} → nginx:1@{NEW[:19]}\n" in f"{told}\n"


@pytest.mark.parametrize("running", [(OLD, NEW, OLD), (NEW, OLD, NEW), (NEW, OLD, OLD)])
def test_machines_of_one_config_change_where_they_run_another_image(
    running: tuple[str, ...],
) -> None:
    observed = launched(wanted(image="nginx:1"))
    first = observed.machines[0]
    machines = tuple(
        evolve(first, id=f"m{number}", image_ref=models.ImageRef(digest=digest))
        for number, digest in enumerate(running)
    )
    plan = planned(wanted(image=f"nginx:1@{NEW}"), evolve(observed, machines=machines))
    assert {each.machine for each in updates(plan)} == {
        f"m{number}" for number, digest in enumerate(running) if digest == OLD
    }


@pytest.mark.parametrize("other", [0, 1])
def test_a_machine_that_somebody_changed_changes_whoever_is_looked_at_before(other: int) -> None:
    desired = wanted("[env]\nA = '1'\n" + SERVICE)
    observed = launched(desired)
    config = config_of(observed, 0)
    by_hand = evolve(config, env={**(config.env or {}), "A": "2"})
    machines = tuple(
        evolve(observed.machines[0], id=f"m{n}", config=by_hand if n == other else config)
        for n in (0, 1)
    )
    plan = planned(desired, evolve(observed, machines=machines))
    assert [(each.machine, len(each.differences)) for each in updates(plan)] == [(f"m{other}", 1)]


def test_force_updates_machines_that_do_not_differ() -> None:
    observed = launched(wanted())
    assert planned(wanted(), observed).steps == ()
    plan = planned(wanted(), observed, force=True)
    updated = [each.machine for each in plan.steps if isinstance(each, UpdateMachine)]
    assert updated == [machine.id for machine in observed.machines]


def test_creates_go_out_in_turn_and_the_last_one_after_the_addresses() -> None:
    plan = planned(wanted())
    assert set(step(plan, TWO).needs) >= {ONE, "address:v6", "address:shared_v4"}
    assert not {"address:v6", "address:shared_v4"} & set(step(plan, ONE).needs)


def test_an_interrupted_launch_goes_on_where_it_was() -> None:
    half = half_launched(wanted())
    half = evolve(half, addresses=half.addresses[:1])
    plan = planned(wanted(), half)
    first = ["address:shared_v4", "hold", TWO, f"{TWO}:healthy"]
    assert ids(plan) == [*first, f"counted:{ONE}"]
    assert {TWO, "address:shared_v4"} <= behind(plan, f"counted:{ONE}")


def test_a_machine_that_somebody_removed_stays_removed() -> None:
    observed = launched(wanted())
    second_only = evolve(observed, machines=observed.machines[1:])
    assert planned(wanted(), second_only).steps == ()
    first_only = evolve(observed, machines=observed.machines[:1])
    assert planned(wanted(), first_only).steps == ()


def test_addresses_that_somebody_removed_stay_removed() -> None:
    observed = launched(wanted())
    assert planned(wanted(), evolve(observed, addresses=observed.addresses[:1])).steps == ()


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "starting"},
        {"state": "replacing"},
        {"state": "restarting"},
        {"checks": []},
    ],
)
def test_machines_that_are_not_well_are_waited_for(facts: dict[str, Any]) -> None:
    observed = changed(launched(wanted(SERVICE + CHECK)), ONE, **facts)
    plan = planned(wanted(SERVICE + CHECK), observed)
    assert ids(plan) == [f"await:{ONE}"]
    assert plan.empty
    for options in ({"detach": True}, {"strategy": "immediate"}):
        assert planned(wanted(SERVICE + CHECK), observed, **options).steps == ()


UPDATED = models.MachineEvent(type="update")


@pytest.mark.parametrize(
    "facts",
    [
        {"state": "failed"},
        {"state": "stopped", "events": [CRASH]},
        {"state": "stopped", "events": [UPDATED, CRASH]},
    ],
)
def test_machines_that_fell_are_started(facts: dict[str, Any]) -> None:
    observed = changed(launched(wanted(SERVICE + CHECK)), ONE, **facts)
    plan = planned(wanted(SERVICE + CHECK), observed)
    assert ids(plan) == ["hold", f"start:{ONE}", f"await:{ONE}"]
    for options in ({"detach": True}, {"strategy": "immediate"}):
        plan = planned(wanted(SERVICE + CHECK), observed, **options)
        assert ids(plan) == ["hold", f"start:{ONE}"]


@pytest.mark.parametrize("facts", [{"state": "stopped"}, {"state": "suspended"}])
def test_machines_at_rest_are_not_waited_for(facts: dict[str, Any]) -> None:
    observed = changed(launched(wanted(SERVICE + CHECK)), ONE, **facts)
    assert planned(wanted(SERVICE + CHECK), observed).steps == ()


def test_no_machine_changes_before_the_others_are_back() -> None:
    new = wanted(SERVICE + CHECK, image="nginx:2")
    old, half = launched(wanted(SERVICE + CHECK)), launched(new)
    mixed = evolve(old, machines=(half.machines[0], old.machines[1]))
    plan = planned(new, changed(mixed, ONE, state="starting"))
    assert isinstance(step(plan, f"await:{ONE}"), AwaitHealthy)
    assert f"await:{ONE}" in step(plan, f"update:{TWO}").needs


def test_a_canary_is_not_made_before_the_others_are_back() -> None:
    new = wanted(SERVICE + CHECK, image="nginx:2")
    old, half = launched(wanted(SERVICE + CHECK)), launched(new)
    mixed = evolve(old, machines=(half.machines[0], old.machines[1]))
    plan = planned(new, changed(mixed, ONE, state="starting"), strategy="canary")
    assert f"await:{ONE}" in step(plan, "canary:app").needs


def test_machines_that_do_not_serve_change_first() -> None:
    observed = changed(launched(wanted(SERVICE + CHECK)), TWO, state="failed")
    plan = planned(wanted(SERVICE + CHECK, image="nginx:2"), observed)
    assert [update.machine for update in updates(plan)] == [TWO, ONE]


@pytest.mark.parametrize(
    ("facts", "skip"),
    [
        ({"state": "replacing"}, False),
        ({"state": "restarting"}, False),
        ({"state": "stopped"}, True),
        ({"state": "stopped", "events": [CRASH]}, False),
    ],
)
def test_what_ran_or_should_have_is_launched(facts: dict[str, Any], skip: bool) -> None:
    observed = changed(launched(wanted()), ONE, **facts)
    update = step(planned(wanted(image="nginx:2"), observed), f"update:{ONE}")
    assert (bool(update.request.skip_launch), update.starts) == (skip, not skip)


# --- what interrupted deploys leave


def test_a_canary_that_was_left_goes_and_is_held_before() -> None:
    observed = marked(launched(wanted()), TWO, **{CANARY: "true"})
    plan = planned(wanted(), observed)
    assert f"destroy:{TWO}" in ids(plan)
    hold = step(plan, "hold")
    assert isinstance(hold, HoldMachines)
    assert (hold.machines, hold.in_the_making) == ((ONE,), (TWO,))


def test_the_last_machine_of_a_group_never_goes_as_a_leftover() -> None:
    observed = marked(launched(wanted()), ONE, **{CANARY: "true"})
    alone = evolve(observed, machines=observed.machines[:1])
    assert f"destroy:{ONE}" not in ids(planned(wanted(), alone))


def test_a_standby_alone_makes_way_for_a_group_that_runs() -> None:
    observed = launched(wanted(CHECK))
    config = evolve(config_of(observed, 1), standbys=[ONE])
    both = changed(observed, TWO, config=config, state="stopped")
    assert planned(wanted(CHECK), both).steps == ()
    alone = evolve(both, machines=both.machines[1:])
    plan = planned(wanted(CHECK), alone)
    assert ids(plan)[:2] == ["hold", f"destroy:{TWO}"]
    assert {ONE, TWO} <= set(ids(plan))


def test_green_machines_of_an_unfinished_update_go() -> None:
    observed = marked(launched(wanted()), TWO, **{TAG: "release", STANDS_FOR: ONE})
    assert f"destroy:{TWO}" in ids(planned(wanted(), observed))
    assert f"destroy:{ONE}" not in ids(planned(wanted(), observed))


def test_blue_machines_of_a_finished_switch_go_and_green_ones_stay() -> None:
    observed = marked(launched(wanted()), TWO, **{TAG: "release", STANDS_FOR: ONE})
    observed = marked(observed, ONE, **{TAG: SAFE_TO_DESTROY})
    assert f"destroy:{ONE}" in ids(planned(wanted(), observed))
    assert f"destroy:{TWO}" not in ids(planned(wanted(), observed))


def test_green_machines_of_long_ago_are_members_like_others() -> None:
    observed = marked(launched(wanted()), TWO, **{TAG: "release", STANDS_FOR: "gone"})
    assert planned(wanted(), observed).steps == ()


def test_a_replacement_that_was_made_is_used() -> None:
    observed = marked(launched(wanted()), TWO, **{STANDS_FOR: ONE})
    for facts in ({"host_status": "unreachable"}, {"host_status": "ok"}):
        plan = planned(wanted(), changed(observed, ONE, **facts))
        assert f"destroy:{ONE}" in ids(plan)
        assert step(plan, f"destroy:{ONE}").needs[0] == f"replaced:{ONE}:healthy"
        assert not [each for each in plan.steps if isinstance(each, CreateMachine)]


@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen"])
def test_a_replacement_that_changes_again_need_not_be_well_before(strategy: str) -> None:
    """What it was made from may crash; in a bluegreen update it goes itself."""
    desired = wanted(SERVICE + CHECK, image="nginx:2")
    observed = marked(launched(wanted(SERVICE + CHECK)), TWO, **{STANDS_FOR: ONE})
    plan = planned(desired, observed, strategy=strategy)
    last = step(plan, f"destroy:{ONE}").needs[0]
    if strategy == "bluegreen":
        assert last == f"destroy:{TWO}"
        assert f"replaced:{ONE}:healthy" not in ids(plan)
    else:
        assert f"update:{TWO}" in step(plan, last).needs


@pytest.mark.parametrize(
    ("facts", "skip"),
    [({"state": "stopped"}, True), ({"state": "stopped", "events": [CRASH]}, False)],
)
def test_a_machine_that_crashed_on_a_lost_host_gets_a_replacement_that_runs(
    facts: dict[str, Any], skip: bool
) -> None:
    lost = changed(launched(wanted()), ONE, host_status="unreachable", **facts)
    config = lost.machines[0].config
    for shown in ({}, {"config": None, "incomplete_config": config}):
        plan = planned(wanted(), changed(lost, ONE, **shown))
        assert bool(step(plan, f"replace:{ONE}").request.skip_launch) is skip
        assert (f"replace:{ONE}:healthy" in ids(plan)) is not skip


def test_what_takes_over_keeps_the_place_in_its_launch() -> None:
    desired = wanted(SERVICE + CHECK, image="nginx:2")
    observed = launched(wanted(SERVICE + CHECK))
    plan = planned(desired, observed, strategy="bluegreen")
    made = carried_out(plan).machines
    before = [Launch.of_machine(m) for m in observed.machines]
    after = [Launch.of_machine(m) for m in made]
    assert [(one.id, one.number, one.of) for one in before if one] == [
        (one.id, one.number, one.of) for one in after if one
    ]
    assert len({step.launch_id for step in plan.steps if isinstance(step, CreateMachine)}) == 2


def test_the_green_of_a_standby_stands_by_for_the_green_of_its_machine() -> None:
    observed = launched(wanted(CHECK))
    observed = changed(observed, TWO, config=evolve(config_of(observed, 1), standbys=[ONE]))
    plan = planned(wanted(CHECK, image="nginx:2"), observed, strategy="bluegreen")
    assert step(plan, f"green:{TWO}").standby_for == (Ref(step=f"green:{ONE}"),)
    assert f"green:{ONE}" in step(plan, f"green:{TWO}").needs


def test_the_green_of_a_standby_waits_for_what_replaces_its_machine() -> None:
    observed = launched(wanted(CHECK))
    observed = changed(observed, TWO, config=evolve(config_of(observed, 1), standbys=[ONE]))
    third = evolve(observed.machines[0], id="third")
    observed = evolve(observed, machines=(*observed.machines, third))
    lost = changed(observed, ONE, host_status="unreachable")
    plan = planned(wanted(CHECK, image="nginx:2"), lost, strategy="bluegreen")
    green = step(plan, f"green:{TWO}")
    assert green.standby_for == (Ref(step=f"replace:{ONE}"),)
    assert f"destroy:{ONE}" in green.needs


def test_no_second_set_of_machines_is_made_where_only_a_standby_at_rest_changes() -> None:
    observed = launched(wanted(CHECK))
    config = evolve(config_of(observed, 1), standbys=[ONE], env={"OLD": "1"})
    observed = changed(observed, TWO, config=config)
    plan = planned(wanted(CHECK), observed, strategy="bluegreen")
    assert ids(plan) == ["hold", f"update:{TWO}"]
    started = changed(observed, TWO, state="started")
    assert f"green:{ONE}" in ids(planned(wanted(CHECK), started, strategy="bluegreen"))


# --- groups


def test_machines_of_a_group_that_left_are_held_before_they_go() -> None:
    both = wanted("[processes]\napp = 'a'\nworker = 'b'\n")
    plan = planned(wanted("[processes]\napp = 'a'\n"), launched(both), allow_destructive=True)
    gone = {"create:worker:1", "create:worker:2"}
    assert set(step(plan, "hold").machines) == {ONE, *gone}
    assert all("hold" in behind(plan, f"destroy:{name}") for name in gone)


def test_standbys_of_a_group_that_left_go_last() -> None:
    """So that the group is whole, or begins anew, where it comes back after a failure."""
    both = wanted("[processes]\napp = 'a'\nworker = 'b'\n")
    observed = launched(both)
    config = evolve(config_of(observed, 3), standbys=["create:worker:1"])
    observed = changed(observed, "create:worker:2", config=config)
    plan = planned(wanted("[processes]\napp = 'a'\n"), observed, allow_destructive=True)
    assert "destroy:create:worker:1" in step(plan, "destroy:create:worker:2").needs
    left = evolve(observed, machines=observed.machines[:2] + observed.machines[3:])
    assert [m.id for m in left.machines][2:] == ["create:worker:2"]
    again = planned(both, left)
    assert {"destroy:create:worker:2", "create:worker:1", "create:worker:2"} <= set(ids(again))


# --- secrets


def with_digests(observed: ObservedApp, **digests: str) -> ObservedApp:
    return evolve(observed, secrets=digests)


def remembered(value: str, digest: str) -> KnownApp:
    record = SecretRecord(digest=digest, fingerprint=fingerprint("salt", Secret(value)))
    return KnownApp(salt="salt", secrets={"KEY": record})


@pytest.mark.parametrize(
    ("value", "digest", "change"),
    [("old", "d1", None), ("new", "d1", "changed"), ("old", "d2", "changed")],
)
def test_secrets_are_set_when_they_or_those_at_fly_changed(
    value: str, digest: str, change: str | None
) -> None:
    desired = wanted(secrets={"KEY": value})
    seen = digests_hash({"KEY": "d1"})
    observed = with_digests(launched(wanted()), KEY=digest)
    for name in (ONE, TWO):
        observed = marked(observed, name, **{SECRETS_SEEN: seen})
    plan = planned(desired, observed, known=remembered("old", "d1"))
    assert (step(plan, "secrets").changes if plan.steps else {}) == (
        {"KEY": change} if change else {}
    )


def test_a_machine_of_ours_that_never_had_secrets_starts_anew_for_them() -> None:
    desired = wanted(secrets={"KEY": "old"})
    observed = with_digests(launched(wanted()), KEY="d1")
    plan = planned(desired, observed, known=remembered("old", "d1"))
    assert [update.machine for update in updates(plan)] == [ONE, TWO]
    (note,) = plan.notes
    assert note == f"machine {ONE}, {TWO} have not seen the present secrets of the workload"
    alone = evolve(observed, machines=observed.machines[:1])
    (note,) = planned(desired, alone, known=remembered("old", "d1")).notes
    assert note == f"machine {ONE} has not seen the present secrets of the workload"


def test_a_machine_of_flyctl_is_believed_to_have_its_secrets() -> None:
    desired = wanted(secrets={"KEY": "old"})
    observed = with_digests(launched(wanted()), KEY="d1")
    for name in (ONE, TWO):
        observed = marked(observed, name, fly_flyctl_version="0.3.100")
    assert planned(desired, observed, known=remembered("old", "d1")).steps == ()


def test_the_image_of_before_is_told_as_it_was_named_where_the_new_one_has_no_digest() -> None:
    (change,) = update_from("nginx:1", "nginx:2").differences
    assert (change.before, change.after) == ("nginx:1", "nginx:2")
    (change,) = update_from("nginx:1", f"nginx:2@{NEW}").differences
    assert (change.before, change.after) == (f"nginx:1@{OLD}", f"nginx:2@{NEW}")


def update_from(image: str, new: str) -> UpdateMachine:
    """Of a machine that runs the old image."""
    observed = launched(wanted(image=image))
    reference = models.ImageRef(digest=OLD)
    observed = changed(observed, observed.machines[0].id or "", image_ref=reference)
    return updates(planned(wanted(image=new), observed))[0]


def test_a_plan_of_nothing_keeps_what_there_is() -> None:
    there = launched(wanted()).machines
    plan = AppPlan.of_nothing("shop", "web", iter(there))
    assert (plan.app, plan.label, plan.machines) == ("shop", "web", there)
    assert plan.empty
    assert plan.release.version == 0
    assert AppPlan.of_nothing("shop", "web").machines == ()


@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen"])
def test_all_machines_get_what_the_names_of_further_images_mean(strategy: StrategyName) -> None:
    text = SERVICE + CHECK + "[[machine_checks]]\nimage = 'side:1'\ncommand = ['true']\n"

    def desired(digest: str) -> DesiredApp:
        plain = wanted(text)
        containers = '{"containers": [{"name": "app"}, {"name": "side", "image": "side:1"}]}'
        spec = evolve(plain.spec, machine_config=containers)
        return evolve(plain, spec=spec, images={"side:1": f"side:1@sha256:{digest}"})

    observed = launched(desired("a"))
    for plan in (planned(desired("b")), planned(desired("b"), observed, strategy=strategy)):
        kinds = (CreateMachine, UpdateMachine)
        made = [each.request.config for each in plan.steps if isinstance(each, kinds)]
        assert made
        for config in made:
            assert config is not None
            images = {container.image for container in config.containers or []}
            assert "side:1@sha256:b" in images
        (test,) = (step for step in plan.steps if isinstance(step, RunMachineCheck))
        assert test.request.config is not None
        assert test.request.config.image == "side:1@sha256:b"
