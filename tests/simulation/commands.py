"""What a user of a simulated project does, one command after another, chosen from the seed."""

from __future__ import annotations

import random
from typing import TypeAlias

from attrs import evolve, frozen

from score_flyio.deploy.options import GuestOptions
from tests.simulation.inputs import SimApp

SECRET_PREFIX = "s3cr3t-"
"""How the value of every secret begins, so that it is found wherever it stands."""
NAMES = ("TOKEN", "KEY", "SALT")
SIZES = (
    GuestOptions(size="shared-cpu-2x"),
    GuestOptions(memory="512mb"),
    GuestOptions(cpus=2, memory="1gb"),
)


@frozen(kw_only=True)
class Deploy:
    """`deploy` of all apps as they are in a stage."""

    stage: int


@frozen(kw_only=True)
class Scale:
    """`scale`: counts, a size, or both."""

    app: str
    counts: tuple[tuple[str, int], ...] = ()
    """Machines by group."""
    regions: tuple[str, ...] = ()
    size: GuestOptions | None = None


@frozen(kw_only=True)
class Rollback:
    """`rollback`, to the release that an earlier command made, or to the previous one."""

    app: str
    to: int | None = None
    """The place of that command; None: without `--to`."""


@frozen(kw_only=True)
class ChangeSecrets:
    """`secrets set`, `unset` or `import`; None deletes."""

    app: str
    values: tuple[tuple[str, str | None], ...]
    stage: bool = False
    from_stdin: bool = False
    """Whether they are imported as lines."""


@frozen(kw_only=True)
class DeploySecrets:
    """`secrets deploy`."""

    app: str


@frozen(kw_only=True)
class Destroy:
    """`destroy` of some apps."""

    apps: tuple[str, ...]
    keep_volumes: bool = False


@frozen(kw_only=True)
class AddCertificate:
    """`certs add`."""

    app: str
    hostname: str


@frozen(kw_only=True)
class RemoveCertificate:
    """`certs remove`."""

    app: str
    hostname: str


@frozen(kw_only=True)
class Look:
    """`status` and `releases` of everything."""


Command: TypeAlias = (
    Deploy
    | Scale
    | Rollback
    | ChangeSecrets
    | DeploySecrets
    | Destroy
    | AddCertificate
    | RemoveCertificate
    | Look
)


def name_of(command: Command) -> str:
    """The kind of a command, for counting."""
    match command:
        case ChangeSecrets():
            unset = all(value is None for _, value in command.values)
            kind = "import" if command.from_stdin else "unset" if unset else "set"
            return f"secrets {kind}{' --stage' if command.stage else ''}"
        case Destroy(keep_volumes=True):
            return "destroy --keep-volumes"
        case Rollback(to=int()):
            return "rollback --to"
        case DeploySecrets():
            return "secrets deploy"
        case AddCertificate():
            return "certs add"
        case RemoveCertificate():
            return "certs remove"
        case _:
            return type(command).__name__.lower()


def reads_only(command: Command) -> bool:
    """Whether it must not change anything."""
    return isinstance(command, Look)


def touches(command: Command, app: str) -> bool:
    """Whether it may stop, start, make or delete machines of an app."""
    match command:
        case Deploy():
            return True
        case Destroy():
            return app in command.apps
        case ChangeSecrets():
            return command.app == app and not command.stage
        case Scale() | Rollback() | DeploySecrets():
            return command.app == app
        case _:
            return False


def waits(command: Command, app: str) -> bool:
    """Whether its success says that the machines of an app are well."""
    return touches(command, app) and not isinstance(command, Destroy)


def is_idle(command: Command) -> bool:
    """Whether there is nothing to do when it is done: `rollback` goes further back each time."""
    return not (isinstance(command, Rollback) and command.to is None)


def choose_commands(
    rng: random.Random, apps: tuple[SimApp, ...], *, one_region: bool
) -> tuple[Command, ...]:
    """Deploys of all stages, each followed by operations, and a deploy at the end.

    Unless machines stay in their region, nobody scales one region.
    """
    stages = len(apps[0].versions)
    commands: list[Command] = []
    for stage in range(stages):
        commands.append(Deploy(stage=stage))
        for _ in range(rng.choice((1, 1, 2))):
            operation = _operation(rng, apps, stage, commands)
            if isinstance(operation, Scale) and not one_region:
                operation = evolve(operation, regions=())
            commands.append(operation)
    return (*commands, Deploy(stage=stages - 1))


def _operation(
    rng: random.Random, apps: tuple[SimApp, ...], stage: int, before: list[Command]
) -> Command:
    app = rng.choice(apps)
    kinds = ["scale"] * 4 + ["secrets"] * 3 + ["rollback"] * (4 if stage else 1)
    kinds += ["destroy", "destroy", "certs", "look", "hand_out"]
    match rng.choice(kinds):
        case "scale":
            return _scale(rng, app, app.versions[stage].groups)
        case "secrets":
            return _secrets(rng, app.app)
        case "rollback":
            deploys = [
                place
                for place, command in enumerate(before)
                if isinstance(command, Deploy)
                and not any(app.versions[command.stage].bad for app in apps)
            ]
            return Rollback(app=app.app, to=rng.choice((None, None, *deploys)))
        case "destroy":
            chosen = apps if rng.random() < 0.3 else (app,)
            return Destroy(apps=tuple(a.app for a in chosen), keep_volumes=rng.random() < 0.5)
        case "certs":
            added = [c for c in before if isinstance(c, AddCertificate)]
            if added and rng.random() < 0.6:
                return RemoveCertificate(app=added[-1].app, hostname=added[-1].hostname)
            return AddCertificate(app=app.app, hostname=rng.choice(("a.test", "b.test")))
        case "hand_out":
            return DeploySecrets(app=app.app)
        case _:
            return Look()


def _scale(rng: random.Random, app: SimApp, groups: tuple[str, ...]) -> Scale:
    counted = rng.sample(groups, rng.randint(1, len(groups)))
    counts = tuple((group, rng.choice((0, 1, 1, 2, 3, 4))) for group in counted)
    size = rng.choice(SIZES) if rng.random() < 0.4 else None
    if size is not None and rng.random() < 0.6:
        return Scale(app=app.app, size=size)
    regions = rng.choice(((), (), ("iad",), ("ord",), ("iad", "ord")))
    return Scale(app=app.app, counts=counts, regions=regions, size=size)


def _secrets(rng: random.Random, app: str) -> ChangeSecrets:
    names = rng.sample(NAMES, rng.randint(1, 2))
    unset = rng.random() < 0.25
    values = tuple(
        (name, None if unset else f"{SECRET_PREFIX}user-{rng.randint(1, 3)}") for name in names
    )
    return ChangeSecrets(
        app=app,
        values=values,
        stage=rng.random() < 0.35,
        from_stdin=not unset and rng.random() < 0.4,
    )
