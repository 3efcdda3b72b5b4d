"""Apps: create, list, show, delete."""

from __future__ import annotations

import re
from typing import Final

from fly_emulator import documents, lifecycle
from fly_emulator.calls import Call, Handler, want_text
from fly_emulator.records import App
from fly_emulator.settings import PERSONAL
from fly_emulator.wire import ApiResponse, Outcome, Refusal, Waiting
from fly_emulator.world import World

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")


def _create(call: Call) -> Outcome:
    body = call.body()
    app = create(
        call,
        want_text(body, "name"),
        call.organization(str(body.get("org_slug") or PERSONAL)).slug,
        network=str(body.get("network") or ""),
        role=str(body.get("app_role_id") or ""),
    )
    document = {**documents.app_document(call.world, app), "created_at": int(call.now * 1000)}
    response = ApiResponse(status=201, document=document)
    if not call.flag("wait"):
        return response
    return Waiting(
        poll=lambda now: response if now >= app.visible_at else None, deadline=app.visible_at
    )


def create(call: Call, name: str, organization: str, *, network: str = "", role: str = "") -> App:
    """Make an app. Raises Refusal: the name cannot be used, or is taken by anyone."""
    if not _NAME.fullmatch(name):
        raise Refusal(
            422, "Validation failed: Name may have lower-case letters, digits and dashes, up to 63"
        )
    if name in call.world.apps:
        raise Refusal(422, "Validation failed: Name has already been taken", code="name_taken")
    app = App(
        id=call.world.letters(14),
        name=name,
        organization=organization,
        number=999 + call.world.number(),
        created_at=call.now,
        visible_at=call.now + call.settings.visibility_delay,
        network=network or "default",
        role=role,
    )
    call.world.apps[name] = app
    return app


def _list(call: Call) -> Outcome:
    slug = call.query("org_slug")
    if not slug:
        raise Refusal(400, "org_slug is required")
    organization, role = call.organization(slug).slug, call.query("app_role")
    until = call.now - call.settings.organization_lists_lag
    found = [
        documents.app_document(call.world, app, until=until)
        for app in call.world.apps.values()
        if app.organization == organization
        and app.visible_at <= call.now
        and (role is None or app.role == role)
    ]
    return {"apps": found, "total_apps": len(found)}


def _delete(call: Call) -> Outcome:
    delete(call.world, call.app())
    return ApiResponse(status=202)


def delete(world: World, app: App) -> None:
    """Remove an app and everything it has; running machines do not keep it from that."""
    for machine in world.living_machines(app):
        lifecycle.release_resources(world, machine)
    for machine in list(world.machines_of(app)):
        world.forget_machine(machine)
    for volume in list(world.volumes_of(app)):
        del world.volumes[volume.id]
    del world.apps[app.name]


HANDLERS: Final[dict[str, Handler]] = {
    "Apps_create": _create,
    "Apps_list": _list,
    "Apps_show": lambda call: documents.app_document(call.world, call.app()),
    "Apps_delete": _delete,
}
