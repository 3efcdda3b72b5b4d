"""Workloads with image `.` and a fly.toml with `[build]`, from files to machines that run the image."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from score_flyio.base.secret import Secret
from score_flyio.images.build import BuildSettings, prepare
from score_flyio.images.builders.choose import BuilderContext, choose_builder
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from tests.cli.conftest import Cli
from tests.cli.platform import Platform
from tests.cli.platform import project as start_project
from tests.integration.images.between import between
from tests.integration.images.conftest import PASSWORD, Registry, program
from tests.passwords import lasting

SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: NAME}
containers:
  main: {image: .}
"""
DOCKERFILE = "FROM scratch\nCOPY busybox /bin/sh\nCOPY word /word\n"
FAST = "--no-smoke-checks"
SAMPLES = Path(__file__).parents[3] / "samples"


def folder(cli: Cli, name: str, word: str) -> Path:
    """A folder with what an image is built of."""
    found = cli.directory / name
    found.mkdir(exist_ok=True)
    busybox = Path(program("busybox")).read_bytes()
    (found / "busybox").write_bytes(busybox)
    (found / "busybox").chmod(0o755)
    (found / "Dockerfile").write_text(DOCKERFILE)
    (found / "word").write_text(word)
    return found


def image_of(served: Platform, app: str) -> str:
    (image,) = {machine["config"]["image"] for machine in served.machines(app)}
    return str(image)


def test_two_workloads_are_built_once_again_when_a_file_changed_and_go_by_moved_tags(
    cli: Cli, served: Platform, registry: Registry, builder: str
) -> None:
    files = []
    for name in ("one", "two"):
        (folder(cli, name, f"{name} {builder}") / "score.yaml").write_text(
            SCORE.replace("NAME", f"{name}-{builder}")
        )
        files.append(f"{name}/score.yaml")
    start_project(cli)
    chosen = ("--builder", builder.partition("-")[0])
    args = ("deploy", *files, *chosen, FAST)

    result = cli(*args)
    assert result.exit_code == 0, result.stderr
    apps = [f"x-one-{builder}", f"x-two-{builder}"]
    images = [image_of(served, app) for app in apps]
    for app, image in zip(apps, images, strict=True):
        name, _, digest = image.partition("@")
        assert name.startswith(f"{registry.host}/{app}:deployment-")
        assert registry.digest(app, name.rpartition(":")[2]) == digest

    again = cli(*args, "--json", "--events", "events.jsonl")
    assert again.json["outcome"] == "unchanged"
    lines = Path("events.jsonl").read_text().splitlines()
    built = [event for line in lines if (event := json.loads(line))["kind"] == "build_finished"]
    assert [event["reused"] for event in built] == [True, True]
    assert "build_started" not in {json.loads(line)["kind"] for line in lines}
    assert cli("plan", "--detailed-exitcode", *chosen).exit_code == 0

    (cli.directory / "one" / "word").write_text("changed")
    assert "image" in cli("plan").stdout
    assert cli(*args).exit_code == 0
    changed = image_of(served, apps[0])
    assert changed != images[0]
    assert image_of(served, apps[1]) == images[1]

    live = f"{registry.host}/{apps[0]}:live"
    for image in (images[0], changed):
        digest = image.partition("@")[2]
        registry.tag(apps[0], digest, "live")
        moved = cli("deploy", files[0], "--image", live, FAST)
        assert moved.exit_code == 0, moved.stderr
        assert image_of(served, apps[0]) == f"{live}@{digest}"


