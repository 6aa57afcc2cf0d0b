"""nova-compute's acceptance of its new provider: awaited, and helped by a restart."""

from __future__ import annotations

import pytest

from placement_recovery.errors import (
    ApiUnavailable,
    ApiUnreachable,
    HostFailure,
    InvalidInput,
    ProviderNotReady,
    StepFailed,
)
from placement_recovery.recovery.engine import run_step
from placement_recovery.recovery.steps.restart_nova_compute import restart_host
from testkit.driving import Meddler, begin, go_on, open_hasty, recover, step_names, watched
from testkit.looks import disabled_by, enabled
from testkit.placement import ONE_SERVER
from testkit.rows import new_uuid

PERIODIC, RESTART, WAIT = step_names()[7:10]


@pytest.fixture(scope="module")
def restored(cloud):
    """A host whose allocations are set again, and no nova-compute yet; gives contexts with other configurations."""
    stale, folder = cloud.stale_host(servers=1), cloud.config()["store_folder"]
    config = cloud.config(store_folder=folder, periodic_wait=0, provider_wait=1)
    recovery_id = begin(open_hasty(config), stale.host)
    go_on(open_hasty(config), recovery_id, until="set_allocations")

    def configured(**options):
        return open_hasty({**config, **options})

    return stale, recovery_id, configured


def by_command(*words):
    """The options that restart nova-compute by a command on this machine."""
    return {"restart_how": "command", "restart_where": "local", "restart_command": list(words), "restart_sudo": False}


def test_an_acceptance_that_never_comes_is_told(cloud, restored):
    """All allocations are set, the service stays disabled, and the message says what to look at."""
    stale, recovery_id, configured = restored
    with pytest.raises(ProviderNotReady, match=f"has not accepted its provider {stale.compute_uuid} yet: .*resume"):
        go_on(configured(), recovery_id)
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}
    assert configured().journal(recovery_id).progress.steps[WAIT].state == "failed"


def test_the_periodic_is_awaited_first_and_that_it_did_nothing_is_no_failure(restored):
    """A restart comes next."""
    _, recovery_id, configured = restored
    told = run_step(configured(periodic_wait=3), recovery_id, PERIODIC).summary
    assert told.startswith("after 3 s nova-compute on")
    assert "has not accepted its provider" in told


def test_a_restart_that_fails_is_told(restored):
    """With the way out; the record says where it stands."""
    _, recovery_id, configured = restored
    with pytest.raises(HostFailure, match="restart_command failed: false ended with 1"):
        go_on(configured(**by_command("false")), recovery_id)
    assert configured().journal(recovery_id).progress.steps[RESTART].state == "failed"


def test_no_restart_while_a_server_is_busy(cloud, restored, tmp_path):
    """It would break what is under way."""
    stale, recovery_id, configured = restored
    cloud.set_server(stale.servers[0], task_state="image_snapshot")
    with pytest.raises(StepFailed, match=f"would break what is under way on {stale.host}: server {stale.servers[0]}"):
        go_on(configured(**by_command("touch", str(tmp_path / "restarted"))), recovery_id)
    cloud.set_server(stale.servers[0], task_state=None)
    assert not (tmp_path / "restarted").exists()


def test_no_restart_while_a_server_is_moved_here(cloud, restored, tmp_path):
    """It is not listed on this host yet."""
    stale, recovery_id, configured = restored
    home = cloud.healthy_host(servers=1)
    move = cloud.migration(
        home.servers[0], source_host=home.host, dest_host=stale.host, status="running", type="live-migration"
    )
    with pytest.raises(StepFailed, match=rf"server {home.servers[0]} \(live-migration to this host is running"):
        go_on(configured(**by_command("touch", str(tmp_path / "restarted"))), recovery_id)
    cloud.set_migration(move, status="completed")
    assert not (tmp_path / "restarted").exists()


def test_no_restart_that_destroys_guests_that_nobody_gave_up(cloud, restored, tmp_path):
    """They were evacuated after the plan was approved; by hand it takes a word more."""
    stale, recovery_id, configured = restored
    home, restarted = cloud.healthy_host(servers=1), tmp_path / "restarted"
    move = cloud.migration(
        home.servers[0], source_host=stale.host, dest_host=home.host, status="done", type="evacuation"
    )
    context = configured(**by_command("touch", str(restarted)))
    with pytest.raises(StepFailed, match=rf"1 evacuated guest.*{home.servers[0]}, evacuated to {home.host}"):
        go_on(context, recovery_id)
    with pytest.raises(StepFailed, match=r"restart_nova_compute host=.* accept_loss=true"):
        restart_host(context, stale.host)
    assert not restarted.exists()
    restart_host(context, stale.host, accept_loss=True)
    assert restarted.exists()
    cloud.set_migration(move, status="completed")


def test_no_restart_of_a_host_that_was_fenced(cloud, restored, tmp_path):
    """It would bring back what somebody shut out."""
    stale, recovery_id, configured = restored
    cloud.set_service(stale.host, forced_down=True)
    with pytest.raises(StepFailed, match=f"{stale.host} is forced down, and a restart would bring it back"):
        go_on(configured(**by_command("touch", str(tmp_path / "restarted"))), recovery_id)
    cloud.set_service(stale.host, forced_down=False)
    assert not (tmp_path / "restarted").exists()


