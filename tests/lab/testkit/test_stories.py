"""The stories of the test cloud hold what they promise, and the pack's configuration fits it."""

from __future__ import annotations

import openstack
import pytest
from keystoneauth1.exceptions import ConnectFailure, Unauthorized

from placement_recovery.config import Config
from testkit.api import Unexpected
from testkit.cloud import UNREACHABLE
from testkit.placement import ONE_SERVER


def connect(path):
    """A connection of openstacksdk by a clouds.yaml."""
    files = openstack.config.OpenStackConfig(config_files=[path], load_envvars=False)
    return openstack.connection.Connection(config=files.get_one("lab"))


def test_a_stale_host_has_the_fault_and_its_servers(cloud):
    """The provider of the node's name is not the compute node's, and nova does not know its UUID."""
    stale = cloud.stale_host(servers=2)
    assert cloud.find_provider(stale.node) == stale.stale_uuid != stale.compute_uuid
    assert cloud.show_provider(stale.compute_uuid) is None
    assert cloud.nova.get(f"/os-hypervisors/{stale.compute_uuid}")["hypervisor"]["hypervisor_hostname"] == stale.node
    with pytest.raises(Unexpected, match="404"):
        cloud.nova.get(f"/os-hypervisors/{stale.stale_uuid}")
    assert cloud.provider_allocations(stale.stale_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)


def test_a_healthy_host_has_one_uuid(cloud):
    """Compute node and provider are the same."""
    healthy = cloud.healthy_host(servers=1)
    assert cloud.find_provider(healthy.node) == healthy.uuid
    assert set(cloud.provider_allocations(healthy.uuid)) == set(healthy.servers)


def test_the_hosts_of_two_stories_differ(cloud):
    """So that tests share the cloud."""
    assert cloud.stale_host(servers=0).host != cloud.stale_host(servers=0).host


def test_the_configuration_is_one_of_the_pack(cloud, tmp_path):
    """And anything in it can be another."""
    config = Config.from_mapping(cloud.config(store_folder=str(tmp_path), provider_wait=1))
    assert (config.restart_how, config.store, config.store_folder) == ("never", "files", str(tmp_path))
    assert config.provider_wait == 1


def test_a_clouds_yaml_leads_to_the_cloud(cloud):
    """As the administrator, or by another address of Placement."""
    stale = cloud.stale_host(servers=0)
    other = cloud.clouds_yaml(placement_url=cloud.lab.placement_url + "/elsewhere")
    assert connect(cloud.clouds_yaml()).placement.get(f"/resource_providers/{stale.stale_uuid}").status_code == 200
    assert connect(other).placement.get_endpoint().endswith("/elsewhere")


def test_a_clouds_yaml_may_be_of_no_use(cloud):
    """A wrong password, and a Keystone that is away."""
    with pytest.raises(Unauthorized):
        connect(cloud.clouds_yaml(password="wrong")).session.get_token()
    with pytest.raises(ConnectFailure):
        connect(cloud.clouds_yaml(auth_url=UNREACHABLE)).session.get_token()


def test_a_clouds_yaml_may_be_of_a_user_without_rights(cloud):
    """A plain member: Placement refuses."""
    assert connect(cloud.clouds_yaml(user="demo")).placement.get("/resource_providers").status_code == 403
