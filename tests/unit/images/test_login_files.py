"""Where logins come from, and what messages say of that."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import httpx
import pytest

from score_flyio.errors import ConfigError, ImageError, RegistryDenied
from score_flyio.images.distribution import Registries
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference

SECRET = "hush-hush"


def entry(user: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{SECRET}".encode()).decode()}


def auths(**users: str) -> str:
    return json.dumps({"auths": {f"{name}.io": entry(user) for name, user in users.items()}})


def docker(folder: Path, text: str) -> dict[str, str]:
    (folder / "config.json").write_text(text)
    return {"DOCKER_CONFIG": str(folder)}


async def refused(environ: dict[str, str], host: str) -> RegistryDenied:
    """What is said when a registry does not want the login."""

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(401, headers={"www-authenticate": "Basic realm=x"}, request=request)

    async with Registries(Logins(environ), transport=httpx.MockTransport(answer)) as registries:
        with pytest.raises(RegistryDenied) as raised:
            await registries.resolve(ImageReference.parse(f"{host}/a/b"))
    assert SECRET not in str(raised.value)
    return raised.value


async def test_logins_in_the_environment_count_before_those_of_files(tmp_path: Path) -> None:
    environ = docker(tmp_path, auths(ghcr="file", quay="file"))
    logins = Logins({**environ, "DOCKER_AUTH_CONFIG": auths(ghcr="variable", docker="hub")})
    found = [await logins.find(host) for host in ("ghcr.io", "quay.io", "docker.io", "gcr.io")]
    assert [login and login.user for login in found] == ["variable", "file", "hub", None]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"auths": {', r"line 1, column 12"),
        ("/builds/tmp/DOCKER_AUTH_CONFIG", "line 1, column 1"),
        ("[]", "it is not a JSON object"),
        ('{"auths": ["hush-hush"]}', "auths is not a JSON object"),
        ("[" * 100_000, "nested too deeply"),
        ('{"auths": {"ghcr.io": {"auth": "hush-hush"}}}', r'auths\["ghcr\.io"\]\.auth is not'),
        ('{"auths": {"ghcr.io": {"auth": "aHVzaA=="}}}', r'auths\["ghcr\.io"\]\.auth is not'),
    ],
)
async def test_logins_in_the_environment_that_cannot_be_read(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=rf"^DOCKER_AUTH_CONFIG: .*{says}") as raised:
        await Logins({"DOCKER_AUTH_CONFIG": text}).find("ghcr.io")
    assert raised.value.hint
    assert SECRET not in f"{raised.value} {raised.value.hint}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{\n  "auths": {,}\n}', "line 2, column 13"),
        ("[]", "it is not a JSON object"),
        ('{"credHelpers": 1}', "credHelpers is not a JSON object"),
        ('{"auths": {"ghcr.io": {"auth": "?"}}}', r'auths\["ghcr\.io"\]\.auth is not USER:PASS'),
    ],
)
async def test_a_file_that_cannot_be_read_is_told_with_the_place(
    tmp_path: Path, text: str, says: str
) -> None:
    with pytest.raises(ConfigError, match=rf"config\.json: .*{says}"):
        await Logins(docker(tmp_path, text)).find("ghcr.io")


async def test_a_refused_login_is_told_with_where_it_is_from(tmp_path: Path) -> None:
    environ = docker(tmp_path, auths(ghcr="me"))
    (tmp_path / "auth.json").write_text(auths(quay="me", docker="me"))
    environ |= {"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}
    environ |= {"DOCKER_AUTH_CONFIG": auths(gcr="me")}
    for host, source in (
        ("ghcr.io", "config.json"),
        ("quay.io", "auth.json"),
        ("gcr.io", "DOCKER_AUTH_CONFIG"),
    ):
        error = await refused(environ, host)
        assert not error.anonymous
        assert (error.hint or "").endswith(source)


@pytest.mark.parametrize(
    ("kept", "host", "hint"),
    [
        ("nowhere", "ghcr.io", "log in with docker login ghcr.io"),
        ("nowhere", "docker.io", "log in with docker login"),
        ("podman", "ghcr.io", "log in with podman login ghcr.io"),
        ("podman", "docker.io", "log in with podman login docker.io"),
        ("variable", "ghcr.io", "add a login for ghcr.io to DOCKER_AUTH_CONFIG"),
    ],
)
async def test_how_to_log_in_where_there_is_no_login(
    tmp_path: Path, kept: str, host: str, hint: str
) -> None:
    (tmp_path / "auth.json").write_text(auths(quay="me"))
    environ = {
        "nowhere": {},
        "podman": {"REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")},
        "variable": {"DOCKER_AUTH_CONFIG": auths(quay="me")},
    }[kept]
    error = await refused(environ, host)
    assert error.anonymous
    assert error.hint == hint


async def test_a_helper_is_told_with_the_file_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "auth.json").write_text('{"credHelpers": {"ghcr.io": "not-there"}}')
    environ = {"PATH": "/usr/bin", "REGISTRY_AUTH_FILE": str(tmp_path / "auth.json")}
    with pytest.raises(ImageError, match="docker-credential-not-there") as raised:
        await Logins(environ).find("ghcr.io")
    assert str(tmp_path / "auth.json") in (raised.value.hint or "")


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("known", [True, False])
async def test_a_login_server_that_gives_no_token(tmp_path: Path, status: int, known: bool) -> None:
    """Without a login, the image may be there for Fly all the same."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            return httpx.Response(status, request=request)
        asks = {"www-authenticate": 'Bearer realm="https://ghcr.io/token"'}
        return httpx.Response(401, headers=asks, request=request)

    environ = docker(tmp_path, auths(ghcr="me")) if known else {}
    async with Registries(Logins(environ), transport=httpx.MockTransport(answer)) as registries:
        with pytest.raises(RegistryDenied) as raised:
            await registries.resolve(ImageReference.parse("ghcr.io/a/b"))
    assert raised.value.anonymous is not known
    assert "docker login ghcr.io" in (raised.value.hint or "")
