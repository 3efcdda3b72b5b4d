"""What images cost, beside what does the same without us: a large build context, whole builds of
it, two builds at once, asking what 100 names mean.

`python -m tests.bench.images` prints the table; with `--json`, the rows. It runs in a process of
its own, so that its peak memory is that of these builds alone.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import anyio
import httpx
import trio
from attrs import asdict, frozen
from trio.testing import MockClock

from score_flyio.images.build import Builder, BuildSettings, content_tag, prepare
from score_flyio.images.builders.choose import BuilderContext, choose_builder
from score_flyio.images.context import hash_of, in_thread, list_context, tar_of
from score_flyio.images.distribution import MANIFESTS, Registries
from score_flyio.images.dockerignore import read_rules
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from score_flyio.images.resolve import AT_ONCE, resolve_images
from tests.bench.processes import own_peak_mib, used
from tests.integration.images.conftest import docker_daemon

FILES: Final = 20_000
FILE_BYTES: Final = 26_000
"""Half a gigabyte in all."""
IGNORED: Final = "\n".join(
    ("/Dockerfile", *(f"**/x{number}*.tmp" for number in range(300)), "*.log", "!keep.log")
)
COPY: Final = "FROM scratch\nCOPY . /\n"
COMPUTE: Final = """\
FROM scratch
COPY busybox /bin/sh
RUN echo NAME; dd if=/dev/zero bs=1M count=400 2>/dev/null | sha256sum
"""
CONFIG: Final = "application/vnd.oci.image.config.v1+json"
LATENCY: Final = 0.05


@frozen(kw_only=True)
class Cost:
    """One line of the table."""

    name: str
    seconds: float
    against: str
    """What does the same, or the least that it can take."""
    against_seconds: float
    peak_mib: float | None = None
    against_peak_mib: float | None = None

    @property
    def factor(self) -> float:
        """How many times as long it takes."""
        return self.seconds / self.against_seconds


def costs() -> Iterator[Cost]:
    """All rows that can be measured on this computer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "context"
        fill(folder)
        yield packing(folder)
        (folder / "Dockerfile").write_text(COPY)
        (folder / ".dockerignore").write_text(IGNORED)
        yield from building(folder)
    with tempfile.TemporaryDirectory() as name:
        yield from at_once(Path(name))
    yield resolving()


