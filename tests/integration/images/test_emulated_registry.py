"""Images of an emulator: pushed to it by real builders, and asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import Platform, platform
from tests.integration.images.conftest import PASSWORD, program

FAST = "--no-smoke-checks"
SHOWN = 19
"""How much of a digest plans show."""


def use(cli: Cli, served: Platform) -> str:
    """The address of the registry."""
    host = served.url.removeprefix("http://")
    cli.environ |= {
        "FLY_FLAPS_BASE_URL": served.url,
        "FLY_API_TOKEN": PASSWORD,
        "FLY_REGISTRY_HOST": host,
    }
    return host


def images(served: Platform, app: str) -> set[str]:
    return {machine["config"]["image"] for machine in served.machines(app)}


@pytest.mark.parametrize("kind", ["buildah", "docker-classic", "docker-buildkit"])
def test_builders_push_to_it(cli: Cli, docker_host: Callable[[str], str], kind: str) -> None:
    name, _, daemon = kind.partition("-")
    if daemon:
        cli.environ["DOCKER_HOST"] = docker_host(daemon)
    else:
        program(name)
    (cli.directory / "word").write_text(kind)
    (cli.directory / "Dockerfile").write_text("FROM scratch\nCOPY word /word\n")
    (cli.directory / "fly.toml").write_text("app = 'app'\n")
    with platform(registry=True) as served:
        host = use(cli, served)
        args = ("deploy", "-c", "fly.toml", "--builder", name, FAST)
        result = cli(*args)
        assert result.exit_code == 0, result.stderr
        (image,) = images(served, "app")
        tag, _, digest = image.partition("@")
        assert tag.startswith(f"{host}/app:deployment-")
        assert served.emulator.world.registries.tags[tag] == digest
        (ref,) = {machine["image_ref"]["digest"] for machine in served.machines("app")}
        assert ref == digest
        assert cli(*args, "--json").json["outcome"] == "unchanged"
        (cli.directory / "word").write_text("changed")
        assert cli(*args).exit_code == 0
        assert images(served, "app") != {image}


def test_a_served_one_is_asked_for_all_images(cli: Cli) -> None:
    (cli.directory / "fly.toml").write_text("app = 'app'\n[build]\nimage = 'nginx:1'\n")
    with platform(registry=True, missing_images=frozenset({"nginx:9"})) as served:
        use(cli, served)
        first = served.emulator.world.registries.reference("nginx:1")["digest"]
        assert cli("deploy", "-c", "fly.toml", FAST).exit_code == 0
        assert images(served, "app") == {f"nginx:1@{first}"}
        served.emulator.world.registries.push("nginx:1")
        second = served.emulator.world.registries.reference("nginx:1")["digest"]
        planned = cli("plan", "-c", "fly.toml").stdout
        assert f"image: nginx:1@{first[:SHOWN]} → nginx:1@{second[:SHOWN]}" in planned
        assert cli("deploy", "-c", "fly.toml", FAST).exit_code == 0
        assert images(served, "app") == {f"nginx:1@{second}"}
        missing = cli("deploy", "-c", "fly.toml", "--image", "nginx:9", FAST)
        assert missing.exit_code == 1
        assert "app: docker.io/library/nginx:9" in missing.stderr
        assert images(served, "app") == {f"nginx:1@{second}"}


IMAGE_CONFIG = (
    '{"containers": [{"name": "app", "files": [{"guest_path": "/c", "image_config": "side:1"}]}]}'
)
CONTAINERS = '{"containers": [{"name": "app"}, {"name": "side", "image": "side:1"}]}'
BY_HAND = "app = 'app'\n[build]\nimage = 'nginx:1'\n"


@pytest.mark.parametrize(
    ("config", "place"),
    [
        (f"machine_config = '{CONTAINERS}'\n{BY_HAND}", "machine_config.containers.side.image"),
        (f"machine_config = 'm.json'\n{BY_HAND}", "m.json: containers.side.image"),
        (
            f"machine_config = '{IMAGE_CONFIG}'\n{BY_HAND}",
            "machine_config.containers.app.files[/c].image_config",
        ),
        (f"{BY_HAND}[build.compose]\n", "compose.yml: services.side.image"),
        ("app = 'app'\n[build.compose]\nfile = 'all.yml'\n", "all.yml: services.side.image"),
        (
            f"{BY_HAND}[[machine_checks]]\ncommand = ['true']\nimage = 'side:1'\n",
            "machine_checks[0].image",
        ),
    ],
)
def test_images_that_parts_of_an_app_name_are_held_and_moved(
    cli: Cli, config: str, place: str
) -> None:
    for name, text in (
        ("fly.toml", config),
        ("m.json", CONTAINERS),
        ("compose.yml", "services: {app: {build: .}, side: {image: 'side:1'}}\n"),
        ("all.yml", "services: {side: {image: 'side:1'}}\n"),
    ):
        (cli.directory / name).write_text(text)
    args = ("deploy", "-c", "fly.toml", FAST)
    with platform(registry=True) as served:
        use(cli, served)
        registries = served.emulator.world.registries
        first = registries.reference("side:1")["digest"]
        result = cli(*args)
        assert result.exit_code == 0, result.stderr
        held = {f"side:1@{first}"} if "machine_checks" not in config else set()
        assert containers(served) == held
        again = cli(*args, "--json")
        assert again.json["outcome"] == "unchanged", again.stdout
        registries.push("side:1")
        second = registries.reference("side:1")["digest"]
        if held:
            planned = cli("plan", "-c", "fly.toml").stdout
            key = "image_config" if "image_config" in config else "image"
            assert f"{key}: side:1@{first[:SHOWN]} → side:1@{second[:SHOWN]}" in planned
            assert cli(*args).exit_code == 0
            assert containers(served) == {f"side:1@{second}"}
    with platform(registry=True, missing_images=frozenset({"side:1"})) as served:
        use(cli, served)
        missing = cli(*args)
        assert missing.exit_code == 1
        assert f"app: {place}: docker.io/library/side:1: " in missing.stderr
        assert "error" in served.get("/apps/app")


def containers(served: Platform) -> set[str]:
    """Images of the containers, and of their files, that are not the app's own."""
    found = [
        container
        for machine in served.machines("app")
        for container in machine["config"].get("containers") or []
    ]
    files = [file for container in found for file in container.get("files") or []]
    images = {container["image"] for container in found if container["name"] == "side"}
    return images | {file["image_config"] for file in files}


def test_the_one_of_emulate_is_asked(cli: Cli) -> None:
    Path("fly.toml").write_text("app = 'app'\n[build]\nimage = 'ghcr.io/acme/shop:1'\n")
    assert cli("deploy", "-c", "fly.toml", "--emulate", FAST).exit_code == 0
    shown = cli("status", "-c", "fly.toml", "--target", "emulator", "--json").stdout
    assert "ghcr.io/acme/shop:1@sha256:" in shown
    again = cli("deploy", "-c", "fly.toml", "--emulate", FAST, "--json")
    assert again.json["outcome"] == "unchanged"
