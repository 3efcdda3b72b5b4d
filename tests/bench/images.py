"""What images cost: packing a large build context, and asking what 100 names mean.

Run in a process of its own, so that its peak memory is that of packing alone.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import anyio
import httpx
import trio
from trio.testing import MockClock

from score_flyio.images.context import hash_of, in_thread, list_context, tar_of
from score_flyio.images.dockerignore import read_rules
from score_flyio.images.logins import Logins
from score_flyio.images.reference import ImageReference
from score_flyio.images.registry import MANIFESTS, Registries
from score_flyio.images.resolve import resolve_images
from tests.bench.processes import own_peak_mib

FILES: Final = 20_000
FILE_BYTES: Final = 26_000
"""Half a gigabyte in all."""
IGNORED: Final = "\n".join((*(f"**/x{number}*.tmp" for number in range(300)), "*.log", "!keep.log"))
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
    tar = f"tar -cf - -C {folder} . | cat > /dev/null"
    timed("tar", lambda: subprocess.run(["sh", "-c", tar], check=True))
    return seconds


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
    print(json.dumps({"packing": packed, "resolving_100": resolving()}))


if __name__ == "__main__":
    main()
