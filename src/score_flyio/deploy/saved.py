"""The fly.toml of an app that runs: what its last release was made from, and what its machines are.

The inverse of `deploy.desired`: deploying what is written here changes nothing. Machine configs
name most things as fly.toml does, so they are made a tree of its keys, which is read like a file.
They carry not all of a fly.toml, such as `[deploy]`; the definition of the last release has the
rest, and stays wherever the machines are as it says.
"""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from fly_machines.models import FlyMachineConfig, Machine, Volume
from score_flyio.base.record import define, evolve, field, frozen
from score_flyio.deploy.compare import AUTOSTOP, differences, timed
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.guest import default_guest
from score_flyio.deploy.desired.settings import build_strategies
from score_flyio.deploy.drift import drift
from score_flyio.deploy.local_files import NO_FILES
from score_flyio.deploy.metadata import group_of, release_number
from score_flyio.deploy.model import FileSource
from score_flyio.errors import Problem, ScoreFlyError
from score_flyio.fly.codec import unstructure
from score_flyio.fly.present import is_standby, metadata
from score_flyio.flytoml import read_fly_toml
from score_flyio.flytoml.spec import AppSpec, ExperimentalSection, Mount

Tree = dict[str, Any]

FOLDER: Final = "files"
"""Where files are written that the fly.toml refers to, relative to the working directory."""
_SET_BY_TOOL: Final = frozenset({"FLY_PROCESS_GROUP", "PRIMARY_REGION", "FLY_STANDBY_FOR"})
_POLICIES: Final = {"no": "never", "always": "always", "on-failure": "on-failure"}
_FILLED_RESTART: Final = {("policy", "on-failure"), ("retries", 10)}
"""Beside it, in 2022 the platform filled in retries without a policy."""
_FILLED_CONCURRENCY: Final = {"type": "connections", "soft_limit": 20, "hard_limit": 25}
_FILLED_RETENTION: Final = 5
"""What the platform fills in where nothing was said: nobody asked for it."""
_UNWRITABLE: Final = (
    "containers",
    "schedule",
    "standbys",
    "rootfs",
    "spot",
    "processes",
    "size",
    "volumes",
)
"""Members of a machine config without a key in fly.toml."""


@frozen(kw_only=True)
class SavedApp:
    """An app that runs, as a fly.toml."""

    spec: AppSpec
    files: dict[str, bytes] = field(factory=dict, repr=False)
    """Local files that the fly.toml refers to: contents that TOML text cannot carry."""
    notes: tuple[str, ...] = ()
    """What runs but cannot be said in a fly.toml."""


def saved_app(
    app: str,
    machines: Sequence[Machine],
    *,
    definition: AppSpec | None = None,
    files: FileSource = NO_FILES,
    volumes: Sequence[Volume] = (),
) -> SavedApp:
    """What a fly.toml has to say for `machines` to be as they are.

    Args:
        app: its name.
        machines: those of the running app, with their configs; of each process group, one that has
            the newest release and covers for no other machine counts.
        definition: of the last release, where it is known.
        files: local files that the definition refers to.
        volumes: of the app; how large they are, and what becomes of their snapshots.

    Raises:
        ScoreFlyError: the configs do not make a valid fly.toml.
    """
    chosen = dict(_representatives(machines))
    if definition is not None:
        changed = _changed(definition, tuple(chosen.values()), files)
        if not changed and build_strategies(definition.build):
            return SavedApp(spec=evolve(definition, app=app))
    configs = {group: _config(machine) for group, machine in chosen.items()}
    saving = _Saving(configs=configs, volumes={volume.id or "": volume for volume in volumes})
    tree = {"app": app, **saving.tree()}
    document = read_fly_toml(json.dumps(tree), file=f"app {app}", form="json")
    if document.spec is None or not document.valid:
        raise ScoreFlyError(
            f"what runs in app {app} cannot be written as a fly.toml",
            code="app_not_expressible",
            problems=[*document.problems, *(Problem(message=note) for note in saving.notes)],
        )
    if definition is None:
        return SavedApp(spec=document.spec, files=saving.files, notes=tuple(saving.notes))
    spec = _laid_over(definition, document.spec, changed)
    beside = saving.files if "files" in changed else {}
    return SavedApp(spec=spec, files=beside, notes=tuple(saving.notes) if changed else ())


_SECTIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "env": ("env", "primary_region"),
    "services": ("http_service", "services"),
    "checks": ("checks",),
    "mounts": ("mounts",),
    "files": ("files",),
    "statics": ("statics",),
    "metrics": ("metrics",),
    "restart": ("restart",),
    "guest": ("vm", "host_dedication_id"),
    "stop_config": ("kill_signal", "kill_timeout"),
    "init": ("processes", "swap_size_mb", "experimental"),
    "image": ("build",),
}
"""Members of a machine config, and the sections of a fly.toml that they come from."""


