"""A cloud that answers what the test says: one HTTP server in the place of Keystone, Nova and Placement."""

from __future__ import annotations

import json
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, NamedTuple, Tuple

PASSWORD = "correct-horse-battery-staple"
TOKEN = "gAAAAA-token-that-nobody-may-see"

HANG = object()
DROP = object()


class Reply(NamedTuple):
    """One answer; a body that is no text is sent as JSON."""

    status: int
    body: Any = ""
    content_type: str = "application/json"


class Request(NamedTuple):
    """What was asked."""

    method: str
    path: str
    microversion: str


class Web:
    """`with Web() as web:`. Each path answers by `answer`; login and versions work unless a test says otherwise.

    With a `certificate` (a PEM file that has the key too) it speaks TLS.
    """

    def __init__(self, certificate: str = "") -> None:
        self.requests: List[Request] = []
        self._replies: Dict[Tuple[str, str], List[Any]] = {}
        self._over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        if certificate:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(certificate)
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self._server.server_port}"
        self._usual()

    def __enter__(self) -> Web:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, *replies: Any) -> None:
        """The replies of a path, in turn, the last one for ever; HANG never answers, DROP closes the connection."""
        self._replies[method, path] = list(replies)

    def answer_first(self, method: str, path: str, *replies: Any) -> None:
        """These replies come before the ones that the path has."""
        self._replies[method, path] = [*replies, *self._replies[method, path]]

    def requested_name(self, path: str) -> int:
        """How often a path was asked for."""
        return sum(1 for request in self.requests if request.path == path)

    def clouds_yaml(self, cache: Any = None, **options: Any) -> str:
        """The text of a clouds.yaml whose cloud `web` is this one; `cache` is its section of that name."""
        auth = {
            "auth_url": f"{self.url}/identity/v3", "username": "admin", "password": PASSWORD, "project_name": "admin",
            "user_domain_name": "Default", "project_domain_name": "Default",
        }
        clouds = {"web": {"auth": auth, "region_name": "One", **options}}
        return json.dumps({"clouds": clouds, **({"cache": cache} if cache else {})})

    def nova_offers(self, microversion: str) -> None:
        """The highest microversion in nova's version document."""
        version = self._version("v2.1", "/compute/v2.1/", version=microversion, min_version="2.1")
        for path in ("/compute/v2.1", "/compute/v2.1/"):
            self.answer("GET", path, Reply(200, {"version": version}))

    def placement_offers(self, microversion: str) -> None:
        """The highest microversion in Placement's version document."""
        version = self._version("v1.0", "/placement", max_version=microversion, min_version="1.0")
        for path in ("/placement", "/placement/"):
            self.answer("GET", path, Reply(200, {"versions": [version]}))

    def _version(self, name: str, path: str, **versions: str) -> Dict[str, Any]:
        links = [{"rel": "self", "href": self.url + path}]
        return {"id": name, "status": "CURRENT", "links": links, **versions}

    def _usual(self) -> None:
        identity = self._version("v3.14", "/identity/v3/")
        for path in ("/identity/v3", "/identity/v3/"):
            self.answer("GET", path, Reply(200, {"version": identity}))
        self.log_in("compute", "placement")
        self.nova_offers("2.96")
        self.placement_offers("1.39")

    def log_in(self, *services: str, project: str = "admin") -> None:
        """A login succeeds, with these services in the catalogue; without a project the token is for none."""
        paths = {"compute": "/compute/v2.1", "placement": "/placement"}
        catalog = [
            {"type": service, "name": service, "id": service, "endpoints": [
                {"id": service, "interface": "public", "region": "One", "region_id": "One",
                 "url": self.url + paths[service]}
            ]}
            for service in services
        ]
        token = {"methods": ["password"], "expires_at": "2099-01-01T00:00:00.000000Z", "catalog": catalog}
        scope = {"project": {"id": project, "name": project, "domain": {"id": "default", "name": "Default"}}}
        scoped = {**token, **(scope if project else {})}
        self.answer("POST", "/identity/v3/auth/tokens", Reply(201, {"token": scoped}))

    def _handler(web) -> Any:  # noqa: N805 - `self` is the handler's below
        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.partition("?")[0]
                web.requests.append(Request(self.command, path, self.headers.get("OpenStack-API-Version", "")))
                web._reply(self, web._next(self.command, path))

            do_GET = do_POST = do_PUT = do_DELETE = handle_one  # noqa: N815 - the names of http.server

            def log_message(self, *_arguments: object) -> None:
                """Quiet."""

        return Handler

    def _next(self, method: str, path: str) -> Any:
        replies = self._replies.get((method, path), [Reply(404, {"itemNotFound": {"message": "no such page"}})])
        return replies.pop(0) if len(replies) > 1 else replies[0]

    def _reply(self, handler: BaseHTTPRequestHandler, reply: Any) -> None:
        if reply is HANG:
            self._over.wait()
        if reply in (HANG, DROP):
            handler.close_connection = True
            return
        body = reply.body if isinstance(reply.body, str) else json.dumps(reply.body)
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.content_type)
        handler.send_header("Content-Length", str(len(body.encode())))
        handler.send_header("X-Subject-Token", TOKEN)
        handler.end_headers()
        handler.wfile.write(body.encode())