def test_steps_that_two_workloads_share_are_carried_out_once(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    program("buildah")
    shared = folder(cli, "shared", "x")
    lines = (
        "FROM scratch",
        "COPY busybox /bin/sh",
        f"RUN echo in {cli.directory}; echo ran-$((1))",
    )
    (shared / "Dockerfile").write_text("\n".join(lines))
    for name in ("one", "two"):
        (shared / f"{name}.yaml").write_text(SCORE.replace("NAME", f"shared-{name}"))
    start_project(cli)
    files = ("shared/one.yaml", "shared/two.yaml")
    events = ("--events", "events.jsonl")
    result = cli("deploy", *files, "--builder", "buildah", *events, FAST)
    assert result.exit_code == 0, result.stderr
    assert Path("events.jsonl").read_text().count('"ran-1"') == 1
    digests = [image_of(served, f"x-shared-{name}").partition("@")[2] for name in ("one", "two")]
    assert digests[0] == digests[1] == registry.digest("x-shared-two", digests[1])


def test_an_image_is_deployed_that_the_registry_gives_no_further_tag(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    program("buildah")
    (folder(cli, "tagless", "x") / "score.yaml").write_text(SCORE.replace("NAME", "tagless"))
    start_project(cli)
    with between(registry.host) as (calls, host):
        cli.environ["FLY_REGISTRY_HOST"] = host
        calls.let_fail("PUT", "/manifests/content-", "500", "429", "cut")
        result = cli("deploy", "tagless/score.yaml", "--builder", "buildah", FAST)
    assert result.exit_code == 0, result.stderr
    assert "tagless: the next deploy builds its image anew" in result.stderr
    assert [tag for tag in registry.tags("x-tagless") if tag.startswith("content-")] == []
    digest = image_of(served, "x-tagless").partition("@")[2]
    assert digest == registry.digest("x-tagless", digest)


def test_a_deploy_of_a_whole_project_changes_nothing_the_next_time(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    program("buildah")
    (cli.directory / "Dockerfile").write_text("FROM scratch\nCOPY . /all\n")
    (cli.directory / "score.yaml").write_text(SCORE.replace("NAME", "all"))
    start_project(cli)
    args = ("deploy", "score.yaml", "--builder", "buildah", FAST, "--json")
    assert [cli(*args).json["outcome"] for _ in range(2)] == ["done", "unchanged"]


def test_an_image_of_older_files_is_not_found_by_those_that_changed_meanwhile(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    real = program("buildah")
    changing = folder(cli, "changing", "old")
    (changing / "score.yaml").write_text(SCORE.replace("NAME", "changing"))
    start_project(cli)
    args = ("deploy", "changing/score.yaml", "--builder", "buildah", FAST)
    path = cli.environ["PATH"]
    wrapped = cli.directory / "bin" / "buildah"
    wrapped.parent.mkdir()
    wrapped.write_text(f'#!/bin/sh\n{real} "$@" && echo new > {changing}/word\n')
    wrapped.chmod(0o755)
    cli.environ["PATH"] = f"{wrapped.parent}:{path}"
    first = cli(*args)
    assert first.exit_code == 0, first.stderr
    assert "changing: the next deploy builds its image anew: files changed" in first.stderr
    old = image_of(served, "x-changing")
    cli.environ["PATH"] = path
    assert cli(*args).exit_code == 0
    assert image_of(served, "x-changing") != old


def have_base_image(
    cli: Cli, name: str, builder: str, daemon: str, logins: Logins, *, push: bool
) -> None:
    """An image of that name, made of a static busybox, where the builder looks first."""
    base = cli.directory / "base"
    base.mkdir()
    shutil.copy(program("busybox"), base / "busybox")
    (base / "Dockerfile").write_text("FROM scratch\nCOPY busybox /bin/busybox\n")
    environ = {**cli.environ, **({"DOCKER_HOST": daemon} if daemon else {})}
    context = BuilderContext(environ=environ, logins=logins)

    async def build() -> None:
        chosen = await choose_builder(context, "docker" if daemon else builder)
        found = await prepare(BuildSettings(name="base", folder=base), ImageReference.parse(name))
        await chosen.build(found, lambda _: None, push=push)

    anyio.run(build)


def test_the_sample_with_a_dockerfile(
    cli: Cli,
    served: Platform,
    registry: Registry,
    builder: str,
    docker_host: Callable[[str], str],
) -> None:
    name, _, kind = builder.partition("-")
    daemon = docker_host(kind or "buildkit") if name in {"docker", "fly"} else ""
    mirrored = name == "buildkit"  # its own images are no bases; the registry is its mirror
    base = f"{registry.host}/library/busybox:1.37" if mirrored else "busybox:1.37"
    logins = Logins(cli.environ, fly=lasting(Secret(PASSWORD)))
    have_base_image(cli, base, name, daemon, logins, push=mirrored)
    shutil.copytree(SAMPLES / "dockerfile", cli.directory / "sample")
    start_project(cli)
    result = cli("deploy", "sample/score.yaml", "--builder", name, FAST)
    assert result.exit_code == 0, result.stderr
    image, _, digest = image_of(served, "x-site").partition("@")
    assert registry.digest("x-site", image.rpartition(":")[2]) == digest
    again = cli("deploy", "sample/score.yaml", "--builder", name, FAST, "--json")
    assert again.json["outcome"] == "unchanged"


def test_a_fly_toml_with_build(cli: Cli, served: Platform, registry: Registry) -> None:
    program("buildah")
    folder(cli, "app", "x")
    (cli.directory / "app" / "other.Dockerfile").write_text(
        "FROM scratch AS base\nARG WHO\nARG OTHER\nLABEL who=$WHO other=$OTHER\nCOPY app/word /\n"
        "FROM base AS more\nCOPY app/busybox /\n"
    )
    (cli.directory / "app" / "fly.toml").write_text(
        "app = 'by-hand'\n[build]\ndockerfile = 'other.Dockerfile'\nbuild-target = 'base'\n"
        "[build.args]\nWHO = 'file'\nOTHER = 'file'\n"
    )
    args = ("--builder", "buildah", "--build-arg", "WHO=me", "--image-label", "v1")
    result = cli("deploy", "-c", "app/fly.toml", *args, FAST)
    assert result.exit_code == 0, result.stderr
    assert image_of(served, "by-hand") == f"{registry.host}/by-hand:v1@" + registry.digest(
        "by-hand", "v1"
    )
    with registry.http as client:
        types = {"accept": "application/vnd.oci.image.manifest.v1+json"}
        manifest = client.get("/v2/by-hand/manifests/v1", headers=types).json()
        config = client.get(f"/v2/by-hand/blobs/{manifest['config']['digest']}").json()
    assert len(manifest["layers"]) == 1
    assert (config["config"]["Labels"]["who"], config["config"]["Labels"]["other"]) == (
        *("me", "file"),
    )


def test_an_image_whose_tag_was_moved_is_deployed(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    program("buildah")
    for word, tag in (("old", "v1"), ("new", "v2")):
        folder(cli, "moved", word)
        (cli.directory / "fly.toml").write_text(
            "app = 'moved'\n[build]\ndockerfile = 'moved/Dockerfile'\n"
        )
        (cli.directory / "moved" / "Dockerfile").write_text("FROM scratch\nCOPY moved/word /word\n")
        built = cli("deploy", "-c", "fly.toml", "--builder", "buildah", "--image-label", tag, FAST)
        assert built.exit_code == 0, built.stderr
    image = f"{registry.host}/moved:v1"
    first, second = (registry.digest("moved", tag) for tag in ("v1", "v2"))
    assert cli("deploy", "-c", "fly.toml", "--image", image, FAST).exit_code == 0
    assert image_of(served, "moved") == f"{image}@{first}"
    with registry.http as client:
        kind = "application/vnd.oci.image.manifest.v1+json"
        manifest = client.get("/v2/moved/manifests/v2", headers={"accept": kind}).content
        client.put("/v2/moved/manifests/v1", content=manifest, headers={"content-type": kind})
    planned = cli("plan", "-c", "fly.toml", "--image", image).stdout
    assert f"{first[:19]} → " in planned
    assert second[:19] in planned
    assert cli("deploy", "-c", "fly.toml", "--image", image, FAST).exit_code == 0
    assert image_of(served, "moved") == f"{image}@{second}"


def test_annotations_say_where_a_workload_is_built(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    program("buildah")
    root = folder(cli, "root", "x")
    (root / "Dockerfile").unlink()
    (root / "score").mkdir()
    (root / "score" / "web.Dockerfile").write_text("FROM scratch\nCOPY word /word\n")
    (root / "score" / "score.yaml").write_text(
        "apiVersion: score.dev/v1b1\nmetadata:\n  name: annotated\n  annotations:\n"
        "    score-flyio.astromechza.github.com/build-context: ..\n"
        "    score-flyio.astromechza.github.com/build-dockerfile: web.Dockerfile\n"
        "containers: {main: {image: .}}\n"
    )
    start_project(cli)
    result = cli("deploy", "root/score/score.yaml", "--builder", "buildah", FAST)
    assert result.exit_code == 0, result.stderr
    assert image_of(served, "x-annotated").startswith(f"{registry.host}/x-annotated:")


def test_images_of_further_containers_are_held_too(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    program("buildah")
    (folder(cli, "aside", "x") / "score.yaml").write_text(SCORE.replace("NAME", "aside"))
    start_project(cli)
    only = ("--build-only", "--push", "--builder", "buildah", "--image-label", "v1")
    assert cli("deploy", "aside/score.yaml", *only).exit_code == 0
    side = f"{registry.host}/x-aside:v1"
    (cli.directory / "several.yaml").write_text(
        "apiVersion: score.dev/v1b1\nmetadata: {name: several}\ncontainers:\n"
        f"  main: {{image: nginx}}\n  side: {{image: '{side}'}}\n"
    )
    assert cli("deploy", "several.yaml", FAST).exit_code == 0
    (images,) = {
        tuple(container["image"] for container in machine["config"]["containers"])
        for machine in served.machines("x-several")
    }
    assert images == ("nginx", f"{side}@{registry.digest('x-aside', 'v1')}")
    planned = cli("plan", "several.yaml", "--detailed-exitcode")
    assert planned.exit_code == 0, planned.stdout


def test_images_that_are_built_only(cli: Cli, served: Platform, registry: Registry) -> None:
    program("buildah")
    (folder(cli, "only", "x") / "score.yaml").write_text(SCORE.replace("NAME", "only"))
    start_project(cli)
    args = ("deploy", "only/score.yaml", "--build-only", "--push", "--builder", "buildah")
    result = cli(*args, "--image-label", "v1", "--json")
    digest = registry.digest("x-only", "v1")
    assert result.json == {"images": {"only": f"{registry.host}/x-only:v1@{digest}"}}
    assert "error" in served.get("/apps/x-only")
    kept = cli(*(arg for arg in args if arg != "--push"), "--image-label", "v2", "--json")
    assert kept.json == {"images": {"only": f"{registry.host}/x-only:v2"}}
    assert "v2" not in registry.tags("x-only")
    (cli.directory / "only" / "Dockerfile").unlink()
    result = cli(*args)
    assert result.exit_code == 2
    assert "only: there is no Dockerfile in" in result.stderr


def test_an_image_that_the_registry_does_not_have(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    (cli.directory / "fly.toml").write_text("app = 'missing'\n")
    image = f"{registry.host}/nowhere:1"
    result = cli("deploy", "-c", "fly.toml", "--image", image)
    assert result.exit_code == 1
    assert f"missing: {image}: {registry.host} does not have it" in result.stderr
    assert "error" in served.get("/apps/missing")
    assert cli("deploy", "-c", "fly.toml", "--image", image, "--no-resolve", FAST).exit_code == 0
    assert image_of(served, "missing") == image


@pytest.mark.parametrize("lacking", ["image", "rights", "Dockerfile"])
def test_nothing_is_provisioned_for_a_workload_that_has_no_image(
    cli: Cli, served: Platform, registry: Registry, lacking: str
) -> None:
    image = "." if lacking == "Dockerfile" else f"{registry.host}/nowhere:1"
    workload = (
        "apiVersion: score.dev/v1b1\nmetadata: {name: NAME}\n"
        "containers: {main: {image: 'IMAGE', variables: {A: '${resources.res.value}'}}}\n"
        "resources: {res: {type: thing}}\n"
    )
    for name, its_image in (("bad", image), ("good", f"x@sha256:{'a' * 64}")):
        (cli.directory / f"{name}.yaml").write_text(
            workload.replace("NAME", name).replace("IMAGE", its_image)
        )
    start_project(cli)
    made = cli.directory / "made"
    program = cli.directory / "make"
    program.write_text(f'#!/bin/sh\ncat >> {made}\necho \'{{"values": {{"value": "v"}}}}\'\n')
    program.chmod(0o755)
    assert cli("provisioners", "add", "p", "thing", "--cmd-binary", str(program)).exit_code == 0
    if lacking == "rights":
        cli.environ["FLY_API_TOKEN"] = "fm2_another"  # a dummy
    result = cli("deploy", "bad.yaml", "good.yaml", "--json", FAST)
    assert result.exit_code == (2 if lacking == "Dockerfile" else 1), result.stderr
    problem = {
        "image": f"bad: {image}: {registry.host} does not have it",
        "rights": f"bad: {image}: {registry.host} refuses it",
        "Dockerfile": "bad: there is no Dockerfile in",
    }[lacking]
    assert problem in result.stderr
    assert "Hint: " in result.stderr.partition(problem)[2]
    asked = made.read_text()
    assert "good.res" in asked
    assert "bad.res" not in asked  # ids are random, and may have the word in them
    assert "error" in served.get("/apps/x-bad")
    assert image_of(served, "x-good") == f"x@sha256:{'a' * 64}"


def test_a_failing_build_stops_its_own_app_only(
    cli: Cli, served: Platform, registry: Registry
) -> None:
    program("buildah")
    for name in ("bad", "good"):
        (folder(cli, name, name) / "score.yaml").write_text(SCORE.replace("NAME", name))
    with (cli.directory / "bad" / "Dockerfile").open("a") as file:
        file.write("RUN echo so it ends; exit 3\n")
    start_project(cli)
    files = ("bad/score.yaml", "good/score.yaml")
    result = cli("deploy", *files, "--builder", "buildah", FAST)
    assert result.exit_code == 1
    assert "bad: the build failed with exit code 3" in result.stderr
    assert "so it ends" in result.stderr
    assert served.machines("x-bad") == []
    assert image_of(served, "x-good").startswith(f"{registry.host}/x-good:")
