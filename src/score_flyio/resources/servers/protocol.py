"""The provisioner protocol from the side of the one that is called."""

from __future__ import annotations

import json
from typing import Any, Final

from score_flyio.errors import ResourceError
from score_flyio.resources.protocol import parse_object
from score_flyio.resources.provisioner import ProvisionRequest, ProvisionResult
from score_flyio.score.resources import ResourceUid

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
