"""The Postgres provisioners on stdin and stdout, or in this process instead of our program."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any, Final

from score_flyio.errors import ResourceError
from score_flyio.resources.model import (
    CommandSpec,
    Provisioner,
    ProvisionerDefinition,
    ProvisionRequest,
    ProvisionResult,
    ResourceUid,
)
from score_flyio.resources.postgres.access import FlyAccess
from score_flyio.resources.postgres.provisioner import (
    PostgresInstanceProvisioner,
    PostgresProvisioner,
)
from score_flyio.resources.protocol import parse_object

PROGRAM: Final = "score-flyio"
GROUP: Final = "builtin-provisioners"
MODE: Final = "$SCORE_PROVISIONER_MODE"
KINDS: Final[dict[str, type[PostgresProvisioner | PostgresInstanceProvisioner]]] = {
    "postgres": PostgresProvisioner,
    "postgres-instance": PostgresInstanceProvisioner,
}
_TEXTS: Final = ("resource_uid", "resource_type", "resource_class", "resource_id")
_OBJECTS: Final = ("state", "shared", "resource_params", "resource_metadata")


def decode_request(body: bytes) -> ProvisionRequest:
    """Read a request. Raises ResourceError that names what is wrong, without quoting values."""
    try:
        document = parse_object(body)
    except ValueError as error:
        raise _invalid(str(error)) from error
    if unknown := sorted(set(document) - {*_TEXTS, *_OBJECTS}):
        raise _invalid(f"unknown member {', '.join(map(repr, unknown))}")
    for name in _TEXTS:
        if not isinstance(document.get(name), str):
            raise _invalid(f"member {name!r} must be a text")
    for name in _OBJECTS:
        if not isinstance(document.get(name), dict | None):
            raise _invalid(f"member {name!r} must be an object")
    return ProvisionRequest(
        uid=ResourceUid(
            document["resource_type"], document["resource_class"], document["resource_id"]
        ),
        guid=document["resource_uid"],
        params=document.get("resource_params"),
        metadata=document.get("resource_metadata"),
        state=document.get("state") or {},
        shared=document.get("shared") or {},
    )


def _invalid(what: str) -> ResourceError:
    return ResourceError(
        f"stdin: not a provisioner request: {what}",
        hint="this command is called by the one that provisions; see docs/provisioners.md",
        code="provisioner_input_invalid",
    )


def encode_answer(result: ProvisionResult) -> str:
    """The answer as one line of JSON; nothing for an answer that says nothing."""
    members: dict[str, Any] = {
        "state": result.state,
        "values": result.values,
        "secrets": result.secrets,
        "shared": result.shared,
    }
    said = {name: value for name, value in members.items() if value is not None}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n" if said else ""


def in_process(
    definitions: Iterable[ProvisionerDefinition], access: FlyAccess
) -> dict[str, Provisioner]:
    """By id: what does, in this process, the work of definitions that call our own program."""
    return {
        definition.id: KINDS[kind](access)
        for definition in definitions
        if (kind := _kind(definition)) is not None
    }


def _kind(definition: ProvisionerDefinition) -> str | None:
    spec = definition.spec
    if not isinstance(spec, CommandSpec) or PurePath(spec.binary).stem != PROGRAM:
        return None
    match spec.args:
        case (group, kind, mode) if group == GROUP and mode == MODE:
            return kind if kind in KINDS else None
    return None
