"""The functions of `Control` over HTTP, under `/_emulator`, with `/health` and `/openapi.json`.

No token is asked for, no fault strikes here, and the journal has nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from typing import Final, TypeAlias

from attrs import evolve, frozen

from fly_emulator.bodies import json_object
from fly_emulator.control.control import Control, Incident, NotThere
from fly_emulator.control.given import Given
from fly_emulator.faults import ActiveFault
from fly_emulator.records import Host, Json
from fly_emulator.router import UNKNOWN, Routes
from fly_emulator.wire import Answered, ApiRequest, ApiResponse, Refusal, answered
from score_flyio._version import __version__
from score_flyio.base.clock import rfc3339
from score_flyio.errors import ConfigError

PREFIX: Final = "/_emulator"
_MOST_ENTRIES: Final = 1000
_USUAL_ENTRIES: Final = 100


class ControlApi:
    """Answers what is about the emulator, instead of about the platform."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def answer(self, request: ApiRequest) -> ApiResponse | None:
        """The answer; None: it is a request to the platform."""
        path = request.path
        if not (path in _PATHS or path == PREFIX or path.startswith(f"{PREFIX}/")):
            return None
        method = "GET" if request.method == "HEAD" else request.method
        match = _ROUTES.match(method, path)
        if match.operation == UNKNOWN:
            return _no_route(request)
        try:
            body, query = Given(json_object(request.body)), Given(dict(request.query), texts=True)
            asked = _Asked(self._control, match.path, body, query)
            answer = answered(_HANDLERS[match.operation](asked))
            return evolve(answer, headers={"cache-control": "no-store", **answer.headers})
        except Refusal as refusal:
            return _refused(400, ConfigError(refusal.message, hint="send a JSON object"))
        except NotThere as error:
            return _refused(404, error)
        except ConfigError as error:
            return _refused(422, error)


@frozen
class _Asked:
    control: Control
    path: dict[str, str]
    body: Given
    query: Given


_Handler: TypeAlias = Callable[[_Asked], Answered]


def _refused(status: int, error: ConfigError) -> ApiResponse:
    problems = [problem.to_json() for problem in error.problems]
    document: Json = {"error": str(error), "hint": error.hint, "problems": problems}
    return ApiResponse(
        status=status, document={name: value for name, value in document.items() if value}
    )


def _no_route(request: ApiRequest) -> ApiResponse:
    allowed = [
        each
        for each in ("GET", "POST", "PUT", "DELETE")
        if _ROUTES.match(each, request.path).operation != UNKNOWN
    ]
    if allowed:
        words = ", ".join(allowed)
        error = ConfigError(f"{request.path} has no {request.method}", hint=f"it has {words}")
        return evolve(_refused(405, error), headers={"allow": words})
    hint = f"GET {PREFIX} lists what there is"
    return _refused(404, ConfigError(f"no such path: {request.method} {request.path}", hint=hint))


def _health(_asked: _Asked) -> Json:
    return {"status": "ok", "version": __version__}


def _openapi(_asked: _Asked) -> ApiResponse:
    content = files("fly_machines").joinpath("openapi.json").read_bytes()
    return ApiResponse(raw=content, media_type="application/json")


_PAGE_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-cache",
}
"""Nothing but its own files runs in the page, and no other page frames it."""


def _file(name: str, media_type: str) -> _Handler:
    def read(_asked: _Asked) -> ApiResponse:
        content = files("fly_emulator.status_page").joinpath(name).read_bytes()
        return ApiResponse(
            raw=content, media_type=f"{media_type}; charset=utf-8", headers=_PAGE_HEADERS
        )

    return read


def _list(_asked: _Asked) -> Json:
    routes = [{"method": method, "path": path, "does": does} for method, path, does, _ in _TABLE]
    return {"version": __version__, "routes": routes}


def _reset(asked: _Asked) -> None:
    asked.body.nothing_else()
    asked.control.reset()


def _advance(asked: _Asked) -> Json:
    seconds = asked.body.number("advance")
    asked.body.nothing_else()
    return {"now": rfc3339(asked.control.advance(seconds))}


def _fault(one: ActiveFault) -> Json:
    return {"id": one.id, "rule": one.rule.text, "matched": one.matched, "struck": one.struck}


def _faults(asked: _Asked) -> Json:
    return {"faults": [_fault(one) for one in asked.control.faults]}


def _add_faults(asked: _Asked) -> ApiResponse:
    rules = asked.body.text("rules")
    asked.body.nothing_else()
    added = [_fault(one) for one in asked.control.add_faults(rules)]
    return ApiResponse(status=201, document={"faults": added})


def _remove_fault(asked: _Asked) -> None:
    asked.control.remove_fault(Given(asked.path, texts=True).integer("fault"))


