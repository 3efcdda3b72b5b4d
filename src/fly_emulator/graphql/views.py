"""Records as the objects of the schema: fields by name, functions for fields with arguments.

A document of the Machines API is such an object, too, of the fields that both have.
"""

from __future__ import annotations

from typing import Any

from fly_emulator import documents
from fly_emulator.calls import Call
from fly_emulator.graphql.organizations import (
    connection,
    organization_view,
    tokens_view,
    user_view,
)
from fly_emulator.handlers import certificates
from fly_emulator.records import (
    App,
    CertificateRecord,
    IpRecord,
    Json,
    MachineRecord,
    ReleaseRecord,
    VolumeRecord,
)
from score_flyio.base.clock import rfc3339

_IMAGE_BYTES = "12345678"
"""No registry is asked: every image has the same size."""


def app_view(call: Call, app: App) -> Json:
    """An app; what takes work is made only when it is asked for."""
    document = documents.app_document(call.world, app)
    shared = next((ip.ip for ip in app.ips if ip.type == "shared_v4"), None)
    newest = app.releases[-1] if app.releases else None
    current = newest and release_view(newest)
    return {
        **document,
        "__typename": "App",
        "id": app.name,
        "hostname": f"{app.name}.fly.dev",
        "appUrl": f"https://{app.name}.fly.dev",
        "state": document["status"].upper(),
        "createdAt": rfc3339(app.created_at),
        "deployed": app.deployed,
        "version": newest.version if newest else 0,
        "platformVersion": "machines",
        "role": {"name": app.role} if app.role else None,
        "networkId": 1,
        "organization": organization_view(call, call.settings.owner(app.organization)),
        "config": {"definition": newest.definition if newest else {}},
        "currentRelease": current,
        "currentReleaseUnprocessed": current,
        "releases": lambda **wishes: _releases(app, **wishes),
        "releasesUnprocessed": lambda **wishes: _releases(app, **wishes),
        "image": lambda ref: image_view(call, ref),
        "imageDetails": lambda: _running_image(call, app),
        "ipAddresses": lambda **_: {
            "nodes": [address_view(app, ip) for ip in app.ips if ip.type != "shared_v4"]
        },
        "sharedIpAddress": shared,
        "addOns": {"nodes": []},
        "imageUpgradeAvailable": False,
        "imageVersionTrackingEnabled": False,
        "hostIssues": {"nodes": []},
        "egressIpAddresses": lambda **_: _egress(app, None),
        "machines": lambda **wishes: _machines(call, app, **wishes),
        "regions": lambda: [
            region_view(call, code)
            for code in sorted({one.region for one in call.world.living_machines(app)})
        ],
        "secrets": [
            {**documents.secret_document(one), "id": one.name} for one in app.secrets.values()
        ],
        "certificates": connection(
            certificate_view(call, one) for one in app.certificates.values()
        ),
        "services": lambda: _services(call, app),
        "limitedAccessTokens": lambda **_: tokens_view(
            call, organization=app.organization, app=app.name
        ),
    }


def release_view(release: ReleaseRecord) -> Json:
    """A release of an app."""
    return {
        **documents.release_document(release),
        "description": "Release",
        "reason": "",
        "evaluationId": "",
        "configDefinition": release.definition,
        "deploymentStrategy": release.strategy,
        "user": user_view(release.user),
    }


def _releases(app: App, *, first: int | None = None, **_: Any) -> Json:
    newest = app.releases[::-1][: None if first is None else max(first, 0)]
    return connection(map(release_view, newest), total=len(app.releases))


def image_view(call: Call, reference: str) -> Json:
    """An image as it was found: by its name at the mirror, and its digest beside that."""
    found = call.world.registries.reference(reference)
    digest = found["digest"]
    pinned = reference.endswith(digest)
    return {
        "id": f"img_{digest.removeprefix('sha256:')[:16]}",
        "digest": digest,
        "ref": "{registry}/{repository}".format(**found)
        + (f"@{digest}" if pinned else f":{found['tag']}"),
        "compressedSize": int(_IMAGE_BYTES),
        "compressedSizeFull": _IMAGE_BYTES,
        "manifest": {"annotations": {}},
    }


