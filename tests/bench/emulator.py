"""`python -m tests.bench.emulator`: how many calls a second the emulator answers, and its memory.

In process a call goes to the emulator itself; served, by HTTP from eight clients of another
process. Seconds are those that the emulator's own process computed: what one core bears, however
much else the computer does. Each size runs in a process of its own.
"""

from __future__ import annotations

import http.client
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import anyio

from fly_emulator import Emulator, EmulatorSettings
from fly_emulator.wire import ApiRequest

SIZES: Final = (100, 1_000, 10_000)
CALLS: Final = 1_000
CLIENTS: Final = 8
HEADERS: Final = {"authorization": "Bearer dummy"}
SETTINGS: Final = EmulatorSettings(
    rate_limits=False,
    boot=0.01,
    healthy_after=0.01,
    stop=0.01,
    prepare=0.01,
    busy_after_update=0.0,
    host_memory_mb=1_000_000_000,
)
CONFIG: Final[dict[str, Any]] = {
    "image": "nginx:1",
    "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256},
    "env": {"A": "one"},
    "services": [
        {
            "protocol": "tcp",
            "internal_port": 8080,
            "ports": [{"port": 443, "handlers": ["tls", "http"]}],
            "checks": [{"type": "http", "path": "/", "interval": "5s", "timeout": "2s"}],
        }
    ],
    "metadata": {"fly_process_group": "app", "fly_platform_version": "v2"},
}
MACHINES: Final = "/v1/apps/shop/machines"
AGAIN: Final = [sys.executable, "-m", "tests.bench.emulator"]


class Call(NamedTuple):
    method: str
    path: str
    body: Any = None


def memory_mb() -> float:
    """Of this process, at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def rate(run: Callable[[], Awaitable[object]], calls: int) -> float:
    """Calls a second of this process."""
    began = time.process_time()
    await run()
    return calls / (time.process_time() - began)


async def measure(size: int, file: Path | None) -> dict[str, float]:
    async with Emulator(SETTINGS, keep_journal=1_000, file=file) as fly:

        async def send(method: str, path: str, body: Any = None) -> Any:
            content = b"" if body is None else json.dumps(body).encode()
            answer = await fly.handle(
                ApiRequest(method=method, path=path, headers=HEADERS, body=content)
            )
            assert answer.status < 300, answer
            answer.content()
            return answer.document

        async def send_all(calls: list[Call]) -> None:
            for call in calls:
                await send(*call)

        await send("POST", "/v1/apps", {"name": "shop", "org_slug": "personal"})
        found = {"idle MB": memory_mb()}
        create = [Call("POST", MACHINES, {"config": CONFIG})] * size
        found["create"] = await rate(partial(send_all, create), size)
        found["MB"] = memory_mb()
        names = [str(one["id"]) for one in await send("GET", MACHINES)]
        some = (names * CALLS)[:CALLS]
        changes = [Call("POST", f"{MACHINES}/{name}", {"config": CONFIG}) for name in some]
        reads = [Call("GET", f"{MACHINES}/{name}") for name in some]
        found["update"] = await rate(partial(send_all, changes), CALLS)
        found["read"] = await rate(partial(send_all, reads), CALLS)
        found["list"] = await rate(partial(send_all, [Call("GET", MACHINES)] * 5), 5)
        async with fly.serve() as url:
            for name, calls in (("served update", changes), ("served read", reads)):
                asking = partial(anyio.run_process, [*AGAIN, "ask", url], input=texts(calls))
                found[name] = await rate(asking, CALLS)
    return found


def texts(calls: list[Call]) -> bytes:
    return json.dumps(calls).encode()


def ask(url: str, calls: list[Call]) -> None:
    """Be the clients."""

    def client(own: list[Call]) -> None:
        connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
        for method, path, body in own:
            connection.request(method, path, body and json.dumps(body), HEADERS)
            answer = connection.getresponse()
            assert answer.status < 300, answer.read()
            answer.read()

    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(client, [calls[number::CLIENTS] for number in range(CLIENTS)]))


def main() -> None:
    if sys.argv[1:2] == ["ask"]:
        ask(sys.argv[2], json.load(sys.stdin))
        return
    if len(sys.argv) > 1:
        size, kept = int(sys.argv[1]), sys.argv[2:] == ["file"]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "world.json" if kept else None
            print(json.dumps(anyio.run(measure, size, file)))
        return
    for words in [[str(size)] for size in SIZES] + [[str(size), "file"] for size in (100, 1_000)]:
        command = [*AGAIN, *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures = {name: round(value) for name, value in json.loads(done.stdout).items()}
        print(*words, figures, flush=True)


if __name__ == "__main__":
    main()
