"""What goes wrong while an image is built and pushed, on the command line, with real builders."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from score_flyio.errors import ImageError
from score_flyio.images.build import BuildSettings, Progress, prepare
from score_flyio.images.builders.choose import BuilderContext, choose_builder
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from tests.cli.conftest import Cli, Result
from tests.cli.platform import Platform, platform
from tests.integration.images.conftest import (
    PASSWORD,
    Registry,
    docker_daemon,
    mounts_below,
    program,
)
from tests.integration.images.test_interrupted import await_that

DOCKERFILE = "FROM scratch\nCOPY busybox /bin/sh\nCOPY word /word\n"
FAST = "--no-smoke-checks"


@pytest.fixture(params=["buildah", "docker", "buildkit"])
def builder(
    request: pytest.FixtureRequest,
    cli: Cli,
    docker_host: Callable[[str], str],
    buildkit_host: Callable[[], str],
) -> str:
    """One builder of each kind: a program, a daemon, and a program with a daemon."""
    if request.param == "docker":
        cli.environ["DOCKER_HOST"] = docker_host("buildkit")
    elif request.param == "buildkit":
        cli.environ["BUILDKIT_HOST"] = buildkit_host()
    else:
        program("buildah")
    return str(request.param)


def write(cli: Cli, dockerfile: str = DOCKERFILE) -> None:
    folder = cli.directory / "web"
    folder.mkdir()
    (folder / "busybox").write_bytes(Path(program("busybox")).read_bytes())
    (folder / "busybox").chmod(0o755)
    (folder / "word").write_text(str(cli.directory))  # no cache knows it
    (folder / "Dockerfile").write_text(dockerfile)
    (folder / "score.yaml").write_text(
        "apiVersion: score.dev/v1b1\nmetadata: {name: web}\ncontainers: {main: {image: .}}\n"
    )
    assert cli("init", "--no-sample", "--fly-app-prefix", "x-").exit_code == 0


def use(cli: Cli, served: Platform) -> None:
    cli.environ |= {
        "FLY_FLAPS_BASE_URL": served.url,
        "FLY_API_TOKEN": PASSWORD,
        "FLY_REGISTRY_HOST": served.url.removeprefix("http://"),
    }


def deployed(cli: Cli, builder: str, *more: str) -> Result:
    return cli("deploy", "web/score.yaml", "--builder", builder, FAST, *more)


def tags(served: Platform) -> dict[str, str]:
    return served.emulator.world.registries.tags


@pytest.mark.parametrize(
    ("faults", "says"),
    [
        ("Registry_upload: 507", "507|[Ii]nsufficient"),  # no room left
        ("Registry_uploads: 403", "403|[Ff]orbidden|denied"),
        ("Registry_manifest: 500", "500|[Ii]nternal"),
        ("Registry_upload: reset", "EOF|reset|closed"),
    ],
)
def test_a_registry_that_does_not_take_it(cli: Cli, builder: str, faults: str, says: str) -> None:
    # BuildKit 0.12 may wait forever for an upload that is refused or cut before its end.
    hangs = builder == "buildkit" and "Registry_upload:" in faults
    write(cli)
    with platform(faults, registry=True) as served:
        use(cli, served)
        result = deployed(cli, builder, *(["--build-idle-timeout", "20"] if hangs else []))
        assert result.exit_code == 1
        if not hangs or "made no progress" not in result.stderr:
            assert "web: 127.0.0.1:" in result.stderr
            assert re.search(says, result.stderr.partition("cannot be pushed")[2])
            assert "that it has room" in result.stderr
        assert tags(served) == {}
        assert served.machines("x-web") == []


def test_a_registry_that_never_answers(cli: Cli, builder: str) -> None:
    write(cli)
    with platform("Registry_upload: hang", registry=True) as served:
        use(cli, served)
        result = deployed(cli, builder, "--build-idle-timeout", "5s")
        assert result.exit_code == 1
        assert f"web: {builder} made no progress with 127.0.0.1:" in result.stderr
        assert "for 5 seconds, and was ended; the last that it said: " in result.stderr
        assert "--build-idle-timeout" in result.stderr
        assert tags(served) == {}
        assert served.machines("x-web") == []


def test_a_registry_that_is_down(cli: Cli, builder: str) -> None:
    write(cli)
    with platform() as served:
        use(cli, served)
        cli.environ["FLY_REGISTRY_HOST"] = "127.0.0.1:1"
        result = deployed(cli, builder)
        assert result.exit_code == 1
        assert "web: 127.0.0.1:1/x-web:deployment-" in result.stderr
        assert "cannot be pushed" in result.stderr
        assert served.machines("x-web") == []


def test_a_push_that_is_cut_is_begun_anew(cli: Cli, builder: str) -> None:
    write(cli)
    with platform("Registry_upload: reset times=1", registry=True) as served:
        use(cli, served)
        result = deployed(cli, builder)
        assert result.exit_code == 0, result.stderr
        (image,) = {machine["config"]["image"] for machine in served.machines("x-web")}
        name, _, digest = image.partition("@")
        assert tags(served)[name] == digest
        assert len(set(tags(served).values())) == 1


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("NONSENSE x\n", "NONSENSE"),
        ("COPY --from=nothing.invalid/base /a /b\n", "nothing.invalid"),
        ("COPY not-there /\n", "not-there"),
    ],
)
def test_a_file_that_cannot_be_built(cli: Cli, builder: str, lines: str, says: str) -> None:
    write(cli, DOCKERFILE + lines)
    with platform(registry=True) as served:
        use(cli, served)
        result = deployed(cli, builder)
        assert result.exit_code == 1
        assert says in result.stderr.partition("web: the build failed")[2]
        assert tags(served) == {}


@pytest.mark.parametrize(
    ("run", "code"), [("echo one; echo two; exit 7", 7), ("echo one; echo two; nothing", 127)]
)
def test_a_step_that_fails(cli: Cli, run: str, code: int) -> None:
    program("buildah")
    write(cli, f"{DOCKERFILE}RUN {run}\n")
    with platform(registry=True) as served:
        use(cli, served)
        result = deployed(cli, "buildah")
        assert result.exit_code == 1
        error = result.stderr.partition(f"web: the build failed with exit code {code}")[2]
        assert "\n  one\n  two\n" in error
        assert tags(served) == {}
        assert served.machines("x-web") == []


def test_a_target_that_is_not_there(cli: Cli) -> None:
    write(cli, "FROM scratch AS one\nFROM scratch AS two\n")
    with platform(registry=True) as served:
        use(cli, served)
        result = cli("deploy", "web/score.yaml", "--build-target", "three")
        assert result.exit_code == 2
        assert "web: web/Dockerfile: there is no stage 'three'" in result.stderr
        assert "one, two" in result.stderr


def test_a_context_that_is_too_large(cli: Cli) -> None:
    write(cli)
    for name, size in (("video.raw", 9 * 1024**3), ("data/old.dump", 1024**3)):
        path = cli.directory / "web" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
        os.truncate(path, size)
    with platform(registry=True) as served:
        use(cli, served)
        result = cli("deploy", "web/score.yaml")
        assert result.exit_code == 1
        assert "the build context has 10242 MB, more than 8192 MB" in result.stderr
        assert "the largest in it: video.raw (9216 MB), data (1024 MB)" in result.stderr
        assert ".dockerignore" in result.stderr
        assert "error" in served.get("/apps/x-web")


def commands(word: str) -> dict[int, list[str]]:
    """Command lines of processes that have this word, by process."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode("utf-8", "replace").split("\0")
        except OSError:  # it has ended
            continue
        if word in words:
            found[int(path.parent.name)] = words
    return found


