"""The images of an app: whether it needs one of its own, and which others its parts name."""

from __future__ import annotations

from collections.abc import Mapping

from fly_machines.models import FlyContainerConfig, FlyMachineConfig
from score_flyio.deploy.desired.containers import BUILT_IMAGE, config_source, with_sources
from score_flyio.deploy.model import FileSource
from score_flyio.flytoml.spec import AppSpec


def needs_image(spec: AppSpec, files: FileSource) -> bool:
    """Whether anything runs the image of the app: not when all containers bring their own."""
    containers = _containers(spec, files)
    named = {file.image_config for each in containers for file in each.files or []}
    built = BUILT_IMAGE in named | {container.image for container in containers}
    return not containers or built or bool(spec.deploy and spec.deploy.release_command)


def named_images(spec: AppSpec, files: FileSource) -> Mapping[str, str]:
    """The images that containers, their files and machine checks name, each with a place."""
    found: dict[str, str] = {}
    source = _source(spec, files)
    for container in _containers(spec, files):
        if container.image != BUILT_IMAGE:
            found.setdefault(container.image or "", f"{source}.{container.name}.image")
        for file in container.files or []:
            if file.image_config != BUILT_IMAGE:
                place = f"{source}.{container.name}.files[{file.guest_path}].image_config"
                found.setdefault(file.image_config or "", place)
    for place, check in spec.placed_machine_checks.items():
        found.setdefault(check.image, f"{place}.image")
    return {image: place for image, place in found.items() if image}


def _containers(spec: AppSpec, files: FileSource) -> list[FlyContainerConfig]:
    return with_sources(FlyMachineConfig(), spec, files).containers or []


def _source(spec: AppSpec, files: FileSource) -> str:
    """Where the containers stand."""
    if spec.build is not None and spec.build.compose is not None:
        from score_flyio.deploy.desired.compose import compose_file

        return f"{compose_file(spec.build.compose.file, files)}: services"
    key, text = config_source(spec)
    return f"{key}.containers" if text.startswith("{") else f"{text}: containers"
