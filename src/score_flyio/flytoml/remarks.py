"""What a person should know of a fly.toml that flyctl says nothing of, or not in its checks.

What flyctl sends as it stands, and hardly anyone means, is told, not refused: the platform's own
rules are not published, and may change.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from score_flyio.base.misspelt import nearest
from score_flyio.base.place import quoted
from score_flyio.errors import Problem
from score_flyio.flytoml.findings import misfit
from score_flyio.flytoml.groups import process_groups
from score_flyio.flytoml.names import CONCURRENCY_TYPES, HANDLERS, READ_BY_ALL, looks_secret
from score_flyio.flytoml.spec import (
    AppSpec,
    Check,
    DeploySection,
    ExperimentalSection,
    ServiceHttpCheck,
    ServiceTcpCheck,
)

_LAUNCH: Final = "only `fly launch` reads it"
_ENDED: Final = "Fly has no such feature any more"
_REMOVE: Final = "remove it"


def unused(spec: AppSpec) -> tuple[Problem, ...]:
    """Every key that is given and that no deploy does anything with."""
    found = (*_keys(spec), *_release_command(spec), *_sections(spec))
    return tuple(
        misfit(place, "no_effect", f"has no effect: {reason}", hint)
        for place, reason, hint in found
    )


def open_secrets(spec: AppSpec) -> tuple[Problem, ...]:
    """Variables whose names look secret; flyctl's rule."""
    hint = "set it with `secrets set`, and take it out of [env]"
    found = sorted(filter(looks_secret, spec.env))
    return tuple(misfit(f"env.{name}", "looks_secret", READ_BY_ALL, hint) for name in found)


_Told = Iterator[tuple[str, str, str]]
"""Place, reason and hint."""


def _keys(spec: AppSpec) -> _Told:
    if spec.console_command:
        yield "console_command", "there is no console here", "open one with `fly console`"
    if "FLY_PROCESS_GROUP" in spec.env:
        yield "env.FLY_PROCESS_GROUP", "each machine has the name of its own group there", _REMOVE
    if spec.primary_region and spec.env.get("PRIMARY_REGION") not in {None, spec.primary_region}:
        yield "env.PRIMARY_REGION", f"primary_region, {spec.primary_region}, stands there", _REMOVE
    section = spec.experimental or ExperimentalSection()
    composed = spec.build is not None and spec.build.compose is not None
    if spec.container and not (composed or spec.machine_config or section.machine_config):
        hint = "add a machine_config with containers, or remove it"
        yield "container", "the machine has no containers", hint
    if section.auto_rollback:
        hint = "choose with --on-failure what a failed deploy does"
        yield "experimental.auto_rollback", "machines go back to what ran before anyway", hint
    for name in ("enable_consul", "enable_etcd", "lazy_load_images"):
        if getattr(section, name):
            yield f"experimental.{name}", _ENDED, _REMOVE
    if section.attached.secrets.export:
        yield "experimental.attached.secrets.export", _LAUNCH, "set them with `secrets set`"


def _release_command(spec: AppSpec) -> _Told:
    section = spec.deploy or DeploySection()
    if section.seed_command:
        hint = "run it in a machine of the app, or as the release_command of one deploy"
        yield "deploy.seed_command", _LAUNCH, hint
    vm = section.release_command_vm
    if vm is not None and vm.processes:
        yield "deploy.release_command_vm.processes", "it belongs to no process group", _REMOVE
    if any(line.strip()[:1] not in {"", "#"} for line in section.release_command.split("\n")):
        return
    if section.release_command:
        hint = f"write the command, or {_REMOVE}"
        yield "deploy.release_command", "there is no command in it", hint
    for name in ("release_command_vm", "release_command_timeout"):
        if getattr(section, name) is not None:
            hint = f"add a release_command, or {_REMOVE}"
            yield f"deploy.{name}", "there is no release_command", hint


