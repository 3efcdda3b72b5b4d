"""Images of an emulator: pushed to it by real builders, and asked of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import Platform, platform
from tests.integration.images.conftest import PASSWORD, program

FAST = "--no-smoke-checks"


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
        assert first[:19] in planned
        assert second[:19] in planned
        assert cli("deploy", "-c", "fly.toml", FAST).exit_code == 0
        assert images(served, "app") == {f"nginx:1@{second}"}
        missing = cli("deploy", "-c", "fly.toml", "--image", "nginx:9", FAST)
        assert missing.exit_code == 1
        assert "app: docker.io/library/nginx:9" in missing.stderr
        assert images(served, "app") == {f"nginx:1@{second}"}


def test_the_one_of_emulate_is_asked(cli: Cli) -> None:
    Path("fly.toml").write_text("app = 'app'\n[build]\nimage = 'ghcr.io/acme/shop:1'\n")
    assert cli("deploy", "-c", "fly.toml", "--emulate", FAST).exit_code == 0
    shown = cli("status", "-c", "fly.toml", "--target", "emulator", "--json").stdout
    assert "ghcr.io/acme/shop:1@sha256:" in shown
    again = cli("deploy", "-c", "fly.toml", "--emulate", FAST, "--json")
    assert again.json["outcome"] == "unchanged"
