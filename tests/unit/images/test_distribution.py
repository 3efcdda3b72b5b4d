from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
import trio
from attrs import define, field
from trio.testing import MockClock

from score_flyio.base.secret import Secret
from score_flyio.errors import (
    ConfigError,
    ImageError,
    ImageNotFound,
    RegistryDenied,
    RegistryUnavailable,
)
from score_flyio.images.challenge import challenge_of
from score_flyio.images.distribution import INDEXES, MANIFESTS, Registries
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from tests.passwords import lasting

MANIFEST = b'{"schemaVersion": 2}'
CONFIG = "application/vnd.oci.image.config.v1+json"
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"
TOKEN_URL = "https://login.example.com/token"
Handler = Callable[[httpx.Request], httpx.Response]

pytestmark = pytest.mark.anyio


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def answer(status: int, *, content: bytes = b"", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, headers=named, content=content)


@define
class Script:
    """A registry that answers by a function, and remembers what it was asked."""

    handler: Handler
    requests: list[httpx.Request] = field(factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.handler(request)

    def asked(self, what: str) -> list[httpx.Request]:
        return [r for r in self.requests if what in f"{r.method} {r.url}"]

    def client(self, environ: dict[str, str] | None = None, **login: Any) -> Registries:
        logins = Logins(environ or {}, **login)
        return Registries(logins, transport=httpx.MockTransport(self), pauses=(0.0, 0.0))


def has_manifest(request: httpx.Request) -> httpx.Response:
    if request.url.path == "/v2/":
        return answer(200)
    named = {"docker_content_digest": DIGEST, "content_type": MANIFESTS[0]}
    return answer(200, content=b"" if request.method == "HEAD" else MANIFEST, **named)


def asks_for_tokens(request: httpx.Request) -> httpx.Response:
    """Docker Hub's way."""
    if str(request.url).startswith(TOKEN_URL):
        scopes = ",".join(request.url.params.get_list("scope"))
        return answer(200, content=json.dumps({"token": scopes}).encode())
    if not request.headers.get("authorization", "").startswith("Bearer "):
        asks = f'Bearer realm="{TOKEN_URL}?a=b",service="registry"'
        return answer(401, www_authenticate=asks)
    return has_manifest(request)


async def test_a_name_means_a_digest() -> None:
    script = Script(has_manifest)
    async with script.client() as registries:
        assert await registries.resolve(ImageReference.parse("ghcr.io/acme/shop:2")) == DIGEST
    (head,) = script.asked("/manifests/")
    assert str(head.url) == "https://ghcr.io/v2/acme/shop/manifests/2"
    assert set(head.headers["accept"].split(", ")) == {*INDEXES, *MANIFESTS}
    assert "authorization" not in head.headers


async def test_docker_hub_gives_tokens_to_everybody() -> None:
    script = Script(asks_for_tokens)
    async with script.client() as registries:
        assert await registries.resolve(ImageReference.parse("nginx")) == DIGEST
    (token,) = script.asked(TOKEN_URL)
    assert dict(token.url.params) == {
        "a": "b",
        "service": "registry",
        "scope": "repository:library/nginx:pull",
    }
    assert "authorization" not in token.headers
    (head,) = script.asked("/manifests/")
    assert head.url.host == "registry-1.docker.io"
    assert head.headers["authorization"] == "Bearer repository:library/nginx:pull"


async def test_a_hundred_images_need_a_call_each_beside_one_for_each_registry_and_repository() -> (
    None
):
    script = Script(asks_for_tokens)
    async with script.client() as registries, anyio.create_task_group() as tasks:
        for number in range(100):
            tasks.start_soon(
                registries.resolve, ImageReference.parse(f"acme/shop{number % 2}:{number}")
            )
    assert len(script.requests) == 1 + 2 + 100
    assert len(script.asked(TOKEN_URL)) == 2
    assert len(script.asked("/manifests/")) == 100


async def test_an_old_token_is_renewed_once() -> None:
    tokens = iter(["old", "new", "newer"])

    def handler(request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(TOKEN_URL):
            return answer(200, content=json.dumps({"access_token": next(tokens)}).encode())
        if request.headers.get("authorization") != "Bearer new":
            return answer(401, www_authenticate=f'Bearer realm="{TOKEN_URL}"')
        return has_manifest(request)

    script = Script(handler)
    async with script.client() as registries:
        await registries.resolve(ImageReference.parse("nginx"))
        await registries.resolve(ImageReference.parse("nginx"))
    assert len(script.asked(TOKEN_URL)) == 2


async def test_fly_takes_its_token_as_password() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != basic("x", "fm2_abc,fm2_def"):
            return answer(401, www_authenticate='Basic realm="Fly"')
        return has_manifest(request)

    script = Script(handler)
    async with script.client(fly=lasting(Secret("fm2_abc,fm2_def"))) as registries:
        await registries.resolve(ImageReference.parse("registry.fly.io/shop:1"))
        await registries.check_login("registry.fly.io")
    async with script.client(fly=lasting(Secret("fm2_other"))) as registries:
        with pytest.raises(RegistryDenied) as raised:
            await registries.check_login("registry.fly.io")
    assert not raised.value.anonymous
    assert "fm2" not in str(raised.value)


@pytest.mark.parametrize("kind", ["Basic", "Bearer"])
async def test_fly_gets_the_tokens_that_are_valid_when_it_asks(kind: str) -> None:
    """Those that a run began with end while it builds."""
    valid, given = ["first"], ["first"]

    async def password() -> Secret:
        return Secret(given[0])

    def handler(request: httpx.Request) -> httpx.Response:
        header = request.headers.get("authorization", "")
        if str(request.url).startswith(TOKEN_URL):
            good = header == basic("x", valid[0])
            return answer(200 if good else 401, content=json.dumps({"token": valid[0]}).encode())
        if header not in {basic("x", valid[0]), f"Bearer {valid[0]}"}:
            asks = f'{kind} realm="{TOKEN_URL}"'
            return answer(401, www_authenticate=asks)
        return has_manifest(request)

    async with Script(handler).client(fly=password) as registries:
        image = ImageReference.parse("registry.fly.io/shop:1")
        assert await registries.resolve(image) == DIGEST
        valid[0] = given[0] = "second"
        assert (await registries.manifest(image)).content == MANIFEST
        await registries.check_login("registry.fly.io")


@pytest.mark.parametrize(
    ("challenge", "statuses", "error"),
    [
        ("Basic realm=x", [401, 200], None),
        ("Basic realm=x", [401, 401, 401], RegistryDenied),
        (None, [401, 401, 401], RegistryDenied),
        (f'Bearer realm="{TOKEN_URL}"', [401, 200, 200], None),
        (f'Bearer realm="{TOKEN_URL}"', [401, 401], RegistryDenied),
        ('Bearer realm="http://login.example.com/"', [401], RegistryDenied),
        (None, [], RegistryUnavailable),
    ],
)
async def test_the_login_alone(
    challenge: str | None, statuses: list[int], error: type[ImageError] | None
) -> None:
    rest = iter(statuses)

    def handler(request: httpx.Request) -> httpx.Response:
        status = next(rest, None)
        if status is None:
            raise httpx.ConnectError("refused")
        content = b'{"token": "t"}' if "login" in str(request.url) else b""
        headers = {"www_authenticate": challenge} if challenge and status == 401 else {}
        return answer(status, content=content, **headers)

    script = Script(handler)
    async with script.client(fly=lasting(Secret("fm2_secret"))) as registries:
        if error is None:
            await registries.check_login("registry.fly.io")
        else:
            with pytest.raises(error) as raised:
                await registries.check_login("registry.fly.io")
            assert "fm2_secret" not in str(raised.value)
    assert next(rest, None) is None


async def test_another_host_stands_in_for_fly_over_plain_http() -> None:
    script = Script(has_manifest)
    environ = {"FLY_REGISTRY_HOST": "127.0.0.1:5000"}
    async with script.client(environ, fly=lasting(Secret("t"))) as registries:
        await registries.check_login("127.0.0.1:5000")
    assert str(script.requests[0].url) == "http://127.0.0.1:5000/v2/"


@pytest.mark.parametrize("host", ["https://registry", "a b", "x/y", "$HOST"])
def test_a_stand_in_that_is_no_host_is_refused(host: str) -> None:
    with pytest.raises(ConfigError, match="FLY_REGISTRY_HOST"):
        Logins({"FLY_REGISTRY_HOST": host})


async def test_logins_follow_no_redirect() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.host == "cdn.example.com":
            return answer(200, content=MANIFEST, content_type=MANIFESTS[0])
        if "authorization" not in request.headers:
            return answer(401, www_authenticate="Basic realm=x")
        if request.url.path == "/v2/":
            return answer(200)
        return answer(307, location="https://cdn.example.com/blob")

    script = Script(handler)
    async with script.client(fly=lasting(Secret("t"))) as registries:
        found = await registries.manifest(ImageReference.parse("registry.fly.io/shop"))
    assert found.digest == DIGEST
    (redirected,) = script.asked("cdn.example.com")
    assert "authorization" not in redirected.headers


async def test_a_redirect_within_the_registry_keeps_the_login() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.headers.get("authorization") != basic("x", "t"):
            return answer(401, www_authenticate="Basic realm=x")
        if request.url.path == "/v2/shop/manifests/latest":
            return answer(308, location="/v2/team/shop/manifests/latest?a=b")
        return has_manifest(request)

    script = Script(handler)
    async with script.client(fly=lasting(Secret("t"))) as registries:
        found = await registries.manifest(ImageReference.parse("registry.fly.io/shop"))
    assert found.digest == DIGEST
    for place in ("http://registry.fly.io", "https://registry.fly.io:444"):
        script = Script(lambda _, place=place: answer(307, location=place))  # type: ignore[misc]
        async with script.client(fly=lasting(Secret("t"))) as registries:
            with pytest.raises(ImageError):
                await registries.manifest(ImageReference.parse("registry.fly.io/shop"))
        elsewhere = [r for r in script.requests if str(r.url).rstrip("/") == place]
        assert all("authorization" not in request.headers for request in elsewhere)


async def test_a_login_server_whose_address_is_none() -> None:
    script = Script(lambda _: answer(401, www_authenticate='Bearer realm="https://a:b/"'))
    async with script.client() as registries:
        with pytest.raises(RegistryDenied, match="no encrypted address"):
            await registries.resolve(ImageReference.parse("ghcr.io/a/b"))


async def test_what_everybody_may_have_is_had_with_a_login_that_ended(tmp_path: Path) -> None:
    """GitHub's registry, for one, refuses a token even for public images with an old login."""

    def handler(request: httpx.Request) -> httpx.Response:
        known = request.headers.get("authorization", "")
        if str(request.url).startswith(TOKEN_URL) and known:
            return answer(403)
        return asks_for_tokens(request)

    script = Script(handler)
    async with script.client(config_in(tmp_path, {"auths": {"ghcr.io": AUTH}})) as registries:
        assert await registries.resolve(ImageReference.parse("ghcr.io/a/b")) == DIGEST
        with pytest.raises(RegistryDenied, match="refuses the login"):
            await registries.check_login("ghcr.io")


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"", b"[" * 100_000])
async def test_a_web_server_that_is_no_registry(content: bytes) -> None:
    script = Script(lambda _: answer(200, content=content, content_type="text/html; charset=utf-8"))
    async with script.client() as registries:
        with pytest.raises(RegistryUnavailable, match="gives no manifest, but text/html"):
            await registries.resolve(ImageReference.parse("example.com/a"))


