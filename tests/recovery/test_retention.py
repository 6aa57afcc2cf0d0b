"""Records of recoveries that have ended are kept for a time and in a number; unfinished ones until they end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.records.journal import Journal, readable_progress
from placement_recovery.records.record import FINISHED
from placement_recovery.recovery.retention import purge
from testkit.driving import HastyClock, begin


class Calendar(HastyClock):
    """A clock whose date is set."""

    def __init__(self, day: str) -> None:
        super().__init__()
        self.day = day

    def now(self) -> str:
        """Noon of that day."""
        return f"{self.day}T12:00:00Z"


@pytest.fixture
def kept(cloud, context):
    """Recoveries of January 1st to 5th, all ended but the second; a context of whatever day and configuration."""
    journal = Journal.load(context.store, context.clock, begin(context, cloud.stale_host(servers=1).host))
    context.store.remove(journal.saved.id)
    for day in range(1, 6):
        clock = Calendar(f"2026-01-0{day}")
        saved = replace(journal.saved, id=f"recovery0{day}", created_at=clock.now())
        other = Journal.open(context.store, clock, saved)
        if day != 2:
            other.close(FINISHED)

    def on(day, **options):
        return replace(context, clock=Calendar(day), config=replace(context.config, **options))

    return on


def ids(context):
    """The last digit of each record's id: its day."""
    return [one.id[-1] for one in readable_progress(context.store)[0]]


def test_what_is_old_goes_and_what_is_unfinished_stays(kept):
    """On January 14th with 10 days to keep, the 1st and 3rd are gone, not the open one of the 2nd."""
    context = kept("2026-01-14", keep_days=10)
    assert purge(context) == "2 old record(s) were purged"
    assert ids(context) == ["2", "4", "5"]


def test_the_newest_are_kept(kept):
    """Of four that ended, two are to be kept; the open one does not count."""
    context = kept("2026-01-06", keep_records=2)
    purge(context)
    assert ids(context) == ["2", "4", "5"]


def test_nothing_to_purge_says_nothing(kept):
    """The usual end of a recovery is not talkative."""
    assert purge(kept("2026-01-06")) == ""
