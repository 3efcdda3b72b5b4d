"""What a person should know of a fly.toml that flyctl says nothing of, or not in its checks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from score_flyio.errors import Problem
from score_flyio.flytoml.findings import finding
from score_flyio.flytoml.groups import process_groups
from score_flyio.flytoml.names import READ_BY_ALL, looks_secret
from score_flyio.flytoml.spec import AppSpec, DeploySection, ExperimentalSection

_LAUNCH: Final = "only `fly launch` reads it"
_ENDED: Final = "Fly has no such feature any more"
_REMOVE: Final = "remove it"


def unused(spec: AppSpec) -> tuple[Problem, ...]:
    """Every key that is given and that no deploy does anything with."""
    found = (*_keys(spec), *_release_command(spec), *_sections(spec))
    return tuple(
        finding("validate", place, "no_effect", f"has no effect: {reason}", hint)
        for place, reason, hint in found
    )


def open_secrets(spec: AppSpec) -> tuple[Problem, ...]:
    """Variables whose names look secret; flyctl's rule."""
    return tuple(
        finding(
            "validate",
            f"env.{name}",
            "looks_secret",
            READ_BY_ALL,
            "set it with `secrets set`, and take it out of [env]",
        )
        for name in sorted(spec.env)
        if looks_secret(name)
    )


_Told = Iterator[tuple[str, str, str]]
"""Place, reason and hint."""


def _keys(spec: AppSpec) -> _Told:
    if spec.console_command:
        yield "console_command", "there is no console here", "open one with `fly console`"
    if "FLY_PROCESS_GROUP" in spec.env:
        yield "env.FLY_PROCESS_GROUP", "each machine has the name of its own group there", _REMOVE
    if spec.primary_region and spec.env.get("PRIMARY_REGION") not in {None, spec.primary_region}:
        yield "env.PRIMARY_REGION", f"primary_region, {spec.primary_region}, stands there", _REMOVE
    if spec.container and not _has_containers(spec):
        yield (
            "container",
            "the machine has no containers",
            "add a machine_config with containers, or remove it",
        )
    section = spec.experimental or ExperimentalSection()
    if section.auto_rollback:
        yield (
            "experimental.auto_rollback",
            "machines go back to what ran before anyway",
            "choose with --on-failure what a failed deploy does",
        )
    for name in ("enable_consul", "enable_etcd", "lazy_load_images"):
        if getattr(section, name):
            yield f"experimental.{name}", _ENDED, _REMOVE
    if section.attached.secrets.export:
        yield "experimental.attached.secrets.export", _LAUNCH, "set them with `secrets set`"


def _has_containers(spec: AppSpec) -> bool:
    section = spec.experimental or ExperimentalSection()
    compose = spec.build is not None and spec.build.compose is not None
    return compose or bool(spec.machine_config or section.machine_config)


def _release_command(spec: AppSpec) -> _Told:
    section = spec.deploy or DeploySection()
    if section.seed_command:
        yield (
            "deploy.seed_command",
            _LAUNCH,
            "run it in a machine of the app, or as the release_command of one deploy",
        )
    vm = section.release_command_vm
    if vm is not None and vm.processes:
        yield "deploy.release_command_vm.processes", "it belongs to no process group", _REMOVE
    if section.release_command:
        return
    for name in ("release_command_vm", "release_command_timeout"):
        if getattr(section, name) is not None:
            yield (
                f"deploy.{name}",
                "there is no release_command",
                f"add a release_command, or {_REMOVE}",
            )


def _sections(spec: AppSpec) -> _Told:
    """Sections for groups that the app does not have, and files, which go to every group."""
    groups = process_groups(spec)
    listed = {f"checks.{name}": check.processes for name, check in spec.checks.items()}
    for kind in ("mounts", "vm", "metrics"):
        for index, section in enumerate(getattr(spec, kind)):
            listed[f"{kind}[{index}]"] = section.processes
    for place, processes in listed.items():
        for name in processes:
            if name not in groups:
                yield (
                    f"{place}.processes",
                    f"no process group is named {name!r}",
                    f"use one of {', '.join(groups)}",
                )
    for index, file in enumerate(spec.files):
        if file.processes:
            yield f"files[{index}].processes", "every process group gets every file", _REMOVE
