"""Workload + outputs of its resources → app.

One module an aspect; each notes its problems in the draft, and all of them are raised together.

A workload is public if a port has handlers, if a resource is a name or a path of it, or if an
annotation says so: nothing is public by accident, and nothing costs money so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from score_flyio.base.record import evolve, field, frozen
from score_flyio.base.secret import Secret
from score_flyio.convert.build import build_of
from score_flyio.convert.checks import add_checks
from score_flyio.convert.containers import needs_containers, with_containers
from score_flyio.convert.draft import Draft
from score_flyio.convert.files import contents, file_spec
from score_flyio.convert.services import services
from score_flyio.convert.sizing import vm_of_workload
from score_flyio.convert.variables import Variables, variables
from score_flyio.convert.volumes import mounts
from score_flyio.errors import Problem
from score_flyio.flytoml.names import RULE, Exposure, is_app_name
from score_flyio.flytoml.spec import AppSpec, ExperimentalSection, Service
from score_flyio.score.load import LoadedWorkload
from score_flyio.score.model import Container
from score_flyio.score.placeholders import PENDING, Lookup

if TYPE_CHECKING:
    from score_flyio.score.resources import Outputs


__all__ = ["Conversion", "convert"]


@frozen(kw_only=True)
class Conversion:
    """An app, and what belongs to it but does not stand in its fly.toml."""

    spec: AppSpec
    secrets: Mapping[str, Secret] = field(factory=dict)
    """App secrets, by name, sorted."""
    notices: tuple[Problem, ...] = ()
    """Remarks of the conversion; those of the loading are in `LoadedWorkload.notices`."""
    exposure: Exposure = "private"
    """Who can reach it: nobody from outside, unless something in the workload says so."""
    side_files: Mapping[str, bytes] = field(factory=dict)
    """Files to be written, by path relative to the working folder; `local_path` names them."""


def convert(
    loaded: LoadedWorkload,
    *,
    app_name: str,
    outputs: Mapping[str, Outputs],
    read_file: Callable[[str], bytes],
    known_later: Mapping[str, Collection[str] | None] = MappingProxyType({}),
    kept: Collection[str] = (),
    elsewhere: Collection[str] = (),
    side_folder: str = "",
) -> Conversion:
    """The app of a workload; `Draft` says what the settings are.

    `outputs` are by resource name of the workload. Those that are missing of `known_later` read as
    a marker text, as in a plan; it has the names of all that each will have, or None: any.

    Raises InputError with all problems: `code` is one of `unsupported_feature`,
    `placeholder_invalid`, `annotation_unknown`, `annotation_invalid`, `file_unreadable`,
    `file_invalid`, `resource_quantity_invalid`, `app_name_invalid`.
    """
    workload = loaded.workload
    draft = Draft(
        workload=workload,
        origin=loaded.origin,
        lookup=Lookup(workload.metadata, outputs, known_later),
        read_file=read_file,
        kept=kept,
        elsewhere=elsewhere,
        side_folder=side_folder,
    )
    spec = _spec(draft, app_name)
    public = _exposure(draft, spec.services)
    draft.raise_problems()
    known = {n: value for n, value in draft.secrets.items() if PENDING not in value.reveal()}
    return Conversion(
        spec=spec,
        secrets=dict(sorted(known.items())),
        notices=tuple(draft.notices),
        exposure=public,
        side_files=draft.side_files,
    )


def _spec(draft: Draft, app_name: str) -> AppSpec:
    _check_name(draft, app_name)
    found = services(draft)
    own = {name: variables(draft, each) for name, each in draft.workload.containers.items()}
    several = needs_containers(draft.workload, own)
    spec = AppSpec(
        app=app_name,
        checks=add_checks(draft, found, several=several),
        mounts=mounts(draft),
        services=tuple(found),
        vm=vm_of_workload(draft),
    )
    if several:
        return with_containers(draft, spec, own)
    ((name, of_process),) = own.items()
    return _with_process(draft, spec, draft.workload.containers[name], of_process)


def _check_name(draft: Draft, app_name: str) -> None:
    if not is_app_name(app_name):
        draft.fail(
            "app_name_invalid",
            ("metadata", "name"),
            f'"{app_name}" cannot be the name of a Fly app: {RULE}',
            "shorten the workload's name, or start the project with another --fly-app-prefix",
        )


def _with_process(draft: Draft, spec: AppSpec, container: Container, own: Variables) -> AppSpec:
    """The app with the one container as the main process of the machine."""
    draft.secrets.update(own.secret)
    if container.args or container.command:
        command = ExperimentalSection(cmd=container.args, entrypoint=container.command)
        spec = evolve(spec, experimental=command)
    return evolve(
        spec,
        build=build_of(draft, container),
        env=own.open,
        files=tuple(file_spec(draft, container, each) for each in contents(draft, container)),
    )


def _exposure(draft: Draft, services: tuple[Service, ...]) -> Exposure:
    """The widest that anything in the workload asks for."""
    if "dedicated" in draft.exposures:
        return "dedicated"
    handled = any(port.handlers for service in services for port in service.ports)
    asked = handled or draft.ways_in or "shared" in draft.exposures
    return "shared" if asked else "private"