@pytest.mark.parametrize("kind", ["", "application/json", "text/plain"])
async def test_a_registry_that_does_not_say_what_it_gives(kind: str) -> None:
    """The document does: what is behind a simple web server."""
    entries = [{"platform": {"os": "linux", "architecture": "arm64"}}]
    content = json.dumps({"mediaType": INDEXES[0], "manifests": entries}).encode()

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            return answer(200)
        return answer(200, content=content, **({"content_type": kind} if kind else {}))

    script = Script(handler)
    async with script.client() as registries:
        with pytest.raises(ImageError, match="not for linux/amd64"):
            await registries.resolve(ImageReference.parse("example.com/a"))
        await registries.tag(ImageReference.parse("example.com/a"), "2")
    (put,) = script.asked("PUT")
    assert put.headers["content-type"] == INDEXES[0]


async def test_a_redirect_to_plain_http_is_not_followed() -> None:
    script = Script(lambda _: answer(307, location="http://cdn.example.com/blob"))
    async with script.client() as registries:
        with pytest.raises(RegistryUnavailable, match="307"):
            await registries.resolve(ImageReference.parse("ghcr.io/a/b"))
    assert not script.asked("cdn")


async def test_a_login_is_not_sent_unencrypted() -> None:
    script = Script(
        lambda _: answer(401, www_authenticate='Bearer realm="http://login.example.com"')
    )
    async with script.client() as registries:
        with pytest.raises(RegistryDenied, match="no encrypted address"):
            await registries.resolve(ImageReference.parse("ghcr.io/a/b"))
    assert not script.asked("login")


