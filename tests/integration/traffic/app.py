"""What runs in each machine: takes a while for a request, and finishes those it has when it is to end."""

import os
import signal
import time
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from threading import Thread

TAKES = 0.2


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        time.sleep(TAKES if self.path == "/work" else 0)
        self.rfile.read(int(self.headers.get("content-length") or 0))
        body = os.environ["VERSION"].encode()
        self.send_response(500 if os.environ["VERSION"] == "broken" else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *args: object) -> None:
        pass


class Server(ThreadingTCPServer):
    request_queue_size = 128
    daemon_threads = False


def end() -> None:
    """Takes what is on its way for a moment still: the proxy had sent it before it knew."""
    time.sleep(TAKES)
    server.shutdown()


with Server(("127.0.0.1", int(os.environ["PORT"])), Handler) as server:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: Thread(target=end).start())
    server.serve_forever(poll_interval=0.05)
