"""What becomes of a fly.toml, as the JSON document of `config render`.

The members are those of the recorded flyctl outcomes in tests/conformance/fly_toml, as far as they
follow from the file alone.
"""

from __future__ import annotations

from typing import Any

from score_flyio.cli.config_verdict import verdict
from score_flyio.deploy.desired.errors import ConversionError
from score_flyio.deploy.desired.files import merged_files
from score_flyio.deploy.desired.render import render
from score_flyio.deploy.desired.volumes import first_deploy_volumes
from score_flyio.deploy.model import FileSource
from score_flyio.fly.codec import unstructure
from score_flyio.flytoml import FlyTomlDocument, read_fly_toml, to_json, to_toml, validate_group
from score_flyio.flytoml.groups import default_group, flatten, process_groups
from score_flyio.flytoml.spec import AppSpec


def outcome(
    document: FlyTomlDocument, *, files: FileSource, image: str | None = None
) -> tuple[dict[str, Any], tuple[ConversionError, ...]]:
    """The whole outcome, and what an accepted file has that cannot be converted."""
    result = {
        **verdict(document),
        "process_groups": None,
        "config": None,
        "toml": None,
        "machine_configs": None,
        "release_command_machine": None,
    }
    if document.app is not None:
        result["app"] = document.app
    if document.spec is None:
        return result, ()
    result |= _decoded(document.spec)
    if not document.valid:
        return result, ()
    rendered = render(document.spec, files=files, image=image)
    result |= rendered.to_json()
    if not _files_readable(document.spec, files):
        result |= {"deploy": None, "console_machine": None}
    if document.spec.mounts and not rendered.conversion_errors:
        result["first_deploy_volumes"] = _volumes(document.spec, image) or None
    return result, rendered.problems


def _decoded(spec: AppSpec) -> dict[str, Any]:
    groups = process_groups(spec)
    config, toml = to_json(spec), to_toml(spec)
    again = read_fly_toml(toml).spec
    return {
        "process_groups": list(groups),
        "default_process_group": default_group(spec),
        "config": config,
        "toml": toml,
        "toml_round_trips": again is not None and to_json(again) == config,
        "toml_stable": again is not None and to_toml(again) == toml,
        "flattened": {group: to_json(flatten(spec, group)) for group in groups},
        "group_errors": {
            group: [finding.as_json() for finding in validate_group(spec, group)]
            for group in groups
        },
    }


def _files_readable(spec: AppSpec, files: FileSource) -> bool:
    """Whether every local file of `[[files]]` is there; flyctl deploys nothing otherwise."""
    try:
        merged_files(spec.files, files)
    except ConversionError:
        return False
    return True


def _volumes(spec: AppSpec, image: str | None) -> list[Any]:
    return [unstructure(request) for request in first_deploy_volumes(spec, image=image or "")]