def index(*platforms: tuple[str, str]) -> bytes:
    entries = [{"platform": {"os": os, "architecture": arch}} for os, arch in platforms]
    return json.dumps({"manifests": entries}).encode()


def has_index(content: bytes, get_status: int = 200) -> Handler:
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"

    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "HEAD":
            return answer(200, docker_content_digest=digest, content_type=INDEXES[0])
        return answer(get_status, content=content, content_type=INDEXES[0])

    return handler


async def test_the_digest_of_an_index_is_what_counts() -> None:
    content = index(("linux", "arm64"), ("linux", "amd64"))
    async with Script(has_index(content)).client() as registries:
        found = await registries.resolve(ImageReference.parse("nginx"))
    assert found == f"sha256:{hashlib.sha256(content).hexdigest()}"


async def test_an_image_for_other_machines_is_refused() -> None:
    content = index(("linux", "arm64"), ("unknown", "unknown"))
    async with Script(has_index(content)).client() as registries:
        with pytest.raises(ImageError, match="not for linux/amd64") as raised:
            await registries.resolve(ImageReference.parse("acme/shop:1"))
    assert raised.value.hint == (
        "there is linux/arm64; build it with docker buildx build --platform linux/amd64"
    )


def has_config(config: object, status: int = 200, kind: str = CONFIG) -> Handler:
    """One manifest, without an index."""
    described = {"config": {"mediaType": kind, "digest": DIGEST}}
    content = json.dumps(described).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"

    def handler(request: httpx.Request) -> httpx.Response:
        if "/blobs/" in str(request.url):
            if status == UNREACHABLE:
                raise httpx.ConnectError("no route")
            return answer(status, content=json.dumps(config).encode())
        body = b"" if request.method == "HEAD" else content
        return answer(200, docker_content_digest=digest, content_type=MANIFESTS[0], content=body)

    return handler


