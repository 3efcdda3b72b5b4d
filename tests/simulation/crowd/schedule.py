"""What happens in a crowd, chosen from one seed."""

from __future__ import annotations

import random
from typing import Any, Literal, TypeAlias, get_args

from attrs import evolve, field, frozen

from fly_emulator import EmulatorSettings, FaultRule
from score_flyio.deploy.options import DeployOptions, GuestOptions
from tests.simulation.commands import (
    SECRET_PREFIX,
    AddCertificate,
    ChangeSecrets,
    Command,
    Deploy,
    DeploySecrets,
    Destroy,
    Look,
    Rollback,
    Scale,
)
from tests.simulation.crowd.apps import APP, CrowdApp, choose_stages
from tests.simulation.scenario import Kill, choose_faults, choose_kill, speeds, unknowns

COMPUTERS = 3
PersonDoes: TypeAlias = Literal[
    "clones",
    "clones_to_group",
    "stops",
    "starts",
    "restarts",
    "cordons",
    "updates",
    "schedules",
    "destroys",
    "runs_stray",
    "runs_scheduled",
    "scales_up",
    "scales_down",
    "resizes",
    "sets_secret",
    "stages_secret",
    "unsets_secret",
    "makes_volume",
    "extends_volume",
    "releases_address",
]
"""What people do with flyctl and on the dashboard, beside deploys."""
PlatformDoes: TypeAlias = Literal[
    "host_unreachable",
    "host_unknown",
    "host_gone",
    "migrates",
    "loses_machine",
    "reverts",
    "region_unlisted",
    "nothing_listed",
    "region_full",
]


@frozen(kw_only=True)
class Person:
    """A command of flyctl, or something on the dashboard."""

    does: PersonDoes
    at: float = 0.0


@frozen(kw_only=True)
class FlyctlDeploy:
    """`fly deploy` of a version."""

    stage: int
    at: float = 0.0
    dies: float | None = None


@frozen(kw_only=True)
class Platform:
    """Something that happens to the platform."""

    does: PlatformDoes
    at: float = 0.0
    lasts: float = 0.0


Other: TypeAlias = Person | FlyctlDeploy | Platform


@frozen(kw_only=True)
class Ours:
    """A command of ours on one of several computers."""

    command: Command
    computer: int = 0
    memory: Literal["own", "lost", "old"] = "own"
    """The state that it has of the project: its own, none, or one from before."""
    options: DeployOptions = field(factory=DeployOptions)
    faults: tuple[FaultRule, ...] = ()
    kill: Kill | None = None

    @property
    def calm(self) -> bool:
        return not (self.faults or self.kill)


@frozen(kw_only=True)
class Round:
    """Commands of ours, mostly one, and what others do meanwhile."""

    ours: tuple[Ours, ...] = ()
    others: tuple[Other, ...] = ()
    pause: float = 5.0

    @property
    def alone(self) -> bool:
        return len(self.ours) == 1 and not self.others


@frozen(kw_only=True)
class Crowd:
    """All that happens; at the end all is calm, and the last version is deployed."""

    seed: int
    app: CrowdApp
    rounds: tuple[Round, ...]
    settings: EmulatorSettings


def crowd(seed: int) -> Crowd:
    """The crowd of a seed."""
    rng = random.Random(f"crowd:{seed}")
    app = CrowdApp(stages=choose_stages(rng))
    return Crowd(
        seed=seed,
        app=app,
        rounds=tuple(_rounds(rng, app)),
        settings=EmulatorSettings(
            **_settings(rng),
            seed=seed,
            **speeds(rng),
            hosts_per_region=rng.choice((8, 16)),
            autostop_every=rng.choice((None, 20.0, 90.0)),
        ),
    )


def _settings(rng: random.Random) -> dict[str, Any]:
    found = unknowns(rng)
    return {name: value for name, value in found.items() if name != "longest_metadata"}


def _rounds(rng: random.Random, app: CrowdApp) -> list[Round]:
    kinds = rng.sample(get_args(PersonDoes), 5)
    troubles = rng.sample(get_args(PlatformDoes), 2) if rng.random() < 0.6 else []
    by_flyctl = rng.random() < 0.25
    rounds: list[Round] = []
    for stage in range(len(app.stages)):
        if by_flyctl and rng.random() < 0.5:
            rounds.append(Round(others=(_deploy_of_flyctl(rng, stage),)))
        else:
            rounds.append(Round(ours=(_ours(rng, app, Deploy(stage=stage), stage),)))
        more = range(rng.choice((1, 2, 3)))
        rounds += [_round(rng, app, stage, kinds, troubles) for _ in more]
    return [evolve(each, pause=_pause(rng)) for each in rounds]


