"""Records as the JSON documents that callers see."""

from __future__ import annotations

import hashlib
from math import inf
from typing import Final

from fly_emulator.durations import seconds_of
from fly_emulator.filled import read_back
from fly_emulator.records import (
    App,
    EgressRecord,
    EventRecord,
    IpRecord,
    Json,
    LeaseRecord,
    MachineRecord,
    ReleaseRecord,
    SecretRecord,
    SnapshotRecord,
    VolumeRecord,
)
from fly_emulator.regions import Region
from fly_emulator.settings import PERSONAL, Organization
from fly_emulator.world import World
from score_flyio.base.clock import rfc3339

_SHOWN_EVENTS: Final = 20


def app_document(world: World, app: App, *, until: float = inf) -> Json:
    """An app; it counts its volumes, and the living machines that were made `until` then."""
    living = sum(machine.created_at <= until for machine in world.living_machines(app))
    organization = world.settings.owner(app.organization)
    return {
        "id": app.id,
        "name": app.name,
        "internal_numeric_id": app.number,
        "network": app.network,
        "status": "deployed" if app.deployed else "pending",
        "machine_count": living,
        "volume_count": len(list(world.living_volumes(app))),
        "app_role": app.role,
        "cname_target": f"{app.id[:7]}.{app.name}.fly.dev",
        "organization": {
            "name": organization.name,
            "slug": organization.slug,
            "internal_numeric_id": organization.number,
        },
    }


def organization_document(organization: Organization) -> Json:
    """An organization, as the interfaces beside the Machines API show it."""
    return {
        "id": organization_id(organization),
        "internal_numeric_id": organization.number,
        "slug": organization.slug,
        "raw_slug": organization.slug,
        "name": organization.name,
        "paid_plan": True,
        "personal": organization.slug == PERSONAL,
        "billing_status": "CURRENT",
        "provisions_beta_extensions": False,
        "billable": True,
        "remote_builder_image": "",
    }


def organization_id(organization: Organization) -> str:
    """The opaque id of an organization; the Machines API knows slugs only."""
    return hashlib.sha256(f"organization:{organization.slug}".encode()).hexdigest()[:20]


def machine_document(
    world: World, machine: MachineRecord, now: float, *, summary: bool = False
) -> Json:
    """A machine; a summary leaves out config, checks, events and host status."""
    document: Json = {
        "id": machine.id,
        "name": machine.name,
        "state": machine.state,
        "region": machine.region,
        "instance_id": machine.instance_id,
        "version": machine.instance_id,
        "private_ip": machine.private_ip,
        "created_at": rfc3339(machine.created_at),
        "updated_at": rfc3339(machine.updated_at),
        "image_ref": machine.version.image,
        "cordoned": machine.cordoned,
    }
    if summary:
        return document
    status = world.host_of(machine).status
    document["host_status"] = status
    if status == "ok":
        document["config"] = _shown_config(world, machine.config)
    else:
        document["incomplete_config"] = incomplete_config(machine.config)
    document["events"] = [
        event_document(event) for event in machine.events[: -_SHOWN_EVENTS - 1 : -1]
    ]
    document["checks"] = check_documents(world, machine, now)
    containers = machine.config.get("containers")
    if containers:
        document["containers"] = [
            {**({"name": c["name"]} if "name" in c else {}), "state": machine.state}
            for c in containers
        ]
    return document


def _shown_config(world: World, config: Json) -> Json:
    """The config as it is read back; what its volume is like stands at the mount."""
    config = read_back(config, world.settings)
    if not config.get("mounts"):
        return config
    mounts = []
    for mount in config["mounts"]:
        volume = world.volumes.get(mount.get("volume", ""))
        facts = {"encrypted": volume.encrypted, "size_gb": volume.size_gb} if volume else {}
        mounts.append({**mount, **facts})
    return {**config, "mounts": mounts}


def incomplete_config(config: Json) -> Json:
    """What is told of a config where not all of it is."""
    return {name: config[name] for name in ("image", "guest", "metadata") if name in config}


def event_document(event: EventRecord) -> Json:
    """An event of a machine; its time in milliseconds."""
    document: Json = {
        "id": event.id,
        "type": event.type,
        "status": event.status,
        "source": event.source,
        "timestamp": int(event.at * 1000),
    }
    if event.request is not None:
        document["request"] = event.request
    return document


def check_documents(world: World, machine: MachineRecord, now: float) -> list[Json]:
    """Results of the checks of a started machine; empty until they ran once."""
    started = machine.started_at
    least = world.settings.first_check_after
    if machine.state != "started" or started is None or now < started + least:
        return []
    within = world.settings.checks_numbered_in_service
    return [
        _check_document(world, machine, name, check, now)
        for name, check in named_checks(machine.config, within_service=within).items()
    ]


