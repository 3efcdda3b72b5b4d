"""Everything that a fly.toml becomes, as one JSON document: what `config render --json` prints.

The members are named as in flyctl's recorded outcomes: machine configs by group, the release
command machine, and the problems of whatever cannot be converted.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from fly_machines.models import FlyMachineConfig
from score_flyio.base.document import MAY_BE_MISSING, Document
from score_flyio.base.record import evolve, field, frozen, values
from score_flyio.deploy.desired.addresses import address_kind, public_url
from score_flyio.deploy.desired.containers import with_image
from score_flyio.deploy.desired.errors import ConversionError, attempt
from score_flyio.deploy.desired.files import merged_files
from score_flyio.deploy.desired.machine_config import machine_config
from score_flyio.deploy.desired.mounts import first_deploy_volumes
from score_flyio.deploy.desired.problems import conversion_problems
from score_flyio.deploy.desired.settings import build_strategies, deploy_settings
from score_flyio.deploy.desired.special import console_machine, release_command_machine
from score_flyio.deploy.model import FileSource
from score_flyio.errors import Problem
from score_flyio.fly.codec import unstructure
from score_flyio.flytoml import FlyTomlDocument, to_json, to_toml
from score_flyio.flytoml.document import Finding, Verdict
from score_flyio.flytoml.groups import default_group, process_groups
from score_flyio.flytoml.spec import AppSpec


@frozen(kw_only=True)
class RenderedDocument(Document):
    """An app as machine configs; a config is null where an error has the reason."""

    process_groups: tuple[str, ...] | None = None
    """Those of the app."""
    default_process_group: str | None = None
    """The one that a machine without a group belongs to."""
    machine_configs: Mapping[str, Any] | None = None
    """By process group, as the Machines API takes them."""
    release_command_machine: Any = None
    """The config of the machine that runs the release command."""
    console_machine: Any = None
    """The config of a machine for a console."""
    deploy: Mapping[str, Any] | None = None
    """Settings with defaults applied, kind of address and public address."""
    conversion_errors: Mapping[str, Finding] | None = field(default=None, metadata=MAY_BE_MISSING)
    """Why a group has no config."""
    release_command_error: Finding | None = field(default=None, metadata=MAY_BE_MISSING)
    """Why the release command has no machine."""


@frozen(kw_only=True)
class ReadDocument(Verdict):
    """A fly.toml as it was understood; members are null where it is wrong."""

    app: str | None = None
    """The app's name; empty where the file has none."""
    config: Mapping[str, Any] | None = None
    """The file as it was understood."""
    toml: str | None = None
    """The file as it would be written."""
    first_deploy_volumes: tuple[Any, ...] | None = None
    """The volumes that a first deploy makes."""


def render(
    spec: AppSpec, *, files: FileSource, image: str | None = None
) -> tuple[RenderedDocument, tuple[ConversionError, ...]]:
    """Convert every process group of a valid app; failures are recorded, not raised.

    With `image`, the configs carry it; otherwise they have none, as before a deploy.
    """
    configs: dict[str, FlyMachineConfig | None] = {}
    errors: dict[str, ConversionError] = {}
    for group in process_groups(spec):
        configs[group], error = attempt(partial(machine_config, spec, group, files=files))
        if error is not None:
            errors[group] = error
    release, release_error = attempt(partial(release_command_machine, spec, files=files))
    for config in (*configs.values(), release):
        if image is not None and config is not None:
            with_image(config, image)
    settings = deploy_settings(spec)
    rendered = RenderedDocument(
        process_groups=process_groups(spec),
        default_process_group=default_group(spec),
        machine_configs={g: config and unstructure(config) for g, config in configs.items()},
        release_command_machine=release and unstructure(release),
        console_machine=unstructure(console_machine(spec)),
        deploy={
            "strategy": settings.strategy,
            "max_unavailable": settings.max_unavailable,
            "wait_timeout": settings.wait_timeout.text(),
            "release_command_timeout": settings.release_command_timeout.text(),
            "ip_type": address_kind(spec),
            "url": public_url(spec),
            "build_strategies": list(build_strategies(spec.build)),
        },
        conversion_errors={g: finding_of(error) for g, error in errors.items()} or None,
        release_command_error=None if release_error is None else finding_of(release_error),
    )
    return rendered, (*errors.values(), *(() if release_error is None else (release_error,)))


def render_document(
    document: FlyTomlDocument, *, files: FileSource, image: str | None = None
) -> tuple[ReadDocument, RenderedDocument, tuple[Problem, ...]]:
    """A file that was read, what becomes of it, and what it has that cannot be converted."""
    spec = document.spec
    read = ReadDocument(**values(document.verdict()), app=document.app)
    if spec is None:
        return read, RenderedDocument(), ()
    read = evolve(read, config=to_json(spec), toml=to_toml(spec))
    if not document.valid:
        groups = process_groups(spec)
        shown = RenderedDocument(process_groups=groups, default_process_group=default_group(spec))
        return read, shown, ()
    shown, errors = render(spec, files=files, image=image)
    problems = document.located(conversion_problems(spec, files)) if errors else ()
    unreadable = attempt(partial(merged_files, spec.files, files))[1]
    if unreadable is not None:  # then flyctl deploys nothing
        shown = evolve(shown, deploy=None, console_machine=None)
    if spec.mounts and not shown.conversion_errors:
        volumes = first_deploy_volumes(spec, image=image or "")
        found = tuple(unstructure(volume) for volume in volumes)
        read = evolve(read, first_deploy_volumes=found or None)
    return read, shown, problems


def finding_of(error: ConversionError) -> Finding:
    """A conversion problem as programs read it."""
    return Finding(stage=error.stage, field=error.field, code=error.code)
