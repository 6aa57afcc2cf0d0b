"""The journal: what it says is stored when it returns, and what cannot be trusted is not gone on with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from placement_recovery.clock import Clock
from placement_recovery.errors import RecordExists, RecordInvalid, RecordNotFound, StoreUnavailable
from placement_recovery.records.journal import Journal, find_open, new_id, readable_progress, unfinished
from placement_recovery.records.record import ABANDONED, FINISHED, Saved
from placement_recovery.records.stores import PROGRESS, SAVED, DatastoreStore, FileStore
from placement_recovery.recovery.overview import show_all, show_one
from testkit.records import NEW, SERVERS, STALE, saved
from testkit.stores.service import Service


@pytest.fixture(params=["files", "datastore"])
def store(request, tmp_path):
    """An empty store of each kind."""
    return FileStore(str(tmp_path / "records")) if request.param == "files" else DatastoreStore(Service())


class FailingStore(FileStore):
    """A store that takes a number of texts, and then none: a disk that is full."""

    takes = 99

    def put(self, recovery_id, part, text):
        """Write, or fail."""
        self.takes -= 1
        if self.takes < 0:
            raise StoreUnavailable("no space left on the device")
        super().put(recovery_id, part, text)


class ForgetfulStore(FileStore):
    """A store that gives back another record than it was given."""

    def get(self, recovery_id, part):
        """Read, with a consumer less."""
        text = super().get(recovery_id, part)
        return text if part == PROGRESS else replace(Saved.from_text(recovery_id, text), consumers=()).to_text()


def opened(store, recovery_id="3f9a2c0d11", **changes):
    """A journal of a new recovery."""
    return Journal.open(store, Clock(), saved(recovery_id, **changes))


def loaded(store, recovery_id="3f9a2c0d11"):
    """What another process reads."""
    return Journal.load(store, Clock(), recovery_id)


def test_each_change_is_stored_when_it_returns(store):
    """As another process reads it in that moment."""
    journal = opened(store)
    journal.intend("lock_provider")
    assert loaded(store).progress.steps["lock_provider"].state == "intended"
    journal.failed("lock_provider", ValueError("x"))
    assert loaded(store).progress.steps["lock_provider"].error == "ValueError: x"
    journal.intend("lock_provider")
    journal.done("lock_provider", "locked")
    again = loaded(store).progress.steps["lock_provider"]
    assert (again.state, again.tries, again.summary, again.error) == ("done", 2, "locked", "")
    journal.pass_no_return()
    journal.map_provider(STALE, NEW)
    journal.outcome(SERVERS, "deleted meanwhile")
    journal.outcome((), "nobody")
    now = loaded(store).progress
    assert (now.past_no_return, now.providers, now.outcomes) == (
        True, {STALE: NEW}, dict.fromkeys(SERVERS, "deleted meanwhile")
    )
    journal.close(FINISHED)
    assert not loaded(store).is_open
    assert loaded(store).saved == saved()


def test_what_was_saved_is_never_written_again(store):
    """A second recovery of the same id is refused, and the first one is as it was."""
    opened(store)
    with pytest.raises(RecordExists):
        opened(store, host="compute-9")
    assert loaded(store).saved == saved()


def test_a_store_that_gives_back_something_else_stops_it_before_it_began(tmp_path):
    """What was saved is read back; there is nothing to resume then."""
    store = ForgetfulStore(str(tmp_path))
    with pytest.raises(RecordInvalid, match="reads back otherwise than it was; not begun"):
        opened(store)
    assert readable_progress(store) == ((), {})


def test_a_recovery_that_was_saved_only_halfway_has_not_begun(tmp_path):
    """The disk was full in between: nobody is told to resume it, and the host is free."""
    store = FailingStore(str(tmp_path))
    store.takes = 0
    with pytest.raises(StoreUnavailable):
        opened(store)
    assert store.ids(SAVED) == ("3f9a2c0d11",)
    assert unfinished(store, "compute-0") == ()
    with pytest.raises(RecordNotFound, match="3f9a2c0d11 has no progress"):
        loaded(store)


def test_what_could_not_be_stored_is_not_believed(tmp_path):
    """The journal goes by what the store has."""
    store = FailingStore(str(tmp_path))
    journal = opened(store)
    store.takes = 0
    with pytest.raises(StoreUnavailable):
        journal.pass_no_return()
    assert not journal.progress.past_no_return
    assert not loaded(store).progress.past_no_return


def test_records_that_were_swapped_between_two_recoveries_are_refused(store):
    """Both parts by themselves are sound."""
    opened(store)
    other = opened(store, "0123456789", host="compute-1")
    store.put("3f9a2c0d11", SAVED, store.get("0123456789", SAVED))
    with pytest.raises(RecordInvalid, match="belongs to recovery 0123456789"):
        loaded(store)
    store.put("0123456789", PROGRESS, replace(other.progress, saved="0" * 64).to_text())
    with pytest.raises(RecordInvalid, match="recovery 0123456789: its two records do not belong together"):
        loaded(store, "0123456789")


def test_the_open_recovery_of_a_host_is_found(store):
    """Of that host, and only while it is open."""
    opened(store, "aaaaaaaaaa").close(FINISHED)
    opened(store, "bbbbbbbbbb").close(ABANDONED)
    opened(store, "cccccccccc", host="compute-1")
    with pytest.raises(RecordNotFound, match="host compute-0 has no unfinished recovery; show_recoveries lists all"):
        find_open(store, "compute-0")
    opened(store, "dddddddddd")
    assert find_open(store, "compute-0") == "dddddddddd"
    assert find_open(store, "compute-1") == "cccccccccc"


def test_a_record_that_cannot_be_read_stands_in_the_way_of_its_host_alone(store):
    """It may be an unfinished recovery; its id tells of which host. All others go on."""
    opened(store)
    broken = new_id("compute-0")
    store.put(broken, PROGRESS, "{")
    with pytest.raises(RecordInvalid, match=f"recovery {broken}: its progress record is not JSON"):
        unfinished(store, "compute-0")
    assert unfinished(store, "compute-1") == ()


def test_a_record_of_another_version_of_the_pack_stands_in_the_way_of_its_host(store):
    """Its id need not tell of which host it is, but its text does."""
    opened(store)
    text = store.get("3f9a2c0d11", PROGRESS)
    store.put("3f9a2c0d11", PROGRESS, text.replace('"version": 2', '"version": 1'))
    with pytest.raises(RecordInvalid, match="finish this recovery with the version of the pack that began it"):
        unfinished(store, "compute-0")
    assert unfinished(store, "compute-1") == ()
    assert [row["id"] for row in show_all(store, "compute-0")["recoveries"]] == ["3f9a2c0d11"]


def test_all_others_are_shown_beside_a_record_that_cannot_be_read(store):
    """Somebody has to find out what to put back."""
    opened(store)
    opened(store, "aaaaaaaaaa", host="compute-1").close(FINISHED)
    broken = new_id("compute-1")
    store.put(broken, PROGRESS, "{")
    assert list(readable_progress(store)[1]) == [broken]
    shown = show_all(store)
    assert shown["summary"].startswith("2 recoveries, 1 unfinished; 1 cannot be read, and until they can nothing new")
    assert [row["id"] for row in shown["recoveries"]] == [broken, "3f9a2c0d11", "aaaaaaaaaa"]
    assert "put the original back from a backup" in shown["recoveries"][0]["next"]
    assert [row["id"] for row in show_all(store, "compute-1")["recoveries"]] == [broken, "aaaaaaaaaa"]
    assert [row["id"] for row in show_all(store, "compute-0")["recoveries"]] == ["3f9a2c0d11"]
    assert "Nothing was taken away yet; go on with" in show_one(store, Clock(), "3f9a2c0d11")["summary"]


def test_unfinished_recoveries_come_first_and_say_what_to_type(store):
    """And one that was killed says so."""
    opened(store, "aaaaaaaaaa", created_at="2026-01-01T00:00:00Z").close(FINISHED)
    journal = opened(store, "bbbbbbbbbb", created_at="2026-01-02T00:00:00Z")
    journal.intend("save_allocations")
    journal.done("save_allocations", "saved")
    journal.intend("lock_provider")
    opened(store, "cccccccccc", created_at="2026-01-03T00:00:00Z").close(ABANDONED)
    shown = show_all(store)
    assert [row["id"] for row in shown["recoveries"]] == ["bbbbbbbbbb", "cccccccccc", "aaaaaaaaaa"]
    assert shown["recoveries"][0]["next"].endswith("resume_recovery recovery_id=bbbbbbbbbb")
    assert "lock_provider began and has not ended: it is under way, or died" in show_one(
        store, Clock(), "bbbbbbbbbb"
    )["summary"]
