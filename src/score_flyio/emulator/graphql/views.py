"""Records as the objects of the schema: fields by name, functions for fields with arguments."""

from __future__ import annotations

import hashlib
from typing import Any

from score_flyio.clock import rfc3339
from score_flyio.emulator.calls import Call
from score_flyio.emulator.documents import (
    app_document,
    image_reference,
    organization_document,
    organization_id,
)
from score_flyio.emulator.records import App, IpRecord, Json, MachineRecord, ReleaseRecord
from score_flyio.emulator.settings import Organization

_IMAGE_BYTES = "12345678"
"""No registry is asked: every image has the same size."""


def user_view(email: str) -> Json:
    """A user; the emulator knows only the address."""
    number = hashlib.sha256(email.encode()).hexdigest()[:12]
    return {"id": number, "email": email, "name": email.partition("@")[0], "enablePaidHobby": True}


def organization_view(organization: Organization) -> Json:
    """An organization."""
    document = organization_document(organization)
    return {
        "id": organization_id(organization),
        "internalNumericId": str(organization.number),
        "slug": organization.slug,
        "rawSlug": organization.slug,
        "name": organization.name,
        "type": "PERSONAL" if document["personal"] else "SHARED",
        "paidPlan": document["paid_plan"],
        "billable": document["billable"],
        "viewerRole": "admin",
        "addOns": lambda _info, **_: {"nodes": []},
    }


def app_view(call: Call, app: App) -> Json:
    """An app; what takes work is made only when it is asked for."""
    document = app_document(call.world, app)
    organization = call.settings.organization(app.organization)
    assert organization is not None
    shared = next((ip.ip for ip in app.ips if ip.type == "shared_v4"), None)
    newest = app.releases[-1] if app.releases else None
    current = newest and release_view(newest)
    return {
        "id": app.name,
        "internalNumericId": app.number,
        "name": app.name,
        "hostname": f"{app.name}.fly.dev",
        "appUrl": f"https://{app.name}.fly.dev",
        "cnameTarget": document["cname_target"],
        "status": document["status"],
        "deployed": app.deployed,
        "version": newest.version if newest else 0,
        "platformVersion": "machines",
        "network": app.network,
        "role": {"name": app.role} if app.role else None,
        "organization": organization_view(organization),
        "config": {"definition": newest.definition if newest else {}},
        "currentRelease": current,
        "currentReleaseUnprocessed": current,
        "releases": lambda _info, **wishes: _releases(app, **wishes),
        "releasesUnprocessed": lambda _info, **wishes: _releases(app, **wishes),
        "image": lambda _info, ref: image_view(ref),
        "imageDetails": lambda _info: _running_image(call, app),
        "ipAddresses": lambda _info, **_: {
            "nodes": [address_view(app, ip) for ip in app.ips if ip.type != "shared_v4"]
        },
        "sharedIpAddress": shared,
        "egressIpAddresses": {"nodes": []},
        "machines": lambda _info, **_: {
            "nodes": [machine_view(app, machine) for machine in _living(call, app)]
        },
        "services": lambda _info: _services(call, app),
        "limitedAccessTokens": {"nodes": []},
        "hostIssues": {"nodes": []},
    }


def release_view(release: ReleaseRecord) -> Json:
    """A release of an app."""
    return {
        "id": release.id,
        "version": release.version,
        "description": "Release",
        "reason": "",
        "status": release.status,
        "inProgress": release.in_progress,
        "stable": True,
        "evaluationId": "",
        "imageRef": release.image,
        "configDefinition": release.definition,
        "deploymentStrategy": release.strategy,
        "user": user_view(release.user),
        "createdAt": rfc3339(release.created_at),
    }


def _releases(app: App, *, first: int | None = None, **_: Any) -> Json:
    return {"nodes": [release_view(release) for release in app.releases[::-1][:first]]}


def image_view(reference: str) -> Json:
    """An image as it was found: by its name at the mirror, and its digest beside that."""
    found = image_reference(reference)
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


def image_details(reference: str) -> Json:
    """The newest version of an image: the emulator never has a newer one."""
    return {**image_reference(reference), "version": "", "fullImageRef": reference}


def _running_image(call: Call, app: App) -> Json | None:
    images = [machine.config.get("image") for machine in _living(call, app)]
    return image_details(str(images[0])) if images and images[0] else None


def address_view(app: App, ip: IpRecord) -> Json:
    """An address; it is its own id."""
    network = {"name": ip.network, "organization": {"slug": app.organization}}
    return {
        "id": ip.ip,
        "address": ip.ip,
        "type": ip.type,
        "region": ip.region,
        "createdAt": rfc3339(ip.created_at),
        "serviceName": ip.service_name,
        "network": network if ip.network else None,
    }


def machine_view(app: App, machine: MachineRecord) -> Json:
    """A machine."""
    address = {"family": "v6", "kind": "privatenet", "ip": machine.private_ip, "maskSize": 112}
    return {
        "id": machine.id,
        "instanceId": machine.instance_id,
        "name": machine.name,
        "config": machine.config,
        "state": machine.state,
        "region": machine.region,
        "createdAt": rfc3339(machine.created_at),
        "app": {"name": app.name},
        "ips": {"nodes": [address]},
        "host": {"id": machine.host},
    }


def region_view(call: Call, code: str) -> Json:
    """A region."""
    region = call.settings.region(code)
    assert region is not None
    return {
        "code": region.code,
        "name": region.name,
        "latitude": region.latitude,
        "longitude": region.longitude,
        "gatewayAvailable": True,
        "requiresPaidPlan": False,
        "deprecated": False,
    }


def _living(call: Call, app: App) -> list[MachineRecord]:
    return [machine for machine in call.world.machines_of(app) if not machine.destroyed]


def _services(call: Call, app: App) -> list[Json]:
    """The services of the app: those of its first machine that has any."""
    for machine in _living(call, app):
        if machine.config.get("services"):
            return [_service(service) for service in machine.config["services"]]
    return []


def _service(service: Json) -> Json:
    return {
        "description": "",
        "protocol": str(service.get("protocol") or "tcp").upper(),
        "internalPort": service.get("internal_port"),
        "ports": [
            {
                "port": port.get("port"),
                "handlers": [str(one).upper() for one in port.get("handlers") or ()],
            }
            for port in service.get("ports") or ()
        ],
    }