@contextmanager
def in_the_last_step(cli: Cli) -> Iterator[subprocess.Popen[str]]:
    """A deploy in a process of its own whose build is in its last step.

    Afterwards nothing of it is left.
    """
    seconds = str(900_000 + os.getpid() % 90_000)
    write(cli, f"{DOCKERFILE}RUN echo it begins; sleep {seconds}\n")
    arguments = ("deploy", "web/score.yaml", "--builder", "buildah", FAST)
    with subprocess.Popen(
        [sys.executable, "-m", "score_flyio", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **cli.environ},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "it begins" in line:
                break
        command = next(iter(commands(str(cli.directory / "web")).values()))
        folder = Path(command[command.index("--ignorefile") + 1]).parent
        assert folder.exists()
        yield process
    assert not folder.exists()
    assert commands(seconds) == {}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_nothing_behind(cli: Cli, number: signal.Signals) -> None:
    program("buildah")
    with platform(registry=True) as served:
        use(cli, served)
        with in_the_last_step(cli) as process:
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 130
        assert PASSWORD not in out + err
        assert "Traceback" not in err
        assert tags(served) == {}
        assert served.machines("x-web") == []


DEAF = """\
#!/bin/sh
trap "" TERM
for word; do
    case $word in */ignore) echo "STEP 1: with $word"; esac
done
sleep SECONDS
"""


def test_an_interrupt_while_it_cleans_up_ends_all_at_once(cli: Cli, tmp_path: Path) -> None:
    """Also a builder that does not go by itself, and the folder with its logins."""
    seconds = str(800_000 + os.getpid() % 90_000)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "buildah").write_text(DEAF.replace("SECONDS", seconds))
    (programs / "buildah").chmod(0o755)
    cli.environ["PATH"] = f"{programs}:{cli.environ['PATH']}"
    write(cli)
    with platform(registry=True) as served:
        use(cli, served)
        arguments = ("deploy", "web/score.yaml", "--builder", "buildah", FAST)
        with subprocess.Popen(
            [sys.executable, "-m", "score_flyio", *arguments],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **cli.environ},
        ) as process:
            assert process.stderr is not None
            line = next(line for line in process.stderr if "with /" in line)
            folder = Path(line.strip().partition("with ")[2]).parent
            assert folder.exists()
            process.send_signal(signal.SIGINT)
            next(line for line in process.stderr if "interrupt again to end at once" in line)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 130
            process.stderr.close()
        assert not folder.exists()
        await_that(lambda: not commands(seconds))


