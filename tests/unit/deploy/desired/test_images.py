"""The images that parts of an app name by themselves."""

from __future__ import annotations

import json

import pytest

from fly_machines.models import Machine
from score_flyio.deploy.desired.images import named_images, needs_image
from score_flyio.deploy.desired.requests import launch_request, update_input
from score_flyio.deploy.desired.special import machine_check_input
from score_flyio.flytoml.spec import (
    AppSpec,
    BuildSection,
    ComposeSection,
    DeploySection,
    ExperimentalSection,
    HttpService,
    MachineCheck,
    Service,
)
from score_flyio.state.deployments import Release
from tests.unit.deploy.desired.conftest import MemoryFiles

RELEASE = Release(id="r", version=1, tool_version="t")
CONTAINERS = [
    {"name": "app", "image": "lost:1"},
    {"name": "side", "image": "side:1"},
    {"name": "twin", "image": "side:1"},
]
TEXT = json.dumps({"containers": CONTAINERS})
FILES = MemoryFiles(
    {
        "m.json": TEXT.encode(),
        "compose.yml": b"services: {db: {image: 'side:1'}, web: {build: .}}\n",
        "all.yml": b"services: {db: {image: 'side:1'}}\n",
    }
)


def composed(file: str = "", **more: object) -> AppSpec:
    build = BuildSection(compose=ComposeSection(file=file))
    return AppSpec(build=build, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "place"),
    [
        (AppSpec(machine_config=TEXT), "machine_config.containers.side.image"),
        (AppSpec(machine_config="m.json"), "m.json: containers.side.image"),
        (
            AppSpec(experimental=ExperimentalSection(machine_config=TEXT), machine_config="{}"),
            "experimental.machine_config.containers.side.image",
        ),
        (composed(), "compose.yml: services.db.image"),
        (composed("all.yml", machine_config="m.json"), "all.yml: services.db.image"),
        (
            AppSpec(machine_checks=(MachineCheck(), MachineCheck(image="side:1"))),
            "machine_checks[1].image",
        ),
        (
            AppSpec(http_service=HttpService(machine_checks=(MachineCheck(image="side:1"),))),
            "http_service.machine_checks[0].image",
        ),
        (
            AppSpec(services=(Service(), Service(machine_checks=(MachineCheck(image="side:1"),)))),
            "services[1].machine_checks[0].image",
        ),
    ],
)
def test_each_is_named_with_its_place(spec: AppSpec, place: str) -> None:
    assert named_images(spec, FILES) == {"side:1": place}


@pytest.mark.parametrize(
    ("spec", "needed"),
    [
        (AppSpec(), True),
        (AppSpec(machine_config=TEXT), True),
        (AppSpec(machine_config="m.json"), True),
        (composed(), True),
        (composed("all.yml"), False),
        (composed("all.yml", deploy=DeploySection(release_command="migrate")), True),
    ],
)
def test_one_of_its_own_is_needed_unless_all_containers_bring_theirs(
    spec: AppSpec, needed: bool
) -> None:
    assert needs_image(spec, FILES) is needed


@pytest.mark.parametrize("spec", [AppSpec(machine_config=TEXT), composed("all.yml")])
def test_machines_get_what_the_names_mean(spec: AppSpec) -> None:
    images = {"side:1": "side:1@sha256:a", "lost:1": "lost:1@sha256:b"}
    own = "own:1" if needs_image(spec, FILES) else ""
    first = launch_request(
        spec, "app", image=own, images=images, release=RELEASE, files=FILES
    ).config
    update = update_input(
        spec, "app", Machine(), image=own, images=images, release=RELEASE, files=FILES
    ).request.config
    for config in (first, update):
        assert config is not None
        assert config.image == (own or None)
        found = {container.image for container in config.containers or []}
        assert found == {"side:1@sha256:a", *([own] if own else [])}


def test_files_with_the_config_of_an_image_get_it_too() -> None:
    named = [{"guest_path": f"/{name}", "image_config": name} for name in (".", "side:1", "tool:1")]
    containers = [{"name": "app", "files": named}, {"name": "side", "image": "side:1"}]
    spec = AppSpec(machine_config=json.dumps({"containers": containers}))
    assert named_images(spec, FILES) == {
        "side:1": "machine_config.containers.app.files[/side:1].image_config",
        "tool:1": "machine_config.containers.app.files[/tool:1].image_config",
    }
    images = {name: f"{name}@sha256:{name[:1]}" for name in ("side:1", "tool:1")}
    own = "own:1@sha256:o"
    first = launch_request(spec, "app", image=own, images=images, release=RELEASE, files=FILES)
    update = update_input(
        spec, "app", Machine(), image=own, images=images, release=RELEASE, files=FILES
    ).request
    for config, dot in ((first.config, own), (update.config, ".")):
        assert config is not None
        found = [f.image_config for c in config.containers or [] for f in c.files or []]
        assert found == [dot, "side:1@sha256:s", "tool:1@sha256:t"]


def test_machine_checks_get_it_too() -> None:
    check = MachineCheck(command=("true",), image="side:1")
    request = machine_check_input(
        AppSpec(),
        check,
        Machine(),
        release=RELEASE,
        images={"side:1": "side:1@sha256:a"},
    )
    assert request.config is not None
    assert request.config.image == "side:1@sha256:a"
