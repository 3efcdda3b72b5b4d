"""Addresses that connections to the outside come from."""

from __future__ import annotations

from ipaddress import IPv6Address

from fly_emulator.calls import Call
from fly_emulator.records import App, EgressRecord, Json
from fly_emulator.wire import Refusal


def allocate(call: Call, app: App, *, machine: str = "", region: str = "") -> Json:
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
    if any(_belongs(ip, machine, region) for ip in app.egress):
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
                machine=machine or None,
                updated_at=call.now,
            )
        )
    return {"v4": pair[4], "v6": pair[6]}


def release(app: App, *, machine: str = "", ip: str = "") -> Json:
    """Take the pair of a machine away, or the one address. Raises Refusal: there is none."""
    gone = [
        one for one in app.egress if (one.ip == ip if ip else machine and one.machine == machine)
    ]
    if not gone:
        raise Refusal(404, "Could not find EgressIPAddress")
    app.egress = [one for one in app.egress if one not in gone]
    return {f"v{one.version}": one.ip for one in gone}


def promote(app: App, ip: str, now: float) -> None:
    """Let all machines of its region have a machine's address. Raises Refusal: there is none."""
    found = next((one for one in app.egress if one.ip == ip and one.machine), None)
    if found is None:
        raise Refusal(404, "Could not find EgressIPAddress")
    found.machine, found.updated_at = None, now


def _belongs(ip: EgressRecord, machine: str, region: str) -> bool:
    return ip.machine == machine if machine else ip.machine is None and ip.region == region
