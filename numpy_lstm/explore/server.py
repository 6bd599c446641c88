"""The page and its answers on this machine alone, by the standard library.

It listens on 127.0.0.1. It refuses other hosts' names (by which a page elsewhere could reach it
after its name is made to point here) and other origins (pages that are open beside it), and it
reads no more than :data:`LONGEST` bytes of a question.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import webbrowser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from numpy_lstm.explore.controls import View
from numpy_lstm.explore.page import page
from numpy_lstm.explore.views import respond

HOST = "127.0.0.1"
PORT = 8765  # where links to a setting expect the page; any free one if it is taken
LONGEST = 16_384  # bytes of a question
PATIENCE = 10.0  # seconds for a connection that says nothing


class Server(ThreadingHTTPServer):
    """Serves the views.

    Parameters
    ----------
    views : dict
        By name.
    port : int or None
        0 for any that is free; None for :data:`PORT`, or any if that is taken.

    Raises
    ------
    OSError
        If the port is taken, or not allowed.
    """

    daemon_threads = True  # the end of the program waits for no connection
    allow_reuse_address = os.name == "posix"  # on Windows two programs could share the port
    request_queue_size = 64  # connections that wait; beyond 5, the default, they would be reset

    def __init__(self, views: dict[str, View], port: int | None) -> None:
        self.views = views
        self.page = page(views)
        self.turn = threading.Lock()  # one answer at a time: they are short, and cores are few
        try:
            super().__init__((HOST, PORT if port is None else port), Handler)
        except OSError as error:
            if port is not None:
                raise OSError(f"`--port` {port}: {error.strerror}") from error
            super().__init__((HOST, 0), Handler)

    @property
    def address(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that has gone; all else is a mistake of ours."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Send the page."""
        if not self._is_ours():
            return
        if self.path.partition("?")[0] != "/":
            self._send(404, "text/plain", b"There is nothing here but the page itself.\n")
            return
        text, policy = self.server.page
        self._send(200, "text/html", text.encode(), policy)

    def do_POST(self) -> None:
        """Answer a question."""
        if not self._is_ours():
            return
        length = self.headers.get("Content-Length", "")
        # Of at most nine digits: a number of many takes long to read.
        if not (re.fullmatch("[0-9]{1,9}", length) and int(length) <= LONGEST):
            self.close_connection = True  # what it says is not read
            self._refuse(413, f"A question must have a length of at most {LONGEST:,} bytes.")
            return
        body = self.rfile.read(int(length))
        if self.path != "/ask" or self.headers.get_content_type() != "application/json":
            self._refuse(404, "Questions are JSON, and go to /ask.")
            return
        try:
            with self.server.turn:
                answer = respond(self.server.views, json.loads(body))
        except (ValueError, RecursionError, OSError) as error:
            self._refuse(400, str(error))
            return
        text = json.dumps(answer, ensure_ascii=False, allow_nan=False)
        self._send(200, "application/json", text.encode())

    def _is_ours(self) -> bool:
        """Whether it was asked for by this address, and by a page from it; else it is refused."""
        hosts = {f"{name}:{self.server.server_port}" for name in (HOST, "localhost")}
        origin = self.headers.get("Origin")
        if self.headers.get("Host", "").lower() not in hosts:
            self.close_connection = True
            self._refuse(421, f"This is {self.server.address} and no other host.")
            return False
        if origin is not None and origin.lower() not in {f"http://{host}" for host in hosts}:
            self.close_connection = True
            self._refuse(403, "Other pages may not ask.")
            return False
        return True

    def _refuse(self, status: int, why: str) -> None:
        self._send(status, "application/json", json.dumps({"error": why}).encode())

    def _send(self, status: int, kind: str, body: bytes, policy: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Content-Security-Policy", policy or "default-src 'none'")
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """No versions are told."""
        return "numpy_lstm"

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is written about what was asked."""


def has_browser() -> bool:
    """Whether a page that is opened here would be seen: not over SSH, and not without a screen."""
    if "SSH_CONNECTION" in os.environ:
        return False
    return sys.platform in ("win32", "darwin") or bool(
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    )


def open_browser(address: str) -> None:
    """Open the page in the user's browser, which may take its time, beside the server."""

    def show() -> None:
        try:
            webbrowser.open(address)
        except webbrowser.Error:  # its address is printed
            pass

    threading.Thread(target=show, daemon=True).start()
