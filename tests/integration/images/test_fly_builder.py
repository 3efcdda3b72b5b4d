"""Fly's remote builder: an emulated platform in front of a real Docker daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.cli.conftest import Cli
from tests.cli.platform import Platform, platform
from tests.integration.images.conftest import PASSWORD, Registry
from tests.integration.images.remote_builder import remote_builders

DOCKERFILE = "FROM scratch\nCOPY word /word\n"
FAST = "--no-smoke-checks"

Serve = Callable[..., Any]


@pytest.fixture
def serve(cli: Cli, registry: Registry, docker_host: Callable[[str], str]) -> Serve:
    """Serves a platform and its builders while the block runs."""

    @contextmanager
    def serving(idle: float = 600.0, **settings: Any) -> Iterator[Platform]:
        daemon = docker_host("buildkit").removeprefix("unix://")
        with platform(**settings) as served:
            builders = remote_builders(served.emulator, daemon, idle=idle)
            with served.portal.wrap_async_context_manager(builders) as host:
                cli.environ |= {
                    "FLY_FLAPS_BASE_URL": served.url,
                    "FLY_API_TOKEN": PASSWORD,
                    "FLY_REGISTRY_HOST": registry.host,
                    "FLY_BUILDER_HOST": host,
                    "PATH": str(cli.directory / "nothing"),
                }
                yield served

    return serving


@pytest.fixture(autouse=True)
def no_daemon_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("score_flyio.images.builders.address.SOCKETS", ())


def write_app(cli: Cli, name: str, dockerfile: str = DOCKERFILE) -> str:
    folder = cli.directory / name
    folder.mkdir(exist_ok=True)
    (folder / "word").write_text(name)
    (folder / "Dockerfile").write_text(dockerfile)
    (cli.directory / "word").write_text(name)
    (folder / "fly.toml").write_text(f"app = '{name}'\n[build]\ndockerfile = 'Dockerfile'\n")
    return f"{name}/fly.toml"


def builders(served: Platform) -> list[Any]:
    found = served.get("/apps?org_slug=personal&app_role=remote-docker-builder")["apps"]
    return list(found)


def image_of(served: Platform, app: str) -> str:
    (image,) = {machine["config"]["image"] for machine in served.machines(app)}
    return str(image)


def test_auto_takes_it_last_and_makes_it_once(cli: Cli, serve: Serve, registry: Registry) -> None:
    with serve() as served:
        configs = [arg for name in ("fb-one", "fb-two") for arg in ("-c", write_app(cli, name))]
        result = cli("deploy", *configs, FAST)
        assert result.exit_code == 0, result.stderr
        (builder,) = builders(served)
        for app in ("fb-one", "fb-two"):
            name, _, digest = image_of(served, app).partition("@")
            assert registry.digest(app, name.rpartition(":")[2]) == digest
        (machine,) = served.machines(builder["name"])
        (volume,) = served.get(f"/apps/{builder['name']}/volumes")
        addresses = served.get(f"/apps/{builder['name']}/ip_assignments")["ips"]
        assert (volume["name"], volume["size_gb"]) == ("machine_data", 50)
        assert len(addresses) == 1
        config = machine["config"]
        assert config["env"]["ALLOW_ORG_SLUG"] == "personal"
        assert config["services"][0]["internal_port"] == 8080
        assert "rchab" in config["image"]

        write_app(cli, "fb-one", DOCKERFILE + "LABEL a=b\n")
        assert cli("deploy", "-c", "fb-one/fly.toml", FAST).exit_code == 0
        assert [app["name"] for app in builders(served)] == [builder["name"]]


def test_one_that_sleeps_is_woken_and_left_to_sleep(cli: Cli, serve: Serve) -> None:
    with serve(idle=0.05) as served:

        def states(machine: Any) -> list[str]:
            events = served.get(f"/apps/{builder['name']}/machines/{machine['id']}")["events"]
            return [event["status"] for event in reversed(events)]

        def awaited(state: str) -> None:
            path = f"/apps/{builder['name']}/machines/{machine['id']}/wait?state={state}"
            assert served.get(path)["ok"]

        config = write_app(cli, "fb-sleepy")
        assert cli("deploy", "-c", config, "--builder", "fly", FAST).exit_code == 0
        (builder,) = builders(served)
        (machine,) = served.machines(builder["name"])
        awaited("stopped")
        write_app(cli, "fb-sleepy", DOCKERFILE + "LABEL a=b\n")
        result = cli("deploy", "-c", config, "--remote-only", FAST)
        assert result.exit_code == 0, result.stderr
        awaited("stopped")
        assert states(machine).count("started") >= 2


def test_what_is_missing_of_it_is_made(cli: Cli, serve: Serve) -> None:
    with serve() as served:
        body = {"name": "half", "org_slug": "personal", "app_role_id": "remote-docker-builder"}
        httpx.post(f"{served.url}/v1/apps", json=body, headers={"authorization": "Bearer x"})
        result = cli("deploy", "-c", write_app(cli, "fb-half"), "--builder", "fly", FAST)
        assert result.exit_code == 0, result.stderr
        assert [app["name"] for app in builders(served)] == ["half"]
        assert len(served.machines("half")) == 1


def test_secrets_are_refused_before_anything_is_sent(cli: Cli, serve: Serve) -> None:
    with serve() as served:
        config = write_app(cli, "fb-secret")
        args = ("--builder", "fly", "--build-secret", "tok=sesame")
        result = cli("deploy", "-c", config, *args, FAST)
        assert result.exit_code == 1
        assert "fb-secret: build secrets cannot be given to Fly's remote builder" in result.stderr
        assert "--builder docker, buildah, podman or buildkit" in result.stderr
        assert "sesame" not in result.stderr
        assert builders(served) == []


def test_a_token_that_may_not_look_for_it(cli: Cli, serve: Serve) -> None:
    with serve(faults="Apps_list: 403") as served:
        result = cli("deploy", "-c", write_app(cli, "fb-denied"), "--builder", "fly", FAST)
        assert result.exit_code == 1
        assert "fb-denied: Fly's remote builder cannot be used" in result.stderr
        assert "fly tokens create org" in result.stderr
        assert served.machines("fb-denied") == []


def test_it_builds_for_no_app_that_is_not_there(cli: Cli, serve: Serve) -> None:
    with serve():
        config = write_app(cli, "fb-nowhere")
        result = cli("deploy", "-c", config, "--remote-only", "--build-only", "--push")
        assert result.exit_code == 1
        assert "cannot be used: status 401" in result.stderr


def test_without_it_local_only_says_what_is_needed(cli: Cli, serve: Serve) -> None:
    with serve() as served:
        result = cli("deploy", "-c", write_app(cli, "fb-local"), "--local-only", FAST)
        assert result.exit_code == 1
        assert "there is nothing to build images with" in result.stderr
        assert builders(served) == []


@pytest.mark.parametrize("flags", [("--local-only",), ("--builder", "buildah")])
def test_flags_that_do_not_fit(cli: Cli, flags: tuple[str, ...]) -> None:
    (cli.directory / "fly.toml").write_text("app = 'x'\n")
    result = cli("deploy", "-c", "fly.toml", "--remote-only", *flags)
    assert result.exit_code == 2
    assert "--remote-only" in result.stderr


def test_builders_answer_nobody_without_a_login(cli: Cli, serve: Serve) -> None:
    with serve():
        url = f"http://{cli.environ['FLY_BUILDER_HOST']}/_ping"
        assert httpx.get(url, trust_env=False).status_code == 401
        for user in ("nobody", "fly-builder"):
            answer = httpx.get(url, auth=(user, PASSWORD), trust_env=False)
            assert answer.status_code == 401