def _changed(definition: AppSpec, machines: Sequence[Machine], files: FileSource) -> frozenset[str]:
    """The sections of which a machine is otherwise than the definition says."""
    every = frozenset(name for names in _SECTIONS.values() for name in names)
    try:
        found = drift(definition, machines, files=files)
    except ConversionError:
        if not definition.files:
            return every
        rest = _changed(evolve(definition, files=()), machines, files)  # local ones are not here
        return rest | {"files"}
    if any(each.note and each.machine for each in found):  # a group that it does not know
        return every
    paths = [difference.path for each in found for difference in each.differences]
    members = {path.partition(".")[0].partition("[")[0] for path in paths}
    if not definition.vm and not all(map(_of_default_size, machines)):
        members.add("guest")  # an update leaves a size alone that the file does not name
    return frozenset(name for member in members for name in _SECTIONS.get(member, ()))


def _of_default_size(machine: Machine) -> bool:
    sized = FlyMachineConfig(guest=machine.config.guest if machine.config else None)
    return not differences(FlyMachineConfig(guest=default_guest()), sized)


def _laid_over(definition: AppSpec, spec: AppSpec, changed: Collection[str]) -> AppSpec:
    """The definition with the sections that changed as they are now."""
    changes = {name: getattr(spec, name) for name in changed}
    if "experimental" in changed and definition.experimental is not None:
        changes["experimental"] = evolve(
            spec.experimental or ExperimentalSection(),
            **{name: getattr(definition.experimental, name) for name in _SWITCHES},
        )
    if spec.build is not None and ("build" in changed or not build_strategies(definition.build)):
        changes["build"] = evolve(definition.build or spec.build, image=spec.build.image)
    if "mounts" in changed:
        known = {mount.source: mount for mount in definition.mounts}
        changes["mounts"] = tuple(_with_wishes(m, known.get(m.source, m)) for m in spec.mounts)
    return evolve(definition, app=spec.app, **changes)


_SWITCHES: Final = (
    "auto_rollback",
    "enable_consul",
    "enable_etcd",
    "lazy_load_images",
    "machine_config",
    "attached",
)
"""What `[experimental]` has that is no part of `init`."""


def _with_wishes(mount: Mount, known: Mount) -> Mount:
    """A mount with what only its volume once heard."""
    return evolve(
        mount,
        initial_size=known.initial_size,
        snapshot_retention=known.snapshot_retention,
        scheduled_snapshots=known.scheduled_snapshots,
    )


def _representatives(machines: Sequence[Machine]) -> Iterator[tuple[str, Machine]]:
    def rank(machine: Machine) -> tuple[bool, int, str]:
        return not is_standby(machine), release_number(metadata(machine)), machine.id or ""

    for group in sorted({group_of(machine) for machine in machines}):
        best = max((m for m in machines if group_of(m) == group), key=rank)
        if best.config is not None:
            yield group, best


def _config(machine: Machine) -> Tree:
    config: Tree = unstructure(machine.config)
    return {**config, "stop_config": timed(config.get("stop_config") or {})}