def image_details(call: Call, reference: str) -> Json:
    """The newest version of an image: the emulator never has a newer one."""
    return {**call.world.registries.reference(reference), "version": "", "fullImageRef": reference}


def _running_image(call: Call, app: App) -> Json | None:
    first = next(call.world.living_machines(app), None)
    image = first and first.config.get("image")
    return image_details(call, str(image)) if image else None


def address_view(app: App, ip: IpRecord) -> Json:
    """An address; it is its own id."""
    network = {"name": ip.network, "organization": {"slug": app.organization}}
    return {
        **documents.ip_document(ip),
        "id": ip.ip,
        "address": ip.ip,
        "type": ip.type,
        "network": network if ip.network else None,
    }


def certificate_view(call: Call, certificate: CertificateRecord) -> Json:
    """A host name with what is known of its certificate."""
    document = certificates.summary(certificate, call.now)
    return {
        **document,
        "id": certificate.hostname,
        "clientStatus": "Ready" if document["configured"] else "Awaiting configuration",
        "isWildcard": certificate.hostname.startswith("*."),
        "source": "custom" if certificate.custom else "fly",
    }


def volume_view(call: Call, app: App, volume: VolumeRecord) -> Json:
    """A volume with its snapshots, newest first."""
    snapshots = [
        {**documents.snapshot_document(one), "__typename": "VolumeSnapshot", "size": "4096"}
        for one in reversed(volume.snapshots)
    ]
    return {
        **documents.volume_document(call.world, volume, call.now),
        "__typename": "Volume",
        "app": lambda: app_view(call, app),
        "snapshots": connection(snapshots),
    }


def _egress(app: App, machine: str | None) -> Json:
    return connection(
        {
            "id": address.id,
            "ip": address.ip,
            "version": address.version,
            "region": address.region,
            "updatedAt": rfc3339(address.updated_at),
        }
        for address in app.egress
        if address.machine == machine
    )


def machine_view(call: Call, app: App, machine: MachineRecord) -> Json:
    """A machine."""
    address = {"family": "v6", "kind": "privatenet", "ip": machine.private_ip, "maskSize": 112}
    return {
        **documents.machine_document(call.world, machine, call.now, summary=True),
        "__typename": "Machine",
        "config": machine.config,
        "app": lambda: app_view(call, app),
        "egressIpAddresses": lambda **_: _egress(app, machine.id),
        "events": lambda **wishes: _events(machine, **wishes),
        "ips": {"nodes": [address]},
        "host": {"id": machine.host},
    }


def region_view(call: Call, code: str) -> Json:
    """A region."""
    region = call.settings.region(code)
    assert region is not None
    return documents.region_document(region)


def _events(machine: MachineRecord, *, kind: str | None = None, **_: Any) -> Json:
    found = [
        {
            **documents.event_document(event),
            "kind": event.type,
            "timestamp": rfc3339(event.at),
            "body": event.request or {},
            "machineVersion": {"id": machine.instance_id},
        }
        for event in reversed(machine.events)
        if kind in {None, event.type}
    ]
    return {"nodes": found}


def _machines(
    call: Call, app: App, *, state: str | None = None, first: int | None = None, **_: Any
) -> Json:
    found = [one for one in call.world.living_machines(app) if state in {None, one.state}]
    page = found[: None if first is None else max(first, 0)]
    return connection((machine_view(call, app, one) for one in page), total=len(found))


def _services(call: Call, app: App) -> list[Json]:
    """The services of the app: those of its first machine that has any."""
    found = (machine.config.get("services") for machine in call.world.living_machines(app))
    return [_service(service) for service in next(filter(None, found), ())]


def _service(service: Json) -> Json:
    return {
        "description": "",
        "protocol": str(service.get("protocol") or "tcp").upper(),
        "internal_port": service.get("internal_port"),
        "ports": [
            {**port, "handlers": [str(one).upper() for one in port.get("handlers") or ()]}
            for port in service.get("ports") or ()
        ],
    }
