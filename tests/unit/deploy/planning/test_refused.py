"""Plans that cannot be made, and why."""

from __future__ import annotations

from typing import Any

import pytest
from attrs import evolve

from fly_machines import models
from score_flyio.deploy.model import ObservedApp
from score_flyio.deploy.planning.strategies import STRATEGIES
from score_flyio.errors import ConfigError, DestructiveChange, PlanError
from score_flyio.flytoml.names import StrategyName
from tests.unit.deploy.planning.plans import CHECK, SERVICE, changed, launched, planned, wanted

MOUNT = "[[mounts]]\nsource = 'data'\ndestination = '/data'\n"
ONE = "create:app:1"
MOUNTED = "cannot be used for group app, whose machines have volumes"
ROLLING = "use --strategy rolling"


@pytest.mark.parametrize(
    ("text", "strategy", "reason", "hint"),
    [
        (
            SERVICE,
            "bluegreen",
            "needs a check in group app, to know when the new machines can take over",
            "add a check to fly.toml or a probe to the Score file, or use --strategy rolling",
        ),
        (
            SERVICE + CHECK + MOUNT,
            "bluegreen",
            f"{MOUNTED}: a volume cannot be in two machines",
            ROLLING,
        ),
        (
            SERVICE + MOUNT,
            "canary",
            f"{MOUNTED}: the canary would need one of its own",
            ROLLING,
        ),
    ],
)
def test_a_strategy_that_is_impossible(text: str, strategy: str, reason: str, hint: str) -> None:
    observed = launched(wanted(text))
    with pytest.raises(ConfigError) as raised:
        planned(wanted(text, image="nginx:2"), observed, strategy=strategy)
    assert str(raised.value) == f"app web: strategy {strategy} {reason}"
    assert raised.value.hint == hint
    assert planned(wanted(text), observed, strategy=strategy).steps == ()


@pytest.mark.parametrize("strategy", ["bluegreen", "canary"])
def test_what_a_strategy_refuses_of_volumes_has_a_code(strategy: StrategyName) -> None:
    refuse = STRATEGIES[strategy].no_volumes
    assert refuse is not None
    assert refuse("app").code == "strategy_with_volumes"


def test_what_bluegreen_refuses_without_checks_has_a_code() -> None:
    refuse = STRATEGIES["bluegreen"].no_checks
    assert refuse is not None
    assert refuse("app").code == "strategy_without_checks"


def test_no_canary_is_needed_where_nothing_runs() -> None:
    observed = changed(launched(wanted(SERVICE + MOUNT)), ONE, state="stopped")
    plan = planned(wanted(SERVICE + MOUNT, image="nginx:2"), observed, strategy="canary")
    assert [step.id for step in plan.steps] == ["hold", f"update:{ONE}"]


def observed_volume(**facts: Any) -> ObservedApp:
    volume = models.Volume(id="vol1", name="data", region="iad", attached_machine_id=ONE)
    return evolve(changed(launched(wanted(SERVICE + MOUNT)), ONE, **facts), volumes=(volume,))


def test_a_volume_of_a_lost_host_is_not_left_behind() -> None:
    with pytest.raises(PlanError) as raised:
        planned(wanted(SERVICE + MOUNT), observed_volume(host_status="unreachable"))
    assert str(raised.value) == (
        f"app web: machine {ONE} is on a host that is unreachable, and so is its volume vol1"
    )
    assert raised.value.hint == (
        "wait for the host, or restore a snapshot of the volume and destroy the machine"
    )


def test_a_volume_is_left_behind_only_with_consent() -> None:
    with pytest.raises(DestructiveChange) as raised:
        planned(wanted(SERVICE), observed_volume())
    assert str(raised.value) == (
        f"app web: the mounts of machine {ONE} change, so it has to be replaced, "
        "and its volume vol1 is left behind"
    )
    assert raised.value.hint == "confirm with --yes; the volume is kept, unattached"
    assert planned(wanted(SERVICE), observed_volume(), allow_destructive=True).steps


@pytest.mark.parametrize(
    ("vm", "kind"),
    [("size = 'a10'", "a10"), ("gpu_kind = 'l40s'", "l40s"), ("gpus = 2", "2 GPUs")],
)
def test_new_machines_with_a_graphics_processor(vm: str, kind: str) -> None:
    with pytest.raises(ConfigError) as raised:
        planned(wanted(SERVICE + f"[[vm]]\n{vm}\n"))
    assert str(raised.value) == (
        f"app web: machines of group app would have a GPU ({kind}), "
        "which Fly refuses since August 2026"
    )
    assert raised.value.hint == ("choose a size without one: [[vm]] size in fly.toml, or --vm-size")


def test_a_release_command_with_a_graphics_processor() -> None:
    text = (
        SERVICE
        + "[deploy]\nrelease_command = 'migrate'\n[deploy.release_command_vm]\nsize = 'a10'\n"
    )
    with pytest.raises(
        ConfigError, match=r"^app web: machines of the release command would have a"
    ):
        planned(wanted(text))


def test_a_volume_of_a_lost_host_that_is_known_by_its_mount_alone() -> None:
    mounts = [models.FlyMachineMount(name="data", path="/data", volume="vol9")]
    config = models.FlyMachineConfig(image="nginx:1", mounts=mounts)
    for shown in ({"config": config}, {"config": None, "incomplete_config": config}):
        lost = changed(launched(wanted()), ONE, host_status="unreachable", **shown)
        with pytest.raises(PlanError, match="so is its volume vol9"):
            planned(wanted(), lost)
