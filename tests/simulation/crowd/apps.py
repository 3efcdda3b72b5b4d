"""The app of a crowd: a hand-written fly.toml with everything in it, and how it changes."""

from __future__ import annotations

import random
from pathlib import Path

from attrs import evolve, field, frozen

from score_flyio.engine.inputs import FlyTomlApp
from score_flyio.flytoml import read_fly_toml
from score_flyio.flytoml.spec import AppSpec
from tests.simulation.inputs import MARKS, Badness

APP = "sim-crowd"
NAMES = ("app", "cron", "worker")
VOLUMES = ("data", "data", "logs")
_OTHERS = ("back", "front", "side", "top")
"""Names of groups that are all renamed at once."""


@frozen(kw_only=True)
class Group:
    """One process group of a version."""

    name: str
    volume: str | None = None
    """The name of the volume that it mounts."""
    check: bool = True
    memory: int | None = None


@frozen(kw_only=True)
class Stage:
    """One version of the file."""

    image: int = 1
    value: int = 1
    groups: tuple[Group, ...] = (Group(name="app"),)
    served: bool = True
    """Whether the first group has a service."""
    bad: Badness = ""
    strategy: str = "rolling"
    release_command: bool = False
    machine_check: bool = False
    autostop: str = "off"
    running: int = 0
    """`min_machines_running`."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(group.name for group in self.groups)

    def group(self, name: str) -> Group | None:
        return next((group for group in self.groups if group.name == name), None)

    def to_toml(self) -> str:
        """The file."""
        lines = [f'app = "{APP}"', 'primary_region = "iad"']
        lines += ["[build]", f'image = "registry/x:{self.image}"']
        lines += ["[env]", f'VALUE = "{self.value}"']
        lines += [f'{name} = "{text}"' for name, text in MARKS[self.bad].items()]
        lines += ["[deploy]", f'strategy = "{self.strategy}"']
        if self.release_command:
            lines.append(f'release_command = "migrate{" --fail" * (self.bad == "release")}"')
        lines += ["[processes]", *(f'{name} = "run {name}"' for name in self.names)]
        if self.served:
            lines += self._service()
        for group in self.groups:
            lines += self._of_group(group)
        return "\n".join(lines) + "\n"

    def _service(self) -> list[str]:
        lines = ["[http_service]", "internal_port = 8080", f'processes = ["{self.names[0]}"]']
        lines += [f'auto_stop_machines = "{self.autostop}"', "auto_start_machines = true"]
        lines += [f"min_machines_running = {self.running}"] if self.running else []
        lines += ["[[http_service.checks]]", 'path = "/"', 'interval = "10s"']
        if self.machine_check:
            result = "false" if self.bad == "test" else "true"
            lines += ["[[http_service.machine_checks]]", f'command = ["{result}"]']
        return lines

    @staticmethod
    def _of_group(group: Group) -> list[str]:
        lines: list[str] = []
        if group.check:
            lines += [f"[checks.{group.name}]", 'type = "tcp"', "port = 9000"]
            lines += [f'processes = ["{group.name}"]']
        if group.volume:
            lines += ["[[mounts]]", f'source = "{group.volume}"', 'destination = "/data"']
            lines += [f'processes = ["{group.name}"]']
        if group.memory:
            lines += ["[[vm]]", f'memory = "{group.memory}mb"', f'processes = ["{group.name}"]']
        return lines


@frozen(kw_only=True)
class CrowdApp:
    """The app and its versions."""

    stages: tuple[Stage, ...] = field(factory=tuple)

    @property
    def app(self) -> str:
        return APP

    def input(self, stage: int) -> FlyTomlApp:
        """The app as it is deployed in a stage."""
        document = read_fly_toml(self.stages[stage].to_toml(), file="fly.toml")
        if document.spec is None or document.problems:
            raise AssertionError(document.problems)
        return FlyTomlApp(
            app=APP, document=document, spec=document.spec, directory=Path("/nowhere")
        )

    def spec(self, stage: int) -> AppSpec:
        return self.input(stage).spec


def choose_stages(rng: random.Random) -> tuple[Stage, ...]:
    """Two to four versions, each made of the one before; the last one is well."""
    stage = Stage(
        groups=_groups(rng),
        served=rng.random() < 0.7,
        strategy=rng.choice(("rolling", "rolling", "canary", "bluegreen", "immediate")),
        release_command=rng.random() < 0.2,
        machine_check=rng.random() < 0.2,
        autostop=rng.choice(("off", "off", "off", "stop", "suspend")),
        running=rng.choice((0, 0, 1)),
    )
    stages = [stage]
    for _ in range(rng.choice((1, 2, 2, 3))):
        stages.append(_changed(rng, stages[-1]))
    last = evolve(stages.pop(), bad="")
    return tuple(map(_possible, (*stages, last)))


def _groups(rng: random.Random) -> tuple[Group, ...]:
    names = rng.choice((("app",), ("app", "worker"), ("app", "cron", "worker"), ("worker",)))
    return tuple(_group(rng, name) for name in names)


def _group(rng: random.Random, name: str) -> Group:
    volume = rng.choice(VOLUMES) if rng.random() < 0.3 else None
    return Group(name=name, volume=volume, check=rng.random() < 0.8)


def _changed(rng: random.Random, before: Stage) -> Stage:
    number = before.value + 1
    stage = evolve(before, bad="")
    for what in rng.sample(("image", "value", "groups", "strategy", "rest", "bad"), 2):
        match what:
            case "image":
                stage = evolve(stage, image=number)
            case "value":
                stage = evolve(stage, value=number)
            case "groups":
                stage = evolve(stage, groups=_other_groups(rng, stage.groups))
            case "strategy":
                strategy = rng.choice(("rolling", "canary", "bluegreen", "immediate"))
                stage = evolve(stage, strategy=strategy)
            case "rest":
                stage = evolve(stage, served=not stage.served, running=rng.choice((0, 1)))
            case _ if rng.random() < 0.5:
                bad = rng.choice(("unhealthy", "crash", "release", "test"))
                stage = evolve(stage, bad=bad, value=number)  # type: ignore[arg-type]
    return stage


def _other_groups(rng: random.Random, groups: tuple[Group, ...]) -> tuple[Group, ...]:
    """One group is added, removed, renamed, or has its mount given, taken or moved."""
    names = {group.name for group in groups}
    free = [name for name in (*NAMES, "web") if name not in names]
    chosen = rng.choice(groups)
    others = tuple(group for group in groups if group is not chosen)
    match rng.choice(("add", "remove", "rename", "rename", "all", "mount", "swap", "size")):
        case "add" if free:
            found: tuple[Group, ...] = (*groups, _group(rng, rng.choice(free)))
        case "remove" if others:
            found = others
        case "rename" if free:
            found = (*others, evolve(chosen, name=rng.choice(free)))
        case "all":
            found = tuple(
                evolve(group, name=name) for group, name in zip(groups, _OTHERS, strict=False)
            )
        case "mount":
            volume = None if chosen.volume else rng.choice(VOLUMES)
            found = (*others, evolve(chosen, volume=volume))
        case "swap" if others:
            found = (
                evolve(chosen, volume=others[0].volume),
                evolve(others[0], volume=chosen.volume),
                *others[1:],
            )
        case _:
            found = (*others, evolve(chosen, memory=rng.choice((512, 1024))))
    return tuple(sorted(found, key=lambda group: group.name))


def _possible(stage: Stage) -> Stage:
    """Spare machines cannot have volumes; bluegreen needs checks."""
    mounted = any(group.volume for group in stage.groups)
    if mounted and stage.strategy in {"canary", "bluegreen"}:
        return evolve(stage, strategy="rolling")
    if stage.strategy == "bluegreen":
        groups = tuple(evolve(group, check=True) for group in stage.groups)
        return evolve(stage, groups=groups)
    return stage
