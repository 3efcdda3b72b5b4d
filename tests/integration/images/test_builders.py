"""Builds by a Docker daemon, buildah and podman, pushed to a registry."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest

from score_flyio.base.secret import Secret
from score_flyio.errors import ImageError
from score_flyio.images.build import Builder, BuildSettings, Progress, content_tag, prepare
from score_flyio.images.builders.choose import BuilderContext, choose_builder
from score_flyio.images.builders.docker import DockerBuilder
from score_flyio.images.distribution import Registries
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from tests.integration.images.between import between
from tests.integration.images.conftest import PASSWORD, Registry, Storage, program
from tests.passwords import lasting

BASE = "FROM scratch\nCOPY busybox /bin/sh\n"
Choose = Callable[[Registry], Awaitable[Builder]]


@pytest.fixture(params=["docker-classic", "docker-buildkit", "buildah", "podman", "buildkit"])
def choose(
    request: pytest.FixtureRequest,
    docker_host: Callable[[str], str],
    buildkit_host: Callable[[], str],
    places: dict[str, str],
) -> Choose:
    """Each builder, with the registry's login as Fly's."""
    name, _, kind = str(request.param).partition("-")
    environ = {**os.environ, **places}
    if name == "docker":
        environ["DOCKER_HOST"] = docker_host(kind)
    elif name == "buildkit":
        environ["BUILDKIT_HOST"] = buildkit_host()
    else:
        program(name)

    async def make(registry: Registry) -> Builder:
        return await choose_builder(
            BuilderContext(environ=environ, logins=logins_of(registry, environ)), name
        )

    return make


def logins_of(registry: Registry, environ: dict[str, str] | None = None) -> Logins:
    stands_in = {**(environ or {}), "FLY_REGISTRY_HOST": registry.host}
    return Logins(stands_in, fly=lasting(Secret(PASSWORD)))


def settings(folder: Path, **more: Any) -> BuildSettings:
    return BuildSettings(name="web", folder=folder, network="none", **more)


def image(registry: Registry, repository: str, tag: str) -> ImageReference:
    return ImageReference(host=registry.host, repository=repository, tag=tag)


async def config_of(registry: Registry, pushed: ImageReference) -> dict[str, Any]:
    """The configuration of an image in the registry."""
    async with Registries(logins_of(registry)) as registries:
        manifest = json.loads((await registries.manifest(pushed)).content)
    with registry.http as client:
        blob = client.get(f"/v2/{pushed.repository}/blobs/{manifest['config']['digest']}")
    return dict(blob.json())


async def test_what_is_built_is_what_the_registry_has(
    registry: Registry, choose: Choose, project: Path
) -> None:
    builder = await choose(registry)
    (project / ".dockerignore").write_text("secret*\n")
    (project / "secret.txt").touch()
    (project / "Dockerfile").write_text(
        "FROM scratch AS main\nCOPY busybox /bin/sh\nARG WHO\nCOPY . /src/\n"
        "RUN test ! -e /src/secret.txt && test $WHO = me\n"
        f"RUN echo said by $WHO in {project}\n"
        "FROM scratch AS other\nCOPY busybox /other\n"
    )
    options = settings(project, args={"WHO": "me"}, labels={"a.b": "c d"}, target="main")
    build = await prepare(options, image(registry, f"app-{builder.name}", "one"))
    progress: list[Progress] = []
    digest = await builder.build(build, progress.append)
    assert digest == registry.digest(f"app-{builder.name}", "one")
    assert any(f"said by me in {project}" in each.text for each in progress if not each.step)
    assert sum(each.step for each in progress) >= 4
    config = await config_of(registry, build.image)
    assert config["config"]["Labels"]["a.b"] == "c d"
    assert (config["os"], config["architecture"]) == ("linux", "amd64")


async def test_patterns_that_begin_with_a_slash(
    registry: Registry, choose: Choose, project: Path
) -> None:
    """Podman took them for those of no file, and what they leave out was in the image."""
    builder = await choose(registry)
    (project / ".dockerignore").write_text("/.env\n//a/*\n ! /a/kept\n/\n")
    (project / "a").mkdir()
    for name in (".env", "a/left", "a/kept", "a/.env"):
        (project / name).touch()
    (project / "Dockerfile").write_text(
        "FROM scratch\nCOPY busybox /bin/sh\nCOPY . /src/\n"
        "RUN cd /src && test ! -e .env && test ! -e a/left && test ! -e a/.env && test -e a/kept\n"
    )
    build = await prepare(settings(project), image(registry, f"app-{builder.name}", "slash"))
    assert await builder.build(build, lambda _: None)


async def test_unchanged_steps_are_not_carried_out_again(
    registry: Registry, choose: Choose, project: Path
) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(f"{BASE}RUN echo {project}\n")

    async def steps_from_cache(**more: Any) -> int:
        progress: list[Progress] = []
        build = await prepare(settings(project, **more), image(registry, "cached", "one"))
        await builder.build(build, progress.append, push=False)
        # The context itself counts as a step of BuildKit.
        ours = [each for each in progress if "context" not in each.text]
        return sum(each.cached for each in ours)

    await steps_from_cache()
    assert await steps_from_cache() >= 1
    assert await steps_from_cache(no_cache=True) == 0


async def test_a_changed_file_is_built_anew(
    registry: Registry, choose: Choose, project: Path
) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(f"{BASE}COPY file /file\nRUN test -s /file\n")
    digests = set()
    for content in ("one", "two"):
        (project / "file").write_text(content)
        build = await prepare(settings(project), image(registry, "changed", content))
        digests.add(await builder.build(build, lambda _: None))
    assert digests == {registry.digest("changed", tag) for tag in ("one", "two")}
    assert len(digests) == 2


async def test_a_dockerfile_from_outside_of_the_context(
    registry: Registry, choose: Choose, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    builder = await choose(registry)
    outside = tmp_path_factory.mktemp("outside") / "web.Dockerfile"
    outside.write_text(BASE)
    (project / "Dockerfile").write_text("FROM nothing-like-this\n")
    build = await prepare(settings(project, dockerfile=outside), image(registry, "outside", "1"))
    assert await builder.build(build, lambda _: None) == registry.digest("outside", "1")


@pytest.mark.parametrize("where", ["left out", "outside", "left out with its ignore file"])
async def test_no_step_sees_a_dockerfile_that_is_not_in_the_context(
    registry: Registry, choose: Choose, project: Path, tmp_path: Path, where: str
) -> None:
    builder = await choose(registry)
    (project / "below" / "out").mkdir(parents=True)
    (project / "below" / "out" / "kept").write_text("kept")
    (project / "below" / "empty").touch()
    (project / "below" / "link").symlink_to("empty")
    (project / "large").write_bytes(b"x" * 3_000_000)
    (project / ".dockerignore").write_text(
        {
            "left out": "Dockerfile\nbelow/out\n!below/out/kept\n",
            "outside": "",
            "left out with its ignore file": "Dockerfile\n.dockerignore\n",
        }[where]
    )
    file = tmp_path / "Other" if where == "outside" else project / "Dockerfile"
    file.write_text(
        f"{BASE}COPY . /src/\nCOPY below/out/kept /kept\n"
        f"RUN cd /src; echo {project}; for each in $(./busybox ls -A); do echo sees $each; done\n"
        "RUN test $(cat /kept) = kept && test -L /src/below/link && test -f /src/below/link\n"
        "RUN test $(/src/busybox wc -c < /src/large) = 3000000\n"
    )
    build = await prepare(
        settings(project, dockerfile=file), image(registry, f"apart-{builder.name}", "1")
    )
    told: list[Progress] = []
    await builder.build(build, told.append)
    seen = {each.text.removeprefix("sees ") for each in told if each.text.startswith("sees ")}
    ignore_file = set() if "with" in where else {".dockerignore"}
    assert seen == {"below", "busybox", "large"} | ignore_file


async def test_a_failing_step_is_told_with_its_exit_code_and_output(
    registry: Registry, choose: Choose, project: Path, storage: Storage, temporary: Path
) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(f"{BASE}RUN echo before the end; exit 7\n")
    build = await prepare(settings(project), image(registry, "failing", "1"))
    with pytest.raises(ImageError, match="web: the build failed") as raised:
        await builder.build(build, lambda _: None)
    assert "7" in str(raised.value)
    assert "before the end" in str(raised.value)
    assert "1" not in registry.tags("failing")
    assert left_behind(builder, storage, temporary) == []


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("FROM scratch\nNONSENSE x\n", "(?i)unknown instruction"),
        ("FROM scratch\nCOPY not-there /\n", "not-there"),
        ("FROM {host}/no/base:1\n", "no/base|manifest unknown|not found"),
    ],
)
async def test_what_cannot_be_built(
    registry: Registry, choose: Choose, project: Path, lines: str, says: str
) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(lines.replace("{host}", registry.host))
    build = await prepare(settings(project), image(registry, "wrong", "1"))
    with pytest.raises(ImageError, match=says):
        await builder.build(build, lambda _: None)


async def test_a_push_that_is_refused(registry: Registry, choose: Choose, project: Path) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(BASE)
    build = await prepare(settings(project), ImageReference.parse("127.0.0.1:1/app:1"))
    with pytest.raises(ImageError, match=r"127\.0\.0\.1:1/app:1 cannot be pushed") as raised:
        await builder.build(build, lambda _: None)
    assert raised.value.hint


async def test_a_push_that_is_cut_is_repeated(
    registry: Registry, choose: Choose, project: Path
) -> None:
    """Also where the builder would give up: once the layers are there."""
    (project / "Dockerfile").write_text(BASE)
    with between(registry.host) as (calls, host):
        builder = await choose(Registry(host, registry.folder))
        pushed = ImageReference(host=host, repository=f"cut-{project.name}", tag="1")
        calls.let_fail("PUT", "/manifests/", "429", "cut")
        build = await prepare(settings(project), pushed)
        digest = await builder.build(build, lambda _: None)
    assert calls.faults == []
    assert digest == registry.digest(pushed.repository, "1")


async def test_secrets(registry: Registry, choose: Choose, project: Path) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(
        f"{BASE}"
        "RUN --mount=type=secret,id=tok /bin/sh -c 'read x < /run/secrets/tok; test $x = sesame'\n"
    )
    secrets = {"tok": Secret("sesame")}
    build = await prepare(settings(project, secrets=secrets), image(registry, "secrets", "1"))
    await builder.build(build, lambda _: None, push=False)


async def test_a_large_secret(registry: Registry, choose: Choose, project: Path) -> None:
    """Larger than what a connection of HTTP/2 carries without being asked for more."""
    builder = await choose(registry)
    (project / "Dockerfile").write_text(
        f"{BASE}RUN --mount=type=secret,id=big /bin/sh -c "
        "'n=0; while read x; do n=$((n+1)); done < /run/secrets/big; test $n = 4000'\n"
    )
    secrets = {"big": Secret(("x" * 99 + "\n") * 4000)}
    build = await prepare(settings(project, secrets=secrets), image(registry, "secrets", "2"))
    await builder.build(build, lambda _: None, push=False)


@pytest.mark.parametrize("given", [{}, {"other": Secret("x")}])
async def test_a_secret_that_is_missing(
    registry: Registry, choose: Choose, project: Path, given: dict[str, Secret]
) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(
        f"{BASE}RUN --mount=type=secret,id=tok /bin/sh -c 'cat /run/secrets/tok'\n"
    )
    build = await prepare(settings(project, secrets=given), image(registry, "secrets", "3"))
    with pytest.raises(ImageError, match="web: the build failed") as raised:
        await builder.build(build, lambda _: None, push=False)
    assert "--build-secret tok=" in str(raised.value.hint)


async def test_a_private_base_image(registry: Registry, choose: Choose, project: Path) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(BASE)
    name = f"base-{builder.name}-{project.parent.name}".lower()
    base = image(registry, name, "1")
    await builder.build(await prepare(settings(project), base), lambda _: None)
    (project / "Dockerfile").write_text(f"FROM {base}\nLABEL over=base\n")
    build = await prepare(settings(project, no_cache=True), image(registry, "over", name))
    progress: list[Progress] = []
    assert await builder.build(build, progress.append) == registry.digest("over", name)
    assert (await config_of(registry, build.image))["config"]["Labels"]["over"] == "base"


def left_behind(builder: Builder, storage: Storage, temporary: Path) -> list[str]:
    """Working containers and temporary files, in a daemon and places that nobody else uses."""
    found = [path.name for path in temporary.iterdir()] + storage.working_containers()
    if isinstance(builder, DockerBuilder):
        transport = httpx.HTTPTransport(uds=builder.address.shown.removeprefix("unix://"))
        with httpx.Client(transport=transport, base_url="http://docker") as client:
            found += [each["Id"] for each in client.get("/containers/json?all=1").json()]
    return found


def running(project: Path) -> list[str]:
    """Commands of a step that names the project."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            found.append(path.read_text("utf-8", "replace"))
    return [command for command in found if f"it runs {project}" in command]


