"""What the status page shows: the apps with their machines, and the calls against the limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from fly_emulator import documents
from fly_emulator.journal import JournalEntry
from fly_emulator.limits import RateLimiter
from fly_emulator.proxy import serves
from fly_emulator.records import App, Json, MachineRecord, VolumeRecord
from fly_emulator.world import World

if TYPE_CHECKING:
    from fly_emulator.core import Emulator

KEPT_SAMPLES: Final = 300
SAMPLE_EVERY: Final = 1.0
"""Seconds between looks at which machines serve."""
SHOWN_MACHINES: Final = 400
SHOWN_SECONDS: Final = 60
_SHOWN_BUCKETS: Final = 6


Sample: TypeAlias = Mapping[str, tuple[int, int]]
"""By app, how many machines served at one time, and how many there were."""


def sample(world: World, now: float) -> Sample:
    """Look once."""
    found: dict[str, tuple[int, int]] = {}
    for app in world.apps.values():
        living = list(world.living_machines(app))
        found[app.name] = (sum(serves(world, one, now) for one in living), len(living))
    return found


def overview(emulator: Emulator, history: Collection[Sample]) -> Json:
    """All of it as a document; of very many machines the first ones."""
    now, world, runtime = emulator.advance(), emulator.world, emulator.runtime
    urls = runtime.urls if runtime is not None else {}
    left, apps = SHOWN_MACHINES, []
    for app in world.apps.values():
        shown = _app(world, app, history, now, left)
        left -= len(shown["machines"])
        shown["url"] = urls.get(app.name)
        shown["more_urls"] = [url for name, url in urls.items() if name.startswith(f"{app.name}:")]
        apps.append(shown)
    calls = _calls(emulator.journal.entries, emulator.limiter, now)
    return {"now": now, "ahead": world.ahead, "apps": apps, "calls": calls}


def _app(world: World, app: App, history: Collection[Sample], now: float, most: int) -> Json:
    living = list(world.living_machines(app))
    return {
        "name": app.name,
        "organization": app.organization,
        "serving": sum(serves(world, one, now) for one in living),
        "count": len(living),
        "machines": [_machine(world, one, now) for one in living[: max(most, 0)]],
        "volumes": [_volume(world, one, now) for one in world.volumes_of(app)],
        "addresses": [{"ip": one.ip, "type": one.type, "region": one.region} for one in app.ips],
        "secrets": sorted(app.secrets),
        "history": [sample[app.name] for sample in history if app.name in sample],
    }


def _machine(world: World, machine: MachineRecord, now: float) -> Json:
    config, lease = machine.config, machine.lease_at(now)
    metadata: Mapping[str, Any] = config.get("metadata") or {}
    checks = documents.check_documents(world, machine, now)
    return {
        "id": machine.id,
        "name": machine.name,
        "state": machine.state,
        "since": machine.visits[-1].at if machine.visits else machine.created_at,
        "region": machine.region,
        "host": machine.host,
        "host_status": world.host_of(machine).status,
        "group": metadata.get("fly_process_group"),
        "release": metadata.get("fly_release_version"),
        "image": config.get("image"),
        "serves": serves(world, machine, now),
        "cordoned": machine.cordoned,
        "checks": [{"name": one["name"], "status": one["status"]} for one in checks],
        "lease": lease and {"owner": lease.owner, "seconds": lease.expires_at - now},
    }


def _volume(world: World, volume: VolumeRecord, now: float) -> Json:
    shown = documents.volume_document(world, volume, now)
    names = ("id", "name", "state", "size_gb", "region", "attached_machine_id")
    return {name: shown[name] for name in names}


def _calls(entries: Sequence[JournalEntry], limiter: RateLimiter, now: float) -> Json:
    """How many there were in each of the last seconds, and the limits that are nearest."""
    seconds, refused = [0] * SHOWN_SECONDS, [0] * SHOWN_SECONDS
    for entry in reversed(entries):
        age = int(now - entry.at)
        if age >= SHOWN_SECONDS:
            break
        seconds[-1 - max(age, 0)] += 1
        refused[-1 - max(age, 0)] += entry.status == 429
    limits = limiter.nearest(now)[:_SHOWN_BUCKETS]
    return {"seconds": seconds, "refused": refused, "limits": limits}
