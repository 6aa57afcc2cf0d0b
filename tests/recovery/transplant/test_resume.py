"""Killed, repeated or overtaken by nova-compute anywhere: resume finishes, and COMPUTE_NODE is never taken away."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.errors import ApiDenied, CellSilent, StepFailed
from placement_recovery.recovery.engine import run_step
from testkit.driving import Killed, Listener, Meddler, begin, go_on, open_hasty, step_names, watched
from testkit.looks import disabled_by, enabled, holdings, lock_traits, moved
from testkit.placement import NOVA_INVENTORIES
from testkit.placement_tables import placement_tables
from testkit.sampling import sampled

REPLACE = "replace_resource_provider"


def assert_recovered(cloud, stale, journal, before):
    """Everybody holds the new root as the stale one, which is gone; service and locks are as before."""
    assert journal.progress.state == "finished"
    assert holdings(cloud, before) == moved(before, stale.stale_uuid, stale.compute_uuid)
    assert cloud.find_provider(stale.node) == stale.compute_uuid
    assert cloud.show_provider(stale.stale_uuid) is None
    assert "COMPUTE_NODE" in cloud.traits(stale.compute_uuid)
    assert cloud.service(stale.host) == enabled()
    assert lock_traits(cloud, journal.saved.id) == []


def test_each_step_twice_is_the_same_as_once(cloud, context):
    """One after the other, each at once again."""
    stale = cloud.stale_host(servers=2)
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    with cloud.nova_compute(stale.host, interval=0.1):
        for name in step_names("transplant"):
            run_step(context, recovery_id, name)
            run_step(context, recovery_id, name)
    assert_recovered(cloud, stale, context.journal(recovery_id), before)


@pytest.mark.long
def test_it_is_resumed_from_the_top_after_each_step(cloud, context):
    """By a new attempt each time, which takes the lock over."""
    stale, attempts = cloud.stale_host(servers=2), set()
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    with cloud.nova_compute(stale.host, interval=0.1):
        for name in step_names("transplant"):
            attempts.add(go_on(context, recovery_id, until=name)[-1].attempt)
    assert_recovered(cloud, stale, context.journal(recovery_id), before)
    assert len(attempts) == len(step_names("transplant"))


def test_it_is_resumed_after_a_kill_at_each_write(cloud, finish):
    """Of one recovery: however often it dies, each resume comes further."""
    context = open_hasty(cloud.config(late_write_wait=0, batch_size=1))
    stale = cloud.stale_host(servers=2, traits=("COMPUTE_NODE", "CUSTOM_RACK_7"), resources={"VCPU": 8})
    cloud.set_inventories(stale.stale_uuid, {**NOVA_INVENTORIES, "VCPU": 8})
    before, carried = holdings(cloud, stale.servers), cloud.inventories(stale.stale_uuid)
    recovery_id = begin(context, stale.host, "transplant")
    for step, method, path in (
        ("lock_provider", "PUT", f"{stale.stale_uuid}/traits"),
        ("disable_compute_service", "PUT", "/os-services"),
        (REPLACE, "PUT", f"/resource_providers/{stale.stale_uuid}"),
        (REPLACE, "POST", "/resource_providers"),
        ("copy_provider_settings", "PUT", f"{stale.compute_uuid}/traits"),
        ("copy_provider_settings", "PUT", f"{stale.compute_uuid}/inventories"),
        ("move_allocations", "PUT", f"{stale.compute_uuid}/inventories"),
        ("move_allocations", "POST", "/allocations"),
        ("move_allocations", "POST", "/allocations"),
    ):
        meddler = Meddler()
        go_on(context, recovery_id, before=step)
        meddler.after(method, path, Killed.die)
        with pytest.raises(Killed):
            run_step(watched(context, meddler), recovery_id, step)
    assert_recovered(cloud, stale, finish(context, stale, recovery_id), before)
    assert cloud.inventories(stale.compute_uuid) == carried
    assert "CUSTOM_RACK_7" in cloud.traits(stale.compute_uuid)


@pytest.mark.long
def test_it_is_resumed_after_a_kill_at_each_write_of_the_end(cloud, context, finish):
    """The stale root is gone, the lock is released, the service is given back: each is seen to be so."""
    stale = cloud.stale_host(servers=1)
    before = holdings(cloud, stale.servers)
    recovery_id = begin(context, stale.host, "transplant")
    with cloud.nova_compute(stale.host, interval=0.1):
        go_on(context, recovery_id, until="wait_for_nova_compute")
    for step, method, path in (
        ("delete_resource_provider", "DELETE", f"/resource_providers/{stale.stale_uuid}"),
        ("close_recovery", "DELETE", "/traits/"),
        ("close_recovery", "PUT", "/os-services"),
    ):
        meddler = Meddler()
        go_on(context, recovery_id, before=step)
        meddler.after(method, path, Killed.die)
        with pytest.raises(Killed):
            run_step(watched(context, meddler), recovery_id, step)
    assert_recovered(cloud, stale, finish(context, stale, recovery_id), before)


NOVA_WRITES = (
    ("a bare root", {}, ()),
    ("a root with inventories", NOVA_INVENTORIES, ()),
    ("a root that it has accepted", NOVA_INVENTORIES, ("COMPUTE_NODE", "HW_CPU_X86_AVX")),
)


@pytest.mark.parametrize("written", sampled(NOVA_WRITES), ids=lambda one: one[0])
def test_nova_makes_the_root_in_the_instant_of_our_post(cloud, context, finish, written):
    """Our POST is answered 409; what nova-compute wrote stays, and what is missing is added."""
    _, inventories, traits = written
    stale, meddler = cloud.stale_host(servers=2, traits=("COMPUTE_NODE", "CUSTOM_RACK_7")), Meddler()
    before, new = holdings(cloud, stale.servers), stale.compute_uuid
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    meddler.before(
        "POST", "/resource_providers",
        lambda: cloud.provider(stale.node, new, inventories=inventories, traits=traits), passing=1,
    )
    run_step(watched(context, meddler), recovery_id, REPLACE)
    assert cloud.traits(new) >= set(traits)
    go_on(context, recovery_id, until="move_allocations")
    assert cloud.traits(new) >= {*traits, "CUSTOM_RACK_7"}
    assert_recovered(cloud, stale, finish(context, stale, recovery_id), before)


@pytest.mark.parametrize("what", sampled(["traits", "inventories"]))
def test_nova_writes_right_before_our_first_settings(cloud, context, finish, what):
    """It read the root in that instant: our write is answered 409, and nova-compute's signature stays."""
    stale, meddler = cloud.stale_host(servers=2, traits=("COMPUTE_NODE", "CUSTOM_RACK_7")), Meddler()
    before, new = holdings(cloud, stale.servers), stale.compute_uuid

    def periodic():
        cloud.set_inventories(new, NOVA_INVENTORIES)
        cloud.set_traits(new, {*cloud.traits(new), "COMPUTE_NODE"})

    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    meddler.before("PUT", f"{new}/{what}", periodic)
    run_step(watched(context, meddler), recovery_id, REPLACE)
    assert "COMPUTE_NODE" in cloud.traits(new)
    go_on(context, recovery_id, until="move_allocations")
    assert cloud.traits(new) >= {"COMPUTE_NODE", "CUSTOM_RACK_7"}
    assert_recovered(cloud, stale, finish(context, stale, recovery_id), before)