async def test_cancellation_leaves_nothing_behind(
    registry: Registry, choose: Choose, project: Path, storage: Storage, temporary: Path
) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(f"{BASE}RUN echo it runs {project}; sleep 100\n")
    build = await prepare(settings(project), image(registry, "cancelled", "1"))
    runs = anyio.Event()

    def tell(progress: Progress) -> None:
        if progress.text == f"it runs {project}":
            runs.set()

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(builder.build, build, tell)
            await runs.wait()
            tasks.cancel_scope.cancel()
        while left_behind(builder, storage, temporary) or running(project):  # noqa: ASYNC110  # the daemon ends it by itself
            await anyio.sleep(0.05)


async def test_the_same_files_have_the_same_tag(registry: Registry, project: Path) -> None:
    (project / "Dockerfile").write_text(BASE)
    one = image(registry, "same", "1")

    async def tag(**more: Any) -> str:
        return await content_tag(await prepare(settings(project, **more), one))

    first = await tag()
    assert await tag() == first
    assert await tag(args={"A": "1"}) != first
    (project / "more").touch()
    assert await tag() != first


async def test_a_secret_that_may_be_missing(
    registry: Registry, choose: Choose, project: Path
) -> None:
    builder = await choose(registry)
    (project / "Dockerfile").write_text(
        f"{BASE}RUN --mount=type=secret,id=tok,target=/run/tok /bin/sh -c 'test ! -s /run/tok'\n"
    )
    build = await prepare(settings(project), image(registry, "secrets", "4"))
    await builder.build(build, lambda _: None, push=False)


async def test_a_dockerfile_of_windows(
    registry: Registry, choose: Choose, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With a byte order mark, line ends and an escape character of its own."""
    builder = await choose(registry)
    outside = tmp_path_factory.mktemp("outside") / "Dockerfile"
    lines = (
        "# escape=`",
        "FROM scratch `",
        "  # a note",
        "",
        "  AS main",
        "COPY busybox `",
        "  /b",
    )
    text = "\r\n".join((*lines, "FROM main AS other", ""))
    (project / "Dockerfile.dockerignore").write_bytes("\ufeffsecret.txt \r\n".encode())
    (project / "secret.txt").touch()
    for number, file in enumerate((project / "Dockerfile", outside)):
        file.write_bytes(f"\ufeff{text}".encode())
        chosen = settings(project, dockerfile=file, target="main")
        build = await prepare(chosen, image(registry, "windows", str(number)))
        assert await builder.build(build, lambda _: None) == registry.digest("windows", str(number))
