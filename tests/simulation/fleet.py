"""Everything that is there in a simulated world, in a form in which two worlds can be compared."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container
from typing import TYPE_CHECKING, Any

from fly_emulator import EmulatorSettings
from fly_emulator.filled import read_back
from fly_emulator.images import Registries
from fly_emulator.records import MachineRecord, SecretRecord
from tests.simulation.commands import SECRET_PREFIX
from tests.simulation.platform import group_of, living

if TYPE_CHECKING:
    from tests.simulation.simulate import Simulation

FILLED = EmulatorSettings()
PASSING_KEYS = {
    "fly_release_id",
    "fly_release_version",
    "fly_flyctl_version",
    "fly_bluegreen_deployment_tag",
    "fly_flyctl_bluegreen_launch_id",
}


def fleet(simulation: Simulation, *, settled: bool) -> dict[str, list[str]]:
    """Everything of each app; `settled`: enough time went by for all machines to start or stop."""
    regions = not simulation.scenario.options.fallback_regions
    world = simulation.emulator.world
    found: dict[str, list[str]] = {}
    for app in world.apps.values():
        lines = [
            f"machine {m.region if regions else ''} {m.state if settled else ''} {_machine(m, world.registries)}"
            for m in living(world, app.name)
        ]
        lines += [f"address {ip.type}" for ip in app.ips]
        lines += [f"secret {s.name}={_value(s)}" for s in app.secrets.values()]
        lines += [f"certificate {hostname}" for hostname in app.certificates]
        lost = simulation.disturber.lost
        volumes = [
            v
            for v in world.volumes_of(app)
            if v.deleted_at is None and (v.attached_machine_id or v.host not in lost)
        ]  # a new one is made where the host of a free one is lost
        lines += [
            f"volume {v.name} {v.size_gb} {settled and bool(v.attached_machine_id)}"
            for v in volumes
        ]
        found[app.name] = sorted(lines)
    return found


def _value(secret: SecretRecord) -> str:
    """What a user set is the same in both worlds; what is provisioned is only alike."""
    own = secret.value.startswith(f"{SECRET_PREFIX}user-")
    return secret.value if own else str(len(secret.value))


def _machine(machine: MachineRecord, images: Registries) -> str:
    restart = machine.config.get("restart") or {}
    plain = machine.config if restart.get("policy") else {**machine.config, "restart": None}
    filled = read_back(plain, FILLED)  # what an update sends back is in the config then
    config: dict[str, Any] = _given(json.loads(json.dumps(filled)))
    metadata = config.get("metadata") or {}
    config["metadata"] = {
        k: v
        for k, v in metadata.items()
        if k not in PASSING_KEYS and not k.startswith("score_flyio_")
    }
    (config.get("env") or {}).pop("FLY_STANDBY_FOR", None)
    config["image"] = images.reference(str(config.get("image")))["digest"]
    if config.get("standbys"):
        config["standbys"] = len(config["standbys"])
    mounts = config.get("mounts") or []
    config["mounts"] = [(m.get("name"), m.get("path"), bool(m.get("volume"))) for m in mounts]
    return f"{group_of(config)} {json.dumps(config, sort_keys=True)}"


def _given(value: Any) -> Any:
    """Without members that are null or empty: they say no more than those that are missing."""
    if isinstance(value, dict):
        given = {name: _given(item) for name, item in value.items()}
        return {name: item for name, item in given.items() if item not in (None, [], {})}
    return [_given(item) for item in value] if isinstance(value, list) else value


def different(
    found: dict[str, list[str]], wanted: dict[str, list[str]], *, but: Container[str] = ()
) -> list[str]:
    """Where two fleets differ, in other apps than some."""
    lines = []
    for app in sorted(name for name in found.keys() | wanted.keys() if name not in but):
        have, want = Counter(found.get(app, [])), Counter(wanted.get(app, []))
        lines += [f"app {app} has besides: {line}" for line in (have - want).elements()]
        lines += [
            f"app {app} lacks: {line}"
            for line in (want - have).elements()
            if not _spare_volume(line)  # of a group that was never launched here
        ]
    return lines


def too_many(
    found: dict[str, list[str]], wanted: dict[str, list[str]], *, but: Container[str]
) -> list[str]:
    """Apps with more machines, while other people only took some away."""
    have, want = (
        {app: sum(line.startswith("machine ") for line in lines) for app, lines in fleet.items()}
        for fleet in (found, wanted)
    )
    return [
        f"app {app} has {count} machines, {want.get(app, 0)} without other people"
        for app, count in have.items()
        if app not in but and count > want.get(app, 0)
    ]


def _spare_volume(line: str) -> bool:
    return line.startswith("volume ") and line.endswith(" False")
