"""The container image of the tool: built from the Dockerfile on a small Debian, and run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from attrs import frozen

from tests.integration.images.conftest import Storage, program, unmount_below
from tests.meta.locked import LOCK, SBOM
from tests.meta.source import ROOT

pytestmark = pytest.mark.timeout(600)
LARGEST = 200_000_000
"""Bytes of all files."""
SCORE = """\
apiVersion: score.dev/v1b1
metadata: {name: hello}
containers:
  main: {image: %s}
"""


@frozen
class Builder:
    """buildah with a storage of its own."""

    storage: Storage

    @property
    def environ(self) -> dict[str, str]:
        return {**os.environ, "CONTAINERS_STORAGE_CONF": str(self.storage.config)}

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            [program("buildah"), *arguments],
            cwd=ROOT,
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()


@frozen
class Container:
    """One of the tool's image."""

    builder: Builder
    name: str
    files: Path
    """Where they are mounted."""

    def run(self, project: Path, *command: str) -> str:
        """What a command says in a project's folder."""
        options = ("--isolation", "chroot", "-v", f"{project}:/project")
        return self.builder("run", *options, self.name, "--", *command)


def debian(folder: Path) -> Path:
    """A Debian of the machine's own release that trusts what the machine trusts."""
    tar = folder / "debian.tar"
    trusted = os.environ.get("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt")
    command = [program("mmdebstrap"), "--variant=apt", "--mode=root", "--quiet"]
    command += [f"--aptopt=Acquire::Check-{what} false" for what in ("Valid-Until", "Date")]
    command += [f"--dpkgopt=path-exclude=/usr/share/{what}/*" for what in ("doc", "man", "locale")]
    command += [
        f"--customize-hook=upload {trusted} /etc/trusted.crt",
        '--customize-hook=printf "[global]\\ncert = /etc/trusted.crt\\n" > "$1/etc/pip.conf"',
    ]
    subprocess.run([*command, "bookworm", str(tar)], check=True, capture_output=True)
    return tar


@pytest.fixture(scope="module")
def tool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Container]:
    """The image as `make image` builds it, on a base that is made here."""
    folder = tmp_path_factory.mktemp("tool")
    storage = Storage(folder)
    storage.write_config()
    builder = Builder(storage)
    base = builder("from", "scratch")
    builder("add", "--quiet", base, str(debian(folder)), "/")
    builder("commit", "--quiet", "--rm", base, "localhost/debian")
    context = folder / "context"
    wheel = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d"]
    subprocess.run([*wheel, str(context / "dist")], cwd=ROOT, check=True, capture_output=True)
    (context / LOCK.name).write_bytes(LOCK.read_bytes())
    options = ("--isolation", "chroot", "--quiet", "--build-arg", "BASE=localhost/debian")
    dockerfile = str(ROOT / "Dockerfile")
    builder(
        "build-using-dockerfile", *options, "-f", dockerfile, "-t", "localhost/tool", str(context)
    )
    name = builder("from", "localhost/tool")
    yield Container(builder, name, Path(builder("mount", name)))
    unmount_below(folder)
    shutil.rmtree(folder)


PYTHON = """\
FROM localhost/debian
RUN apt-get update -q && apt-get install -qy --no-install-recommends python3-pip python-is-python3 \\
 && rm -f /usr/lib/python3*/EXTERNALLY-MANAGED && echo "find-links = /dist" >>/etc/pip.conf
"""
"""What stands for the image of Python that the sample begins with."""


@pytest.fixture(scope="module")
def emulator(tool: Container, tmp_path_factory: pytest.TempPathFactory) -> Container:
    """The service container of samples/emulator, with the package as it is here."""
    folder = tmp_path_factory.mktemp("emulator")
    (folder / "Dockerfile").write_text(PYTHON)
    build = ("build-using-dockerfile", "--isolation", "chroot", "--quiet")
    tool.builder(*build, "-t", "localhost/python", str(folder))
    dist = f"{tool.builder.storage.folder / 'context' / 'dist'}:/dist"
    options = ("--from", "localhost/python", "-v", dist, "-t", "localhost/emulator")
    tool.builder(*build, *options, str(ROOT / "samples" / "emulator"))
    name = tool.builder("from", "localhost/emulator")
    return Container(tool.builder, name, Path(tool.builder("mount", name)))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder of the container's user."""
    folder = tmp_path / "project"
    folder.mkdir()
    os.chown(folder, 1000, 1000)
    return folder


def test_it_is_small(tool: Container) -> None:
    files = [path.lstat() for path in tool.files.rglob("*") if not path.is_dir()]
    assert sum(each.st_size for each in {each.st_ino: each for each in files}.values()) < LARGEST


def test_it_is_no_root_and_starts_the_tool(tool: Container, project: Path) -> None:
    assert tool.run(project, "id", "-u") == "1000"
    config = tool.builder("inspect", "--format", "{{.OCIv1.Config.Entrypoint}}", tool.name)
    assert config == "[score-flyio]"
    assert tool.run(project, "score-flyio", "--version").startswith("score-flyio ")


def test_it_says_what_is_in_it(tool: Container) -> None:
    (sboms,) = (tool.files / "opt/score-flyio").rglob("score_flyio-*/sboms")
    assert {path.name: path.read_bytes() for path in sboms.iterdir()} == {
        LOCK.name: LOCK.read_bytes(),
        SBOM.name: SBOM.read_bytes(),
    }


def test_it_deploys(tool: Container, project: Path) -> None:
    (project / "score.yaml").write_text(SCORE % "nginx")
    tool.run(project, "score-flyio", "init", "--fly-app-prefix", "pfx-")
    said = tool.run(project, "score-flyio", "deploy", "score.yaml", "--emulate")
    assert "hello" in said
    assert (project / "fly_hello.toml").is_file()


def test_it_has_buildah(tool: Container, project: Path) -> None:
    """Where a container may make user namespaces, it builds: a change of root may not."""
    assert tool.run(project, "buildah", "--version").startswith("buildah version ")


def test_the_service_container_answers_flyctl_too(emulator: Container) -> None:
    template = "{{.OCIv1.Config.Entrypoint}}"
    shown = emulator.builder("inspect", "--format", template, emulator.name)
    entry = shown.strip("[]").split()
    assert entry[-2:] == ["--host", "0.0.0.0"]
    command = [program("buildah"), "run", "--isolation", "chroot", emulator.name, "--", *entry]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", "0"],
        env=emulator.builder.environ,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            assert httpx.get(f"{url}/health").json()["status"] == "ok"
            query = {"query": "{ platform { requestRegion } }"}
            headers = {"authorization": "Bearer any"}
            answer = httpx.post(f"{url}/graphql", json=query, headers=headers)
            assert answer.json()["data"]["platform"]["requestRegion"]
        finally:
            process.terminate()
