"""A server that speaks HTTP/1.1 in the ways that a proxy may garble, and echoes lines on a second port."""

import os
import sys
from http.server import BaseHTTPRequestHandler
from socketserver import StreamRequestHandler, ThreadingTCPServer
from threading import Thread


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Web(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        getattr(self, self.path.strip("/") or "plain")()

    def do_POST(self) -> None:
        self.do_GET()

    def do_HEAD(self) -> None:
        self.do_GET()

    def answer(self, body: bytes, *headers: tuple[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in (*headers, ("content-length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def plain(self) -> None:
        self.answer(b"plain")

    def cookies(self) -> None:
        self.answer(b"", ("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x-mine", "kept"))

    def headers_of_request(self) -> None:
        self.answer("\n".join(f"{k.lower()}: {v}" for k, v in self.headers.items()).encode())

    def echo(self) -> None:
        """Gives back each chunk as soon as it has come."""
        self.send_response(200)
        self.send_header("transfer-encoding", "chunked")
        self.send_header("trailer", "x-sum")
        self.end_headers()
        total = 0
        while size := int(self.rfile.readline(), 16):
            total += size
            chunk = self.rfile.read(size + 2)
            self.wfile.write(f"{size:x}\r\n".encode() + chunk)
        self.rfile.readline()
        self.wfile.write(f"0\r\nx-sum: {total}\r\n\r\n".encode())

    def length(self) -> None:
        self.answer(self.rfile.read(int(self.headers["content-length"])))

    def hints(self) -> None:
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>\r\n\r\n")
        self.answer(b"hinted")

    def refused(self) -> None:
        """Answers without reading the body."""
        self.answer(b"too much", ("connection", "close"), status=413)
        self.close_connection = True

    def cut(self) -> None:
        self.send_response(200)
        self.send_header("content-length", "10")
        self.end_headers()
        self.wfile.write(b"cut")
        self.close_connection = True

    def until_the_end(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"all of it")
        self.close_connection = True

    def nothing(self) -> None:
        say("asked for nothing")
        self.close_connection = True

    def wait(self) -> None:
        say("waiting")
        if not self.rfile.read(1):
            say("gone")
        self.close_connection = True

    def upgrade(self) -> None:
        self.wfile.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: echo\r\nconnection: upgrade\r\n\r\nhello "
        )
        while data := self.connection.recv(1024):
            self.wfile.write(data)
        say("ended")
        self.close_connection = True

    def empty(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class Lines(StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"who? ")
        for line in self.rfile:
            self.wfile.write(line)
        self.wfile.write(b"bye")


class Server(ThreadingTCPServer):
    daemon_threads = True


def serve(handler: type[StreamRequestHandler], port: str) -> None:
    with Server(("127.0.0.1", int(port)), handler) as serving:
        serving.serve_forever()


Thread(target=serve, args=(Lines, os.environ["PORT_5432"]), daemon=True).start()
serve(Web, os.environ["PORT"])
