"""A small web server as an app would have: says who it is, and finishes what it has begun when asked to end."""

import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

FAILS = os.environ.get("BROKEN") == "1"


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        os._exit(3)

    def do_GET(self) -> None:
        found = os.environ.get("VERSION", "") + " " + os.environ["FLY_MACHINE_ID"]
        body = os.environ.get(self.path.strip("/"), found).encode()
        self.send_response(500 if FAILS else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


server = ThreadingHTTPServer(
    ("127.0.0.1", int(os.environ["PORT"])), Handler, bind_and_activate=False
)
server.request_queue_size = 128
server.daemon_threads = False
server.server_bind()
server.server_activate()
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda *_: Thread(target=server.shutdown).start())
sys.stdout.write("listening\n")
sys.stdout.flush()
server.serve_forever()
server.server_close()
sys.stdout.write("ended well\n")
sys.stdout.flush()
