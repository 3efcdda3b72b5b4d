"""An S3 server, and a web server that honours conditional requests, for states to be kept at."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from time import sleep
from typing import Any

import httpx
import obstore
from attrs import define, field
from obstore.store import S3Store

BUCKET = "states"


@define
class S3Server:
    """A bucket on a server of its own."""

    endpoint: str
    environ: dict[str, str]

    @property
    def store(self) -> S3Store:
        config: Any = {
            "access_key_id": self.environ["AWS_ACCESS_KEY_ID"],
            "secret_access_key": self.environ["AWS_SECRET_ACCESS_KEY"],
            "region": self.environ["AWS_REGION"],
            "endpoint": self.endpoint,
        }
        return S3Store(BUCKET, config=config, client_options={"allow_http": True})

    def keys(self, folder: str) -> set[str]:
        """What is in a folder, without its name."""
        pages = obstore.list(self.store, folder)
        return {item["path"].removeprefix(f"{folder}/") for page in pages for item in page}

    def content(self, key: str) -> bytes:
        return bytes(obstore.get(self.store, key).bytes())

    def put(self, key: str, content: bytes) -> None:
        obstore.put(self.store, key, content)


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Moto's server in a process of its own, with a bucket."""
    command = [sys.executable, "-c", "from moto.server import main; main()"]
    server = subprocess.Popen(
        [*command, "-H", "127.0.0.1", "-p", "0"],
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    reader = Thread(target=server.stderr.read)
    try:
        said = next(line for line in server.stderr if "Running on" in line)
        endpoint = said.split("Running on ")[1].split()[0]
        # Nobody else reads what it goes on saying, and a full pipe would stop it.
        reader.start()
        scope = "test/20260101/us-east-1/s3/aws4_request"
        login = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0"}
        httpx.put(f"{endpoint}/{BUCKET}", headers=login).raise_for_status()
        environ = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
        }
        yield S3Server(endpoint, environ)
    finally:
        server.terminate()
        server.wait(10)
        if reader.ident is not None:
            reader.join(10)
        server.stderr.close()


@define
class WebServer:
    """Documents by path, in this process."""

    url: str = ""
    token: str | None = None
    ignores: frozenset[str] = frozenset()
    """Headers of conditions that it does not heed."""
    etag: Callable[[bytes], str] = lambda content: f'"{sha256(content).hexdigest()}"'
    """What it calls a version."""
    strong: bool = False
    """Whether weak versions match nothing, as RFC 9110 says of If-Match."""
    names_versions: bool = True
    """Whether the answer to a PUT names the new version."""
    loses: int = 0
    """Of so many changes one is carried out without an answer; 0: none."""
    changes: int = 0
    pause: float = 0.0
    """Seconds before the first answer."""
    answers: list[int] = field(factory=list)
    """Statuses to answer with instead, the next first."""
    documents: dict[str, bytes] = field(factory=dict)
    authorizations: set[str | None] = field(factory=set)
    lock: Lock = field(factory=Lock)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web: WebServer

    def do_GET(self) -> None:
        self._serve(self._get)

    def do_PUT(self) -> None:
        self._serve(self._put)

    def do_POST(self) -> None:
        """Deletes as a bucket does: the keys are in the body."""
        self._serve(self._delete_keys)

    def do_DELETE(self) -> None:
        self._serve(self._delete)

    def _serve(self, carry_out: Any) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        authorization = self.headers.get("Authorization")
        pause, self.web.pause = self.web.pause, 0.0
        sleep(pause)
        with self.web.lock:
            self.web.authorizations.add(authorization)
            if self.web.answers:
                self._answer(self.web.answers.pop(0))
            elif self.web.token and authorization != f"Bearer {self.web.token}":
                self._answer(401)
            elif not self._expected():
                self._answer(412)
            else:
                carry_out(body)

    def _expected(self) -> bool:
        there = self.web.documents.get(self.path)
        conditions = {
            name: self.headers[name]
            for name in ("If-None-Match", "If-Match")
            if name in self.headers and name not in self.web.ignores
        }
        if conditions.get("If-None-Match") == "*" and there is not None:
            return False
        wanted = conditions.get("If-Match")
        if wanted is None:
            return True
        weak = self.web.strong and wanted.startswith("W/")
        return there is not None and wanted == self.web.etag(there) and not weak

    def _get(self, _body: bytes) -> None:
        if "list-type=2" in self.path:
            self._answer(200, b"<ListBucketResult></ListBucketResult>")
            return
        there = self.web.documents.get(self.path)
        self._answer(404 if there is None else 200, there or b"", versioned=there)

    def _put(self, body: bytes) -> None:
        created = self.path not in self.web.documents
        self.web.documents[self.path] = body
        self._answer(201 if created else 200, versioned=body if self.web.names_versions else None)

    def _delete(self, _body: bytes) -> None:
        self._answer(404 if self.web.documents.pop(self.path, None) is None else 200)

    def _delete_keys(self, body: bytes) -> None:
        for key in re.findall(rb"<Key>(.*?)</Key>", body):
            self.web.documents.pop(f"{self.path.partition('?')[0]}/{key.decode()}", None)
        self._answer(200, b"<DeleteResult></DeleteResult>")

    def _answer(self, status: int, body: bytes = b"", *, versioned: bytes | None = None) -> None:
        if self._is_lost():
            self.close_connection = True
            return
        self.send_response(status)
        if versioned is not None:
            self.send_header("ETag", self.web.etag(versioned))
            self.send_header("Last-Modified", "Fri, 02 Jan 2026 03:04:05 GMT")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _is_lost(self) -> bool:
        self.web.changes += self.command != "GET"
        lost = self.web.loses and self.command != "GET" and self.web.changes % self.web.loses == 0
        return bool(lost)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class has it
        """Says nothing."""


@contextmanager
def web_server() -> Iterator[WebServer]:
    """A server on a free port."""
    web = WebServer()
    handler = type("Handler", (_Handler,), {"web": web})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    web.url = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
