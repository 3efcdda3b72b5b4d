"""The platform's `/api/v1`: what deployers tell it about releases and builds, and logs.

It is not documented; paths and members are those that flyctl uses.
"""

from __future__ import annotations

from typing import Final

from attrs import evolve

from fly_emulator import documents
from fly_emulator.calls import Call, Handler, Interface, want_integer, want_text
from fly_emulator.handlers import addresses
from fly_emulator.logs import log_lines
from fly_emulator.records import BuildRecord, Json, ReleaseRecord
from fly_emulator.router import Routes
from fly_emulator.wire import ApiRequest, ApiResponse, Outcome, Refusal
from score_flyio.base.clock import rfc3339

STATUSES: Final = frozenset({"pending", "running", "complete", "failed", "interrupted"})
_SHOWN: Final = 25
"""Releases that are listed unless a limit is given."""


class Web(Interface):
    """The interface under `/api/v1`."""

    prefix = "/api/v1/"

    def name(self, request: ApiRequest) -> str:
        return _ROUTES.match(request.method, request.path).operation

    def handle(self, call: Call) -> Outcome:
        method, path = call.request.method, call.request.path
        match = _ROUTES.match(method, path)
        handler = _HANDLERS.get(match.operation)
        if handler is None:
            raise Refusal(404, f"no such path: {method} {path}")
        return handler(evolve(call, operation=match.operation, path=match.path))


def _create_release(call: Call) -> Outcome:
    body = call.body()
    app = call.app_named(want_text(body, "app_name"))
    definition = body.get("definition") or {}
    if not isinstance(definition, dict):
        raise Refusal(400, "definition is not a JSON object")
    release = ReleaseRecord(
        id=call.world.letters(22),
        version=1 + max((known.version for known in app.releases), default=0),
        created_at=call.now,
        image=str(body.get("image") or ""),
        strategy=str(body.get("strategy") or "ROLLING").upper(),
        definition=definition,
        user=call.principal.user,
    )
    app.releases.append(release)
    return ApiResponse(status=201, document={"release": documents.release_document(release)})


def _update_release(call: Call) -> Outcome:
    wanted, body = call.path["release_id"], call.body()
    apps = [app for app in call.world.apps.values() if call.may_use(app.organization)]
    releases = (release for app in apps for release in app.releases)
    release = next((release for release in releases if release.id == wanted), None)
    if release is None:
        raise Refusal(404, f"release not found: {wanted}")
    status = want_text(body, "status")
    if status not in STATUSES:
        raise Refusal(422, f"invalid status: {status!r}")
    release.status = status
    release.metadata = body.get("metadata") or release.metadata
    return documents.release_document(release)


def _list_releases(call: Call) -> Outcome:
    newest = call.app().releases[::-1][: max(call.integer("limit", _SHOWN), 0)]
    return {"releases": [documents.release_document(one) for one in newest]}


def _current_release(call: Call) -> Outcome:
    app = call.app()
    if not app.releases:
        raise Refusal(404, f"app {app.name} has no release")
    return documents.release_document(app.releases[-1])


def _all_current(call: Call) -> Outcome:
    return {
        app.name: rfc3339(app.releases[-1].created_at)
        for app in call.world.apps.values()
        if app.releases and call.may_use(app.organization)
    }


def _build_document(build: BuildRecord, now: float) -> Json:
    ended = now if build.finished_at is None else build.finished_at
    return {
        "id": build.id,
        "status": build.status,
        "wallclock_time_ms": round((ended - build.started_at) * 1000),
    }


def _create_build(call: Call) -> Outcome:
    app = call.app_named(want_text(call.body(), "app_name"))
    build = BuildRecord(id=call.world.number(), started_at=call.now)
    app.builds.append(build)
    return _build_document(build, call.now)


def _finish_build(call: Call) -> Outcome:
    body = call.body()
    app = call.app_named(want_text(body, "app_name"))
    number = want_integer(body, "build_id")
    build = next((build for build in app.builds if build.id == number), None)
    if build is None:
        raise Refusal(404, f"build not found: {number}")
    build.status, build.finished_at = want_text(body, "status"), call.now
    return _build_document(build, call.now)


def _list_organizations(call: Call) -> Outcome:
    found = [documents.organization_document(one) for one in call.organizations()]
    return {"organizations": found}


def _show_organization(call: Call) -> Outcome:
    organization = call.organization(call.path["org_slug"])
    return {"organization": documents.organization_document(organization)}


def _logs(call: Call) -> Outcome:
    """The lines after `next_token`, which is the number of lines seen before."""
    app, seen = call.app(), call.integer("next_token", 0)
    lines = log_lines(call.world, app, machine=call.query("instance"), region=call.query("region"))
    rows = [{"id": str(number), "attributes": line} for number, line in enumerate(lines, 1)]
    return {"data": rows[seen:], "meta": {"next_token": str(len(rows))}}


_TABLE: Final[tuple[tuple[str, str, str, Handler], ...]] = (
    ("GET", "/organizations", "Web_list_organizations", _list_organizations),
    ("GET", "/organizations/{org_slug}", "Web_show_organization", _show_organization),
    ("POST", "/builds", "Web_create_build", _create_build),
    ("POST", "/builds/finish", "Web_finish_build", _finish_build),
    ("POST", "/releases", "Web_create_release", _create_release),
    ("PATCH", "/releases/{release_id}", "Web_update_release", _update_release),
    ("GET", "/releases/all_current", "Web_all_current", _all_current),
    ("GET", "/apps/{app_name}/releases", "Web_list_releases", _list_releases),
    ("GET", "/apps/{app_name}/releases/current", "Web_current_release", _current_release),
    ("GET", "/apps/{app_name}/logs", "Web_logs", _logs),
    (
        "POST",
        "/apps/{app_name}/egress_ips/{ip}/promote",
        "Web_promote_egress_ip",
        lambda call: addresses.promote_egress(call.app(), call.path["ip"], call.now),
    ),
)
_HANDLERS: Final = {operation: handler for _, _, operation, handler in _TABLE}
_ROUTES: Final = Routes((row[:3] for row in _TABLE), prefix="/api/v1")