def test_nova_accepts_in_the_moment_in_which_traits_are_copied(cloud, context, finish):
    """After a kill that left them to the copy; it looks again, and adds to what is there then."""
    stale, meddler = cloud.stale_host(servers=1, traits=("COMPUTE_NODE", "CUSTOM_RACK_7")), Meddler()
    before, new = holdings(cloud, stale.servers), stale.compute_uuid
    recovery_id = begin(context, stale.host, "transplant")
    meddler.after("POST", "/resource_providers", Killed.die)
    with pytest.raises(Killed):
        go_on(watched(context, meddler), recovery_id)
    go_on(context, recovery_id, until=REPLACE)
    meddler.before("PUT", f"{new}/traits", lambda: cloud.set_traits(new, ["COMPUTE_NODE"]))
    run_step(watched(context, meddler), recovery_id, "copy_provider_settings")
    assert cloud.traits(new) >= {"COMPUTE_NODE", "CUSTOM_RACK_7"}
    assert "COMPUTE_STATUS_DISABLED" not in cloud.traits(new)  # nova-compute's to write, once it has accepted
    assert_recovered(cloud, stale, finish(context, stale, recovery_id), before)


def test_a_trait_that_the_driver_reports_no_more_is_not_brought_back_once_accepted(cloud, context, finish):
    """Of its own traits nova-compute has the last word; a custom one that is gone comes back."""
    stale = cloud.stale_host(servers=1, traits=("COMPUTE_NODE", "HW_CPU_X86_VMX", "CUSTOM_RACK_7"))
    before, new = holdings(cloud, stale.servers), stale.compute_uuid
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    assert cloud.traits(new) >= {"HW_CPU_X86_VMX", "CUSTOM_RACK_7"}
    cloud.set_traits(new, {*cloud.traits(new), "COMPUTE_NODE"} - {"HW_CPU_X86_VMX", "CUSTOM_RACK_7"})
    journal = finish(context, stale, recovery_id)
    assert "HW_CPU_X86_VMX" not in cloud.traits(new)
    assert "CUSTOM_RACK_7" in cloud.traits(new)
    assert_recovered(cloud, stale, journal, before)


@pytest.mark.long
def test_a_trait_that_was_deleted_meanwhile_is_created_anew(cloud, context, finish):
    """Somebody took it from the stale root and deleted it after it was saved: the first traits go without it."""
    stale = cloud.stale_host(servers=1, traits=("COMPUTE_NODE", "CUSTOM_SOON_DELETED"))
    before, new, meddler = holdings(cloud, stale.servers), stale.compute_uuid, Listener()
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    cloud.set_traits(stale.stale_uuid, cloud.traits(stale.stale_uuid) - {"CUSTOM_SOON_DELETED"})
    cloud.placement.call("DELETE", "/traits/CUSTOM_SOON_DELETED")
    run_step(watched(context, meddler), recovery_id, REPLACE)
    assert meddler.heard.count(("PUT", f"/resource_providers/{new}/traits")) == 2
    assert cloud.traits(new) == {"COMPUTE_STATUS_DISABLED"}
    assert cloud.inventories(new)
    assert_recovered(cloud, stale, finish(context, stale, recovery_id), before)
    assert "CUSTOM_SOON_DELETED" in cloud.traits(new)


