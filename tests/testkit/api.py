"""One service of the test cloud over HTTP, asked by the tests themselves and not through the pack."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

# Placement's request log shows it, so that what the tests wrote is told from what the pack wrote.
SEEDING = "req-5eed0000-0000-4000-8000-000000000000"


class Unexpected(AssertionError):
    """The service did not answer 2xx. `status` is HTTP's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


def login(auth: Mapping[str, Any]) -> Session:
    """A session for the `auth` of a cloud in clouds.yaml."""
    return Session(auth=Password(**auth), timeout=120)


class Api:
    """`service` is the microversion header's word: compute or placement."""

    def __init__(self, session: Session, service: str, url: str, microversion: str) -> None:
        self.session = session
        self._service = service
        self._url = url
        self._microversion = microversion

    def get(self, path: str, microversion: str = "") -> Any:
        """GET; the JSON of the answer. Raises Unexpected."""
        return self.call("GET", path, microversion=microversion)

    def call(self, method: str, path: str, body: Optional[Any] = None, microversion: str = "") -> Any:
        """Any request; the JSON of the answer, or None where it is empty. Raises Unexpected."""
        headers = {
            "OpenStack-API-Version": f"{self._service} {microversion or self._microversion}",
            "X-OpenStack-Request-ID": SEEDING,
        }
        answer = self.session.request(
            self._url + path, method, json=body, headers=headers, raise_exc=False, connect_retries=2
        )
        if not 200 <= answer.status_code < 300:
            raise Unexpected(f"{method} {path}: {answer.status_code} {answer.text}", answer.status_code)
        return answer.json() if answer.content else None