UNREACHABLE = 0
ARM = {"os": "linux", "architecture": "arm64", "variant": "v8"}


@pytest.mark.parametrize("kind", [CONFIG, "application/vnd.docker.container.image.v1+json"])
@pytest.mark.parametrize("config", [ARM, {"os": "windows", "architecture": "amd64"}])
async def test_one_image_for_other_machines_is_refused_too(config: object, kind: str) -> None:
    async with Script(has_config(config, kind=kind)).client() as registries:
        with pytest.raises(ImageError, match="not for linux/amd64") as raised:
            await registries.resolve(ImageReference.parse("acme/shop:1"))
    assert "docker buildx build --platform linux/amd64" in str(raised.value.hint)


async def test_an_image_that_is_named_by_its_digest_is_looked_at_too() -> None:
    content = index(("linux", "arm64"))
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    script = Script(has_index(content))
    async with script.client() as registries:
        with pytest.raises(ImageError, match=f"shop:1@{digest}: it is not for linux/amd64"):
            await registries.resolve(ImageReference.parse(f"acme/shop:1@{digest}"))
    assert script.requests[-1].url.path == f"/v2/acme/shop/manifests/{digest}"


@pytest.mark.parametrize(
    "handler",
    [
        has_config({"os": "linux", "architecture": "amd64"}),
        has_config({}),  # nothing is said
        has_config([]),
        has_config({"os": {}, "architecture": []}),
        # Whether it can be had is for Fly to say, for which blobs may be within reach.
        has_config(ARM, status=401),
        has_config(ARM, status=403),
        has_config(ARM, status=404),
        has_config(ARM, status=429),
        has_config(ARM, status=UNREACHABLE),
        has_config(ARM, kind="application/vnd.cncf.helm.config.v1+json"),
    ],
)
async def test_one_image_is_taken_unless_it_says_that_it_is_for_others(handler: Handler) -> None:
    async with Script(handler).client() as registries:
        found = await registries.resolve(ImageReference.parse("acme/shop:1"))
    assert found.startswith("sha256:")


async def test_an_index_that_cannot_be_had_just_now_has_its_digest_all_the_same() -> None:
    content = index(("linux", "arm64"))
    async with Script(has_index(content, 429)).client() as registries:
        found = await registries.resolve(ImageReference.parse("nginx"))
    assert found == f"sha256:{hashlib.sha256(content).hexdigest()}"


async def test_a_registry_that_names_no_digest_is_asked_for_the_manifest() -> None:
    script = Script(lambda _: answer(200, content=MANIFEST, content_type=MANIFESTS[1]))
    async with script.client() as registries:
        assert await registries.resolve(ImageReference.parse("ghcr.io/a/b")) == DIGEST


async def test_another_manifest_than_that_of_the_digest_is_refused() -> None:
    script = Script(lambda _: answer(200, content=b"{}", content_type=MANIFESTS[0]))
    async with script.client() as registries:
        with pytest.raises(RegistryUnavailable, match="something else"):
            await registries.manifest(ImageReference.parse(f"ghcr.io/a/b@{DIGEST}"))


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (404, ImageNotFound),
        (403, RegistryDenied),
        (401, RegistryDenied),
        (418, RegistryUnavailable),
    ],
)
async def test_refusals_have_the_words_of_the_registry(status: int, kind: type[ImageError]) -> None:
    said = json.dumps({"errors": [{"code": "X", "message": "because\nof this"}]}).encode()
    script = Script(lambda _: answer(status, content=said))
    async with script.client() as registries:
        with pytest.raises(kind, match="because of this") as raised:
            await registries.manifest(ImageReference.parse("ghcr.io/a/b:1"))
    assert "ghcr.io/a/b:1" in str(raised.value)
    assert raised.value.hint


