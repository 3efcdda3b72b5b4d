"""Everything that happens in one simulated project, chosen from one seed."""

from __future__ import annotations

import random
from typing import Any, Literal, TypeAlias, cast, get_args

from attrs import evolve, field, frozen

from fly_emulator import EmulatorSettings, FaultRule
from score_flyio.deploy.options import DeployOptions, OnFailure
from score_flyio.flytoml.names import StrategyName
from tests.simulation.commands import ChangeSecrets, Command, Deploy, choose_commands, is_idle
from tests.simulation.inputs import Badness, SimApp, Version

Nuisance: TypeAlias = Literal[
    "foreign_lease", "lease_stolen", "host_down", "region_full", "region_unlisted"
]
Deed: TypeAlias = Literal["stops", "destroys", "resizes", "stages_secret"]
"""What other people do to a machine, its group or its app."""
DEEDS: tuple[Deed, ...] = get_args(Deed)

ON_FAILURE: tuple[OnFailure, ...] = ("rollback", "rollback", "keep", "stop")
CHANGES = ("Machines_create", "Machines_update", "Machines_delete", "changes", "changes")
READS = ("reads", "Machines_list", "Machines_show", "Apps_show")
LAUNCHING = (
    ("started", "starting", "restarting"),
    ("started", "starting", "restarting"),
    ("started",),
    ("started", "starting", "restarting", "failed", "created", "stopped", "suspended"),
)
"""States of which an update makes running machines."""
NO_ROOM = (
    "aborted: insufficient CPUs available to fulfill request on the current host",
    "aborted: insufficient IPs available to fulfill request",
    "insufficient memory",
    "could not find a candidate host",
    "could not reserve resource for your machine",
)
RESTART = {"policy": "on-failure", "max_retries": 10}
OPERATIONS_SHARE = 0.4
"""Share of the seeds with other commands than deploys."""
ROUGH_SHARE = 0.4
"""Share of those with bad versions, more stages and fallback regions."""
UNLISTED_SHARE = 0.15
"""Share of the seeds in which lists of machines lack a region."""
PEOPLE_SHARE = 0.15
"""Share of the seeds with other people at work."""
LEASES = ("Machines_create_lease", "Machines_release_lease")


@frozen(kw_only=True)
class Kill:
    """The process dies at the so manieth moment of a kind, or after so many seconds."""

    kind: Literal["request", "answer", "save", "saved", "provision", "provisioned", "step", "time"]
    count: float
    orphans_go_on: bool = False


@frozen(kw_only=True)
class Disturbance:
    """Something that others do to the platform while a run goes on."""

    kind: Nuisance | Deed
    at: float
    """Seconds after the run began."""
    lasts: float


@frozen(kw_only=True)
class RunPlan:
    """One run of a command, with what goes wrong in it."""

    command: Command
    place: int
    """Of the command in the sequence of commands."""
    again: bool = False
    """The same command once more, only needed if the run before it did not end well."""
    idle: bool = False
    """The same command once more, only if the run before it did end well: nothing is to do."""
    faults: tuple[FaultRule, ...] = ()
    kill: Kill | None = None
    disturbances: tuple[Disturbance, ...] = ()
    pause: float = 5.0
    """Seconds before it starts."""

    @property
    def calm(self) -> bool:
        """Nothing goes wrong in it."""
        return not (self.faults or self.kill or self.disturbances)


@frozen(kw_only=True)
class Scenario:
    """The apps, the runs and the platform; the last run is undisturbed."""

    seed: int
    apps: tuple[SimApp, ...]
    runs: tuple[RunPlan, ...]
    options: DeployOptions
    settings: EmulatorSettings
    save_slowest: float = 0.1
    secret_generations: tuple[int, ...] = field(factory=tuple)
    """Which value provisioned secrets have, by stage."""
    hosts_come_back: bool = True
    people: bool = False
    """Whether other people work on the apps."""
    operations: bool = False
    """Whether there are other commands than deploys; each is then repeated until it is done."""

    @property
    def commands(self) -> tuple[Command, ...]:
        """By place."""
        return tuple({run.place: run.command for run in self.runs}.values())

    @property
    def calm(self) -> bool:
        """Nothing happens to machines or hosts but what the deploys do."""
        disturbed = {d.kind for run in self.runs for d in run.disturbances}
        bad = any(version.bad for app in self.apps for version in app.versions)
        return not bad and disturbed <= {"foreign_lease", "region_unlisted"}

    @property
    def late_requests(self) -> bool:
        """Whether requests may be so late that they arrive closer together than they were sent."""
        return any(rule.kind == "latency" for run in self.runs for rule in run.faults)


