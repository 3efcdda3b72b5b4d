"""A headless Chromium driven over two pipes by its DevTools protocol: no driver, no port."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from attrs import define, field

SETUP = "Chromium is missing: run `tests/setup.sh browser` (it needs apt-get and root, or sudo)"
PATIENCE = 60.0
"""Seconds for one answer of the browser."""
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--disable-default-apps",
    "--no-first-run",
    "--no-default-browser-check",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


class BrowserError(Exception):
    """The browser did not do what it was told."""


def find_chromium() -> str:
    """The program. Raises BrowserError with what to do when it is not installed."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise BrowserError(SETUP)


@define(eq=False)
class Pipe:
    """JSON messages with a zero byte after each, both ways."""

    read: int
    write: int
    buffer: bytes = b""
    seen: list[dict[str, Any]] = field(factory=list)
    """Events that came while answers were awaited."""
    number: int = 0

    def call(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        self.number += 1
        message: dict[str, Any] = {"id": self.number, "method": method, "params": params}
        if session:
            message["sessionId"] = session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data) :]
        while True:
            answer = self.next()
            if answer.get("id") != self.number:
                self.seen.append(answer)
                continue
            if "error" in answer:
                raise BrowserError(f"{method}: {answer['error']}")
            return dict(answer["result"])

    def wait_for(self, event: str) -> None:
        """Until an event of that kind came, also while calls were answered."""
        while not any(message.get("method") == event for message in self.seen):
            self.seen.append(self.next())

    def next(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.read], [], [], deadline - time.monotonic())
            data = os.read(self.read, 1 << 16) if ready else b""
            if not data:
                raise BrowserError("the browser ended" if ready else "the browser does not answer")
            self.buffer += data
        message, _, self.buffer = self.buffer.partition(b"\0")
        return dict(json.loads(message))


@define(eq=False)
class Page:
    """One open page."""

    pipe: Pipe
    session: str

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self.pipe.call(method, self.session, **params)

    def open(self, url: str, *, width: int = 1200, dark: bool = False, media: str = "") -> None:
        """Loads a page and waits for it; what it logs and asks for is in `pipe.seen`."""
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        self.show(width=width, dark=dark, media=media)
        self.pipe.seen.clear()
        self.call("Page.navigate", url=url)
        self.pipe.wait_for("Page.loadEventFired")

    def show(self, *, width: int = 1200, dark: bool = False, media: str = "") -> None:
        """Another window width, colour scheme or medium (`print`)."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression in the page."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(str(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def complaints(self) -> list[str]:
        """What the page logged, threw, or was refused."""
        kinds = {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}
        return [json.dumps(m["params"]) for m in self.pipe.seen if m.get("method") in kinds]

    def requests(self) -> list[str]:
        """The addresses of everything that was asked for."""
        sent = (m for m in self.pipe.seen if m.get("method") == "Network.requestWillBeSent")
        return [m["params"]["request"]["url"] for m in sent]

    def screenshot(self, path: Path, part: str = ":root") -> None:
        """What a selector names as an image: without one, the whole page."""
        clip = self.evaluate(
            f"(({{x, y, width, height}}) => ({{x, y, width, height, scale: 1}}))"
            f"(document.querySelector({json.dumps(part)}).getBoundingClientRect())"
        )
        answer = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(answer["data"]))

    def pdf(self) -> bytes:
        """The page as it would be printed."""
        answer = self.call("Page.printToPDF", printBackground=True)
        return base64.b64decode(answer["data"])


@contextmanager
def chromium(profile: Path) -> Iterator[Callable[[], Page]]:
    """A browser with a fresh profile; gives what opens an empty page."""
    to_browser, from_browser = os.pipe(), os.pipe()
    command = [find_chromium(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = _start(command, profile / "log", to_browser[0], from_browser[1])
    os.close(to_browser[0])
    os.close(from_browser[1])
    pipe = Pipe(read=from_browser[0], write=to_browser[1])

    def new_page() -> Page:
        target = pipe.call("Target.createTarget", url="about:blank")["targetId"]
        attached = pipe.call("Target.attachToTarget", targetId=target, flatten=True)
        return Page(pipe, attached["sessionId"])

    try:
        yield new_page
    finally:
        os.close(to_browser[1])  # the browser ends when its pipe does
        os.close(from_browser[0])
        _reap(process)


def _start(command: Sequence[str], log: Path, read: int, write: int) -> int:
    """Starts it with the pipes as files 3 and 4, where it looks for them."""
    log.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    # by way of high numbers: 3 and 4 may be in use by the very pipes
    actions = [
        (os.POSIX_SPAWN_OPEN, 1, str(log), flags, 0o600),
        (os.POSIX_SPAWN_DUP2, 1, 2),
        (os.POSIX_SPAWN_DUP2, read, 103),
        (os.POSIX_SPAWN_DUP2, write, 104),
        (os.POSIX_SPAWN_DUP2, 103, 3),
        (os.POSIX_SPAWN_DUP2, 104, 4),
    ]
    return os.posix_spawn(command[0], list(command), os.environ, file_actions=actions)


def _reap(process: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if os.waitpid(process, os.WNOHANG) != (0, 0):
            return
        time.sleep(0.02)
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
