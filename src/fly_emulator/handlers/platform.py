"""Regions and placements."""

from __future__ import annotations

from typing import Final

from fly_emulator import documents, guests
from fly_emulator.calls import Call, Handler, want_integer, want_text
from fly_emulator.wire import Outcome, Refusal


def _room(call: Call, code: str, memory_mb: int) -> int:
    """How many machines of that size a region has room for."""
    hosts = call.world.free_hosts((code,), memory_mb)
    return sum((host.memory_mb - host.used_mb) // memory_mb for host in hosts)


def _regions(call: Call) -> Outcome:
    rows = [
        {
            **documents.region_document(region),
            "geo_region": region.area,
            "capacity": _room(call, region.code, 2048),
            "mpg_available": False,
        }
        for region in call.settings.regions
    ]
    document = {"nearest": call.settings.nearest, "regions": rows}
    if call.settings.region_list_in_capitals:
        document = {name.capitalize(): value for name, value in document.items()}
    return document


def _placements(call: Call) -> Outcome:
    body = call.body()
    call.organization(want_text(body, "org_slug"))
    codes = call.regions(str(body.get("region") or "any"))
    memory = guests.wanted_memory(body.get("compute"), 2048)
    wanted = max(want_integer(body, "count", 0), 0)
    rows, left = [], wanted
    for code in codes:
        room = _room(call, code, memory)
        count = room if wanted == 0 else min(room, left)
        left -= count
        if count:
            rows.append({"region": code, "count": count, "concurrency": min(count, 8)})
    if wanted and left > 0:
        raise Refusal(422, f"no room for {wanted} machines", code="insufficient_capacity")
    return {"regions": rows}


HANDLERS: Final[dict[str, Handler]] = {
    "Platform_regions_get": _regions,
    "Platform_placements_post": _placements,
}
