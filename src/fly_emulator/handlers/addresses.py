"""IP addresses of apps: where they are reached, and where their connections come from."""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Final

from fly_emulator import documents
from fly_emulator.calls import Call, Handler, want_text
from fly_emulator.records import App, EgressRecord, IpRecord, Json
from fly_emulator.wire import Outcome, Refusal

_SHARED_V4: Final = "66.241.124.1"
_NAMES: Final = {
    "v4": "IPv4 address",
    "v6": "IPv6 address",
    "shared_v4": "shared IPv4 address",
    "private_v6": "private IPv6 address",
}
"""How each type is called."""


def _create(call: Call) -> Outcome:
    app, body = call.app(), call.body()
    if body.get("type") == "egress_pair":
        region = str(body.get("region") or call.settings.nearest)
        pair = allocate_egress(call, app, region=region)
        return {"ip_pair": pair, "region": region, "egress": True}
    address = allocate(
        call,
        app,
        want_text(body, "type"),
        region=str(body.get("region") or ""),
        network=str(body.get("network") or ""),
        service_name=str(body.get("service_name") or ""),
    )
    return documents.ip_document(address)


def allocate(
    call: Call, app: App, kind: str, *, region: str = "", network: str = "", service_name: str = ""
) -> IpRecord:
    """Give an app an address.

    Raises Refusal: there is no such type or region, or the app has all that it can have of it.
    """
    if kind not in _NAMES:
        raise Refusal(422, f"invalid type: {kind!r}")
    if region and region != "global" and call.settings.region(region) is None:
        raise Refusal(422, f"invalid region: {region!r}")
    if kind in call.settings.single_addresses and any(ip.type == kind for ip in app.ips):
        raise Refusal(call.settings.address_there_status, f"{_NAMES[kind]} already allocated")
    address = IpRecord(
        ip=_address(call, app, kind),
        type=kind,
        region=region or "global",
        created_at=call.now,
        network=network,
        service_name=service_name,
    )
    app.ips.append(address)
    return address


def _address(call: Call, app: App, kind: str) -> str:
    number = call.world.number()
    low, high = number & 0xFFFF, number >> 16
    if kind == "shared_v4":
        return _SHARED_V4
    if kind == "v4":
        return f"137.66.{low >> 8}.{low & 0xFF}"
    if kind == "v6":
        return f"2a09:8280:1::{high + 1:x}:{low:x}:0"
    return f"fdaa:0:{app.number:x}:0:1::{number:x}"


def _list(call: Call) -> Outcome:
    app = call.app()
    leaving = app.egress if call.settings.lists_egress else ()
    shown = [documents.ip_document(ip) for ip in app.ips]
    return {"ips": shown + [documents.egress_document(ip) for ip in leaving]}


def release(app: App, address: str) -> None:
    """Take an address from an app. Raises Refusal: the app does not have it."""
    for ip in app.ips:
        if ip.ip == address:
            app.ips.remove(ip)
            return
    if not any(ip.ip == address for ip in app.egress):
        raise Refusal(404, f"IP address not found: {address}")
    release_egress(app, ip=address)


def allocate_egress(call: Call, app: App, *, machine: str = "", region: str = "") -> Json:
    """Give a machine, or all machines of a region, a pair of addresses.

    Raises Refusal: there is no such machine or region, or it has its pair already.
    """
    if machine:
        record = call.world.machines.get(machine)
        if record is None or record.app != app.name or record.destroyed:
            raise Refusal(404, f'Could not find Machine "{machine}"')
        region = record.region
    if call.settings.region(region) is None:
        raise Refusal(422, f"invalid region: {region!r}")
    owner = machine or None
    if any((ip.machine, ip.region) == (owner, region) for ip in app.egress):
        raise Refusal(422, "there is an egress address pair already")
    number = call.world.number()
    pair = {
        4: f"209.71.{number >> 8 & 0xFF}.{number & 0xFF}",
        6: str(IPv6Address(f"2a09:8280:e6:{number >> 16:x}:0:{number & 0xFFFF:x}:0:1")),
    }
    for version, ip in pair.items():
        app.egress.append(
            EgressRecord(
                id=f"eip_{call.world.letters(16)}",
                ip=ip,
                version=version,
                region=region,
                machine=owner,
                updated_at=call.now,
            )
        )
    return {"v4": pair[4], "v6": pair[6]}


def release_egress(app: App, *, machine: str = "", ip: str = "") -> Json:
    """Take the pair of a machine away, or the one address. Raises Refusal: there is none."""
    gone = [
        one for one in app.egress if (one.ip == ip if ip else machine and one.machine == machine)
    ]
    if not gone:
        raise Refusal(404, "Could not find EgressIPAddress")
    app.egress = [one for one in app.egress if one not in gone]
    return {f"v{one.version}": one.ip for one in gone}


def promote_egress(app: App, ip: str, now: float) -> None:
    """Let all machines of its region have a machine's address. Raises Refusal: there is none."""
    found = next((one for one in app.egress if one.ip == ip and one.machine), None)
    if found is None:
        raise Refusal(404, "Could not find EgressIPAddress")
    found.machine, found.updated_at = None, now


HANDLERS: Final[dict[str, Handler]] = {
    "App_IPAssignments_create": _create,
    "App_IPAssignments_list": _list,
    "App_IPAssignments_delete": lambda call: release(call.app(), call.path["ip"]),
}