def _host(one: Host) -> Json:
    return {
        "host": one.id,
        "region": one.region,
        "memory_mb": one.memory_mb,
        "used_mb": one.used_mb,
        "status": one.status,
    }


def _capacity(asked: _Asked) -> Json:
    return {"hosts": [_host(one) for one in asked.control.hosts]}


def _set_capacity(asked: _Asked) -> Json:
    body = asked.body
    name = body.one_of("host", "region")
    memory_mb, place = body.integer("memory_mb"), body.text(name)
    body.nothing_else()
    if name == "host":
        asked.control.set_host_memory(place, memory_mb)
    else:
        asked.control.set_region_memory(place, memory_mb)
    changed = [one for one in asked.control.hosts if place in {one.id, one.region}]
    return {"hosts": [_host(one) for one in changed]}


def _incident(one: Incident) -> Json:
    return {"id": one.id, "kind": one.kind, "name": one.name}


def _incidents(asked: _Asked) -> Json:
    return {"incidents": [_incident(one) for one in asked.control.incidents]}


def _begin_incident(asked: _Asked) -> ApiResponse:
    kind, name = asked.body.text("kind"), asked.body.text("name")
    asked.body.nothing_else()
    return ApiResponse(status=201, document=_incident(asked.control.begin_incident(kind, name)))


def _end_incident(asked: _Asked) -> None:
    kind, _, name = asked.path["incident"].partition(":")
    asked.control.end_incident(kind, name)


def _journal(asked: _Asked) -> Json:
    query = asked.query
    found = asked.control.journal(
        limit=query.integer("limit", _USUAL_ENTRIES, most=_MOST_ENTRIES),
        after=query.integer("after", 0),
        app=query.text("app", None),
        machine=query.text("machine", None),
        operation=query.text("operation", None),
        status=query.integer("status", None),
    )
    query.nothing_else()
    return {"entries": [entry.as_json() for entry in found]}


_TABLE: Final[tuple[tuple[str, str, str, _Handler], ...]] = (
    ("GET", "/", "the status page", _file("page.html", "text/html")),
    ("GET", f"{PREFIX}/page.css", "its style", _file("page.css", "text/css")),
    ("GET", f"{PREFIX}/page.js", "its program", _file("page.js", "text/javascript")),
    ("GET", f"{PREFIX}/overview", "what it shows", lambda asked: asked.control.overview()),
    ("GET", "/health", "says that it answers, and its version", _health),
    ("GET", "/openapi.json", "the document of the Machines API", _openapi),
    ("GET", PREFIX, "this list", _list),
    ("POST", f"{PREFIX}/reset", "empties the platform, as at the start", _reset),
    (
        "GET",
        f"{PREFIX}/snapshot",
        "everything that exists, values of secrets too",
        lambda asked: asked.control.snapshot(),
    ),
    (
        "PUT",
        f"{PREFIX}/snapshot",
        "puts a snapshot in the place of the world",
        lambda asked: asked.control.restore(asked.body.document),
    ),
    ("POST", f"{PREFIX}/time", "lets seconds pass: {advance}", _advance),
    ("GET", f"{PREFIX}/faults", "the rules that hold, and how often they struck", _faults),
    ("POST", f"{PREFIX}/faults", "adds rules: {rules}", _add_faults),
    ("DELETE", f"{PREFIX}/faults", "ends all rules", lambda asked: asked.control.clear_faults()),
    ("DELETE", f"{PREFIX}/faults/{{fault}}", "ends one rule", _remove_fault),
    ("GET", f"{PREFIX}/capacity", "the hosts with their memory", _capacity),
    ("PUT", f"{PREFIX}/capacity", "sets it: {host or region, memory_mb}", _set_capacity),
    ("GET", f"{PREFIX}/incidents", "what is wrong now", _incidents),
    ("POST", f"{PREFIX}/incidents", "begins one: {kind, name}", _begin_incident),
    ("DELETE", f"{PREFIX}/incidents", "ends all", lambda asked: asked.control.end_incidents()),
    ("DELETE", f"{PREFIX}/incidents/{{incident}}", "ends one", _end_incident),
    ("GET", f"{PREFIX}/journal", "the latest requests", _journal),
    ("DELETE", f"{PREFIX}/journal", "forgets them", lambda asked: asked.control.forget_journal()),
)
_PATHS: Final = frozenset(path for _, path, _, _ in _TABLE if not path.startswith(PREFIX))
_HANDLERS: Final = {f"{method} {path}": handler for method, path, _, handler in _TABLE}
_ROUTES: Final = Routes((method, path, f"{method} {path}") for method, path, _, _ in _TABLE)