async def test_what_may_pass_is_tried_again() -> None:
    statuses = iter([200, 503, 429, 200])
    script = Script(lambda _: answer(next(statuses), content=MANIFEST))
    async with script.client() as registries:
        assert await registries.resolve(ImageReference.parse("ghcr.io/a/b")) == DIGEST
    assert len(script.asked("/manifests/")) == 3


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("7", 7.0),
        ("3600", 20.0),
        ("0", 0.3),
        ("", 0.3),
        ("soon", 0.3),
        ("Wed, 21 Oct 2026 07:28:05 GMT", 5.0),
        ("Wed, 21 Oct 2026 08:28:00 GMT", 20.0),
        ("Wed, 21 Oct 2026 07:27:00 GMT", 0.3),
    ],
)
def test_a_registry_that_asks_for_patience_gets_it_within_bounds(said: str, seconds: float) -> None:
    refusals = [answer(429, retry_after=said, date="Wed, 21 Oct 2026 07:28:00 GMT")]
    script = Script(
        lambda r: refusals.pop() if "/manifests/" in str(r.url) and refusals else has_manifest(r)
    )

    async def main() -> float:
        start = trio.current_time()
        async with Registries(Logins({}), transport=httpx.MockTransport(script)) as registries:
            assert await registries.resolve(ImageReference.parse("ghcr.io/a/b")) == DIGEST
        return trio.current_time() - start

    assert trio.run(main, clock=MockClock(autojump_threshold=0)) == pytest.approx(seconds)


@pytest.mark.parametrize(
    ("content", "token"),
    [
        ({"token": "a"}, "a"),
        ({"access_token": "a"}, "a"),
        ({"token": None, "access_token": "a", "expires_in": None}, "a"),
        ({"token": "", "access_token": "a", "expires_in": "300"}, "a"),
        ({"token": "a", "access_token": "b", "issued_at": "2026-01-01T00:00:00Z"}, "a"),
    ],
)
async def test_answers_of_token_servers(content: object, token: str) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(TOKEN_URL):
            return answer(200, content=json.dumps(content).encode())
        return asks_for_tokens(request)

    script = Script(handler)
    async with script.client() as registries:
        await registries.resolve(ImageReference.parse("ghcr.io/a/b"))
    assert script.asked("/manifests/")[-1].headers["authorization"] == f"Bearer {token}"


@pytest.mark.parametrize(
    ("status", "content"), [(200, b"{}"), (200, b"<html>"), (404, b""), (200, b"[]"), (503, b"")]
)
async def test_token_servers_that_give_none(status: int, content: bytes) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if str(request.url).startswith(TOKEN_URL):
            return answer(status, content=content)
        return asks_for_tokens(request)

    async with Script(handler).client() as registries:
        with pytest.raises(RegistryUnavailable, match=rf"ghcr\.io gives no token.*{status}"):
            await registries.resolve(ImageReference.parse("ghcr.io/a/b"))


async def test_no_answer_at_all() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no", request=request)

    script = Script(handler)
    async with script.client() as registries:
        with pytest.raises(RegistryUnavailable, match=r"ghcr\.io does not answer"):
            await registries.resolve(ImageReference.parse("ghcr.io/a/b"))
    assert len(script.requests) == 3


async def test_many_images_of_a_registry_without_answer_wait_for_one_attempt() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectTimeout("no", request=request)

    failed, script = 0, Script(handler)

    async def ask(number: int) -> None:
        nonlocal failed
        with pytest.raises(RegistryUnavailable, match=rf"app:{number}: ghcr\.io does not answer"):
            await registries.resolve(ImageReference.parse(f"ghcr.io/a/app:{number}"))
        failed += 1

    async with script.client() as registries:
        async with anyio.create_task_group() as tasks:
            for number in range(100):
                tasks.start_soon(ask, number)
        assert (failed, len(script.requests)) == (100, 3)
        await ask(100)  # later, it is asked again
    assert len(script.requests) == 6


async def test_a_helper_that_fails_is_asked_once_for_many_images(tmp_path: Path) -> None:
    environ = helper(tmp_path, f"echo x >> {tmp_path}/asked; exit 1")
    environ |= config_in(tmp_path, {"credsStore": "test"})

    async def ask(number: int) -> None:
        with pytest.raises(ImageError, match="exit code 1"):
            await registries.resolve(ImageReference.parse(f"ghcr.io/a/app:{number}"))

    registries = Script(has_manifest).client(environ)
    async with registries, anyio.create_task_group() as tasks:
        for number in range(20):
            tasks.start_soon(ask, number)
    assert (tmp_path / "asked").read_text() == "x\n"


async def test_one_more_tag_is_the_same_manifest() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        return answer(201) if request.method == "PUT" else has_manifest(request)

    script = Script(handler)
    async with script.client() as registries:
        tagged = await registries.tag(ImageReference.parse("ghcr.io/a/b:1"), "2")
    assert str(tagged) == f"ghcr.io/a/b:2@{DIGEST}"
    (put,) = script.asked("PUT")
    assert put.url.path == "/v2/a/b/manifests/2"
    assert put.content == MANIFEST
    assert put.headers["content-type"] == MANIFESTS[0]


