"""A real HTTP server on 127.0.0.1 that answers as a test tells it, and remembers who asked."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@dataclass
class Asked:
    """One request; header names are in lower case."""

    path: str
    headers: dict[str, str]
    status: int = 0


@dataclass
class Server:
    """Attributes: `content` by path; `etag` and `modified` of all; `behave` may answer itself."""

    url: str
    content: dict[str, bytes] = field(default_factory=dict)
    etag: str = '"1"'
    modified: str = ""
    asked: list[Asked] = field(default_factory=list)
    behave: Callable[[BaseHTTPRequestHandler], bool] = lambda _: False

    def statuses(self) -> list[int]:
        return [asked.status for asked in self.asked]


class _Listener(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Clients that hang up are what the tests are about."""


@contextmanager
def http_server() -> Iterator[Server]:
    """Serve until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.asked = Asked(self.path, headers)
            server.asked.append(self.asked)
            if not server.behave(self):
                self.serve()

        def serve(self) -> None:
            body = server.content.get(self.path.partition("?")[0])
            if body is None:
                self.send_error(404)
                return
            conditions = (("If-None-Match", server.etag), ("If-Modified-Since", server.modified))
            if any(value and self.headers[name] == value for name, value in conditions):
                self.send_response(304)
                self.end_headers()
                return
            self.send_response(200)
            for name, value in (("ETag", server.etag), ("Last-Modified", server.modified)):
                if value:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def send_response(self, code: int, message: str | None = None) -> None:
            self.asked.status = code
            super().send_response(code, message)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    listener = _Listener(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    server = Server(f"http://127.0.0.1:{listener.server_port}")
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()
