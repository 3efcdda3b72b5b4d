"""What flyctl sends as it stands in a fly.toml, and hardly anyone means.

It is told, not refused: the platform's own rules are not published, and may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final, TypeAlias

from score_flyio.base.place import quoted
from score_flyio.errors import Problem
from score_flyio.flytoml.findings import finding
from score_flyio.flytoml.names import CONCURRENCY_TYPES, HANDLERS
from score_flyio.flytoml.spec import (
    AppSpec,
    Check,
    Concurrency,
    ServiceHttpCheck,
    ServiceTcpCheck,
)

_OF_THE_PLATFORM: Final = frozenset(
    {
        *("FLY_ALLOC_ID", "FLY_APP_NAME", "FLY_IMAGE_REF", "FLY_MACHINE_ID", "FLY_MACHINE_VERSION"),
        *("FLY_PRIVATE_IP", "FLY_PUBLIC_IP", "FLY_REGION", "FLY_VM_MEMORY_MB"),
    }
)
_Check: TypeAlias = ServiceTcpCheck | ServiceHttpCheck | Check
_Told: TypeAlias = Iterator[Problem]


def doubtful(spec: AppSpec) -> tuple[Problem, ...]:
    """Every value that is likely a mistake."""
    return (*_variables(spec), *_concurrency(spec), *_handlers(spec), *_checks(spec))


def _doubt(place: str, code: str, message: str, hint: str) -> Problem:
    return finding("validate", place, code, message, hint)


def _variables(spec: AppSpec) -> _Told:
    for name in sorted(spec.env):
        if name in _OF_THE_PLATFORM:
            message = f"Fly gives each machine a {name} of its own"
            hint = "leave it out, or give the variable another name"
            yield _doubt(f"env.{name}", "variable_of_the_platform", message, hint)
        if name != "".join(name.split()):
            message = f"{quoted(name)} has white space: a shell cannot read such a variable"
            near = "_".join(name.split())
            hint = f"the nearest name is {near}" if near else "give it a name"
            yield _doubt(f"env[{name}]", "odd_variable_name", message, hint)


def _concurrency(spec: AppSpec) -> _Told:
    sections: dict[str, Concurrency | None] = {
        f"services[{number}]": service.concurrency for number, service in enumerate(spec.services)
    }
    if spec.http_service:
        sections["http_service"] = spec.http_service.concurrency
    for section, limits in sections.items():
        if limits is None:
            continue
        place = f"{section}.concurrency"
        if limits.type and limits.type not in CONCURRENCY_TYPES:
            message = f"Fly is not known to count {quoted(limits.type)}"
            hint = f"use {' or '.join(CONCURRENCY_TYPES)}"
            yield _doubt(f"{place}.type", "unsupported_value", message, hint)
        if 0 < limits.hard_limit < limits.soft_limit:
            message = (
                f"{limits.soft_limit} is above hard_limit, which is {limits.hard_limit}: a machine "
                "is full before others are preferred or started"
            )
            hint = f"the nearest is {limits.hard_limit}"
            yield _doubt(f"{place}.soft_limit", "above_hard_limit", message, hint)


def _handlers(spec: AppSpec) -> _Told:
    for number, service in enumerate(spec.services):
        for index, port in enumerate(service.ports):
            for name in port.handlers:
                if name in HANDLERS:
                    continue
                near = get_close_matches(name, HANDLERS, n=1, cutoff=0.0)[0]
                place = f"services[{number}].ports[{index}].handlers"
                message = f"Fly is not known to have a handler {quoted(name)}"
                yield _doubt(place, "unsupported_value", message, f"the nearest is {near}")


def _checks(spec: AppSpec) -> _Told:
    found: dict[str, _Check] = {f"checks.{name}": check for name, check in spec.checks.items()}
    for place, check in {**found, **spec.service_checks}.items():
        interval, timeout = check.interval, check.timeout
        if interval is not None and timeout is not None and interval < timeout:
            message = (
                f"{timeout} is longer than the interval, which is {interval}: the next check is "
                "due before this one has failed"
            )
            hint = f"the nearest is {interval}"
            yield _doubt(f"{place}.timeout", "above_interval", message, hint)
        path = None if isinstance(check, ServiceTcpCheck) else check.path
        if path and not path.startswith("/"):
            message = f"{quoted(path)} does not begin with /"
            yield _doubt(f"{place}.path", "relative_path", message, f"the nearest is /{path}")