def _sections(spec: AppSpec) -> _Told:
    """Sections for groups that the app does not have, and files, which go to every group."""
    groups = process_groups(spec)
    listed = {f"checks.{name}": check.processes for name, check in spec.checks.items()}
    for kind in ("mounts", "vm", "metrics"):
        for index, section in enumerate(getattr(spec, kind)):
            listed[f"{kind}[{index}]"] = section.processes
    for place, processes in listed.items():
        for name in processes:
            if name and name not in groups:
                reason = f"no process group is named {name!r}"
                yield f"{place}.processes", reason, f"use one of {', '.join(groups)}"
    for index, file in enumerate(spec.files):
        if file.processes:
            yield f"files[{index}].processes", "every process group gets every file", _REMOVE


_OF_THE_PLATFORM: Final = frozenset(
    {
        *("FLY_ALLOC_ID", "FLY_APP_NAME", "FLY_IMAGE_REF", "FLY_MACHINE_ID", "FLY_MACHINE_VERSION"),
        *("FLY_PRIVATE_IP", "FLY_PUBLIC_IP", "FLY_REGION", "FLY_VM_MEMORY_MB"),
    }
)
_Check: TypeAlias = ServiceTcpCheck | ServiceHttpCheck | Check


def doubtful(spec: AppSpec) -> tuple[Problem, ...]:
    """Every value that is likely a mistake."""
    return (*_variables(spec), *_concurrency(spec), *_handlers(spec), *_checks(spec))


def _variables(spec: AppSpec) -> Iterator[Problem]:
    for name in sorted(spec.env):
        if name in _OF_THE_PLATFORM:
            message = f"Fly gives each machine a {name} of its own"
            hint = "leave it out, or give the variable another name"
            yield misfit(f"env.{name}", "variable_of_the_platform", message, hint)
        if name != "".join(name.split()):
            message = f"{quoted(name)} has white space: a shell cannot read such a variable"
            near = "_".join(name.split())
            hint = f"the nearest name is {near}" if near else "give it a name"
            yield misfit(f"env[{name}]", "odd_variable_name", message, hint)


def _concurrency(spec: AppSpec) -> Iterator[Problem]:
    for section, service in spec.placed_services.items():
        limits = service.concurrency
        if limits is None:
            continue
        place = f"{section}.concurrency"
        if limits.type and limits.type not in CONCURRENCY_TYPES:
            message = f"Fly is not known to count {quoted(limits.type)}"
            hint = f"use {' or '.join(CONCURRENCY_TYPES)}"
            yield misfit(f"{place}.type", "unsupported_value", message, hint)
        if 0 < limits.hard_limit < limits.soft_limit:
            message = (
                f"{limits.soft_limit} is above hard_limit, which is {limits.hard_limit}: a machine "
                "is full before others are preferred or started"
            )
            hint = f"the nearest is {limits.hard_limit}"
            yield misfit(f"{place}.soft_limit", "above_hard_limit", message, hint)


def _handlers(spec: AppSpec) -> Iterator[Problem]:
    for number, service in enumerate(spec.services):
        for index, port in enumerate(service.ports):
            for name in port.handlers:
                if name in HANDLERS:
                    continue
                near = nearest(name, HANDLERS, likeness=0.0)
                place = f"services[{number}].ports[{index}].handlers"
                message = f"Fly is not known to have a handler {quoted(name)}"
                yield misfit(place, "unsupported_value", message, f"the nearest is {near}")


def _checks(spec: AppSpec) -> Iterator[Problem]:
    found: dict[str, _Check] = {f"checks.{name}": check for name, check in spec.checks.items()}
    for place, check in {**found, **spec.service_checks}.items():
        interval, timeout = check.interval, check.timeout
        if interval is not None and timeout is not None and interval < timeout:
            message = (
                f"{timeout} is longer than the interval, which is {interval}: the next check is "
                "due before this one has failed"
            )
            hint = f"the nearest is {interval}"
            yield misfit(f"{place}.timeout", "above_interval", message, hint)
        path = None if isinstance(check, ServiceTcpCheck) else check.path
        if path and not path.startswith("/"):
            message = f"{quoted(path)} does not begin with /"
            yield misfit(f"{place}.path", "relative_path", message, f"the nearest is /{path}")
