"""The local HTTP service that some recorded cases need."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Service:
    """Answers by a list of routes, and keeps what it was asked."""

    def __init__(self, routes: list[dict[str, Any]]) -> None:
        self.requests: list[dict[str, Any]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self._answer()

            def do_POST(self) -> None:
                self._answer()

            def do_DELETE(self) -> None:
                self._answer()

            def _answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                service.requests.append(
                    {
                        "method": self.command,
                        "path": self.path,
                        "content_type": self.headers.get("Content-Type"),
                        "accept": self.headers.get("Accept"),
                        "body": json.loads(body) if body else None,
                    }
                )
                route: dict[str, Any] = next(
                    (r for r in routes if (r["method"], r["path"]) == (self.command, self.path)),
                    {"status": 404},
                )
                raw = json.dumps(route["json"]) if "json" in route else route.get("raw", "")
                self.send_response(route.get("status", 200))
                for name, value in route.get("headers", {}).items():
                    self.send_header(name, value)
                if route.get("status") != 204:
                    self.send_header("Content-Length", str(len(raw.encode())))
                self.end_headers()
                self.wfile.write(raw.encode())

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @classmethod
    @contextmanager
    def maybe(cls, routes: list[dict[str, Any]] | None) -> Iterator[Service | None]:
        if routes is None:
            yield None
            return
        service = cls(routes)
        thread = threading.Thread(target=service._server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield service
        finally:
            service._server.shutdown()
            service._server.server_close()
            thread.join()
