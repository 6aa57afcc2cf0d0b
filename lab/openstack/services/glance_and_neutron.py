"""Stand-ins for Glance and Neutron, as little as nova asks for: one image, no networks. Tokens are not checked."""

from __future__ import annotations

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

IMAGE = "11111111-1111-4111-8111-111111111111"


def image(identifier: str = IMAGE) -> dict[str, Any]:
    """The one image, as GET /v2/images/ID shows it."""
    return {
        "id": identifier,
        "name": "lab",
        "status": "active",
        "visibility": "public",
        "disk_format": "raw",
        "container_format": "bare",
        "min_disk": 0,
        "min_ram": 0,
        "size": 1,
        "checksum": None,
        "owner": None,
        "protected": False,
        "tags": [],
        "created_at": "2024-01-01T00:00:00Z",
        "updated_at": "2024-01-01T00:00:00Z",
        "file": f"/v2/images/{identifier}/file",
        "schema": "/v2/schemas/image",
        "self": f"/v2/images/{identifier}",
    }


class Handler(BaseHTTPRequestHandler):
    """Glance below /image, Neutron below /network."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *values: Any) -> None:
        """One line a request on stdout."""
        print(format % values, flush=True)

    def _serve(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self.path.split("?")[0].rstrip("/")
        status, body = self._glance(path) if path.startswith("/image") else self._neutron(path)
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the names are the base class's

    def _glance(self, path: str) -> tuple[int, Any]:
        if path in ("/image", "/image/versions"):
            link = f"http://{self.headers['Host']}/image/v2/"
            return 300, {"versions": [{"id": "v2.9", "status": "CURRENT", "links": [{"rel": "self", "href": link}]}]}
        if path == "/image/v2/images":
            return 200, {"images": [image()], "schema": "/v2/schemas/images", "first": "/v2/images"}
        if path == "/image/v2/schemas/image":
            anything: dict[str, Any] = {"type": ["string", "null", "integer", "boolean", "array"]}
            return 200, {"name": "image", "properties": dict.fromkeys(image(), anything)}
        return (200, image()) if path == f"/image/v2/images/{IMAGE}" else (404, {"message": f"no {path} here"})

    def _neutron(self, path: str) -> tuple[int, Any]:
        resource = path.removeprefix("/network/v2.0").strip("/").replace("-", "_")
        if path == "/network":
            link = f"http://{self.headers['Host']}/network/v2.0/"
            return 200, {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [{"rel": "self", "href": link}]}]}
        if self.command != "GET":
            return 204, None
        return 200, {resource or "resources": []}


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