def named_checks(config: Json, *, within_service: bool) -> dict[str, Json]:
    """All configured checks by the names that their results have; of one name, one is left.

    Checks of services have the port of their service, if they name none.
    """
    found: dict[str, Json] = {}
    number = 0
    for service in config.get("services") or ():
        number = 0 if within_service else number
        for check in service.get("checks") or ():
            port = check.get("port") or service.get("internal_port")
            found[f"servicecheck-{number:02d}-{check.get('type') or 'tcp'}-{port}"] = {
                **check,
                "port": port,
            }
            number += 1
    return {**found, **(config.get("checks") or {})}


def _check_document(
    world: World, machine: MachineRecord, name: str, check: Json, now: float
) -> Json:
    assert machine.started_at is not None
    seen = machine.observed.get(name)
    if seen is not None:
        status = "passing" if seen.passes else "critical"
        updated = rfc3339(seen.at)
        return {"name": name, "status": status, "output": seen.output, "updated_at": updated}
    healthy_at = machine.healthy_at
    if healthy_at is not None and world.settings.checks_wait_for_grace:
        grace = seconds_of(check.get("grace_period")) or 0.0
        healthy_at = max(healthy_at, machine.started_at + grace)
    passing = healthy_at is not None and now >= healthy_at
    good = "200 OK" if str(check.get("type")).startswith("http") else "Success"
    changed = healthy_at if passing and healthy_at is not None else machine.started_at
    return {
        "name": name,
        "status": "passing" if passing else "critical",
        "output": good if passing else "connect: connection refused",
        "updated_at": rfc3339(changed),
    }


def release_document(release: ReleaseRecord) -> Json:
    """A release, as the interface for deployers shows it."""
    return {
        "id": release.id,
        "version": release.version,
        "stable": True,
        "in_progress": release.in_progress,
        "status": release.status,
        "strategy": release.strategy,
        "user": release.user,
        "created_at": rfc3339(release.created_at),
        "image_ref": release.image,
    }


def region_document(region: Region) -> Json:
    """A region, without what it has room for."""
    return {
        "code": region.code,
        "name": region.name,
        "latitude": region.latitude,
        "longitude": region.longitude,
        "gateway_available": True,
        "requires_paid_plan": False,
        "deprecated": False,
    }


def lease_document(machine: MachineRecord, lease: LeaseRecord) -> Json:
    """A lease in the envelope that the API has for leases."""
    return {
        "status": "success",
        "data": {
            "nonce": lease.nonce,
            "expires_at": int(lease.expires_at),
            "owner": lease.owner,
            "description": lease.description,
            "version": machine.instance_id,
        },
    }


def volume_document(world: World, volume: VolumeRecord, now: float) -> Json:
    """A volume in its present state."""
    state = "created" if now >= volume.ready_at else "creating"
    blocks = volume.size_gb * 262_144
    return {
        "id": volume.id,
        "name": volume.name,
        "state": state if volume.deleted_at is None else "pending_destroy",
        "size_gb": volume.size_gb,
        "region": volume.region,
        "zone": volume.zone,
        "encrypted": volume.encrypted,
        "fstype": volume.fstype,
        "attached_machine_id": volume.attached_machine_id,
        "attached_alloc_id": None,
        "created_at": rfc3339(volume.created_at),
        "snapshot_retention": volume.snapshot_retention,
        "auto_backup_enabled": volume.auto_backup_enabled,
        "host_status": world.hosts[volume.host].status,
        "blocks": blocks,
        "block_size": 4096,
        "blocks_free": blocks,
        "blocks_avail": blocks,
        "bytes_used": 0,
        "bytes_total": blocks * 4096,
    }


def snapshot_document(snapshot: SnapshotRecord) -> Json:
    """A snapshot of a volume; sizes in bytes."""
    return {
        "id": snapshot.id,
        "size": 4096,
        "volume_size": snapshot.volume_gb * 1024**3,
        "digest": snapshot.digest,
        "created_at": rfc3339(snapshot.created_at),
        "status": "created",
        "retention_days": snapshot.retention_days,
    }


def secret_document(secret: SecretRecord, *, reveal: bool = False) -> Json:
    """A secret by its digest; its value only when asked to reveal it."""
    return {
        "name": secret.name,
        "digest": secret.digest,
        "created_at": rfc3339(secret.created_at),
        "updated_at": rfc3339(secret.updated_at),
        **({"value": secret.value} if reveal else {}),
    }


def ip_document(ip: IpRecord) -> Json:
    """An address of an app."""
    return {
        "ip": ip.ip,
        "region": ip.region,
        "service_name": ip.service_name,
        "shared": ip.type == "shared_v4",
        "created_at": rfc3339(ip.created_at),
    }


def egress_document(address: EgressRecord) -> Json:
    """An address that connections of an app to the outside come from."""
    return {
        "ip": address.ip,
        "region": address.region,
        "service_name": "",
        "shared": False,
        "egress": True,
        "created_at": rfc3339(address.updated_at),
    }