def test_a_builder_that_is_killed(cli: Cli) -> None:
    program("buildah")
    with platform(registry=True) as served:
        use(cli, served)
        with in_the_last_step(cli) as process:
            for builder in commands(str(cli.directory / "web")):
                os.kill(builder, signal.SIGKILL)
            _, err = process.communicate(timeout=60)
        assert process.returncode == 1
        assert "web: the build failed with signal 9" in err
        assert tags(served) == {}


async def test_a_daemon_that_is_killed(
    registry: Registry, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (project / "Dockerfile").write_text(
        "FROM scratch\nCOPY busybox /bin/sh\nRUN echo it runs; sleep 100\n"
    )
    settings = BuildSettings(name="web", folder=project, network="none")
    folder = tmp_path_factory.mktemp("killed")
    with docker_daemon("buildkit", folder) as host:

        def tell(progress: Progress) -> None:
            if progress.text == "it runs":
                for daemon in commands(host):
                    os.kill(daemon, signal.SIGKILL)

        environ = {"DOCKER_HOST": host, "FLY_REGISTRY_HOST": registry.host}
        context = BuilderContext(environ=environ, logins=Logins(environ))
        builder = await choose_builder(context, "docker")
        image = ImageReference(host=registry.host, repository="killed", tag="1")
        build = await prepare(settings, image)
        with pytest.raises(ImageError, match=f"web: the Docker daemon at {host}") as raised:
            await builder.build(build, tell)
        assert raised.value.hint
        assert registry.tags("killed") == set()
    assert mounts_below(folder) == []
