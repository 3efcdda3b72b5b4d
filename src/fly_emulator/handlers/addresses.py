"""IP addresses of apps."""

from __future__ import annotations

from typing import Final

from fly_emulator import documents
from fly_emulator.calls import Call, Handler, want_text
from fly_emulator.handlers import egress
from fly_emulator.records import App, IpRecord
from fly_emulator.wire import ApiResponse, Outcome, Refusal

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
        pair = egress.allocate(call, app, region=region)
        return ApiResponse(document={"ip_pair": pair, "region": region, "egress": True})
    address = allocate(
        call,
        app,
        want_text(body, "type"),
        region=str(body.get("region") or ""),
        network=str(body.get("network") or ""),
        service_name=str(body.get("service_name") or ""),
    )
    return ApiResponse(document=documents.ip_document(address))


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
    return ApiResponse(document={"ips": shown + [documents.egress_document(ip) for ip in leaving]})


def _delete(call: Call) -> Outcome:
    release(call.app(), call.path["ip"])
    return ApiResponse(status=204)


def release(app: App, address: str) -> None:
    """Take an address from an app. Raises Refusal: the app does not have it."""
    for ip in app.ips:
        if ip.ip == address:
            app.ips.remove(ip)
            return
    if any(ip.ip == address for ip in app.egress):
        egress.release(app, ip=address)
        return
    raise Refusal(404, f"IP address not found: {address}")


HANDLERS: Final[dict[str, Handler]] = {
    "App_IPAssignments_create": _create,
    "App_IPAssignments_list": _list,
    "App_IPAssignments_delete": _delete,
}
