"""A real registry and real Docker daemons on loopback."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import httpx
import pytest
from attrs import frozen

from tests.cli.conftest import Cli
from tests.cli.platform import Platform, platform
from tests.integration.images.remote_builder import remote_builders

SETUP = Path(__file__).parents[2] / "setup.sh"
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "score-flyio-tests"
"""Where it puts the programs that it builds."""
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin:{CACHE / 'bin'}"
PASSWORD = "fm2_dummy+/=,fm2_other"
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


def program(name: str) -> str:
    """The path of a program that the tests need; the test says where it cannot be had."""
    found, reason = _installed(name)
    if not found:
        pytest.skip(f"{name} cannot be installed: {reason}")
    return found


@cache
def _installed(name: str) -> tuple[str, str]:
    """Where a program is, or why it cannot be had."""
    if found := shutil.which(name, path=PATH):
        return found, ""
    done = subprocess.run([str(SETUP), "images"], capture_output=True, text=True, check=False)
    return shutil.which(name, path=PATH) or "", done.stderr.strip()[-300:]


@frozen
class Registry:
    """A registry whose only user is `x`."""

    host: str
    folder: Path

    @property
    def http(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://{self.host}", auth=("x", PASSWORD), trust_env=False)

    def digest(self, repository: str, tag: str) -> str:
        from score_flyio.images.distribution import ACCEPT

        with self.http as client:
            answer = client.head(f"/v2/{repository}/manifests/{tag}", headers=ACCEPT)
        return str(answer.raise_for_status().headers["docker-content-digest"])

    def tag(self, repository: str, digest: str, tag: str) -> None:
        """Let a tag mean the image of that digest."""
        from score_flyio.images.distribution import ACCEPT

        with self.http as client:
            found = client.get(f"/v2/{repository}/manifests/{digest}", headers=ACCEPT)
            kind = {"content-type": found.raise_for_status().headers["content-type"]}
            place = f"/v2/{repository}/manifests/{tag}"
            client.put(place, content=found.content, headers=kind).raise_for_status()

    def tags(self, repository: str) -> set[str]:
        with self.http as client:
            answer = client.get(f"/v2/{repository}/tags/list")
        return set(answer.json().get("tags") or []) if answer.is_success else set()


@contextmanager
def registry_in(folder: Path) -> Iterator[Registry]:
    """Debian's `docker-registry` on a free port, with a password file."""
    server = program("docker-registry")
    users = subprocess.run(
        [program("htpasswd"), "-Bbn", "x", PASSWORD], capture_output=True, text=True, check=True
    )
    (folder / "users").write_text(users.stdout)
    config = folder / "config.yml"
    config.write_text(
        "version: 0.1\nstorage:\n"
        f"  filesystem: {{rootdirectory: {folder / 'data'}}}\n  delete: {{enabled: true}}\n"
        "http: {addr: '127.0.0.1:0'}\n"
        f"auth: {{htpasswd: {{realm: test, path: {folder / 'users'}}}}}\n"
    )
    process = subprocess.Popen(
        [server, "serve", str(config)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={"PATH": os.environ["PATH"], "OTEL_TRACES_EXPORTER": "none"},
    )
    assert process.stderr is not None
    reader = Thread(target=process.stderr.read)
    try:
        found = next(match for line in process.stderr if (match := _LISTENING.search(line)))
        # Nobody else reads what it goes on saying, and a full pipe would stop it.
        reader.start()
        yield Registry(found[1], folder)
    finally:
        end(process)
        if reader.ident is not None:
            reader.join(10)
        process.stderr.close()


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    with registry_in(tmp_path_factory.mktemp("registry")) as running:
        yield running


@pytest.fixture(scope="session")
def docker_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """The `DOCKER_HOST` of a daemon of our own: `classic`, or `buildkit`; started when asked for."""
    with ExitStack() as running:
        hosts: dict[str, str] = {}

        def host(kind: str) -> str:
            if kind not in hosts:
                folder = tmp_path_factory.mktemp(f"docker-{kind}")
                hosts[kind] = running.enter_context(docker_daemon(kind, folder))
            return hosts[kind]

        yield host


@contextmanager
def docker_daemon(kind: str, folder: Path) -> Iterator[str]:
    daemon = program("dockerd")
    if os.geteuid() != 0:
        pytest.skip("a Docker daemon of our own needs root")
    # A short path: the name of a Unix socket has at most 107 characters.
    short = Path(tempfile.mkdtemp(prefix="dk"))
    features = {"features": {"buildkit": kind == "buildkit"}}
    (folder / "daemon.json").write_text(json.dumps(features))
    host = f"unix://{short / 's'}"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(daemon, "--host", host, "--config-file", str(folder / "daemon.json")),
                *("--iptables=false", "--bridge=none", "--storage-driver=vfs"),
                *("--data-root", str(folder / "data"), "--exec-root", str(short / "exec")),
                *("--pidfile", str(folder / "pid")),
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(process, folder / "log", "API listen on")
        yield host
    finally:
        end(process)
        unmount_below(folder)
        unmount_below(short)
        shutil.rmtree(short, ignore_errors=True)


@pytest.fixture(scope="session")
def buildkit_host(
    registry: Registry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], str]]:
    """The `BUILDKIT_HOST` of a daemon of our own, started when asked for."""
    with ExitStack() as running:

        @cache
        def host() -> str:
            folder = tmp_path_factory.mktemp("buildkit")
            return running.enter_context(buildkit_daemon(folder, registry.host))

        yield host


