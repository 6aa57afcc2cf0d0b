"""A proxy in front of Placement (or any HTTP service) that fails on command, and remembers every request.

``with FaultProxy(lab.placement_url) as proxy: proxy.fail("503", method="POST")`` and then ``proxy.requests``.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import urlsplit

# drop: the connection ends without an answer. hold: no answer until the proxy passes again or ends.
# lose and stall: the request reaches the service; then as drop, or as hold.
# late: answered 504 now, and sent to the service only by `carry_out`.
STATUSES = ("401", "403", "409", "500", "503")
HELD = ("hold", "stall")
LATE = "late"
MODES = (*STATUSES, "drop", "lose", *HELD, LATE)
UPSTREAM_SECONDS = 120
HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server", "host"})
HTML = b"<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>"
HTML_LATE = b"<html><body><h1>504 Gateway Time-out</h1>\nThe server didn't respond in time.\n</body></html>"


class Request(NamedTuple):
    """One request as it was answered; ``status`` is 0 where no answer reached the client."""

    method: str
    path: str
    status: int


class Late(NamedTuple):
    """A request that was answered with a time-out and is still on its way to the service."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Failure:
    """A mode, and the requests that it hits: by method, by a regular expression in the path, by their number."""

    mode: str
    method: str
    path: re.Pattern[str]
    numbers: frozenset[int]
    seen: int = field(default=0)

    def hits(self, method: str, path: str) -> bool:
        """Whether this request fails; counts the ones that match, from 1."""
        if (self.method and method != self.method) or not self.path.search(path):
            return False
        self.seen += 1
        return not self.numbers or self.seen in self.numbers


class FaultProxy:
    """Listens on a free port of 127.0.0.1 from ``start`` (or ``with``) to ``stop``."""

    def __init__(self, upstream: str, before: Callable[[str, str], object] | None = None) -> None:
        """``before(method, path)``, if given, is called with each request, before it is known whether it fails."""
        self.before = before
        address = urlsplit(upstream)
        self.upstream = (address.hostname or "", address.port or 80)
        self._lock = threading.Lock()
        self._requests: list[Request] = []
        self._failure: Failure | None = None
        self._late: list[Late] = []
        self.released = threading.Event()
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> FaultProxy:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the proxy, and lets go of what it holds."""
        self.released.set()
        self._server.shutdown()
        self._server.hang_up_all()
        self._server.server_close()
        self._thread.join()

    def fail(self, mode: str, method: str = "", path: str = "", numbers: tuple[int, ...] = ()) -> None:
        """From now on requests fail in this way: those of the method, whose path matches; all, or the n-th of them."""
        if mode not in MODES:
            raise ValueError(f"there is no mode {mode!r}; there are: {', '.join(MODES)}")
        with self._lock:
            self._failure = Failure(mode, method, re.compile(path), frozenset(numbers))
            self.released.clear()

    def pass_all(self) -> None:
        """From now on all requests pass; held ones end without an answer."""
        with self._lock:
            self._failure = None
        self.released.set()

    @property
    def late(self) -> list[Late]:
        """The requests that are still on their way."""
        with self._lock:
            return list(self._late)

    def carry_out(self, which: Callable[[Late], bool] = lambda _one: True) -> list[int]:
        """Send the requests that are on their way, or some of them, to the service now; the statuses of its answers."""
        with self._lock:
            due = [one for one in self._late if which(one)]
            self._late = [one for one in self._late if one not in due]
        return [self.forward(*one)[0] for one in due]

    def keep(self, late: Late) -> None:
        """Remembers a request that is carried out later."""
        with self._lock:
            self._late.append(late)

    def forward(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """Sends a request to the service; the status, headers and body of its answer."""
        connection = http.client.HTTPConnection(*self.upstream, timeout=UPSTREAM_SECONDS)
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        return response.status, [one for one in response.getheaders() if one[0].lower() not in HOP_BY_HOP], data

    @property
    def requests(self) -> list[Request]:
        """All requests so far, in the order of their ends."""
        with self._lock:
            return list(self._requests)

    def writes(self) -> list[Request]:
        """The requests that are not reads."""
        return [request for request in self.requests if request.method not in ("GET", "HEAD")]

    def mode_for(self, method: str, path: str) -> str:
        """How this request fails; an empty string if it passes."""
        with self._lock:
            return self._failure.mode if self._failure and self._failure.hits(method, path) else ""

    def record(self, method: str, path: str, status: int) -> None:
        """Remembers a request."""
        with self._lock:
            self._requests.append(Request(method, path, status))


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: FaultProxy) -> None:
        self.proxy = proxy
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Keeps the connection in mind: a client may leave it open and idle for long."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """The connection's end, when its client or the proxy wants no more of it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def hang_up_all(self) -> None:
        """Ends all connections, and with each its thread."""
        for connection in list(self._open):
            with contextlib.suppress(OSError):  # its thread was quicker
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away while its request was held or lost is what a test wanted."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *values: Any) -> None:
        """Requests are remembered, not printed."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        proxy = self.server.proxy
        if proxy.before:
            proxy.before(self.command, self.path)
        mode = proxy.mode_for(self.command, self.path)
        if mode in STATUSES:
            self._refuse(int(mode))
        elif mode in ("drop", "hold"):
            self._leave(mode)
        elif mode == LATE:
            self._keep(body)
        else:
            self._forward(body, mode)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names are the base class's

    def _refuse(self, status: int) -> None:
        error = {"status": status, "title": "Injected", "detail": f"The fault proxy answers {status}."}
        if status == 409:
            error["code"] = "placement.concurrent_update"
        if status == 503:
            self._answer(status, [("Content-Type", "text/html")], HTML)
        else:
            self._answer(status, [("Content-Type", "application/json")], json.dumps({"errors": [error]}).encode())

    def _forward(self, body: bytes, mode: str) -> None:
        answer = self.server.proxy.forward(self.command, self.path, self._end_to_end(), body)
        if mode:
            self._leave(mode)
        else:
            self._answer(*answer)

    def _keep(self, body: bytes) -> None:
        """Answered as by a gateway whose patience is over; the request itself is not lost."""
        self.server.proxy.keep(Late(self.command, self.path, self._end_to_end(), body))
        self._answer(504, [("Content-Type", "text/html")], HTML_LATE)

    def _end_to_end(self) -> dict[str, str]:
        return {name: value for name, value in self.headers.items() if name.lower() not in HOP_BY_HOP}

    def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.server.proxy.record(self.command, self.path, status)
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _leave(self, mode: str) -> None:
        """End the connection without an answer, now or when the proxy passes again."""
        if mode in HELD:
            self.server.proxy.released.wait()
        self.server.proxy.record(self.command, self.path, 0)
        self.close_connection = True