def scenario(seed: int) -> Scenario:
    """The scenario of a seed; some have operations between the deploys."""
    rng = random.Random(f"operations:{seed}")
    deploys = _deploys(seed)
    chosen = _with_operations(deploys, rng) if rng.random() < OPERATIONS_SHARE else deploys
    others = random.Random(f"people:{seed}")
    chosen = _with_people(chosen, others) if others.random() < PEOPLE_SHARE else chosen
    lists = random.Random(f"lists:{seed}")
    return _with_short_lists(chosen, lists) if lists.random() < UNLISTED_SHARE else chosen


def _with_short_lists(whole: Scenario, rng: random.Random) -> Scenario:
    """The same where lists of machines lack a region for a while."""
    runs = tuple(
        run
        if run.calm or rng.random() < 0.5
        else evolve(run, disturbances=(*run.disturbances, _unlisted(rng)))
        for run in whole.runs
    )
    return evolve(whole, runs=runs)


def _unlisted(rng: random.Random) -> Disturbance:
    at = 10 ** rng.uniform(-2, 1.3)
    return Disturbance(kind="region_unlisted", at=at, lasts=rng.choice((1.0, 5.0, 30.0)))


def _with_people(alone: Scenario, rng: random.Random) -> Scenario:
    """The same with other people at work: in about every second run that is not in peace."""
    runs = tuple(
        run if run.calm or rng.random() < 0.5 else evolve(run, disturbances=_deeds(rng))
        for run in alone.runs
    )
    return evolve(alone, runs=runs, people=True)


def _deeds(rng: random.Random) -> tuple[Disturbance, ...]:
    return tuple(
        Disturbance(kind=rng.choice(DEEDS), at=10 ** rng.uniform(-2, 1.3), lasts=0.0)
        for _ in range(rng.choice((1, 1, 2, 3)))
    )


def _with_operations(deploys: Scenario, rng: random.Random) -> Scenario:
    """The same project with more commands.

    In most, versions are good and machines stay in their region, so that what a command finds does
    not depend on how the ones before it came to their end; in the others less can be compared.
    """
    rough = random.Random(f"rough:{deploys.seed}").random() < ROUGH_SHARE
    stages = len(deploys.secret_generations) if rough else 2
    regions = deploys.options.fallback_regions if rough else ()
    apps = tuple(
        evolve(
            app,
            versions=tuple(
                version if rough else evolve(version, bad="") for version in app.versions[:stages]
            ),
        )
        for app in deploys.apps[:2]
    )
    runs = _repeated(rng, choose_commands(rng, apps, one_region=not regions))
    if deploys.settings.salted_digests:  # a value that is set again cannot be told from another one
        runs = tuple(r for r in runs if not (r.idle and isinstance(r.command, ChangeSecrets)))
    return evolve(
        deploys,
        apps=apps,
        runs=runs,
        options=evolve(deploys.options, fallback_regions=regions),
        secret_generations=deploys.secret_generations[:stages],
        operations=True,
    )


def _repeated(rng: random.Random, commands: tuple[Command, ...]) -> tuple[RunPlan, ...]:
    """Runs in which things go wrong, then one in which nothing does, then one with nothing to do.

    Where the command is done by an earlier run, the later ones are left out; only the last command
    is always done in peace at last.
    """
    runs: list[RunPlan] = []
    for place, command in enumerate(commands):
        for number in range(rng.choice((0, 1, 1, 2))):
            run = RunPlan(command=command, place=place, again=number > 0, pause=rng.uniform(5, 20))
            runs.append(_troubled(rng, run))
        again = bool(runs) and runs[-1].place == place and place < len(commands) - 1
        runs.append(RunPlan(command=command, place=place, again=again, pause=60.0))
        if rng.random() < 0.2 and is_idle(command):
            runs.append(RunPlan(command=command, place=place, idle=True))
    return tuple(runs)


def calm_runs(commands: tuple[Command, ...]) -> tuple[RunPlan, ...]:
    """Each command once, with nothing going wrong."""
    return tuple(
        RunPlan(command=command, place=place, pause=60.0) for place, command in enumerate(commands)
    )