@define(kw_only=True)
class _Saving:
    configs: dict[str, Tree]
    """By process group."""
    volumes: Mapping[str, Volume] = field(factory=dict)
    """By id."""
    files: dict[str, bytes] = field(factory=dict)
    notes: list[str] = field(factory=list)

    def tree(self) -> Tree:
        for group, config in self.configs.items():
            unwritable = [name for name in _UNWRITABLE if config.get(name)]
            self.notes += [f"group {group}: {name} is left out" for name in unwritable]
        tree = {
            "primary_region": self._shared("primary region", "env", "PRIMARY_REGION"),
            "kill_signal": self._shared("kill signal", "stop_config", "signal"),
            "kill_timeout": self._shared("kill timeout", "stop_config", "timeout"),
            "swap_size_mb": self._shared("swap size", "init", "swap_size_mb"),
            "build": {"image": self._shared("image", "image")},
            "experimental": {
                "entrypoint": self._shared("entrypoint", "init", "entrypoint"),
                "exec": self._shared("exec", "init", "exec"),
            },
            "env": self._environment(),
            "processes": self._processes(),
            "files": [self._file(file) for file in self._shared("files", "files") or ()],
            "statics": self._shared("statics", "statics"),
            "checks": self._checks(),
            "services": self._sections("services", _service),
            "mounts": self._sections("mounts", self._mount),
            "restart": [
                each
                for each in self._sections("restart", _restart)
                if each["policy"] and not each.items() >= _FILLED_RESTART
            ],
            "vm": self._sections("guest", _vm),
            "metrics": self._sections("metrics", dict),
        }
        return dict(_given(tree))

    def _shared(self, what: str, *path: str) -> Any:
        """A value that a fly.toml has once for all groups."""
        values: list[Any] = list(self.configs.values())
        for name in path:
            values = [(value or {}).get(name) for value in values]
        if any(value != values[0] for value in values):
            groups = ", ".join(self.configs)
            self.notes.append(
                f"{what} differs between the groups {groups}: that of the first stays"
            )
        return values[0] if values else None

    def _environment(self) -> Tree:
        names = {name for config in self.configs.values() for name in config.get("env") or {}}
        return {
            name: self._shared(f"env.{name}", "env", name) or ""
            for name in sorted(names - _SET_BY_TOOL)
        }

    def _processes(self) -> Tree:
        """The commands of the groups, where these have to be named."""
        inits = {group: config.get("init") or {} for group, config in self.configs.items()}
        lines = {group: shlex.join(init.get("cmd") or ()) for group, init in inits.items()}
        return lines if set(lines) != {"app"} or lines["app"] else {}

    def _file(self, file: Tree) -> Tree:
        if file.get("raw_value") is None:
            return file
        content = base64.b64decode(file["raw_value"])
        entry = {"guest_path": file.get("guest_path")}
        try:
            return {**entry, "raw_value": content.decode()}
        except UnicodeDecodeError:
            path = f"{FOLDER}/{str(file.get('guest_path')).strip('/').replace('/', '_')}"
            self.files[path] = content
            return {**entry, "local_path": path}

    def _checks(self) -> Tree:
        checks: dict[str, Tree] = {}
        for group, config in self.configs.items():
            for name, raw in (config.get("checks") or {}).items():
                self._add_check(checks, name, _check(raw), group)
        return checks

    def _add_check(self, checks: dict[str, Tree], name: str, check: Tree, group: str) -> None:
        known = checks.get(name)
        if known is None:
            checks[name] = {**check, **self._only(group)}
        elif {**check, "processes": known.get("processes")} == known:
            known["processes"].append(group)
        else:
            self.notes.append(f"group {group}: the check {name} is left out: another has its name")

    def _sections(self, key: str, convert: Any) -> list[Tree]:
        found: list[Tree] = []
        for group, config in self.configs.items():
            raw = config.get(key) or []
            items = raw if isinstance(raw, list) else [raw]
            found += [{**convert(item), **self._only(group)} for item in items]
        return found

    def _mount(self, mount: Tree) -> Tree:
        volume = self.volumes.get(mount.get("volume") or "", Volume())
        if volume.encrypted is False:
            self.notes.append(f"volume {volume.id} is not encrypted: new ones of its mount are")
        retention, scheduled = volume.snapshot_retention, volume.auto_backup_enabled
        return {
            "source": mount.get("name"),
            "destination": mount.get("path"),
            "initial_size": _gigabytes(volume.size_gb),
            "snapshot_retention": None if retention == _FILLED_RETENTION else retention,
            "scheduled_snapshots": None if scheduled else scheduled,
            "auto_extend_size_threshold": mount.get("extend_threshold_percent"),
            "auto_extend_size_increment": _gigabytes(mount.get("add_size_gb")),
            "auto_extend_size_limit": _gigabytes(mount.get("size_gb_limit")),
        }

    def _only(self, group: str) -> Tree:
        return {"processes": [group]} if self._processes() else {}


def _given(value: Any) -> Any:
    """Without what is absent: None, and tables and lists with nothing in them."""
    if isinstance(value, dict):
        kept = {name: _given(item) for name, item in value.items() if item is not None}
        return {name: item for name, item in kept.items() if item not in ({}, [])}
    return [_given(item) for item in value] if isinstance(value, list) else value


def _service(service: Tree) -> Tree:
    checks = service.get("checks") or []
    autostop, concurrency = service.get("autostop"), service.get("concurrency")
    return {
        "protocol": service.get("protocol"),
        "internal_port": service.get("internal_port"),
        "auto_stop_machines": AUTOSTOP.get(autostop, autostop),
        "auto_start_machines": service.get("autostart"),
        "min_machines_running": service.get("min_machines_running"),
        "ports": service.get("ports"),
        "concurrency": None if concurrency == _FILLED_CONCURRENCY else concurrency,
        "tcp_checks": [_check(check) for check in checks if check.get("type") == "tcp"],
        "http_checks": [_check(check) for check in checks if check.get("type") != "tcp"],
    }


def _check(check: Tree) -> Tree:
    headers = {h["name"]: (h.get("values") or [""])[0] for h in check.get("headers") or ()}
    return {**timed(check), "headers": headers}


def _gigabytes(size: int | None) -> str | None:
    return f"{size}GB" if size else None


def _restart(restart: Tree) -> Tree:
    policy = restart.get("policy", "")
    return {"policy": _POLICIES.get(policy, policy), "retries": restart.get("max_retries")}


def _vm(guest: Tree) -> Tree:
    memory = guest.get("memory_mb")
    return {
        **{name: value for name, value in guest.items() if name != "memory_mb"},
        "memory": f"{memory}mb" if memory else None,
    }
