"""The fault proxy, before a small server of our own."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lab.openstack.proxy import FaultProxy, Request
from lab.openstack.web import exchange


class Echo(BaseHTTPRequestHandler):
    """Answers each request with its path, and counts them."""

    protocol_version = "HTTP/1.1"

    def _serve(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append(self.path)
        body = f'{{"path": "{self.path}"}}'.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = _serve  # noqa: N815 - the names are the base class's

    def log_message(self, *_):
        """Nothing is printed."""


@pytest.fixture
def upstream():
    """A server that answers everything; ``seen`` holds the paths that reached it."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        server.seen = []
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(upstream):
    """A proxy before it."""
    with FaultProxy(f"http://127.0.0.1:{upstream.server_address[1]}") as proxy:
        yield proxy


def test_what_passes_is_answered_by_the_service_and_remembered(proxy):
    """Method, path with its query, and status."""
    answer = exchange("GET", proxy.url + "/resource_providers?name=a")

    assert (answer.status, answer.body) == (200, {"path": "/resource_providers?name=a"})
    assert proxy.requests == [Request("GET", "/resource_providers?name=a", 200)]
    assert proxy.writes() == []


@pytest.mark.parametrize("status", ["401", "403", "500"])
def test_a_refusal_never_reaches_the_service(proxy, upstream, status):
    """The body is an error as Placement writes it."""
    proxy.fail(status)
    answer = exchange("PUT", proxy.url + "/a", {"b": 1})

    assert (answer.status, answer.body["errors"][0]["status"], upstream.seen) == (int(status), int(status), [])


def test_503_has_the_body_of_a_load_balancer(proxy):
    """HTML where JSON is expected."""
    proxy.fail("503")

    assert exchange("GET", proxy.url + "/a").body.startswith("<html>")


def test_only_what_matches_fails(proxy):
    """A method, a part of the path and a number choose the requests."""
    proxy.fail("500", method="PUT", path="^/allocations/", numbers=(2,))
    statuses = [
        exchange(method, proxy.url + path, {}).status
        for method, path in (
            ("PUT", "/allocations/1"),
            ("PUT", "/other"),
            ("PUT", "/allocations/2"),
            ("PUT", "/allocations/3"),
        )
    ]

    assert statuses == [200, 200, 500, 200]


def test_a_dropped_request_has_no_answer(proxy, upstream):
    """The connection ends, and the service saw nothing."""
    proxy.fail("drop")

    with pytest.raises(OSError, match=r"closed connection|reset"):
        exchange("POST", proxy.url + "/a", {})
    assert (proxy.requests, upstream.seen) == ([Request("POST", "/a", 0)], [])


def test_a_lost_answer_was_carried_out(proxy, upstream):
    """The service has done it; the client cannot know."""
    proxy.fail("lose", method="POST")

    with pytest.raises(OSError, match=r"closed connection|reset"):
        exchange("POST", proxy.url + "/a", {})
    assert upstream.seen == ["/a"]


def test_a_held_request_ends_without_an_answer_once_all_passes_again(proxy, upstream):
    """Until then the client waits for its own time-out."""
    arrived, ended = threading.Event(), threading.Event()
    proxy.before = lambda method, path: arrived.set()
    proxy.fail("hold")

    def ask():
        with pytest.raises(OSError, match=r"closed connection|reset"):
            exchange("GET", proxy.url + "/held")
        ended.set()

    client = threading.Thread(target=ask)
    client.start()
    assert arrived.wait(10)
    assert not ended.is_set()
    proxy.pass_all()
    client.join(10)

    assert ended.is_set()
    assert upstream.seen == []
    assert exchange("GET", proxy.url + "/a").status == 200


def test_the_moment_before_a_request_can_be_used(upstream):
    """Something else may happen in the cloud right then."""
    happened = []
    address = f"http://127.0.0.1:{upstream.server_address[1]}"
    with FaultProxy(address, before=lambda method, path: happened.append((method, path, list(upstream.seen)))) as proxy:
        exchange("GET", proxy.url + "/a")

    assert happened == [("GET", "/a", [])]


def test_an_unknown_mode_is_refused(proxy):
    """With the list of those there are."""
    with pytest.raises(ValueError, match=r"no mode 'explode'.*hold"):
        proxy.fail("explode")


def test_a_late_request_is_answered_with_a_time_out_and_carried_out_when_asked_for(proxy, upstream):
    """Once; and only those that are chosen."""
    proxy.fail("late", numbers=(1, 2))
    answers = [exchange("PUT", proxy.url + path, {"b": 1}).status for path in ("/a", "/b", "/c")]
    assert (answers, upstream.seen, len(proxy.late)) == ([504, 504, 200], ["/c"], 2)

    assert proxy.carry_out(lambda one: one.path == "/b") == [200]
    assert proxy.carry_out() == [200]
    assert (proxy.carry_out(), upstream.seen) == ([], ["/c", "/b", "/a"])