def config_in(folder: Path, config: object) -> dict[str, str]:
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return {"DOCKER_CONFIG": str(folder)}


AUTH = {"auth": base64.b64encode(b"me:pa:ss").decode()}


@pytest.mark.parametrize(
    ("key", "host"),
    [
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io/v1/", "ghcr.io"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
        ("127.0.0.1:5000", "127.0.0.1:5000"),
        ("ghcr.io/v2/", "ghcr.io"),
        ("http://127.0.0.1:5000/v1", "127.0.0.1:5000"),
        ("registry-1.docker.io", "docker.io"),
    ],
)
async def test_logins_of_docker(tmp_path: Path, key: str, host: str) -> None:
    logins = Logins(config_in(tmp_path, {"auths": {"other.io": {}, key: AUTH}}))
    found = await logins.find(host)
    assert found is not None
    assert (found.user, found.password.reveal()) == ("me", "pa:ss")
    assert await logins.find("quay.io") is None


@pytest.mark.parametrize(
    ("variable", "file"),
    [
        ("REGISTRY_AUTH_FILE", "mine.json"),
        ("XDG_RUNTIME_DIR", "containers/auth.json"),
        ("XDG_CONFIG_HOME", "containers/auth.json"),
        ("HOME", ".config/containers/auth.json"),
    ],
)
async def test_logins_of_podman_come_after_those_of_docker(
    tmp_path: Path, variable: str, file: str
) -> None:
    other = {"auth": base64.b64encode(b"other:x").decode()}
    docker, podman = tmp_path / "docker", tmp_path / "podman"
    (podman / file).parent.mkdir(parents=True)
    (podman / file).write_text(json.dumps({"auths": {"ghcr.io": other, "quay.io": other}}))
    docker.mkdir()
    named = podman / file if variable == "REGISTRY_AUTH_FILE" else podman
    environ = {"HOME": str(tmp_path), **config_in(docker, {"auths": {"ghcr.io": AUTH}})}
    logins = Logins({**environ, variable: str(named)})
    found = [await logins.find(host) for host in ("ghcr.io", "quay.io", "docker.io")]
    assert [login and login.user for login in found] == ["me", "other", None]


async def test_a_named_file_of_logins_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text("{")
    with pytest.raises(ConfigError, match=r"mine\.json: cannot be read as logins") as raised:
        await Logins({"REGISTRY_AUTH_FILE": str(tmp_path / "mine.json")}).find("ghcr.io")
    assert "REGISTRY_AUTH_FILE" in (raised.value.hint or "")


async def test_the_whole_name_counts_before_its_other_forms(tmp_path: Path) -> None:
    other = {"auth": base64.b64encode(b"other:x").decode()}
    auths = {"https://ghcr.io/v1/": other, "ghcr.io": AUTH}
    found = await Logins(config_in(tmp_path, {"auths": auths})).find("ghcr.io")
    assert found is not None
    assert found.user == "me"


NAMESPACES = (
    "quay.io/team/shop",
    "quay.io/team",
    "quay.io",
    "ghcr.io/acme",
    "docker.io/acme/shop",
    "https://index.docker.io/v1/",
    "http://127.0.0.1:5000/acme",
)


def logins_of_namespaces(folder: Path) -> dict[str, str]:
    """A file with a login for each of them, whose user is its name."""
    text = {key: base64.b64encode(f"{key.replace(':', '_')}:p".encode()) for key in NAMESPACES}
    auths = {key: {"auth": auth.decode()} for key, auth in reversed(text.items())}
    return config_in(folder, {"auths": auths})


@pytest.mark.parametrize(
    ("image", "user"),
    [
        ("quay.io/team/shop:1", "quay.io/team/shop"),
        ("quay.io/team/shop/web", "quay.io/team/shop"),
        ("quay.io/team/shopping", "quay.io/team"),
        ("quay.io/teams/shop", "quay.io"),
        ("quay.io/shop", "quay.io"),
        ("ghcr.io/acme/shop", "ghcr.io/acme"),
        ("ghcr.io/other/shop", None),
        ("acme/shop", "docker.io/acme/shop"),
        ("nginx", "https_//index.docker.io/v1/"),
        ("127.0.0.1:5000/other/shop", "http_//127.0.0.1_5000/acme"),
    ],
)
async def test_the_login_of_the_nearest_namespace_counts(
    tmp_path: Path, image: str, user: str | None
) -> None:
    """containers-auth.json(5)."""
    named = ImageReference.parse(image)
    found = await Logins(logins_of_namespaces(tmp_path)).find(named.host, named.repository)
    assert (found.user if found else None) == user


