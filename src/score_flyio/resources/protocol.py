"""The provisioner protocol: one JSON request, one JSON answer.

The form is that of the Go score-flyio, so that provisioners written for it work unchanged.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final, Literal, NoReturn, TypeAlias

from score_flyio.base.place import MOST_LEVELS, too_deep
from score_flyio.base.printable import system_reason
from score_flyio.base.record import evolve, values
from score_flyio.errors import ProvisionFailed, ResourceError
from score_flyio.flytoml.gotext import well_formed
from score_flyio.resources.provisioner import ProvisionIncomplete, ProvisionRequest, ProvisionResult
from score_flyio.score.resources import JsonObject, ResourceUid

Mode: TypeAlias = Literal["provision", "deprovision"]
_TEXTS: Final = ("resource_uid", "resource_type", "resource_class", "resource_id")
_OBJECTS: Final = ("state", "shared", "resource_params", "resource_metadata")
"""The members of a request."""
MEMBERS: Final = ("state", "values", "secrets", "shared")
OTHER_TOOLS: Final = {
    "resource_state": "state",
    "resource_outputs": "values",
    "shared_state": "shared",
}
"""What the members are called that programs for score-compose and score-k8s answer with."""
NOT_HERE: Final = (
    "manifests",
    *("compose_services", "compose_networks", "compose_volumes"),
    *("relative_directories", "relative_file_contents"),
)
"""Members with which such programs give what is to be put into Kubernetes or Compose."""
OF_KUBERNETES: Final = "🔐💬"
"""How texts begin with which programs for score-k8s refer to a Secret that they made."""
MAX_ANSWER: Final = 16 * 1024 * 1024
"""Bytes; a longer answer is refused."""
MADE_AGAIN: Final = (
    "it was to deprovision and answers with outputs: if it knows no modes, it provisioned again, "
    "and what it made is still there"
)
"""Of programs for other Score tools, which call none when a resource goes."""
MOST_REASON: Final = 400
"""Characters of the reason that a failed call gives."""


class Calling:
    """A provisioner whose two calls are one, with a mode."""

    __slots__ = ()

    async def provision(self, request: ProvisionRequest) -> ProvisionResult:
        return await self.call("provision", request)

    async def deprovision(self, request: ProvisionRequest) -> ProvisionResult:
        return await self.call("deprovision", request)

    async def call(self, mode: Mode, request: ProvisionRequest) -> ProvisionResult:
        raise NotImplementedError


def for_other_tools(request: ProvisionRequest, surroundings: JsonObject) -> JsonObject:
    """What programs for score-compose and score-k8s look for: other members, or other values."""
    services: JsonObject = {
        workload: {
            "ServiceName": service["ServiceName"],
            "service_name": service["ServiceName"],  # as its other members are called
            "ports": {
                name: {
                    "name": port["Name"],
                    "port": port["Port"],
                    "target_port": port["TargetPort"],
                    "protocol": port["Protocol"],
                }
                for name, port in service["Ports"].items()
            },
        }
        for workload, service in surroundings["WorkloadServices"].items()
    }
    return {
        "resource_uid": str(request.uid),
        "resource_guid": request.guid,
        "resource_state": request.state,
        "shared_state": request.shared,
        "source_workload": surroundings["SourceWorkload"],
        "workload_services": services,
    }


def encode_request(request: ProvisionRequest, more: JsonObject | None = None) -> bytes:
    """The request, with `more` members, as one line of JSON.

    Raises ProvisionFailed for what JSON cannot carry.
    """
    members = {
        "resource_uid": request.guid,
        "resource_type": request.uid.type,
        "resource_class": request.uid.class_,
        "resource_id": request.uid.id,
        "state": request.state,
        "shared": request.shared,
        "resource_params": request.params,
        "resource_metadata": request.metadata,
        **(more or {}),
    }
    try:
        return json.dumps(
            {name: _ordered(value) for name, value in members.items()},
            separators=(",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        ).encode()
    except (TypeError, ValueError) as error:
        why = f"the params or state cannot be written as JSON: {system_reason(error)}"
        raise ProvisionFailed(
            f"resource '{request.uid}': {why}",
            uid=str(request.uid),
            code="params_substitution_failed",
        ) from error


def _ordered(value: Any) -> Any:
    """The value as Go writes it: keys of objects sorted, whole numbers without a fraction."""
    match value:
        case dict():
            return {str(key): _ordered(value[key]) for key in sorted(value, key=str)}
        case list() | tuple():
            return [_ordered(item) for item in value]
        case float() if value.is_integer() and abs(value) < 1e21:
            return int(value)
        case _:
            return value


def decode_answer(body: bytes) -> ProvisionResult:
    """Read an answer; member names count exactly, and nothing may follow it.

    Raises ValueError that says what is wrong, without quoting any value.
    """
    document = parse_object(body)
    left = [name for name in NOT_HERE if document.pop(name, None)]
    for theirs, ours in OTHER_TOOLS.items():
        if theirs in document and ours not in document:
            document[ours] = document.pop(theirs)
    if unknown := sorted(set(document) - set(MEMBERS)):
        names = ", ".join(repr(name) for name in unknown)
        raise ValueError(f"unknown member {names}; there are only {', '.join(MEMBERS)}")
    for name, value in document.items():
        if value is not None and not isinstance(value, dict):
            raise ValueError(f"member {name!r} must be an object")
    if OF_KUBERNETES in json.dumps(document, ensure_ascii=False):
        raise ValueError("it refers to a Secret of Kubernetes, and there are none at Fly")
    warnings = (f"its answer has {', '.join(left)}, which nothing here applies",) if left else ()
    return ProvisionResult(**document, warnings=warnings)


def parse_object(body: bytes) -> JsonObject:
    """The JSON object that `body` is, integers exact; `null` reads as the empty object.

    Raises ValueError that says what is wrong, without quoting any value.
    """
    try:
        text = body.decode("utf-8", "surrogatepass")
        if text.startswith("\ufeff"):
            raise ValueError("it begins with a byte order mark; write UTF-8 without one")
        document = json.loads(
            text, parse_constant=_no_constant, parse_float=_finite, object_pairs_hook=_object
        )
    except json.JSONDecodeError as error:
        why = f"{error.msg[:1].lower()}{error.msg[1:].removesuffix(' at')}"
        raise ValueError(f"not JSON: {why} at character {error.pos}") from None
    except UnicodeDecodeError:
        raise ValueError("not UTF-8 text") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - one kind of error for all
    if too_deep(document):
        raise ValueError(f"nested deeper than {MOST_LEVELS} levels")
    return dict(well_formed(document))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number is too large")
    return number


def _object(pairs: list[tuple[str, Any]]) -> JsonObject:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"member {twice!r} occurs twice")
    return document


def decode_request(body: bytes) -> ProvisionRequest:
    """Read a request, as one that is called. Raises ResourceError without quoting any value."""
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
    guid, *identity = (document[name] for name in _TEXTS)
    return ProvisionRequest(
        uid=ResourceUid(*identity),
        guid=guid,
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
    members = {name: values(result)[name] for name in MEMBERS}
    said = {name: value for name, value in members.items() if value is not None}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")) + "\n" if said else ""


def understand(
    body: bytes,
    failure: str | None,
    *,
    mode: Mode,
    request: ProvisionRequest,
    provisioner: str,
) -> ProvisionResult:
    """What an answer means; `failure` is why the call failed, such as `exit code 3`.

    Raises ProvisionIncomplete when the call failed but left something to keep, and
    ProvisionFailed for every other failure.
    """
    uid = str(request.uid)
    about = f"resource '{uid}': provisioner '{provisioner}'"
    if mode == "deprovision" and failure is None and not body.strip():
        return ProvisionResult()
    if not body and failure is None:
        raise ProvisionFailed(
            f"{about} succeeded but gave no answer",
            uid=uid,
            code="provisioner_no_output",
            hint='it has to answer at least {"values": {}}',
        )
    reason = _reason(body) if failure is not None else ""
    failed = f"{about} failed to {mode}: {failure}" + (f": {reason}" if reason else "")
    if not body:
        raise ProvisionFailed(failed, uid=uid, code="provisioner_call_failed")
    try:
        result = decode_answer(body)
    except ValueError as error:
        if failure is None:
            failed = f"{about} succeeded"
        if not reason:
            failed += f"; its answer is not what the protocol asks for: {error}"
        # The Go tool looks at the answer of a failed call only when it provisions.
        ignored = failure is not None and mode == "deprovision"
        code = "provisioner_call_failed" if ignored else "provisioner_output_invalid"
        raise ProvisionFailed(failed, uid=uid, code=code) from error
    if failure is None:
        if mode == "deprovision" and b'"resource_outputs"' in body:
            result = evolve(result, warnings=(*result.warnings, MADE_AGAIN))
        return result
    code = "provisioner_failed" if mode == "provision" else "provisioner_call_failed"
    raise ProvisionIncomplete(failed, uid=uid, result=result, code=code)


def call_failed(
    request: ProvisionRequest, provisioner: str, reason: str, *, hint: str | None = None
) -> ProvisionFailed:
    """The error of a call that brought no answer."""
    return ProvisionFailed(
        f"resource '{request.uid}': provisioner '{provisioner}': {reason}",
        uid=str(request.uid),
        hint=hint,
        code="provisioner_call_failed",
    )


def _reason(body: bytes) -> str:
    """What a failed call says in its JSON for people; other members may hold secrets."""
    try:
        document = parse_object(body)
    except ValueError:
        return ""
    inside = document.get("error")
    told = [inside.get("message") if isinstance(inside, dict) else inside]
    told += [document.get(name) for name in ("message", "detail", "title")]
    texts = [text.strip() for text in told if isinstance(text, str) and text.strip()]
    return beginning(texts[0], MOST_REASON) if texts else ""


def beginning(text: str, most: int) -> str:
    """The first words of a text: a word that is cut may be a part of a secret, which none masks."""
    if len(text) <= most:
        return text
    *words, _ = re.split(r"(?=\s)", text[:most])
    return "".join(words).rstrip() + " …"
