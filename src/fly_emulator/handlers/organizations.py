"""Machines and volumes of a whole organization, in pages by the time of their last change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from fly_emulator import documents
from fly_emulator.calls import Call, Handler
from fly_emulator.records import App, Json
from fly_emulator.wire import Outcome, Refusal
from score_flyio.base.clock import rfc3339

_MOST: Final = 1000


def _apps(call: Call) -> list[App]:
    organization = call.organization(call.path["org_slug"])
    return [app for app in call.world.apps.values() if app.organization == organization.slug]


def _page(call: Call, kind: str, rows: Sequence[tuple[float, str, Json]]) -> Json:
    """The rows after the cursor, and the cursor of the next page."""
    after, cursor = call.query("updated_after"), call.query("cursor")
    ordered = sorted(rows, key=lambda row: (row[0], row[1]))
    if cursor:
        stamp, _, name = cursor.partition("_")
        last_seen = (_read("cursor", stamp, float), name)
        ordered = [row for row in ordered if (row[0], row[1]) > last_seen]
    elif after:
        since = _read("updated_after", after, lambda text: datetime.fromisoformat(text).timestamp())
        ordered = [row for row in ordered if row[0] > since]
    limit = min(max(call.integer("limit", _MOST), 1), _MOST)
    page = ordered[:limit]
    cursor = f"{page[-1][0]!r}_{page[-1][1]}" if len(ordered) > limit else ""
    document: Json = {f"{kind}s": [row[2] for row in page], "next_cursor": cursor}
    if page:
        last = page[-1][2]
        document |= {f"last_{kind}_id": last["id"], "last_updated_at": last["updated_at"]}
    return document


def _read(name: str, text: str, read: Callable[[str], float]) -> float:
    try:
        return read(text)
    except (ValueError, OverflowError) as error:
        raise Refusal(400, f"invalid {name}: {text!r}") from error


def _wanted(call: Call, region: str, state: str) -> bool:
    states, codes = call.query_list("state"), call.query_list("region")
    return (not states or state in states) and (not codes or region in codes)


def _arrived(call: Call, created: float) -> bool:
    return created + call.settings.organization_lists_lag <= call.now


def _machines(call: Call) -> Outcome:
    deleted = call.flag("include_deleted")
    rows = [
        (
            machine.updated_at,
            machine.id,
            {
                **documents.machine_document(call.world, machine, call.now, summary=True),
                "app_name": app.name,
                "config": documents.incomplete_config(machine.config),
            },
        )
        for app in _apps(call)
        for machine in call.world.machines_of(app)
        if call.sees(machine)
        and _arrived(call, machine.created_at)
        and (deleted or not machine.destroyed)
        and _wanted(call, machine.region, machine.state)
    ]
    return {**_page(call, "machine", rows), "error_regions": []}


def _volumes(call: Call) -> Outcome:
    deleted = call.flag("include_deleted")
    rows = []
    for app in _apps(call):
        for volume in call.world.volumes_of(app):
            document = documents.volume_document(call.world, volume, call.now)
            if volume.gone_at(call.now) or not _arrived(call, volume.created_at):
                continue
            changed = volume.deleted_at or volume.created_at
            shown = deleted or volume.deleted_at is None
            if shown and _wanted(call, volume.region, document["state"]):
                extra = {"app_name": app.name, "updated_at": rfc3339(changed), "type": "local"}
                known = {k: v for k, v in document.items() if v is not None}
                rows.append((changed, volume.id, {**known, **extra}))
    return _page(call, "volume", rows)


HANDLERS: Final[dict[str, Handler]] = {"Machines_org_list": _machines, "Volumes_org_list": _volumes}