def _pause(rng: random.Random) -> float:
    return rng.choice((0.5, 5.0, 30.0, 60.0, 400.0, 4000.0))


def _round(
    rng: random.Random, app: CrowdApp, stage: int, kinds: list[Any], troubles: list[Any]
) -> Round:
    ours = [_ours(rng, app, _command(rng, app, stage), stage)] if rng.random() < 0.6 else []
    if ours and rng.random() < 0.15:
        ours.append(_ours(rng, app, _command(rng, app, stage), stage))
    others: list[Other] = []
    if not ours or rng.random() < 0.5:
        others = [_other(rng, stage, kinds, troubles) for _ in range(rng.choice((1, 1, 2)))]
    if not ours:
        others = [evolve(other, at=float(number * 2)) for number, other in enumerate(others)]
    return Round(ours=tuple(ours), others=tuple(others))


def _other(rng: random.Random, stage: int, kinds: list[Any], troubles: list[Any]) -> Other:
    at = 10 ** rng.uniform(-2, 1.3)
    if troubles and rng.random() < 0.3:
        lasts = rng.choice((3.0, 20.0, 90.0))
        return Platform(does=rng.choice(troubles), at=at, lasts=lasts)
    if rng.random() < 0.15:
        return evolve(_deploy_of_flyctl(rng, stage), at=at)
    return Person(does=rng.choice(kinds), at=at)


def _deploy_of_flyctl(rng: random.Random, stage: int) -> FlyctlDeploy:
    dies = rng.uniform(0, rng.choice((2.0, 10.0, 40.0))) if rng.random() < 0.4 else None
    return FlyctlDeploy(stage=stage, dies=dies)


def _command(rng: random.Random, app: CrowdApp, stage: int) -> Command:
    groups = app.stages[stage].names
    kinds = ["deploy"] * 6 + ["scale"] * 3 + ["size", "rollback", "rollback", "secrets", "hand_out"]
    match rng.choice((*kinds, "destroy", "certs", "look")):
        case "scale":
            counts = tuple((group, rng.choice((0, 1, 1, 2, 3))) for group in rng.sample(groups, 1))
            return Scale(app=APP, counts=counts)
        case "size":
            return Scale(app=APP, size=GuestOptions(memory="512mb"))
        case "rollback":
            return Rollback(app=APP)
        case "secrets":
            value = rng.choice((None, f"{SECRET_PREFIX}user-1", f"{SECRET_PREFIX}user-2"))
            return ChangeSecrets(app=APP, values=(("TOKEN", value),), stage=rng.random() < 0.4)
        case "hand_out":
            return DeploySecrets(app=APP)
        case "destroy" if rng.random() < 0.5:
            return Destroy(apps=(APP,), keep_volumes=rng.random() < 0.5)
        case "certs":
            return AddCertificate(app=APP, hostname="a.test")
        case "look":
            return Look()
        case _:
            return Deploy(stage=stage)


def _ours(rng: random.Random, app: CrowdApp, command: Command, stage: int) -> Ours:
    stages = app.stages[stage]
    chosen = rng.choice((None, None, None, "rolling", "immediate"))
    waits = 60.0 if stages.bad == "" else 20.0
    return Ours(
        command=command,
        computer=rng.choice((0, 0, 0, 1, 2)),
        memory=rng.choice(("own", "own", "own", "own", "lost", "old")),
        options=DeployOptions(
            allow_destructive=True,
            strategy=chosen,  # type: ignore[arg-type]  # a choice among its values
            ha=rng.random() < 0.8,
            smoke_checks=False,
            wait_timeout=waits,
            release_command_timeout=60.0,
            bluegreen_pause=0.5,
            on_failure=rng.choice(("rollback", "rollback", "keep", "stop")),
        ),
        faults=choose_faults(rng) if rng.random() < 0.3 else (),
        kill=choose_kill(rng) if rng.random() < 0.3 else None,
    )