def fill(folder: Path) -> None:
    """The files of the context."""
    content = bytes(range(256)) * (FILE_BYTES // 256 + 1)
    for number in range(FILES):
        file = folder / f"d{number // 200}" / f"f{number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content[:FILE_BYTES])


def packing(folder: Path) -> Cost:
    """The context alone, beside the program tar, which knows of no patterns and hashes nothing."""

    async def pack() -> None:
        async for _ in in_thread(tar_of(context)):
            pass

    tar = f"tar -cf - -C {folder} . | cat > /dev/null"
    before = timed(lambda: subprocess.run(["sh", "-c", tar], check=True))
    start = time.perf_counter()
    context = list_context(folder, read_rules(IGNORED, file=".dockerignore"))
    listed = time.perf_counter()
    hash_of(context)
    hashed = time.perf_counter()
    anyio.run(pack)
    end = time.perf_counter()
    after = timed(lambda: subprocess.run(["sh", "-c", tar], check=True))
    parts = f"listed {listed - start:.1f}, hashed {hashed - listed:.1f}, packed {end - hashed:.1f}"
    return Cost(
        name=f"the context, {parts}",
        seconds=end - start,
        against="tar",
        against_seconds=(before + after) / 2,
        peak_mib=own_peak_mib(),
    )


def building(folder: Path) -> Iterator[Cost]:
    """An image of the context, through us and by the command that people would give."""
    if shutil.which("buildah"):
        with storage(folder) as environ:
            command = ["buildah", "build", "--isolation", "chroot", "--tag", "own"]
            yield beside("buildah", [*command, str(folder)], folder, environ)
    if shutil.which("docker") and shutil.which("dockerd", path=f"{os.environ['PATH']}:/usr/sbin"):
        with tempfile.TemporaryDirectory() as place, docker_daemon("classic", Path(place)) as host:
            environ = {**os.environ, "DOCKER_HOST": host, "DOCKER_BUILDKIT": "0"}
            command = ["docker", "build", "--no-cache", "--tag", "own", str(folder)]
            yield beside("docker", command, folder, environ)


def beside(name: str, command: list[str], folder: Path, environ: Mapping[str, str]) -> Cost:
    """One build by the command, and one by our builder of that name, from the listing on."""
    start = time.perf_counter()
    _, mib = used(command, environ=environ)
    theirs = time.perf_counter() - start
    return Cost(
        name=f"an image of it by {name}",
        seconds=timed(lambda: anyio.run(build, name, environ, [folder], True)),
        against=f"{name} build",
        against_seconds=theirs,
        peak_mib=own_peak_mib(),
        against_peak_mib=mib,
    )


async def build(
    name: str, environ: Mapping[str, str], folders: Iterable[Path], anew: bool = False
) -> None:
    """Build an image of each folder, all at once, as a deploy does."""
    context = BuilderContext(environ=environ, logins=Logins({}))
    builder: Builder = await choose_builder(context, name)

    async def one(folder: Path) -> None:
        image = ImageReference.parse(f"localhost/{folder.name}:1")
        settings = BuildSettings(name=folder.name, folder=folder, no_cache=anew)
        work = await prepare(settings, image)
        await content_tag(work)
        await builder.build(work, lambda _: None, push=False)

    async with anyio.create_task_group() as tasks:
        for folder in folders:
            tasks.start_soon(one, folder)


def at_once(folder: Path) -> Iterator[Cost]:
    """Two builds that compute, beside one of them."""
    busybox = shutil.which("busybox")
    if busybox is None or not shutil.which("buildah"):
        return
    places = [folder / name for name in ("a", "b", "c")]
    for place in places:
        place.mkdir()
        shutil.copy(busybox, place / "busybox")
        (place / "Dockerfile").write_text(COMPUTE.replace("NAME", place.name))
    with storage(folder) as environ:
        one = timed(lambda: anyio.run(build, "buildah", environ, places[:1]))
        two = timed(lambda: anyio.run(build, "buildah", environ, places[1:]))
    yield Cost(name="two builds at once", seconds=two, against="one of them", against_seconds=one)


def timed(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


@contextmanager
def storage(folder: Path) -> Iterator[dict[str, str]]:
    """The environment of a buildah whose images lie beside the folder, and go with the block."""
    place = folder.with_name(f"{folder.name}-storage")
    place.mkdir()
    config = place / "storage.conf"
    config.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{place}/graph"\nrunroot = "{place}/run"\n'
    )
    try:
        yield {**os.environ, "CONTAINERS_STORAGE_CONF": str(config), "TMPDIR": str(place)}
    finally:
        shutil.rmtree(place)


def resolving(count: int = 100) -> Cost:
    """Simulated seconds for images of Docker Hub, ten repositories of it.

    Each is an image for one platform, whose config is looked at, too. The bound: what the registry
    wants and a token of the repository, and then as many questions at a time as we ask.
    """
    calls = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        await trio.sleep(LATENCY)
        if request.url.host == "login.example.com":
            return httpx.Response(200, content=b'{"token": "t"}')
        if "authorization" not in request.headers:
            asks = 'Bearer realm="https://login.example.com/token",service="s"'
            return httpx.Response(401, headers={"www-authenticate": asks})
        if "/blobs/" in request.url.path:
            return httpx.Response(200, content=b'{"os": "linux", "architecture": "amd64"}')
        described = {"config": {"mediaType": CONFIG, "digest": f"sha256:{'a' * 64}"}}
        return httpx.Response(200, json=described, headers={"content-type": MANIFESTS[0]})

    async def main() -> float:
        start = trio.current_time()
        async with Registries(Logins({}), transport=httpx.MockTransport(answer)) as registries:
            names = [f"acme/app{number % 10}:{number}" for number in range(count)]
            images = {name: ImageReference.parse(name) for name in names}
            await resolve_images(images, registries.resolve)
        return trio.current_time() - start

    seconds = trio.run(main, clock=MockClock(autojump_threshold=0))
    return Cost(
        name=f"{count} names of Docker Hub, {calls} calls",
        seconds=seconds,
        against="the bound",
        against_seconds=(2 + 2 * math.ceil(count / AT_ONCE)) * LATENCY,
    )


def print_costs(rows: Iterable[Cost]) -> None:
    """The table."""
    print(f"\n{'images: a context of 20,000 files and 500 MB, 303 patterns':62}", end="")
    print(f"{'seconds':>8}{'beside':>8}{'factor':>8}{'MiB':>6}{'beside':>8}")
    for row in rows:
        memory = "".join(
            f"{'' if mib is None else f'{mib:.0f}':>{width}}"
            for mib, width in ((row.peak_mib, 6), (row.against_peak_mib, 8))
        )
        print(
            f"{row.name:62}{row.seconds:8.2f}{row.against_seconds:8.2f}{row.factor:8.2f}"
            f"{memory}  {row.against}"
        )


def main() -> None:
    rows = list(costs())
    if "--json" in sys.argv[1:]:
        print(json.dumps([asdict(row) for row in rows]))
    else:
        print_costs(rows)


if __name__ == "__main__":
    main()
