"""Secrets of apps: values go in, digests come out; each change makes a new version."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from fly_emulator import documents
from fly_emulator.calls import Call, Handler
from fly_emulator.records import App, Json, SecretRecord
from fly_emulator.wire import ApiResponse, Outcome, Refusal


def check_version(call: Call, app: App) -> None:
    """Refuse to read secrets of a version that is not there yet. Raises Refusal."""
    name = "min_version" if call.query("min_version") else "version"
    check_newest(app, call.integer(name, 0))


def check_newest(app: App, wanted: int) -> None:
    """Refuse a version that no change of secrets made yet. Raises Refusal."""
    if wanted > app.secrets_version:
        raise Refusal(
            412,
            f"failed_precondition: secrets version {wanted} is not there yet,"
            f" the newest is {app.secrets_version}",
        )


def versions(app: App) -> Json:
    """The version, by both names that the platform has for it."""
    return {"version": app.secrets_version, "Version": app.secrets_version}


def _reveals(call: Call) -> bool:
    return call.settings.show_secrets and call.flag("show_secrets")


def _change(call: Call, app: App, name: str, value: Any) -> None:
    if not re.fullmatch(call.settings.secret_names, name):
        raise Refusal(400, f"invalid secret name: {name!r}")
    if value is None:
        app.secrets.pop(name, None)
        return
    if not isinstance(value, str):
        raise Refusal(400, f"invalid value of secret {name}: a text is needed")
    before = app.secrets.get(name)
    salt = app.secrets_version + 1 if call.settings.salted_digests else ""
    app.secrets[name] = SecretRecord(
        name=name,
        value=value,
        digest=hashlib.sha256(f"{app.id}:{name}:{salt}:{value}".encode()).hexdigest()[:16],
        created_at=before.created_at if before else call.now,
        updated_at=call.now,
    )


def renew(call: Call, app: App) -> None:
    """A new version; hosts learn of it later."""
    app.secrets_version += 1
    app.secrets_changed_at = call.now


def _list(call: Call) -> Outcome:
    app = call.app()
    check_version(call, app)
    return {"secrets": _documents(app, app.secrets, reveal=_reveals(call))}


def _documents(app: App, names: Iterable[str], *, reveal: bool = False) -> list[Json]:
    return [documents.secret_document(app.secrets[name], reveal=reveal) for name in sorted(names)]


def _update(call: Call) -> Outcome:
    app, values = call.app(), call.body().get("values")
    if not isinstance(values, dict):
        raise Refusal(400, "values is required")
    change(call, app, values)
    return {**versions(app), "secrets": _documents(app, app.secrets.keys() & values.keys())}


def change(call: Call, app: App, values: Mapping[str, Any]) -> None:
    """Set secrets, and delete those whose value is None: all of them or none.

    Raises Refusal: a name or a value cannot be used.
    """
    kept = dict(app.secrets)
    try:
        for name, value in values.items():
            _change(call, app, name, value)
    except Refusal:
        app.secrets = kept
        raise
    renew(call, app)


def _show(call: Call) -> Outcome:
    app, name = call.app(), call.path["secret_name"]
    check_version(call, app)
    if name not in app.secrets:
        raise Refusal(404, f"secret not found: {name}")
    return documents.secret_document(app.secrets[name], reveal=_reveals(call))


def _set(call: Call) -> Outcome:
    app, name, body = call.app(), call.path["secret_name"], call.body()
    if body.get("value") is None:
        raise Refusal(400, "value is required")
    change(call, app, {name: body["value"]})
    document = documents.secret_document(app.secrets[name])
    return ApiResponse(status=201, document={**document, **versions(app)})


def _delete(call: Call) -> Outcome:
    app = call.app()
    change(call, app, {call.path["secret_name"]: None})
    return versions(app)


HANDLERS: Final[dict[str, Handler]] = {
    "Secrets_list": _list,
    "Secrets_update": _update,
    "Secret_get": _show,
    "Secret_create": _set,
    "Secret_delete": _delete,
}