def _deploys(seed: int) -> Scenario:
    rng = random.Random(f"scenario:{seed}")
    strategy = rng.choice(("rolling", "rolling", "immediate", "canary", "bluegreen"))
    stages = rng.randint(1, 3)
    apps = tuple(_app(rng, number, strategy, stages) for number in range(rng.choice((1, 1, 2, 3))))
    apps = tuple(_tested(random.Random(f"tests:{seed}:{app.name}"), app) for app in apps)
    smoke = rng.random() < 0.3
    return Scenario(
        seed=seed,
        apps=apps,
        runs=_runs(rng, stages),
        options=DeployOptions(
            allow_destructive=True,
            strategy=cast("StrategyName", strategy),
            ha=rng.random() < 0.8,
            max_unavailable=rng.choice((None, None, 1, 0.5, 1.0)),
            smoke_checks=smoke,
            smoke_window=rng.choice((2.0, 10.0)),
            wait_timeout=rng.choice((20.0, 60.0)),
            release_command_timeout=60.0,
            bluegreen_pause=rng.choice((0.5, 3.0)),
            on_failure=rng.choice(ON_FAILURE),
            fallback_regions=rng.choice(((), ("ord",))) if strategy != "bluegreen" else (),
        ),
        settings=EmulatorSettings(
            **unknowns(random.Random(f"unknown:{seed}")),
            seed=seed,
            **speeds(rng),
            volume_ready=rng.choice((0.0, 1.0)),
            hosts_per_region=rng.choice((4, 8)),
            retry_after=rng.random() < 0.5,
            capacity_status=rng.choice((409, 412, 422)),
            update_restarts_unchanged=rng.random() < 0.7,
        ),
        save_slowest=rng.choice((0.0, 0.05, 0.5)),
        secret_generations=tuple(_generations(rng, stages)),
        hosts_come_back=rng.random() < 0.7,
    )


def speeds(rng: random.Random) -> dict[str, Any]:
    """How fast the platform is."""
    return {
        "latency": rng.choice((0.0, 0.02, (0.01, 0.1), (0.05, 0.4))),
        "boot": rng.choice((0.2, 0.5, 2.0)),
        "healthy_after": rng.choice((0.1, 1.0, 4.0)),
        "visibility_delay": rng.choice((0.0, 0.0, 0.3, 1.5)),
    }


def unknowns(rng: random.Random) -> dict[str, Any]:
    """What the platform's documents leave open: either answer must do."""
    return {
        "update_launches": frozenset(rng.choice(LAUNCHING)),
        "busy_after_update": rng.choice((0.0, 3.0, 3.0, 25.0)),
        "default_restart": rng.choice(
            (RESTART, RESTART, None, {}, {"policy": "", "max_retries": 3})
        ),
        "fills_defaults": rng.random() < 0.7,
        "spells_with_numbers": rng.random() < 0.3,
        "capacity_text": rng.choice((None, *NO_ROOM)),
        "capacity_plain": rng.random() < 0.3,
        "checks_numbered_in_service": rng.random() < 0.7,
        "secrets_arrive_after": rng.choice((0.0, 2.0, 8.0)),
        "below_missing_app": rng.choice((404, 404, 400, 401, 403)),
        "current_token": rng.choice((None, None, 401, 403)),
        "salted_digests": rng.random() < 0.3,
        "repeats_are_refused": rng.random() < 0.3,
        "long_leases_are_cut": rng.random() < 0.3,
        "max_lease_ttl": rng.choice((300, 86_400)),  # flyctl makes machines with 300
        "longest_metadata": rng.choice((None, None, 4096, 512)),
        "unique_machine_names": rng.random() < 0.7,
        "extend_needs_restart": rng.random() < 0.5,
        "destroy": rng.choice((0.1, 0.1, 5.0)),
        "lists_those_that_go": rng.random() < 0.7,
        "lists_deleted_volumes": rng.random() < 0.5,
    }


def _generations(rng: random.Random, stages: int) -> list[int]:
    found = [1]
    while len(found) < stages:
        found.append(found[-1] + rng.choice((0, 0, 1)))
    return found


def _app(rng: random.Random, number: int, strategy: str, stages: int) -> SimApp:
    checked = strategy == "bluegreen" or rng.random() < 0.7
    kind: Literal["score", "toml"] = rng.choice(("score", "toml"))
    groups = rng.choice((("app",), ("app",), ("app", "worker"), ("app", "cron", "worker")))
    spare = strategy in {"canary", "bluegreen"}  # a spare machine cannot have the volume
    volume = rng.choice(groups) if not spare and rng.random() < 0.3 else None
    app = SimApp(
        name=f"{kind}{number}",
        kind=kind,
        service=rng.random() < 0.7,
        checked=checked,
        volume=volume,
        release_command=rng.random() < 0.3,
        secrets=rng.random() < 0.6,
        static=rng.random() < 0.4,
        strategy=strategy,
    )
    version = Version(groups=groups if kind == "toml" else ("app",))
    versions = []
    for stage in range(stages):
        last = stage == stages - 1
        version = evolve(_changed(rng, version) if stage else version, bad="")
        if kind == "toml" and rng.random() < 0.3:
            version = evolve(version, groups=_other_groups(rng, version.groups))
        bad: Badness = rng.choice(("unhealthy", "crash", "release"))
        if not last and rng.random() < 0.2:
            version = evolve(version, bad=bad)
        versions.append(version)
    return evolve(app, versions=tuple(versions))


