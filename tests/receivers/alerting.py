"""Slack, PagerDuty and a mail server, on 127.0.0.1, in their own wire formats.

The HTTP one takes incoming webhooks (`/services/...`), `chat.postMessage` (`/api/...`) and Events
v2 (`/v2/enqueue`); it fails, hangs or asks for patience as it is told.
"""

from __future__ import annotations

import json
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from aiosmtpd.controller import Controller

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from email.message import Message as Mail

Verdict = tuple[int, float]
"""HTTP status (200 to take it), and seconds to hang before the answer."""


@dataclass
class Web:
    """Attributes: `verdict` is asked for each request, by its number; `taken` are the bodies."""

    port: int = 0
    verdict: Callable[[int], Verdict] = lambda _: (200, 0.0)
    taken: list[dict[str, Any]] = field(default_factory=list)
    requests: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def keys(self) -> list[str]:
        """The keys of Slack messages, as taken."""
        return [body["metadata"]["event_payload"]["key"] for body in self.taken]


@contextmanager
def web() -> Iterator[Web]:
    """Serve until the end of the block."""
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.requests += 1
                number = state.requests
            status, seconds = state.verdict(number)
            time.sleep(seconds)
            if status == 200:
                with state.lock:
                    state.taken.append(body)
            self.answer(status, body)

        def answer(self, status: int, body: dict[str, Any]) -> None:
            good = status == 200
            if self.path.startswith("/services/"):
                text, kind, code = "ok" if good else "no_service", "text/html", status
            elif self.path.startswith("/api/"):
                said = {"ok": True, "ts": "1.2", "channel": "C1"}
                text = json.dumps(said if good else {"ok": False, "error": "ratelimited"})
                kind, code = "application/json", status
            else:
                code = 202 if good else status
                text = json.dumps({"status": "success", "dedup_key": body.get("dedup_key")})
                kind = "application/json"
            data = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            if status == 429:
                self.send_header("Retry-After", "1")
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    class Listener(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *_: object) -> None:
            """Clients that hang up are what the tests are about."""

    listener = Listener(("127.0.0.1", 0), Handler)
    state.port = listener.server_port
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield state
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


@dataclass
class Mailbox:
    port: int = 0
    refuse: bool = False
    mails: list[Mail] = field(default_factory=list)


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    """A real SMTP server; what it takes is in `mails`."""
    box = Mailbox()

    class Handler:
        async def handle_DATA(  # noqa: N802 - the name that aiosmtpd asks for
            self, _server: Any, _session: Any, envelope: Any
        ) -> str:
            if box.refuse:
                return "451 try again later"
            box.mails.append(message_from_bytes(envelope.content, policy=policy.default))
            return "250 OK"

    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        box.port = probe.getsockname()[1]
    controller = Controller(Handler(), hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