def test_a_cell_that_is_down_stops_each_look(cloud, context, finish):
    """Also where it went down between two lists: what such lists leave out proves nothing."""
    stale = cloud.stale_host(servers=1)
    hidden = cloud.healthy_host(cell="cell2")
    before, recovery_id = holdings(cloud, stale.servers), begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until=REPLACE)
    with cloud.cell_down(), pytest.raises(CellSilent, match=f"a cell is down: nova cannot show host.*{hidden.host}"):
        run_step(context, recovery_id, "copy_provider_settings")
    down, meddler = cloud.cell_down(tables=("services",)), Meddler()
    meddler.after("GET", "/os-hypervisors/detail", down.__enter__)
    try:
        with pytest.raises(CellSilent, match="a cell is down"):
            run_step(watched(context, meddler), recovery_id, "copy_provider_settings")
    finally:
        down.__exit__(None, None, None)
    assert_recovered(cloud, stale, finish(context, stale, recovery_id), before)


@pytest.mark.long
def test_a_class_that_the_host_reports_no_more_is_not_brought_back_once_accepted(cloud, context, finish):
    """nova-compute takes it away at the periodic that accepts the root, and would do so again."""
    stale = cloud.stale_host(servers=1, inventories={**NOVA_INVENTORIES, "CUSTOM_FPGA": 2})
    before, new = holdings(cloud, stale.servers), stale.compute_uuid
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, until="move_allocations")
    assert "CUSTOM_FPGA" in cloud.inventories(new)
    cloud.set_inventories(new, NOVA_INVENTORIES)
    cloud.set_traits(new, {*cloud.traits(new), "COMPUTE_NODE"})
    meddler = Meddler()
    journal = finish(watched(context, meddler), stale, recovery_id)
    assert "CUSTOM_FPGA" not in cloud.inventories(new)
    assert not [one for one in meddler.sent if (one.method, one.path[-12:]) == ("PUT", "/inventories")]
    assert_recovered(cloud, stale, journal, before)


class Recorder:
    """A store whose every use is noted."""

    def __init__(self, store, log):
        self._store, self._log = store, log

    def __getattr__(self, name):
        self._log.append(("store", name))
        return getattr(self._store, name)


def test_nothing_comes_between_the_rename_and_the_first_inventories(cloud, context):
    """No look and no record: the window in which nova-compute may meet a bare root is four requests wide."""
    stale, listener = cloud.stale_host(servers=1), Listener()
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    spied = replace(watched(context, listener), store=Recorder(context.store, listener.heard))
    run_step(spied, recovery_id, REPLACE)
    stale_path, new_path = (f"/resource_providers/{one}" for one in (stale.stale_uuid, stale.compute_uuid))
    renamed = listener.heard.index(("PUT", stale_path))
    assert listener.heard[renamed - 1] == ("POST", "/resource_providers")  # proves the conflict and the right to create
    assert listener.heard[renamed:renamed + 4] == [
        ("PUT", stale_path), ("POST", "/resource_providers"), ("PUT", f"{new_path}/traits"),
        ("PUT", f"{new_path}/inventories"),
    ]


def test_a_user_who_may_not_create_providers_stops_with_nothing_changed(cloud, context):
    """The conflict is met before the rename; the recovery is closed, and all is as it was."""
    stale, meddler, before = cloud.stale_host(servers=1), Meddler(), placement_tables(cloud)
    recovery_id = begin(context, stale.host, "transplant")

    def denied():
        raise ApiDenied("placement: POST /resource_providers answered 403", 403)

    meddler.before("POST", "/resource_providers", denied)
    with pytest.raises(ApiDenied, match="nothing was taken away"):
        go_on(watched(context, meddler), recovery_id)
    assert placement_tables(cloud) == before
    assert cloud.service(stale.host) == enabled()
    assert context.journal(recovery_id).progress.state == "abandoned"


def test_a_service_that_somebody_enabled_stops_it_before_the_rename(cloud, context):
    """The scheduler would fill the host that looks empty; the recovery is closed, and the service left as it is."""
    stale = cloud.stale_host(servers=1)
    before = placement_tables(cloud)
    recovery_id = begin(context, stale.host, "transplant")
    go_on(context, recovery_id, before=REPLACE)
    assert cloud.service(stale.host) == disabled_by(recovery_id)
    cloud.set_service(stale.host, disabled=False, disabled_reason=None)
    with pytest.raises(StepFailed, match="somebody enabled the compute service"):
        run_step(context, recovery_id, REPLACE)
    assert placement_tables(cloud) == before
    assert cloud.service(stale.host) == enabled()
