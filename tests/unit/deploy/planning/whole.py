"""Plans written out whole: each step with all that it depends on.

`python -m tests.unit.deploy.planning.whole` writes the files of `whole/` anew.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from fly_machines import models
from score_flyio.base.secret import Secret
from score_flyio.deploy.compare import Difference
from score_flyio.deploy.metadata import CANARY, HISTORY, SAFE_TO_DESTROY, STANDS_FOR, TAG
from score_flyio.deploy.model import KnownApp, ObservedApp, Ref
from score_flyio.deploy.options import DeployOptions, GuestOptions
from score_flyio.deploy.planning.model import AppPlan, GroupPlan
from score_flyio.deploy.planning.recovery import plan_recovery
from score_flyio.deploy.planning.removal import removal_steps
from score_flyio.deploy.planning.scaling import GroupScale, scale_group
from score_flyio.deploy.planning.secrets import fingerprint
from score_flyio.deploy.planning.settling import settle
from score_flyio.deploy.planning.shown import describe_app
from score_flyio.deploy.planning.updates import Reconfiguration, plan_reconfiguration
from score_flyio.deploy.step import Step
from score_flyio.fly.codec import unstructure
from score_flyio.fly.present import LAUNCH_KEY
from score_flyio.flytoml.names import StrategyName
from score_flyio.state.deployments import Release, SecretRecord
from tests.unit.deploy.planning.plans import (
    CHECK,
    SERVICE,
    changed,
    launched,
    marked,
    planned,
    wanted,
)

FOLDER: Final = Path(__file__).with_name("whole")
GROUPS: Final = """
[processes]
app = 'serve'
idle = 'stand by'
worker = 'work'
[http_service]
internal_port = 8080
processes = ['app']
[[mounts]]
source = 'data'
destination = '/data'
processes = ['worker']
"""
"""Three groups: two machines that serve, one with a standby, one with a volume."""
CONFIG: Final = ("image", "metadata", "standbys", "mounts", "guest", "dns")
"""What is shown of a machine config; the rest is tested where configs are made."""
SAME: Final = ("fly_platform_version", "fly_process_group", "fly_flyctl_version")
"""Metadata that is not shown: every machine has it."""
ONE, TWO = "create:app:1", "create:app:2"
NEW: Final = wanted(SERVICE + CHECK, image="nginx:2")


def old(text: str = SERVICE + CHECK) -> ObservedApp:
    return launched(wanted(text))


def volume(name: str, attached: str | None = None, region: str = "iad") -> models.Volume:
    return models.Volume(id=name, name="data", region=region, attached_machine_id=attached)


def _idle_and_worker() -> ObservedApp:
    """All three groups, the standby of one known as such, a volume at its machine."""
    found = old(GROUPS)
    standby = next(m for m in found.machines if m.id == "create:idle:2")
    assert standby.config is not None
    found = changed(
        found,
        "create:idle:2",
        config=attrs.evolve(standby.config, standbys=["create:idle:1"]),
    )
    return attrs.evolve(found, volumes=(volume("vol1", "create:worker:1"),))


def _half(observed: ObservedApp) -> ObservedApp:
    return attrs.evolve(
        observed, machines=tuple(m for m in observed.machines if (m.id or "").endswith(":1"))
    )


def _scaled(
    count: int, *regions: str, machines: tuple[models.Machine, ...] | None = None, **options: Any
) -> GroupPlan:
    """The worker group of `GROUPS`, whose machines mount a volume, with more or fewer machines."""
    observed = _idle_and_worker()
    mine = machines or tuple(m for m in observed.machines if m.id == "create:worker:1")
    volumes = (
        models.Volume(id="vol3", name="data", region="iad", size_gb=7),
        models.Volume(id="vol2", name="data", region="fra", size_gb=2),
        models.Volume(id="vol0", name="other", region="iad"),
        *observed.volumes,
    )
    numbers = itertools.count(1)
    return scale_group(
        GroupScale(
            observed=attrs.evolve(observed, volumes=volumes),
            group="worker",
            machines=mine,
            count=count,
            regions=regions,
            template=mine[0].config,
            new_id=lambda: f"ID{next(numbers)}",
            options=DeployOptions(**options),
        )
    )


def _workers() -> tuple[models.Machine, ...]:
    """A standby, one that is stopped, one whose check fails, and two of a launch."""
    (found,) = (m for m in _idle_and_worker().machines if m.id == "create:worker:1")
    config = found.config
    assert config is not None
    mounts = [attrs.evolve(mount, volume="vol1") for mount in config.mounts or []]

    def like(name: str, launch: str, **facts: Any) -> models.Machine:
        marks = {**(config.metadata or {}), LAUNCH_KEY: launch}
        standbys = facts.pop("standbys", None)
        checks = {check.name or "": models.FlyMachineCheck() for check in facts.get("checks", ())}
        own = attrs.evolve(
            config, mounts=mounts, metadata=marks, standbys=standbys, checks=checks or None
        )
        return attrs.evolve(found, id=name, config=own, **facts)

    return (
        like("second", "L:2/2"),
        like("first", "L:1/2"),
        like("failing", "P:9/9", checks=[models.CheckStatus(name="alive", status="critical")]),
        like("stopped", "M:2/2", state="stopped"),
        like("standby", "N:3/3", standbys=["first"]),
        like("far", "O:1/1", region="fra"),
    )


def _left() -> ObservedApp:
    """A canary of one group, and a machine of another that was being replaced."""
    found = marked(_idle_and_worker(), TWO, **{CANARY: "true"})
    return marked(found, "create:idle:2", **{STANDS_FOR: "create:idle:1"})


def _recovered(plan: AppPlan, failed: str) -> GroupPlan:
    """What is undone of a plan whose steps were done up to one that failed."""
    outcomes: dict[str, str] = {}
    for step in plan.steps:
        outcomes[step.id] = "skipped" if failed in outcomes else "done"
        if step.id == failed:
            outcomes[step.id] = "failed"
    return GroupPlan(steps=plan_recovery(plan, outcomes, "rollback"))


def _given(strategy: StrategyName | None, *, restart: bool = False) -> AppPlan:
    """New images for all machines that answer, by an operation."""
    observed = old()
    numbers = itertools.count(1)
    configs = {
        m.id or "": attrs.evolve(m.config, image="nginx:2") for m in observed.machines if m.config
    }
    return plan_reconfiguration(
        Reconfiguration(
            observed=observed,
            label="workload",
            configs={ONE: configs[ONE]} if restart else configs,
            release=Release(id="R", version=5, tool_version="score-flyio/test"),
            new_id=lambda: f"ID{next(numbers)}",
            options=DeployOptions(strategy=strategy),
            definition=wanted("[deploy]\nstrategy = 'canary'\n").spec,
            restart=restart,
            min_secrets_version=7,
        )
    )


CRASH: Final = models.MachineEvent(type="exit", request={"exit_event": {"exit_code": 1}})
TESTS: Final = """
[http_service]
internal_port = 8080
[[http_service.machine_checks]]
command = ['curl', 'localhost']
image = 'curl:1'
[[http_service.machine_checks]]
command = ['sh', '-c', 'sleep 1']
"""
SECRET: Final = {"KEY": "value"}
SEEN: Final = KnownApp(
    salt="salt",
    secrets={"KEY": SecretRecord(digest="d1", fingerprint=fingerprint("salt", Secret("value")))},
)
"""What a project knows that has set the secret."""


def _with_secret(**options: Any) -> AppPlan:
    """An update of an app whose secret is set, and which its machines do not see yet."""
    observed = attrs.evolve(old(), secrets={"KEY": "d1"})
    new = wanted(SERVICE + CHECK, image="nginx:2", secrets=SECRET)
    return planned(new, observed, known=SEEN, **options)


def _unwell(*states: str, text: str = SERVICE + CHECK, **options: Any) -> AppPlan:
    """Machines that need no change, but are not well: crashed where they are at rest."""
    found = old(text)
    first = found.machines[0]
    machines = tuple(
        attrs.evolve(first, id=f"m{number}", state=state, events=[CRASH], region="iad")
        for number, state in enumerate(states)
    )
    return planned(wanted(text), attrs.evolve(found, machines=machines), **options)


def _lost_standby() -> ObservedApp:
    """A standby on a lost host, of which Fly shows neither config nor whom it stands by for."""
    found = _idle_and_worker()
    (standby,) = (m for m in found.machines if m.id == "create:idle:2")
    assert standby.config is not None
    bare = attrs.evolve(standby.config, standbys=None)
    return changed(
        found,
        "create:idle:2",
        config=None,
        incomplete_config=bare,
        host_status="unreachable",
        state="stopped",
    )


PLANS: Final[Mapping[str, Callable[[], AppPlan | GroupPlan]]] = {
    "first": lambda: planned(wanted(SERVICE + CHECK, secrets={"KEY": "value"})),
    "first-groups": lambda: planned(
        wanted(GROUPS),
        ObservedApp(name="web", app=models.App(name="web"), volumes=(volume("far", region="fra"),)),
        smoke_checks=True,
        fallback_regions=("ord", "fra"),
        guest=GuestOptions(size="shared-cpu-2x", memory="1gb"),
    ),
    "first-detached": lambda: planned(wanted(GROUPS), detach=True, public_ips=False, ha=False),
    "first-interrupted": lambda: planned(wanted(GROUPS), _half(old(GROUPS))),
    "rolling": lambda: planned(
        NEW, changed(old(), TWO, state="stopped"), strategy="rolling", smoke_checks=True
    ),
    "rolling-groups": lambda: planned(wanted(GROUPS, image="nginx:2"), _idle_and_worker()),
    "rolling-secrets": lambda: planned(
        wanted(SERVICE + CHECK, secrets={"KEY": "value"}),
        attrs.evolve(old(), secrets={"OTHER": "d1"}),
    ),
    "canary": lambda: planned(NEW, old(), strategy="canary", smoke_checks=True),
    "canary-detached": lambda: planned(NEW, old(), strategy="canary", detach=True),
    "bluegreen": lambda: planned(NEW, old(), strategy="bluegreen", bluegreen_pause=3.0),
    "immediate": lambda: planned(
        wanted(SERVICE + CHECK, image="nginx:2", secrets={"KEY": "value"}),
        changed(old(), TWO, state="stopped"),
        strategy="immediate",
        concurrency=3,
    ),
    "lost-host": lambda: planned(NEW, changed(old(), ONE, host_status="unreachable")),
    "lost-hosts": lambda: planned(
        wanted(GROUPS, image="nginx:2"),
        changed(
            changed(_idle_and_worker(), "create:idle:2", host_status="unknown", state="stopped"),
            TWO,
            host_status="unreachable",
            state="stopped",
        ),
    ),
    "new-mounts": lambda: planned(
        wanted(SERVICE + "[[mounts]]\nsource = 'data'\ndestination = '/data'\ninitial_size = 3\n"),
        attrs.evolve(old(SERVICE), volumes=(volume("vol2"), volume("vol1", region="fra"))),
        allow_destructive=True,
        guest=GuestOptions(cpus=2, cpu_kind="performance"),
    ),
    "release-command": lambda: planned(
        wanted(
            "[deploy]\nrelease_command = 'migrate now'\n" + SERVICE,
            image="nginx:2",
            secrets={"KEY": "value"},
        ),
        old(SERVICE),
    ),
    "left-canary": lambda: planned(NEW, marked(old(), TWO, **{CANARY: "true"})),
    "left-greens": lambda: planned(
        NEW,
        marked(marked(old(), TWO, **{TAG: "r", STANDS_FOR: ONE}), ONE, **{TAG: SAFE_TO_DESTROY}),
    ),
    "left-replacement": lambda: planned(NEW, marked(old(), TWO, **{STANDS_FOR: ONE})),
    "group-gone": lambda: planned(
        wanted("[processes]\napp = 'serve'\n", image="nginx:1"),
        _idle_and_worker(),
        allow_destructive=True,
    ),
    "group-renamed": lambda: planned(
        wanted(GROUPS.replace("worker", "jobs"), image="nginx:2"),
        _idle_and_worker(),
        allow_destructive=True,
    ),
    "one-region": lambda: planned(
        NEW, changed(old(), TWO, region="fra"), only_regions=("fra",), exclude_regions=("iad",)
    ),
    "machine-checks": lambda: planned(
        wanted(
            "[http_service]\ninternal_port = 8080\n[[http_service.machine_checks]]\n"
            "command = ['curl', 'localhost']\nimage = 'curl:1'\n",
            image="nginx:2",
        ),
        old(SERVICE),
    ),
    "machine-checks-first": lambda: planned(
        wanted(TESTS, secrets=SECRET),
        guest=GuestOptions(size="shared-cpu-2x"),
        smoke_checks=True,
    ),
    "machine-checks-canary": lambda: planned(
        wanted(TESTS, image="nginx:2"), old(SERVICE), strategy="canary"
    ),
    "machine-checks-detached": lambda: planned(
        wanted(TESTS, image="nginx:2"), old(SERVICE), detach=True
    ),
    "machine-checks-nothing": lambda: planned(wanted(TESTS), old(TESTS)),
    "secret-rolling": _with_secret,
    "secret-canary": lambda: _with_secret(strategy="canary"),
    "secret-new-canary": lambda: planned(
        wanted(SERVICE + CHECK, secrets=SECRET), old(), strategy="canary"
    ),
    "secret-new-bluegreen": lambda: planned(
        wanted(SERVICE + CHECK, secrets=SECRET), old(), strategy="bluegreen"
    ),
    "secret-new-lost-host": lambda: planned(
        wanted(SERVICE + CHECK, secrets=SECRET),
        changed(old(), ONE, host_status="unreachable"),
    ),
    "secret-first": lambda: planned(
        wanted(secrets=SECRET),
        ObservedApp(name="web", app=models.App(name="web"), secrets={"KEY": "d1"}),
        known=SEEN,
    ),
    "unwell": lambda: _unwell("started", "starting", "failed", "stopped", "suspended"),
    "unwell-unchecked": lambda: _unwell("starting", "stopped", text=SERVICE, wait_timeout=9),
    "unwell-detached": lambda: _unwell("starting", "failed", "stopped", detach=True),
    "lost-standby": lambda: planned(wanted(GROUPS), _lost_standby()),
    "certificates": lambda: planned(
        attrs.evolve(wanted(""), hostnames=("known.example", "new.example")),
        ObservedApp(name="web", certificates=frozenset({"known.example"})),
        detach=True,
    ),
    "left-release-command": lambda: planned(
        wanted(
            "[deploy]\nrelease_command = 'migrate'\nrelease_command_timeout = '90s'\n" + SERVICE,
            image="nginx:2",
        ),
        attrs.evolve(old(SERVICE), leftovers=(models.Machine(id="left"),)),
        guest=GuestOptions(size="shared-cpu-4x"),
        wait_timeout=None,
    ),
    "release-command-options": lambda: planned(
        wanted(
            "[deploy]\nrelease_command = 'migrate'\nrelease_command_timeout = '90s'\n"
            "wait_timeout = '2m'\nmax_unavailable = 2\n" + SERVICE,
            image="nginx:2",
        ),
        old(SERVICE),
        release_command_timeout=5,
    ),
    "recovery-rolling": lambda: _recovered(
        planned(NEW, old(), smoke_checks=True), f"update:{TWO}:healthy"
    ),
    "recovery-canary": lambda: _recovered(
        planned(NEW, old(), strategy="canary"), "canary:app:healthy"
    ),
    "recovery-bluegreen": lambda: _recovered(
        planned(NEW, old(), strategy="bluegreen"), f"green:{TWO}:healthy"
    ),
    "recovery-replacement": lambda: _recovered(
        planned(NEW, changed(old(), ONE, host_status="unreachable")), f"replace:{ONE}:healthy"
    ),
    "scale-up": lambda: _scaled(4),
    "scale-up-regions": lambda: _scaled(3, "iad", "fra", detach=True),
    "scale-down": lambda: _scaled(1, "iad", machines=_workers()),
    "scale-down-to-two": lambda: _scaled(2, "iad", machines=_workers()),
    "scale-move": lambda: _scaled(4, "fra", machines=_workers()),
    "given-configs": lambda: _given(None),
    "given-configs-bluegreen": lambda: _given("bluegreen"),
    "given-configs-one": lambda: _given("rolling", restart=True),
    "settle": lambda: settle(_left(), DeployOptions(wait_timeout=7))[1],
    "remove": lambda: GroupPlan(
        steps=removal_steps(
            attrs.evolve(_idle_and_worker(), leftovers=(models.Machine(id="release-command"),))
        )
    ),
    "remove-keep-volumes": lambda: GroupPlan(
        steps=removal_steps(_idle_and_worker(), keep_volumes=True)
    ),
}


def shown(plan: AppPlan | GroupPlan) -> str:
    """The plan as people read it, then each step with all of its facts, then what else it has."""
    lines = [describe_app(plan), ""] if isinstance(plan, AppPlan) else []
    for step in plan.steps:
        lines.append(f"{step.id}: {type(step).__name__}")
        lines += [f"  {name}: {json.dumps(value)}" for name, value in _facts(step)]
    for name in ("pools", "unchanged", "notes", "secret_names"):
        if found := getattr(plan, name, None):
            lines.append(f"{name}: {json.dumps(found)}")
    return "\n".join(lines) + "\n"


def _facts(step: Step) -> Iterator[tuple[str, Any]]:
    for member in attrs.fields(type(step)):
        value = getattr(step, member.name)
        if member.name not in {"id", "app", "differences"} and value != member.default:
            yield member.name, _plain(value)


def _plain(value: Any) -> Any:
    match value:
        case Secret():
            return "(secret)"
        case Ref() | Difference():
            return str(value)
        case models.FlyMachineConfig():
            return _config(unstructure(value))
        case dict():
            return {name: _plain(item) for name, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
        case _ if attrs.has(type(value)):
            own = {member.name: getattr(value, member.name) for member in attrs.fields(type(value))}
            return {name: _plain(item) for name, item in own.items() if item not in (None, {})}
        case _:
            return value


def _config(document: dict[str, Any]) -> dict[str, Any]:
    metadata = document.get("metadata") or {}
    kept = {name: text for name, text in metadata.items() if name not in SAME}
    if HISTORY in kept:
        kept[HISTORY] = "(packed)"
    document["metadata"] = kept
    return {name: document[name] for name in CONFIG if name in document}


if __name__ == "__main__":
    for old_file in FOLDER.glob("*.txt"):
        old_file.unlink()
    for title, make in PLANS.items():
        (FOLDER / f"{title}.txt").write_text(shown(make()))
