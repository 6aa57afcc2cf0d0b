"""A cell that does not answer while a recovery is under way: what Nova does not list is not gone.

On each host a resize waits for its confirm or revert: its migration holds the part that a revert needs.
"""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple

import pytest

from placement_recovery.errors import PlacementRecoveryError
from placement_recovery.recovery.engine import run_step
from testkit.driving import begin, go_on, roll_back
from testkit.placement import ONE_SERVER
from testkit.rows import CELL_TABLES
from testkit.sampling import sampled


class Resized(NamedTuple):
    """A host with the fault, and the migration of a server that was resized away from it."""

    stale: Any
    server: str
    migration: str


@pytest.fixture
def resized(cloud):
    """All of it in the second cell."""
    stale, dest = cloud.stale_host(servers=0, cell="cell2"), cloud.healthy_host(cell="cell2")
    server = cloud.server(host=dest.host, vm_state="resized")
    migration = cloud.migration(server, source_host=stale.host, dest_host=dest.host, type="resize")
    cloud.allocate(server, {dest.uuid: ONE_SERVER})
    cloud.allocate(migration, {stale.stale_uuid: ONE_SERVER})
    return Resized(stale, server, migration)


@pytest.mark.parametrize("tables", sampled([("migrations",), CELL_TABLES]), ids=["migrations only", "whole cell"])
def test_a_rollback_while_a_cell_is_away_loses_no_part_of_a_resize(cloud, context, resized, tables):
    """It may stop, and is run again once the cell is back."""
    recovery_id = begin(context, resized.stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    with cloud.cell_down(tables=tables), contextlib.suppress(PlacementRecoveryError):
        roll_back(context, recovery_id)
    roll_back(context, recovery_id)
    assert cloud.allocations(resized.migration) == {resized.stale.stale_uuid: ONE_SERVER}


@pytest.mark.long
def test_setting_while_migrations_cannot_be_listed_loses_no_part_of_a_resize(cloud, context, resized):
    """It may stop, and is resumed once they can."""
    recovery_id = begin(context, resized.stale.host)
    with cloud.nova_compute(resized.stale.host, interval=0.1):
        go_on(context, recovery_id, before="set_allocations")
        with cloud.cell_down(tables=("migrations",)), contextlib.suppress(PlacementRecoveryError):
            go_on(context, recovery_id)
        go_on(context, recovery_id)
    assert cloud.allocations(resized.migration) == {resized.stale.compute_uuid: ONE_SERVER}


@pytest.mark.parametrize("tables", [("migrations",), CELL_TABLES], ids=["migrations only", "whole cell"])
def test_a_transplant_while_a_cell_is_away_loses_no_part_of_a_resize(cloud, context, resized, tables):
    """Forward and back: it stops, or moves the part along."""
    before = {resized.stale.stale_uuid: ONE_SERVER}
    recovery_id = begin(context, resized.stale.host, "transplant")
    go_on(context, recovery_id, until="copy_provider_settings")
    with cloud.cell_down(tables=tables), contextlib.suppress(PlacementRecoveryError):
        run_step(context, recovery_id, "move_allocations")
    run_step(context, recovery_id, "move_allocations")
    assert cloud.allocations(resized.migration) == {resized.stale.compute_uuid: ONE_SERVER}
    with cloud.cell_down(tables=tables), contextlib.suppress(PlacementRecoveryError):
        roll_back(context, recovery_id)
    roll_back(context, recovery_id)
    assert cloud.allocations(resized.migration) == before


def test_a_migration_whose_server_is_gone_is_gone_too(cloud, context, resized):
    """Nova deletes a destroyed server's migrations: nobody can revert the resize any more."""
    recovery_id = begin(context, resized.stale.host)
    go_on(context, recovery_id, until="delete_resource_provider")
    cloud.delete_server(resized.server)
    roll_back(context, recovery_id)
    assert cloud.allocations(resized.migration) == {}