@contextmanager
def buildkit_daemon(folder: Path, mirror: str) -> Iterator[str]:
    """Takes images of Docker Hub from the mirror."""
    daemon, _, _ = program("buildkitd"), program("buildctl"), program("runc")
    if os.geteuid() != 0:
        pytest.skip("a BuildKit of our own needs root")
    short = Path(tempfile.mkdtemp(prefix="bk"))
    host = f"unix://{short / 's'}"
    (folder / "buildkitd.toml").write_text(
        f"[registry.'docker.io']\nmirrors = ['{mirror}']\n[registry.'{mirror}']\nhttp = true\n"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(daemon, "--addr", host, "--config", str(folder / "buildkitd.toml")),
                *("--root", str(folder / "data"), "--oci-worker-snapshotter", "native"),
                *("--containerd-worker=false", "--oci-worker-net", "host"),
            ],
            stdout=log,
            stderr=log,
            env={**os.environ, "PATH": PATH},
        )
    try:
        _wait_for(process, folder / "log", "running server on")
        yield host
    finally:
        end(process)
        unmount_below(folder)
        shutil.rmtree(short, ignore_errors=True)


def end(process: subprocess.Popen[Any]) -> None:
    """End a server, by force where it does not go by itself."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def mounts_below(folder: Path) -> list[str]:
    """What is mounted below a folder, in the order of mounting."""
    lines = Path("/proc/mounts").read_text().splitlines()
    # The kernel writes a space or tab in a name as an octal number.
    places = [line.split(" ")[1].encode().decode("unicode_escape") for line in lines]
    return [place for place in places if folder.resolve() in Path(place).parents]


def unmount_below(folder: Path) -> None:
    """Unmounts what a daemon left, above all one that was killed: nobody could remove its folder."""
    for place in reversed(mounts_below(folder)):
        subprocess.run(["umount", "--lazy", place], check=True)


def _wait_for(process: subprocess.Popen[bytes], log: Path, ready: str) -> None:
    end = time.monotonic() + 60
    while ready not in log.read_text():
        if time.monotonic() > end or process.poll() is not None:
            pytest.skip(f"no daemon can be run here: {log.read_text()[-300:]}")
        time.sleep(0.05)


@frozen
class Storage:
    """Where buildah and podman have their images and working containers."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "storage.conf"

    def write_config(self) -> None:
        asked = shutil.which("buildah")
        driver = "vfs"
        if asked is not None:
            told = subprocess.run([asked, "info"], capture_output=True, text=True, check=True)
            driver = json.loads(told.stdout)["store"]["GraphDriverName"]
        places = "".join(f'{name} = "{self.folder / name}"\n' for name in ("graphroot", "runroot"))
        self.config.write_text(f'[storage]\ndriver = "{driver}"\n{places}')

    def working_containers(self) -> list[str]:
        """Ids of those that buildah and podman have."""
        lists = (self.folder / "graphroot").glob("*-containers/containers.json")
        return [str(each["id"]) for path in lists for each in json.loads(path.read_text() or "[]")]


@pytest.fixture(scope="session")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Storage]:
    """One of these tests alone: others build on the same machine, also at the same time."""
    found = Storage(tmp_path_factory.mktemp("storage"))
    found.write_config()
    yield found
    unmount_below(found.folder)
    shutil.rmtree(found.folder)


@pytest.fixture
def temporary(tmp_path_factory: pytest.TempPathFactory, storage: Storage) -> Iterator[Path]:
    """The folder of temporary files; afterwards nothing that a build made is left anywhere."""
    folder = tmp_path_factory.mktemp("temporary")
    yield folder
    assert list(folder.iterdir()) == []
    assert storage.working_containers() == []


@pytest.fixture
def places(storage: Storage, temporary: Path) -> dict[str, str]:
    """What builders learn from their environment: where to build."""
    return {
        "PATH": PATH,
        "CONTAINERS_STORAGE_CONF": str(storage.config),
        "TMPDIR": str(temporary),
    }


@pytest.fixture
def cli(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    places: dict[str, str],
) -> Cli:
    """Command lines whose builds are in places of their own."""
    monkeypatch.chdir(tmp_path)
    found = Cli(tmp_path, capsys)
    found.environ |= {**places, "HOME": str(tmp_path)}
    return found


@pytest.fixture
def served(cli: Cli, registry: Registry) -> Iterator[Platform]:
    with platform() as running:
        cli.environ |= {
            "FLY_FLAPS_BASE_URL": running.url,
            "FLY_API_TOKEN": PASSWORD,
            "FLY_REGISTRY_HOST": registry.host,
        }
        yield running


@pytest.fixture(
    params=["docker-classic", "docker-buildkit", "buildah", "podman", "buildkit", "fly"]
)
def builder(
    request: pytest.FixtureRequest,
    cli: Cli,
    served: Platform,
    docker_host: Callable[[str], str],
    buildkit_host: Callable[[], str],
) -> Iterator[str]:
    """A builder, and of Docker's which."""
    name, _, kind = str(request.param).partition("-")
    if name == "fly":
        daemon = docker_host("buildkit").removeprefix("unix://")
        with served.portal.wrap_async_context_manager(
            remote_builders(served.emulator, daemon)
        ) as host:
            cli.environ["FLY_BUILDER_HOST"] = host
            yield str(request.param)
        return
    if name == "docker":
        cli.environ["DOCKER_HOST"] = docker_host(kind)
    elif name == "buildkit":
        cli.environ["BUILDKIT_HOST"] = buildkit_host()
    else:
        program(name)
    yield str(request.param)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a static busybox, to build images from scratch.

    No two tests have a folder of the same name: a step which names it is never found among the
    layers of another test.
    """
    folder = tmp_path / uuid4().hex
    folder.mkdir()
    shutil.copy(program("busybox"), folder / "busybox")
    return folder
