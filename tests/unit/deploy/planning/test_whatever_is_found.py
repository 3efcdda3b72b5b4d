"""Plans for whatever runs, people and platforms may have left of an app."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Container
from itertools import count
from typing import Any

from attrs import evolve
from hypothesis import given, note, settings
from hypothesis import strategies as st

from fly_machines import models
from score_flyio.deploy.metadata import (
    CANARY,
    COUNTED,
    FORMER_GROUP,
    GREEN_LAUNCH,
    GROUP,
    PASSING_KEYS,
    RELEASE_ID,
    STANDS_FOR,
    TAG,
    TO_START,
    Marks,
    by_group,
    take_over,
)
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.options import DeployOptions
from score_flyio.deploy.planning.model import AppPlan
from score_flyio.deploy.planning.updates import Reconfiguration, plan_reconfiguration
from score_flyio.deploy.step import CreateMachine, DestroyMachine, UpdateMachine
from score_flyio.errors import ConfigError, ScoreFlyError
from score_flyio.fly.present import LAUNCH_KEY
from score_flyio.flytoml.groups import process_groups
from score_flyio.state.deployments import Release
from tests.unit.deploy.planning.carried_out import Carried
from tests.unit.deploy.planning.plans import acyclic, launched, planned, updates, wanted

PROCESSES = "[processes]\napp = ''\nworker = 'work'\n"
SERVED = "[http_service]\ninternal_port = 8080\nprocesses = ['app']\n"
CHECKED = "[checks.alive]\ntype = 'tcp'\nport = 9000\nprocesses = ['worker']\n"
MOUNTED = "[mounts]\nsource = '{0}'\ndestination = '/data'\nprocesses = ['{1}']\n"
FILES = st.builds(
    "".join,
    st.tuples(
        st.just(PROCESSES),
        st.sampled_from(["", SERVED]),
        st.sampled_from(["", CHECKED]),
        st.sampled_from(["", *(MOUNTED.format("data", g) for g in ("app", "worker"))]),
    ),
) | st.sampled_from(["", SERVED.replace("processes = ['app']\n", "")])
GROUPS = st.sampled_from(["app", "worker", "old"])
TAGS = st.sampled_from(["R1", "1700000000"])
STRATEGIES = st.sampled_from(["rolling", "canary", "bluegreen", "immediate", None])


def is_standby(machine: models.Machine) -> bool:
    """Whether it stands by for another one, or did when it was made."""
    config = machine.config or machine.incomplete_config or models.FlyMachineConfig()
    return bool(config.standbys) or "FLY_STANDBY_FOR" in (config.env or {})


def marks(before: list[str]) -> st.SearchStrategy[dict[str, str]]:
    """Of a machine that was made after those before."""
    one = st.sampled_from(before or ["gone"])
    stage: st.SearchStrategy[dict[str, str]] = (
        st.builds(dict)
        | st.builds(lambda old: {STANDS_FOR: old}, one)
        | st.builds(lambda old, tag: {STANDS_FOR: old, TAG: tag, GREEN_LAUNCH: "G"}, one, TAGS)
        | st.builds(lambda group, old: {FORMER_GROUP: group, STANDS_FOR: old}, GROUPS, one)
        | st.sampled_from(
            [{CANARY: "true"}, {TAG: "safe_to_destroy"}, {STANDS_FOR: "gone"}, {GROUP: "old"}]
        )
    )
    others = st.fixed_dictionaries(
        {},
        optional={
            TO_START: st.just("true"),
            COUNTED: st.sampled_from(["launched", "said"]),
            RELEASE_ID: st.sampled_from(["one", "two"]),
            LAUNCH_KEY: st.just("told by nothing"),
        },
    )
    return st.builds(lambda *found: {**found[0], **found[1]}, others, stage)


@st.composite
def machines(draw: st.DrawFn, there: ObservedApp) -> tuple[models.Machine, ...]:
    """Those of a launch and copies of them, in any state and with any marks."""
    pool = there.machines
    copied = draw(st.lists(st.sampled_from(pool), max_size=3))
    names = [*(m.id or "" for m in pool), *(f"copy{n}" for n in range(len(copied)))]
    found: list[models.Machine] = []
    for name, machine in zip(names, [*pool, *copied], strict=True):
        config = machine.config or models.FlyMachineConfig()
        drawn = draw(marks([m.id or "" for m in found]))
        old = next((m for m in found if m.id == drawn.get(STANDS_FOR)), None)
        if config.mounts or (old is not None and Marks.of(old).canary):
            # no canary has a volume or a green machine, and no green machine has a volume
            drawn = {key: text for key, text in drawn.items() if key not in PASSING_KEYS}
        if old is not None:
            drawn[LAUNCH_KEY] = take_over(old, "again")
        metadata = {**(config.metadata or {}), **drawn}
        primaries = [m.id or "" for m in found if not is_standby(m)]
        standbys = draw(st.none() | st.sampled_from([*primaries, "gone"]).map(lambda name: [name]))
        if old is not None:
            standbys = (old.config or old.incomplete_config or config).standbys
        mounts = [evolve(each, volume=f"vol_{name}") for each in config.mounts or []]
        config = evolve(config, metadata=metadata, standbys=standbys, mounts=mounts or None)
        facts: dict[str, Any] = {
            "id": name,
            "state": draw(
                st.sampled_from(["started", "started", "stopped", "suspended", "failed"])
            ),
            "region": draw(st.sampled_from(["iad", "ams"])),
            "created_at": draw(st.sampled_from(["2026-11-25T10:00:00Z", "2026-11-25T10:02:00Z"])),
            "config": config,
        }
        if draw(st.integers(0, 4)) == 0:
            facts |= {"host_status": "unreachable", "config": None, "incomplete_config": config}
        found.append(evolve(machine, **facts))
    return tuple(found)


def volumes(found: tuple[models.Machine, ...]) -> tuple[models.Volume, ...]:
    """Those that the machines have."""
    return tuple(
        models.Volume(
            id=mount.volume,
            name=mount.name,
            region=machine.region,
            state="created",
            host_status=machine.host_status,
            attached_machine_id=machine.id,
        )
        for machine in found
        if (config := machine.config or machine.incomplete_config)
        for mount in config.mounts or []
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[str, ObservedApp, dict[str, Any]]:
    """A file, what there is of its app, and the options of a deploy."""
    there = launched(wanted(draw(FILES)))
    found = draw(machines(there))
    free = draw(st.integers(0, 2))
    unused = [
        models.Volume(id=f"vol_{n}", name="data", region="iad", state="created")
        for n in range(free)
    ]
    observed = evolve(there, machines=found, volumes=(*volumes(found), *unused))
    options = draw(
        st.fixed_dictionaries(
            {"strategy": STRATEGIES, "allow_destructive": st.just(True)},
            optional={
                "detach": st.booleans(),
                "start": st.booleans(),
                "force": st.booleans(),
                "update_only": st.booleans(),
                "only_regions": st.just(("iad",)),
                "process_groups": st.sampled_from([("app",), ("worker",)]),
            },
        )
    )
    return draw(FILES), observed, options


def explain(observed: ObservedApp) -> None:
    for machine in observed.machines:
        config = machine.config or machine.incomplete_config
        note(f"{machine.id} {machine.state} {machine.host_status} {machine.created_at} {config}")


def check(plan: AppPlan, stay: Container[str]) -> None:
    """Nothing waits for itself, nothing is done twice, and no group that stays is ended."""
    note("\n".join(f"{step.id} needs {step.needs}" for step in plan.steps))
    assert acyclic(plan)
    assert _ends(plan)
    assert not [name for name, n in Counter(s.id for s in plan.steps).items() if n > 1]
    changed = Counter(step.machine for step in updates(plan))
    assert not [name for name, n in changed.items() if n > 1]
    gone = {s.target.machine for s in plan.steps if isinstance(s, DestroyMachine)}
    assert not gone & {step.machine for step in updates(plan)}
    mounts = [
        mount.volume
        for step in plan.steps
        if isinstance(step, CreateMachine)
        for mount in step.config.mounts or []
        if mount.volume
    ]
    assert len(mounts) == len(set(mounts))
    given = {s.group for s in plan.steps if isinstance(s, CreateMachine | UpdateMachine)}
    for group, there in by_group(plan.machines).items():
        assert group not in stay or group in given or {m.id for m in there} - gone


@settings(max_examples=200, deadline=None)
@given(situations(), st.sampled_from(["nginx:2", "nginx:1"]))
def test_a_deploy_comes_to_its_end(
    situation: tuple[str, ObservedApp, dict[str, Any]], image: str
) -> None:
    text, observed, options = situation
    explain(observed)
    note(f"{text}{options}")
    desired = wanted(text, image=image)
    try:
        plan = planned(desired, observed, **options)
    except ScoreFlyError:
        return
    check(plan, process_groups(desired.spec))


@settings(max_examples=200, deadline=None)
@given(situations(), st.integers(0, 25) | st.none(), st.randoms(use_true_random=False))
def test_a_deploy_leaves_nothing_to_do(
    situation: tuple[str, ObservedApp, dict[str, Any]], cut: int | None, rng: random.Random
) -> None:
    """Or little: after one more it is nothing, also after one that was cut short.

    And no data is left behind.
    """
    text, observed, options = situation
    desired, options = wanted(text, image="nginx:2"), options | {"force": False}
    explain(observed)
    note(f"{text}{options}, cut at {cut}")
    try:
        plan = planned(desired, observed, **options)
    except ScoreFlyError:
        return
    whole, app = Carried(observed=observed), Carried(observed=observed)
    whole.carry_out(plan)
    if cut is not None:
        app.carry_out(plan, most=cut, rng=rng)
        explain(app.seen)
        try:
            plan = planned(desired, app.seen, **options)
        except ConfigError:  # no strategy was needed as long as all were to be replaced
            return
        check(plan, ())
    app.carry_out(plan)
    explain(app.seen)
    app.carry_out(planned(desired, app.seen, **options))
    again = planned(desired, app.seen, **options)
    assert again.empty, "\n".join(step.describe() for step in again.steps)
    assert data(observed) & data(app.seen) >= data(observed) & data(whole.seen)


def data(observed: ObservedApp) -> set[str | None]:
    """Ids of the volumes that are in machines."""
    return {volume.id for volume in observed.volumes if volume.attached_machine_id}


@settings(max_examples=200, deadline=None)
@given(situations(), st.booleans())
def test_an_operation_comes_to_its_end(
    situation: tuple[str, ObservedApp, dict[str, Any]], restart: bool
) -> None:
    _, observed, options = situation
    explain(observed)
    note(f"{options}")
    numbers = count(1)
    change = Reconfiguration(
        observed=observed,
        label="web",
        configs={
            m.id or "": evolve(m.config, image="nginx:2") for m in observed.machines if m.config
        },
        release=Release(version=2, id="R", tool_version="test"),
        new_id=lambda: f"ID{next(numbers)}",
        options=DeployOptions(**options),
        restart=restart,
    )
    try:
        plan = plan_reconfiguration(change)
    except ScoreFlyError:
        return
    check(plan, by_group(observed.machines))


def _ends(plan: AppPlan) -> bool:
    """Whether every step has its turn, with the slots of the plan's pools."""
    free, holders = dict(plan.pools), dict[str, str]()
    names = {step.id for step in plan.steps}
    done: set[str] = set()
    while len(done) < len(names):
        ready = next(
            (
                step
                for step in plan.steps
                if step.id not in done
                and set(step.needs) & names <= done
                and (step.takes is None or free[step.takes] > 0)
            ),
            None,
        )
        if ready is None:
            return False
        if ready.takes is not None:
            free[ready.takes] -= 1
            holders[ready.id] = ready.takes
        if ready.frees in holders:
            free[holders.pop(ready.frees)] += 1
        done.add(ready.id)
    return True