async def test_each_namespace_of_a_registry_is_asked_with_its_own_login(tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if "authorization" not in request.headers:
            return answer(401, www_authenticate="Basic realm=x")
        return answer(403) if "/secret/" in request.url.path else has_manifest(request)

    script = Script(handler)
    environ = logins_of_namespaces(tmp_path)
    names = ("team/shop", "team/web", "other/a", "other/b", "team/secret/x")
    async with script.client(environ) as registries:
        for name in names[:4]:
            await registries.resolve(ImageReference.parse(f"quay.io/{name}"))
        with pytest.raises(RegistryDenied) as raised:
            await registries.resolve(ImageReference.parse(f"quay.io/{names[4]}"))
    assert "config.json" in (raised.value.hint or "")
    users = [request.headers["authorization"] for request in script.asked("/manifests/")]
    kept = ("quay.io/team/shop", "quay.io/team", "quay.io", "quay.io", "quay.io/team")
    assert users == [basic(user, "p") for user in kept]
    assert len(script.asked("/v2/")) == 3 + 5


async def test_builders_get_the_logins_of_namespaces_beside_those_of_registries(
    tmp_path: Path,
) -> None:
    logins = Logins(logins_of_namespaces(tmp_path))
    names = ("quay.io/team/web", "quay.io/other", "ghcr.io/acme/a", "ghcr.io/other", "nginx")
    images = [ImageReference.parse(name) for name in names]
    found = await logins.find_all(images)
    assert {key: login.user.replace("_", ":") for key, login in found.items()} == {
        "quay.io": "quay.io",
        "quay.io/team/web": "quay.io/team",
        "ghcr.io/acme/a": "ghcr.io/acme",
        "https://index.docker.io/v1/": "https://index.docker.io/v1/",
    }


async def test_variables_for_docker_hub() -> None:
    logins = Logins({"DOCKER_HUB_USERNAME": "me", "DOCKER_HUB_PASSWORD": "p"})
    found = await logins.find("docker.io")
    assert found is not None
    assert found.user == "me"
    assert await logins.find("ghcr.io") is None


async def test_settings_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match=r"config\.json: .*it is not UTF-8"):
        await Logins({"DOCKER_CONFIG": str(tmp_path)}).find("ghcr.io")


async def test_settings_that_are_no_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "config.json")
    with pytest.raises(ConfigError, match=r"config\.json: .*it is not a regular file"):
        await Logins({"DOCKER_CONFIG": str(tmp_path)}).find("ghcr.io")


def helper(folder: Path, script: str) -> dict[str, str]:
    program = folder / "docker-credential-test"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin"}


ECHO = """read server || true; echo "{\\"Username\\": \\"$server\\", \\"Secret\\": \\"$1\\"}" """


@pytest.mark.parametrize("config", [{"credsStore": "test"}, {"credHelpers": {"ghcr.io": "test"}}])
async def test_helpers_are_asked(tmp_path: Path, config: object, monkeypatch: Any) -> None:
    environ = helper(tmp_path, ECHO) | config_in(tmp_path, config)
    monkeypatch.setenv("PATH", environ["PATH"])
    found = await Logins(environ).find("ghcr.io")
    assert found is not None
    assert (found.user, found.password.reveal()) == ("ghcr.io", "get")


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("exit 3", "exit code 3$"),
        ("echo 'log in with gcloud' >&2; exit 1", "exit code 1: log in with gcloud$"),
        ("echo 'no vault'; exit 1", "exit code 1: no vault$"),
        ("kill -9 $$", "signal 9$"),
        ("printf '\\033[31mred\\n\\n'; exit 1", r"exit code 1: [^\033]*red$"),
        ('echo \'{"Username": "me", "Secret": "hush"}\'; exit 1', "exit code 1$"),
        ("echo '[]'", "something else"),
        ('echo \'{"Username": "me"}\'', "something else"),
        ("printf '\\377'", "something else"),
        ("echo hello", "something else"),
        ("echo '{}'", "something else"),
    ],
)
async def test_helpers_that_fail(tmp_path: Path, script: str, says: str, monkeypatch: Any) -> None:
    environ = helper(tmp_path, script) | config_in(tmp_path, {"credsStore": "test"})
    monkeypatch.setenv("PATH", environ["PATH"])
    with pytest.raises(ImageError, match=says) as raised:
        await Logins(environ).find("ghcr.io")
    assert "docker-credential-test" in str(raised.value)


async def test_a_helper_that_says_that_there_is_no_login(tmp_path: Path) -> None:
    script = """echo '{"ServerURL": "x", "Username": "", "Secret": ""}'"""
    environ = helper(tmp_path, script) | config_in(tmp_path, {"credsStore": "test"})
    assert await Logins(environ).find("ghcr.io") is None


