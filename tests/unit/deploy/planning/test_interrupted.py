"""What earlier runs began, beside what this one does."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.compare import Difference
from score_flyio.deploy.metadata import CANARY, STANDS_FOR, Launch
from score_flyio.deploy.model import ObservedApp, Ref
from score_flyio.deploy.step import CreateMachine
from score_flyio.fly.present import LAUNCH_KEY
from tests.unit.deploy.planning.plans import (
    CHECK,
    SERVICE,
    acyclic,
    changed,
    half_launched,
    ids,
    launched,
    machine,
    marked,
    planned,
    step,
    updates,
    wanted,
)

ONE, TWO = "create:app:1", "create:app:2"


def of_launches(*places: str) -> ObservedApp:
    """Machines named as their places in launches."""
    observed = half_launched(wanted())
    config = observed.machines[0].config
    assert config is not None
    machines = tuple(
        machine(place, evolve(config, metadata={**(config.metadata or {}), LAUNCH_KEY: place}))
        for place in places
    )
    return evolve(observed, machines=machines)


def test_the_second_launch_of_a_group_goes_on_where_the_first_was_complete() -> None:
    plan = planned(wanted(), of_launches("A:1/2", "A:2/2", "B:1/2"))
    (made,) = [each for each in plan.steps if isinstance(each, CreateMachine)]
    assert made.launch_id == "B.app:2/2"
    assert "counted:B:1/2" in ids(plan)


def test_a_standby_stands_by_for_the_first_of_its_launch_in_whichever_run_that_was_made() -> None:
    desired = wanted(CHECK)
    assert step(planned(desired), TWO).standby_for == (Ref(step=ONE),)
    observed = half_launched(desired)
    rest = planned(desired, observed)
    assert step(rest, TWO).standby_for == (Ref(machine=ONE),)
    first = Launch.of_machine(observed.machines[0])
    assert first is not None
    assert step(rest, TWO).launch_id == f"{first.id}.app:2/2"


def test_replacements_begun_and_new_ones_do_not_keep_each_other_away() -> None:
    names = ("a", "b", "c", "d")
    observed = of_launches(*names)
    for name in names[:3]:
        observed = changed(observed, name, host_status="unreachable")
    plan = planned(wanted(), marked(observed, "d", **{STANDS_FOR: "b"}))
    assert [s.id for s in plan.steps if isinstance(s, CreateMachine)] == ["replace:a", "replace:c"]
    assert {"destroy:a", "destroy:b", "destroy:c"} <= set(ids(plan))


def test_a_replacement_is_not_watched_for_crashes_before_the_old_machine_goes() -> None:
    lost = changed(launched(wanted()), ONE, host_status="unreachable")
    plan = planned(wanted(), lost, smoke_checks=True)
    assert ids(plan)[-3:] == [f"replace:{ONE}", f"replace:{ONE}:healthy", f"destroy:{ONE}"]


@pytest.mark.parametrize(
    ("state", "waits"),
    [("started", True), ("stopped", False), ("suspended", False), ("created", False)],
)
def test_a_replacement_that_was_made_to_rest_is_not_waited_for(state: Any, *, waits: bool) -> None:
    observed = marked(launched(wanted()), TWO, **{STANDS_FOR: ONE})
    plan = planned(wanted(), changed(observed, TWO, state=state))
    assert (f"replaced:{ONE}:healthy" in ids(plan)) is waits
    assert f"destroy:{ONE}" in ids(plan)


def test_a_machine_without_the_mark_of_a_group_is_one_of_the_default_group() -> None:
    desired = wanted("[processes]\nserve = 'run'\n" + SERVICE)
    observed = launched(desired)
    for name in ("create:serve:1", "create:serve:2"):
        observed = changed(observed, name, config=models.FlyMachineConfig(image="nginx:0"))
    plan = planned(desired, observed)
    assert [update.group for update in updates(plan)] == ["serve", "serve"]
    assert not any(step_id.startswith(("create:", "destroy:")) for step_id in ids(plan))


def test_a_green_standby_comes_after_the_machine_that_it_stands_by_for() -> None:
    observed = launched(wanted(CHECK))
    config = observed.machines[0].config
    assert config is not None
    observed = changed(observed, ONE, config=evolve(config, standbys=[TWO]))
    observed = changed(observed, TWO, config=config, state="started")
    plan = planned(wanted(CHECK, image="nginx:2"), observed, strategy="bluegreen")
    assert step(plan, f"green:{ONE}").standby_for == (Ref(step=f"green:{TWO}"),)


@pytest.mark.parametrize("name", ["a", "z"])
@pytest.mark.parametrize("rests", [True, False])
@pytest.mark.parametrize("state", ["started", "stopped"])
@pytest.mark.parametrize("strategy", ["rolling", "canary", "bluegreen", "immediate"])
def test_a_standby_whose_machine_was_being_replaced_is_no_circle(
    strategy: str, state: Any, rests: bool, name: str
) -> None:
    """The old machine goes behind its replacement, which the green of the standby takes part in.

    A standby runs when the host of its machine was lost, and no machine of the group comes first
    because of its name.
    """
    observed = launched(wanted(CHECK))
    config = observed.machines[0].config
    assert config is not None
    stand_in = evolve(observed.machines[0], id="in", config=config, state=state)
    standby = changed(observed, TWO, config=evolve(config, standbys=[ONE])).machines[1]
    standby = evolve(standby, id=name, state="stopped" if rests else "started")
    observed = evolve(observed, machines=(observed.machines[0], stand_in, standby))
    plan = planned(
        wanted(CHECK, image="nginx:2"),
        marked(observed, "in", **{STANDS_FOR: ONE}),
        strategy=strategy,
    )
    assert acyclic(plan)
    assert f"destroy:{ONE}" in ids(plan)
    if strategy == "bluegreen":
        assert step(plan, f"green:{name}").standby_for == (Ref(step="green:in"),)
        assert "green:in" in step(plan, f"green:{name}").needs


def test_an_update_tells_for_whom_a_standby_stands_by_from_now_on() -> None:
    observed = launched(wanted(CHECK))
    config = observed.machines[1].config
    assert config is not None
    observed = changed(observed, TWO, config=evolve(config, standbys=["gone"]))
    (update,) = updates(planned(wanted(CHECK), observed))
    assert update.standby_for == (Ref(machine=ONE),)
    assert update.differences == (
        Difference(path="standbys", before='["gone"]', after=f'["{ONE}"]'),
    )


def test_a_standby_stays_with_the_machine_that_it_names_not_with_the_first_of_its_launch() -> None:
    observed = launched(wanted(CHECK))
    first, second = observed.machines
    assert first.config is not None
    assert second.config is not None
    other = evolve(first, id="other")
    second = evolve(second, config=evolve(second.config, standbys=["other"]))
    observed = evolve(observed, machines=(first, second, other))
    (update,) = (
        u for u in updates(planned(wanted(CHECK, image="nginx:2"), observed)) if u.machine == TWO
    )
    assert update.standby_for == (Ref(machine="other"),)
    assert update.config.standbys == ["other"]


def test_a_standby_of_a_machine_that_is_there_goes_on_with_it() -> None:
    observed = launched(wanted(CHECK))
    (second,) = (
        u for u in updates(planned(wanted(CHECK, image="nginx:2"), observed)) if u.machine == TWO
    )
    assert second.standby_for == (Ref(machine=ONE),)
    assert second.config.standbys == [ONE]
    assert [d.path for d in second.differences] == ["image"]


def lost(observed: ObservedApp, *names: str) -> ObservedApp:
    for name in names:
        observed = changed(observed, name, host_status="unreachable")
    return observed


def test_a_standby_is_replaced_behind_the_machine_that_it_stands_by_for() -> None:
    """Also where ids have it first, a copy has no place in a launch, or a host hides the name."""
    observed = lost(launched(wanted(CHECK)), ONE, TWO)
    first, second = observed.machines
    config = second.config or models.FlyMachineConfig()
    marks = {k: v for k, v in (config.metadata or {}).items() if k != LAUNCH_KEY}
    copy = evolve(second, config=evolve(config, metadata=marks))
    hidden = evolve(second, id="a", config=evolve(config, standbys=None))
    for standby in (second, copy, evolve(second, id="a"), evolve(copy, id="a"), hidden):
        plan = planned(wanted(CHECK), evolve(observed, machines=(first, standby)))
        made = [each for each in plan.steps if isinstance(each, CreateMachine)]
        assert [each.id for each in made] == [f"replace:{ONE}", f"replace:{standby.id}"]
        assert made[1].standby_for == (Ref(step=f"replace:{ONE}"),)
        assert f"destroy:{ONE}" in made[1].needs


def test_a_standby_whose_name_is_hidden_stands_by_for_no_copy_that_stands_by_itself() -> None:
    observed = lost(launched(wanted(CHECK)), TWO)
    first, second = observed.machines
    config = first.config or models.FlyMachineConfig()
    copy = evolve(first, id="a", config=evolve(config, standbys=[ONE]))
    config = second.config or models.FlyMachineConfig()
    second = evolve(second, config=evolve(config, standbys=None))
    plan = planned(wanted(CHECK), evolve(observed, machines=(copy, first, second)))
    assert step(plan, f"replace:{TWO}").standby_for == (Ref(machine=ONE),)


def test_a_replacement_is_waited_for_before_the_old_machine_goes() -> None:
    """Behind what changes it, also where nothing else is waited for."""
    observed = launched(wanted())
    stand_in = evolve(observed.machines[0], id="in")
    observed = evolve(observed, machines=(observed.machines[0], stand_in))
    plan = planned(
        wanted(image="nginx:2"), marked(observed, "in", **{STANDS_FOR: ONE}), strategy="immediate"
    )
    waits = step(plan, f"replaced:{ONE}:healthy")
    assert (waits.group, waits.needs) == ("app", ("update:in",))
    assert step(plan, f"destroy:{ONE}").needs == (waits.id,)


def with_dns(observed: ObservedApp, **settings: Any) -> ObservedApp:
    """The first machine alone, with these settings of DNS beside what is always there."""
    (first, *_) = observed.machines
    dns = models.FlyDNSConfig(nameservers=["fdaa::3"], **settings)
    config = evolve(first.config or models.FlyMachineConfig(), dns=dns)
    return evolve(observed, machines=(evolve(first, config=config),))


def test_names_find_a_canary_that_is_all_that_is_left_of_its_group() -> None:
    """The rest of what it says of names stays."""
    left = with_dns(marked(launched(wanted()), ONE, **{CANARY: "true"}), skip_registration=True)
    (update,) = updates(planned(wanted(), left))
    assert update.config.dns == models.FlyDNSConfig(nameservers=["fdaa::3"])
    assert CANARY not in (update.config.metadata or {})


def test_a_machine_that_somebody_hid_from_names_stays_hidden() -> None:
    hidden = with_dns(launched(wanted()), skip_registration=True)
    (update,) = updates(planned(wanted(image="nginx:2"), hidden))
    assert update.config.dns == models.FlyDNSConfig(nameservers=["fdaa::3"], skip_registration=True)


def test_a_canary_that_names_find_already_gets_no_settings_of_names() -> None:
    left = marked(launched(wanted()), ONE, **{CANARY: "true"})
    alone = evolve(left, machines=left.machines[:1])
    (update,) = updates(planned(wanted(image="nginx:2"), alone))
    assert update.config.dns is None
