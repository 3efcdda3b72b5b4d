"""What images cost: a large build context, two builds at once, asking what 100 names mean.

Run in a process of its own, so that its peak memory is that of packing alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import trio
from trio.testing import MockClock

from score_flyio.images.build import BuildSettings, prepare
from score_flyio.images.builders.programs import BuildahBuilder
from score_flyio.images.context import hash_of, in_thread, list_context, tar_of
from score_flyio.images.dockerignore import read_rules
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from score_flyio.images.registry import MANIFESTS, Registries
from score_flyio.images.resolve import resolve_images
from tests.bench.processes import own_peak_mib, peak_mib

FILES: Final = 20_000
FILE_BYTES: Final = 26_000
"""Half a gigabyte in all."""
IGNORED: Final = "\n".join((*(f"**/x{number}*.tmp" for number in range(300)), "*.log", "!keep.log"))
DOCKERFILE: Final = """\
FROM scratch
COPY busybox /bin/sh
RUN echo NAME; dd if=/dev/zero bs=1M count=400 2>/dev/null | sha256sum
"""
LATENCY: Final = 0.05


def packing(folder: Path) -> dict[str, float]:
    """Seconds of each part, and of the program tar on the same files."""
    content = bytes(range(256)) * (FILE_BYTES // 256 + 1)
    for number in range(FILES):
        file = folder / f"d{number // 200}" / f"f{number}"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content[:FILE_BYTES])
    seconds: dict[str, float] = {}

    def timed(name: str, call: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = call()
        seconds[name] = round(time.perf_counter() - start, 2)
        return result

    async def pack() -> None:
        async for _ in in_thread(tar_of(context)):
            pass

    rules = read_rules(IGNORED, file=".dockerignore")
    context = timed("list", lambda: list_context(folder, rules))
    timed("hash", lambda: hash_of(context))
    timed("pack", lambda: anyio.run(pack))
    seconds["peak_mib"] = round(own_peak_mib())
    seconds |= buildahs_own(folder)
    tar = f"tar -cf - -C {folder} . | cat > /dev/null"
    timed("tar", lambda: subprocess.run(["sh", "-c", tar], check=True))
    return seconds


def buildahs_own(folder: Path) -> dict[str, float]:
    """Seconds and peak memory of buildah alone, which copies the same context into an image."""
    if shutil.which("buildah") is None:
        return {}
    with storage(folder) as environ:
        (folder / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
        (folder / ".dockerignore").write_text(f"{IGNORED}\nDockerfile\n")
        start = time.perf_counter()
        command = ["buildah", "build", "--isolation", "chroot", "--tag", "bench", str(folder)]
        running = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL)
        peak = 0.0
        while running.poll() is None:
            peak = max(peak, peak_mib(running.pid))
            time.sleep(0.02)
        took = time.perf_counter() - start
    assert running.returncode == 0
    return {"buildah": round(took, 2), "buildah_peak_mib": round(peak)}


def building(folder: Path) -> dict[str, float]:
    """Seconds of one build that computes, and of two at once, by our builder with buildah."""
    found = [shutil.which(name) for name in ("buildah", "busybox")]
    buildah, busybox = found
    if buildah is None or busybox is None:
        return {}
    seconds: dict[str, float] = {}
    with storage(folder) as environ:
        builder = BuildahBuilder(
            name="buildah", program=buildah, logins=Logins({}), environ=environ
        )

        async def build(name: str) -> None:
            image = ImageReference.parse(f"localhost/{name}:1")
            work = await prepare(BuildSettings(name=name, folder=folder / name), image)
            await builder.build(work, lambda _: None, push=False)

        async def at_once(*names: str) -> None:
            async with anyio.create_task_group() as tasks:
                for name in names:
                    tasks.start_soon(build, name)

        for names in (("a",), ("b", "c")):
            for name in names:
                (folder / name).mkdir()
                shutil.copy(busybox, folder / name / "busybox")
                (folder / name / "Dockerfile").write_text(DOCKERFILE.replace("NAME", name))
            start = time.perf_counter()
            anyio.run(at_once, *names)
            seconds[f"of_{len(names)}"] = round(time.perf_counter() - start, 2)
    return seconds


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


def resolving(count: int = 100) -> dict[str, float]:
    """Calls and simulated seconds for images of Docker Hub, 10 repositories of it."""
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
        found = {"docker-content-digest": "sha256:" + "a" * 64, "content-type": MANIFESTS[0]}
        return httpx.Response(200, headers=found)

    async def main() -> float:
        start = trio.current_time()
        async with Registries(Logins({}), transport=httpx.MockTransport(answer)) as registries:
            names = [f"acme/app{number % 10}:{number}" for number in range(count)]
            images = {name: ImageReference.parse(name) for name in names}
            await resolve_images(images, registries.resolve)
        return trio.current_time() - start

    seconds = trio.run(main, clock=MockClock(autojump_threshold=0))
    return {"calls": calls, "seconds": round(seconds, 2)}


def main() -> None:
    """Prints both as one JSON document."""
    with tempfile.TemporaryDirectory() as name:
        packed = packing(Path(name))
    with tempfile.TemporaryDirectory() as name:
        built = building(Path(name))
    costs = {"packing": packed, "building": built, "resolving_100": resolving()}
    print(json.dumps(costs))


if __name__ == "__main__":
    main()
