"""Keystone's side of a lab: logging in, and the users and services that a new one gets."""

from __future__ import annotations

from typing import Any

from lab.openstack.settings import PASSWORD, REGION
from lab.openstack.web import exchange
from lab.waiting import LabError

SERVICES = {"compute": "nova", "placement": "placement", "image": "glance", "network": "neutron"}


def log_in(keystone_url: str, user: str = "admin", project: str = "admin") -> str:
    """A token for ``user`` in ``project``; the user's password is the lab's."""
    domain = {"name": "Default"}
    password = {"user": {"name": user, "domain": domain, "password": PASSWORD}}
    body = {
        "auth": {
            "identity": {"methods": ["password"], "password": password},
            "scope": {"project": {"name": project, "domain": domain}},
        }
    }
    answer = exchange("POST", f"{keystone_url}/auth/tokens", body)
    if answer.status != 201:
        raise LabError(f"Keystone at {keystone_url} answered {answer.status} to {user}'s log-in: {answer.body}")
    return str(answer.headers["X-Subject-Token"])


class Keystone:
    """Fills a bootstrapped Keystone with the lab's projects, users, services and endpoints."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._token = log_in(url)

    def fill(self, endpoints: dict[str, str]) -> None:
        """``endpoints`` maps the types of SERVICES to their addresses."""
        roles = {role["name"]: role["id"] for role in self._call("GET", "/roles")["roles"]}
        for project, users, names in (
            ("service", ("nova", "placement"), ("admin", "service")),
            ("demo", ("demo",), ("member", "reader")),
        ):
            at = self._add("project", name=project, domain_id="default")
            for user in users:
                who = self._add("user", name=user, domain_id="default", password=PASSWORD)
                for name in names:
                    self._call("PUT", f"/projects/{at}/users/{who}/roles/{roles[name]}")
        for kind, url in endpoints.items():
            service = self._add("service", name=SERVICES[kind], type=kind)
            for interface in ("public", "internal"):
                self._add("endpoint", service_id=service, interface=interface, region_id=REGION, url=url)

    def _add(self, what: str, **values: Any) -> str:
        added: str = self._call("POST", f"/{what}s", {what: values})[what]["id"]
        return added

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        answer = exchange(method, self._url + path, body, {"X-Auth-Token": self._token})
        if answer.status >= 400:
            raise LabError(f"Keystone answered {answer.status} to {method} {path}: {answer.body}")
        return answer.body
