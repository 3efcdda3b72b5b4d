"""What may go wrong between a builder and a registry: calls that are cut, refused or never answered."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any, Final, Literal

from attrs import define, field

CHUNK: Final = 65_536
Kind = Literal["cut", "500", "429", "hang"]


@define
class Between:
    """Passes calls on to a registry, but for those that are to fail."""

    registry: str
    method: str = ""
    path: str = ""
    """Which calls fail: of a method, whose path has this in it."""
    faults: list[Kind] = field(factory=list)
    """What happens to the next ones of them."""
    hanging: Event = field(factory=Event)
    """Whether a call waits for its answer."""
    over: Event = field(factory=Event)
    """Whether the test has ended."""
    _lock: Lock = field(factory=Lock)

    def let_fail(self, method: str, path: str, *faults: Kind) -> None:
        self.method, self.path, self.faults = method, path, list(faults)

    def fault_of(self, method: str, path: str) -> Kind | None:
        with self._lock:
            meant = method == self.method and self.path in path
            return self.faults.pop(0) if meant and self.faults else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, calls: Between) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls = calls

    def handle_error(self, *_args: Any) -> None:
        """Clients may go."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: object) -> None:
        """Say nothing."""

    def answer(self) -> None:
        fault = self.server.calls.fault_of(self.command, self.path)
        if fault == "hang":
            self.server.calls.hanging.set()
            self.server.calls.over.wait()
        if fault in {"cut", "hang"}:
            self._cut()
        elif fault is not None:
            self._refuse(fault)
        else:
            self._pass_on()

    def _cut(self) -> None:
        """Reset the connection in the midst of what comes."""
        if self._has_body():
            self.rfile.read1(CHUNK)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _refuse(self, fault: str) -> None:
        for _ in self._body():
            pass
        self.send_response(int(fault))
        self.send_header("content-length", "0")
        self.end_headers()

    def _has_body(self) -> bool:
        chunked = "transfer-encoding" in self.headers
        return chunked or self.headers.get("content-length", "0") != "0"

    def _body(self) -> Iterator[bytes]:
        if "chunked" in self.headers.get("transfer-encoding", ""):
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        left = int(self.headers.get("content-length", 0))
        while left:
            chunk = self.rfile.read(min(left, CHUNK))
            if not chunk:
                raise ConnectionError
            left -= len(chunk)
            yield chunk

    def _pass_on(self) -> None:
        with closing(HTTPConnection(self.server.calls.registry)) as server:
            self._pass_on_to(server)

    def _pass_on_to(self, server: HTTPConnection) -> None:
        chunked = "chunked" in self.headers.get("transfer-encoding", "")
        server.request(
            self.command,
            self.path,
            body=self._body() if self._has_body() else None,
            headers=dict(self.headers),
            encode_chunked=chunked,
        )
        answer = server.getresponse()
        content = answer.read()
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in {"transfer-encoding", "connection"}:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


for _method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
    setattr(_Handler, f"do_{_method}", _Handler.answer)


@contextmanager
def between(registry: str) -> Iterator[tuple[Between, str]]:
    """With its own address."""
    calls = Between(registry)
    with _Server(calls) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield calls, f"127.0.0.1:{server.server_address[1]}"
        finally:
            calls.over.set()
            server.shutdown()
            thread.join()