def test_restart_how_never_is_no_failure(cloud, restored):
    """Somebody may do it by hand; the wait that follows tells."""
    _, recovery_id, configured = restored
    run_step(configured(), recovery_id, PERIODIC)
    assert "restart_how is never" in run_step(configured(), recovery_id, RESTART).summary


def test_a_restart_brings_it_where_the_periodic_does_not(cloud):
    """The configured command is run once; then the recovery ends well."""
    stale = cloud.stale_host(servers=1)
    with cloud.nova_compute(stale.host, interval=0.1, only_after_restart=True) as compute:
        options = {"periodic_wait": 3, "provider_wait": 60, **by_command(*compute.restart_command)}
        journal = recover(open_hasty(cloud.config(**options)), stale.host)
    assert compute.restarts == 1
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}
    assert "restart_command" in journal.progress.steps[RESTART].summary


def test_no_restart_where_the_periodic_brings_it(cloud):
    """A restart only shortens the wait, and may break something."""
    stale = cloud.stale_host(servers=0)
    with cloud.nova_compute(stale.host, interval=0.1) as compute:
        options = {"periodic_wait": 60, **by_command(*compute.restart_command)}
        recover(open_hasty(cloud.config(**options)), stale.host)
    assert compute.restarts == 0


def test_after_a_wait_in_vain_a_resume_ends_well(cloud, context):
    """nova-compute works again, and has got yet another UUID: all goes to its new provider in one write each."""
    stale, another = cloud.stale_host(servers=2), new_uuid()
    recovery_id = begin(context, stale.host)
    with pytest.raises(ProviderNotReady):
        go_on(context, recovery_id)
    cloud.set_compute_node(stale.host, uuid=another)
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id)
    assert set(cloud.provider_allocations(another)) == set(stale.servers)
    assert cloud.show_provider(stale.compute_uuid) is None
    assert cloud.service(stale.host) == enabled()


def test_a_host_is_restarted_outside_of_a_recovery(cloud, tmp_path):
    """By name; a host that Nova does not know, or that cannot be one, is refused."""
    host, mark = cloud.healthy_host().host, tmp_path / "restarted"
    context = open_hasty(cloud.config(**by_command("touch", str(mark))))
    for wrong in ("no-such-host", "-oProxyCommand=x", "a;b"):
        with pytest.raises(InvalidInput):
            restart_host(context, wrong)
    assert not mark.exists()
    assert "succeeded" in restart_host(context, host)
    assert mark.exists()


def test_a_nova_compute_before_ussuri_accepts_without_its_trait(cloud):
    """It never writes COMPUTE_NODE; that it has looked is seen from an inventory that it puts right."""
    stale = cloud.stale_host(servers=2, traits=[])
    config = cloud.config(periodic_wait=0, provider_wait=1)
    context = open_hasty(config)
    recovery_id = begin(context, stale.host)
    with pytest.raises(ProviderNotReady, match=f"has not accepted its provider {stale.compute_uuid} yet"):
        go_on(context, recovery_id)
    assert cloud.provider_allocations(stale.compute_uuid) == dict.fromkeys(stale.servers, ONE_SERVER)
    with cloud.nova_compute(stale.host, interval=0.1, traits=()):
        go_on(open_hasty({**config, "periodic_wait": 60}), recovery_id)
    inventories = cloud.inventories(stale.compute_uuid)
    assert {name: one["max_unit"] for name, one in inventories.items()} == {
        name: one["total"] for name, one in inventories.items()
    }
    assert cloud.service(stale.host) == enabled()


@pytest.mark.long
def test_a_wait_goes_on_while_the_cloud_is_away(cloud):
    """Placement does not answer for a while; only when the wait's own time is over that is a failure."""
    stale, away = cloud.stale_host(servers=1), Meddler()
    context = open_hasty(cloud.config(periodic_wait=60, provider_wait=60))
    recovery_id = begin(context, stale.host)
    go_on(context, recovery_id, until="set_allocations")

    def fail():
        raise ApiUnreachable("placement: nobody answers")

    for _ in range(3):
        away.before("GET", "/resource_providers", fail)
    with cloud.nova_compute(stale.host, interval=0.1):
        run_step(watched(context, away), recovery_id, PERIODIC)
        assert away.acts == []
        go_on(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}


def test_a_transplants_wait_goes_on_while_the_cloud_is_away(cloud):
    """The same for nova-compute's acceptance."""
    stale, away = cloud.stale_host(servers=1), Meddler()
    context = open_hasty(cloud.config(acceptance_wait=60))
    recovery_id = begin(context, stale.host, "transplant")
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="move_allocations")

        def fail():
            raise ApiUnavailable("nova answered 503", 503)

        for path in ("/os-services", "/resource_providers", "/traits"):
            away.before("GET", path, fail)
        run_step(watched(context, away), recovery_id, "wait_for_nova_compute")
        assert away.acts == []
        go_on(context, recovery_id)
    assert cloud.allocations(stale.servers[0]) == {stale.compute_uuid: ONE_SERVER}
