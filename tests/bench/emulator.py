"""`python -m tests.bench.emulator`: how many calls a second the emulator answers, and its memory.

In process a call goes to the emulator itself; served, by HTTP from eight clients of one process.
Each size runs in a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final

import anyio
import httpx

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
Send = Callable[[str, str, Any], Awaitable[Any]]


def memory_mb() -> float:
    """Of this process, at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def rate(send: Send, calls: list[tuple[str, str, Any]], clients: int = 1) -> float:
    """Calls a second."""
    left = iter(calls)

    async def client() -> None:
        for call in left:
            await send(*call)

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for _ in range(clients):
            tasks.start_soon(client)
    return len(calls) / (time.perf_counter() - began)


async def measure(size: int, file: Path | None) -> dict[str, float]:
    async with Emulator(SETTINGS, keep_journal=1_000, file=file) as fly:

        async def send(method: str, path: str, body: Any) -> Any:
            content = b"" if body is None else json.dumps(body).encode()
            answer = await fly.handle(
                ApiRequest(method=method, path=path, headers=HEADERS, body=content)
            )
            assert answer.status < 300, answer
            return answer.document

        await send("POST", "/v1/apps", {"name": "shop", "org_slug": "personal"})
        found = {"idle MB": memory_mb()}
        path = "/v1/apps/shop/machines"
        create = [("POST", path, {"config": CONFIG})] * size
        found["create"] = await rate(send, create)
        found["MB"] = memory_mb()
        names = [str(one["id"]) for one in await send("GET", path, None)]
        some = (names * CALLS)[:CALLS]
        changes = [("POST", f"{path}/{name}", {"config": CONFIG}) for name in some]
        reads: list[tuple[str, str, Any]] = [("GET", f"{path}/{name}", None) for name in some]
        found["update"] = await rate(send, changes)
        found["read"] = await rate(send, reads)
        found["list"] = await rate(send, [("GET", path, None)] * 5)
        async with (
            fly.serve() as url,
            httpx.AsyncClient(base_url=url, headers=HEADERS, timeout=60) as client,
        ):

            async def ask(method: str, path: str, body: Any) -> Any:
                answer = await client.request(method, path, json=body)
                assert answer.is_success, answer.text

            found["served update"] = await rate(ask, changes, CLIENTS)
            found["served read"] = await rate(ask, reads, CLIENTS)
    return found


def main() -> None:
    if len(sys.argv) > 1:
        size, kept = int(sys.argv[1]), sys.argv[2:] == ["file"]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "world.json" if kept else None
            print(json.dumps(anyio.run(measure, size, file)))
        return
    for words in [[str(size)] for size in SIZES] + [[str(size), "file"] for size in (100, 400)]:
        command = [sys.executable, "-m", "tests.bench.emulator", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        figures = {name: round(value) for name, value in json.loads(done.stdout).items()}
        print(*words, figures, flush=True)


if __name__ == "__main__":
    main()