def _tested(rng: random.Random, app: SimApp) -> SimApp:
    """The app with a machine check, if it is written by hand; some versions fail it."""
    if app.kind == "score" or rng.random() < 0.6:
        return app
    versions = [
        evolve(version, bad="test") if not version.bad and rng.random() < 0.2 else version
        for version in app.versions[:-1]
    ]
    return evolve(app, machine_check=True, versions=(*versions, app.versions[-1]))


def _changed(rng: random.Random, version: Version) -> Version:
    what = rng.choice(("image", "value", "both", "nothing"))
    return evolve(
        version,
        image=version.image + (what in {"image", "both"}),
        value=version.value + (what in {"value", "both"}),
    )


def _other_groups(rng: random.Random, groups: tuple[str, ...]) -> tuple[str, ...]:
    other = rng.choice(("worker", "cron"))
    changed = set(groups) ^ {other}
    return tuple(sorted(changed | {"app"}))


def _runs(rng: random.Random, stages: int) -> tuple[RunPlan, ...]:
    peaceful = rng.random() < 0.15
    runs: list[RunPlan] = []
    for stage in range(stages):
        for _ in range(rng.choice((1, 1, 2, 3))):
            run = RunPlan(command=Deploy(stage=stage), place=stage, pause=rng.uniform(5, 20))
            runs.append(run if peaceful else _troubled(rng, run))
    last = stages - 1
    return (*runs, RunPlan(command=Deploy(stage=last), place=last, pause=60.0))


def _troubled(rng: random.Random, run: RunPlan) -> RunPlan:
    return evolve(
        run,
        faults=choose_faults(rng),
        kill=choose_kill(rng) if rng.random() < 0.7 else None,
        disturbances=_disturbances(rng),
    )


def choose_faults(rng: random.Random) -> tuple[FaultRule, ...]:
    return tuple(_fault(rng) for _ in range(rng.choice((0, 1, 2, 3))))


def _fault(rng: random.Random) -> FaultRule:
    operations = rng.choice((*CHANGES, *READS, *LEASES, "*", "Apps_create", "Secrets_update"))
    kind = rng.choice(("status", "status", "reset", "reset", "refuse", "hang", "latency"))
    rule = FaultRule(
        kind=kind,  # type: ignore[arg-type]  # a choice among its values
        operations=(operations,),
        status=rng.choice((408, 409, 429, 500, 502, 503, 504)),
        after=rng.random() < 0.5,
        probability=rng.choice((0.1, 0.3, 1.0)),
        skip=rng.choice((0, 0, 1, 3)),
        times=rng.choice((1, 2, 5)),
    )
    if rule.kind == "status" and rule.status in {409, 429}:
        return evolve(rule, after=False)  # these say that nothing was done
    if kind == "latency":
        return evolve(rule, seconds=(0.0, rng.choice((0.5, 5.0, 30.0))))
    return rule


def choose_kill(rng: random.Random) -> Kill:
    kind = rng.choice(
        ("request", "answer", "save", "saved", "provision", "provisioned", "step", "time", "time")
    )
    count = {
        "request": rng.randint(1, 30),
        "answer": rng.randint(1, 30),
        "step": int(10 ** rng.uniform(1, 3.5)),
        "time": rng.uniform(0, rng.choice((1.0, 5.0, 20.0))),
    }.get(kind, rng.randint(1, 3))
    return Kill(kind=kind, count=count, orphans_go_on=rng.random() < 0.5)  # type: ignore[arg-type]


def _disturbances(rng: random.Random) -> tuple[Disturbance, ...]:
    kinds: tuple[Nuisance, ...] = (
        "foreign_lease",
        "foreign_lease",
        "lease_stolen",
        "host_down",
        "region_full",
    )
    return tuple(
        Disturbance(
            kind=rng.choice(kinds), at=rng.uniform(0, 10), lasts=rng.choice((3.0, 20.0, 90.0))
        )
        for _ in range(rng.choice((0, 0, 0, 1, 2)))
    )