async def test_a_helper_with_an_identity_token(tmp_path: Path) -> None:
    script = """echo '{"Username": "<token>", "Secret": "t"}'"""
    environ = helper(tmp_path, script) | config_in(tmp_path, {"credsStore": "test"})
    found = await Logins(environ).find("ghcr.io")
    assert found is not None
    assert found.is_identity


async def test_which_helper_is_asked(tmp_path: Path) -> None:
    store = {"credsStore": "missing", "auths": {"ghcr.io": AUTH}}
    config = {**store, "credHelpers": {"ghcr.io": "", "quay.io": "test"}}
    logins = Logins(helper(tmp_path, ECHO) | config_in(tmp_path, config))
    own, other = await logins.find("ghcr.io"), await logins.find("quay.io")
    assert (own and own.user, other and other.user) == ("me", "quay.io")
    with pytest.raises(ImageError, match="docker-credential-missing cannot be run"):
        await logins.find("elsewhere.io")


async def test_docker_hub_has_one_name_for_helpers(tmp_path: Path) -> None:
    for key in ("https://index.docker.io/v1/", "index.docker.io", "docker.io"):
        config = {"credHelpers": {key: "test"}}
        found = await Logins(helper(tmp_path, ECHO) | config_in(tmp_path, config)).find("docker.io")
        assert found is not None
        assert found.user == "https://index.docker.io/v1/"


def test_a_helper_that_never_answers_is_ended(tmp_path: Path) -> None:
    script = f"echo $$ > {tmp_path}/pid; sleep 1000"
    environ = helper(tmp_path, script) | config_in(tmp_path, {"credsStore": "test"})

    async def main() -> None:
        with pytest.raises(ImageError, match=r"gave no login for ghcr\.io within 2 seconds"):
            await Logins(environ).find("ghcr.io")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("score_flyio.images.logins.HELPER_SECONDS", 2.0)
        anyio.run(main)
    pid = int((tmp_path / "pid").read_text())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_helper_that_is_not_there(tmp_path: Path) -> None:
    environ = {"PATH": "/usr/bin"} | config_in(tmp_path, {"credsStore": "not-there"})
    with pytest.raises(ImageError, match="docker-credential-not-there cannot be run"):
        await Logins(environ).find("ghcr.io")


async def test_a_helper_that_knows_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    script = "echo credentials not found in native keychain; exit 1"
    config = {"credsStore": "test", "auths": {"ghcr.io": AUTH}}
    environ = helper(tmp_path, script) | config_in(tmp_path, config)
    monkeypatch.setenv("PATH", environ["PATH"])
    found = await Logins(environ).find("ghcr.io")
    assert found is not None
    assert found.user == "me"


async def test_an_identity_token_is_exchanged(tmp_path: Path) -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return answer(200, content=b'{"access_token": "t"}')
        return asks_for_tokens(request)

    script = Script(handler)
    environ = config_in(tmp_path, {"auths": {"ghcr.io": {"identitytoken": "secret"}}})
    async with script.client(environ) as registries:
        await registries.resolve(ImageReference.parse("ghcr.io/a/b"))
    (post,) = script.asked("POST")
    assert "refresh_token=secret" in post.content.decode()
    assert "secret" not in str(post.url)


@pytest.mark.parametrize(
    ("header", "scheme", "realm"),
    [
        ('Bearer realm="https://a/t",service="s"', "bearer", "https://a/t"),
        ("bearer realm=https://a/t, service=s", "bearer", "https://a/t"),
        ('Basic realm="x"', "basic", "x"),
        ('Basic realm="x", Bearer realm="https://a"', "bearer", "https://a"),
        ('Bearer realm="https://a", Basic realm="x"', "bearer", "https://a"),
        ('Bearer realm = "https://a" , service = "s"', "bearer", "https://a"),
        ('BEARER\tREALM="https://a"', "bearer", "https://a"),
        (r'Bearer realm="https://a?x=\"b\"",service="s"', "bearer", 'https://a?x="b"'),
        ("Bearer realm='https://a',service='s'", "bearer", "https://a"),
        ('Bearer service="Basic realm=x",realm="https://a"', "bearer", "https://a"),
        (
            'Bearer error="invalid_token",realm="https://a",scope="a:b:pull,push"',
            "bearer",
            "https://a",
        ),
        ('Negotiate, Basic realm="x"', "basic", "x"),
        ("Basic", "basic", ""),
        ('Bearer realm="https://a', "bearer", ""),
        ("Negotiate", "none", ""),
        ("", "none", ""),
    ],
)
def test_challenges(header: str, scheme: str, realm: str) -> None:
    found = challenge_of(header)
    assert (found.scheme, found.realm) == (scheme, realm)
