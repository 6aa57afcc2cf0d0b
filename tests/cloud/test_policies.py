"""A nova with a narrowed policy file: what it hides or ignores is refused in words, never taken for absent."""

from __future__ import annotations

import json

import pytest

from placement_recovery.cloud.nova import Nova
from placement_recovery.cloud.session import connect
from placement_recovery.config import Config
from placement_recovery.errors import ApiDenied
from placement_recovery.plan.case import Request
from placement_recovery.recovery.planning import plan_recovery
from testkit.driving import open_hasty

LISTS = {
    "os_compute_api:servers:detail:get_all_tenants": "role:reader",
    "os_compute_api:os-services:list": "role:reader",
    "os_compute_api:os-hypervisors:list-detail": "role:reader",
    "os_compute_api:os-migrations:index": "role:reader",
    "os_compute_api:os-migrations:index:all_projects": "role:reader",
}


@pytest.fixture
def policy(cloud):
    """Write nova's policy file, which nova-api reads again at each request; its defaults come back afterwards."""
    path = cloud.lab.folder / "etc" / "policy.yaml"

    def write(**rules):
        path.write_text(json.dumps(rules))

    yield write
    path.write_text("{}")


@pytest.fixture
def reader(cloud):
    """Nova as a user sees it who is a reader and a member, and no admin."""
    config = Config.from_mapping(cloud.config(clouds_file=cloud.clouds_yaml(user="demo")))
    return Nova(connect(config)[0], config)


@pytest.mark.parametrize("look", ["services", "hypervisors", "all_servers", "all_migrations"])
def test_what_a_plain_member_may_not_list_is_denied(reader, look):
    """403, with what the user needs."""
    with pytest.raises(ApiDenied, match="needs the admin role"):
        getattr(reader, look)()


def test_servers_without_their_hosts_are_denied(cloud, reader, policy):
    """Who may list all servers, but not see where they are, is told so: they are not on no host."""
    host = cloud.healthy_host(servers=2)
    policy(**LISTS)
    with pytest.raises(ApiDenied, match=r"nova hides on which host server .*os-extended-server-attributes"):
        reader.servers_on(host.host)


def test_a_filter_that_nova_ignores_is_denied(cloud, reader, policy):
    """The servers of all hosts come back for one."""
    here, _ = cloud.healthy_host(servers=1), cloud.healthy_host(servers=1)
    policy(**LISTS, **{"os_compute_api:os-extended-server-attributes": "role:reader"})
    with pytest.raises(ApiDenied, match=f"nova ignored the filter for host {here.host}.*allow_all_filters"):
        reader.servers_on(here.host)


def test_migrations_without_their_hosts_are_denied(cloud, reader, policy):
    """As nova hides them since 2025.2 from who may list migrations, but is no admin."""
    source, dest = cloud.healthy_host(servers=1), cloud.healthy_host()
    cloud.migration(source.servers[0], source_host=source.host, dest_host=dest.host)
    policy(**LISTS, **{"os_compute_api:os-migrations:index:host": "role:admin"})
    with pytest.raises(ApiDenied, match=r"nova hides the hosts of migration .*os-migrations:index:host"):
        reader.all_migrations()


def test_an_admin_whose_policy_hides_migrations_makes_no_wrong_plan(cloud, policy):
    """The plan fails in words; nothing is judged by what was not shown."""
    context, stale = open_hasty(cloud.config()), cloud.stale_host(servers=1)
    policy(**{"os_compute_api:os-migrations:index": "role:nobody"})
    with pytest.raises(ApiDenied, match="os-migrations answered 403"):
        plan_recovery(context, stale.host, Request())
    policy()
    assert plan_recovery(context, stale.host, Request())[1].state == "ready"
