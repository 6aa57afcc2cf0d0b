"""People are told once a digest, however many runs want to tell, and whatever dies in between."""

from __future__ import annotations

import hashlib
import json
import threading
import time

import pytest

from placement_recovery.automation.notified import (
    MOST_DIGESTS,
    PATIENCE,
    HostNotifications,
    age,
    notify_once,
    recall,
    remember,
)
from placement_recovery.clock import Clock
from placement_recovery.errors import DispatchFailed, RecordInvalid, StoreUnavailable
from placement_recovery.records.stores import NOTIFIED, DatastoreStore, FileStore
from testkit.clocks import HandClock
from testkit.stores.service import Service


class BriefClock(Clock):
    """The real one, but it waits a tenth."""

    def sleep(self, seconds):
        """Wait a tenth."""
        time.sleep(seconds / 10)


@pytest.fixture(params=["files", "datastore"])
def store(request, tmp_path):
    """An empty store of each kind."""
    return FileStore(str(tmp_path / "records")) if request.param == "files" else DatastoreStore(Service())


@pytest.fixture
def clock():
    """A clock that stands still."""
    return HandClock()


def tell(store, clock, sent, digest="d1", host="compute-0"):
    """Tell that a plan needs approval."""
    return notify_once(store, clock, host, digest, "needs_approval", lambda: sent.append(digest))


def test_a_digest_is_told_once(store, clock):
    """The second run with the same digest sends nothing, and its end counts for the cooldown all the same."""
    sent = []
    first = tell(store, clock, sent)
    clock.at += 1000
    second = tell(store, clock, sent)
    assert (first, second, sent) == (True, False, ["d1"])
    assert recall(store, "compute-0").ended_at == clock.now()


def test_another_digest_and_another_host_are_told_too(store, clock):
    """What changed is worth telling again."""
    sent = []
    for digest, host in (("d1", "compute-0"), ("d2", "compute-0"), ("d1", "compute-1"), ("d1", "compute-0")):
        tell(store, clock, sent, digest, host)
    assert sent == ["d1", "d2", "d1"]


def test_an_earlier_digest_that_comes_back_is_not_told_again(store, clock):
    """A server that comes and goes makes the plan change to and fro."""
    sent = []
    for digest in ("d1", "d2", "d1", "d2"):
        tell(store, clock, sent, digest)
    assert sent == ["d1", "d2"]


def test_fifty_at_once_tell_once(tmp_path):
    """Fifty runs of fifty runners, over one store: one trigger."""
    store, clock, sent = FileStore(str(tmp_path / "records")), BriefClock(), []
    barrier = threading.Barrier(50)

    def run():
        barrier.wait()
        tell(store, clock, sent)

    threads = [threading.Thread(target=run) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sent == ["d1"]
    assert list(recall(store, "compute-0").notified) == ["d1"]


def test_of_two_the_later_writer_tells(store):
    """The first one sees that its token does not stand any more."""
    sent = []
    other = HandClock()
    first = HandClock(sleeping=lambda: None)

    def meanwhile():
        first.sleeping = lambda: None
        # The other one had looked before the first one wrote: to it, nobody was telling.
        late = HostNotifications("compute-0", notifier="other", notifying="d1", notifying_at=other.now())
        store.put(_id_of("compute-0"), NOTIFIED, json.dumps(late.__dict__))

    first.sleeping = meanwhile
    assert not tell(store, first, sent)
    assert sent == []


def test_while_one_tells_the_others_do_not(store, clock):
    """A run that comes in the middle of another's telling leaves it to that one."""
    sent = []
    clock.sleeping = lambda: seconds.append(tell(store, HandClock(), sent))
    seconds = []
    assert tell(store, clock, sent)
    assert (seconds, sent) == ([False], ["d1"])


def test_a_teller_that_died_is_replaced(store, clock):
    """Its intent counts no more after a while."""
    def broken():
        raise DispatchFailed("st2api is away")

    with pytest.raises(DispatchFailed):
        notify_once(store, clock, "compute-0", "d1", "needs_approval", broken)
    sent = []
    assert not tell(store, clock, sent)
    clock.at += PATIENCE
    assert tell(store, clock, sent)
    assert sent == ["d1"]


def test_what_could_not_be_told_did_not_end(store, clock):
    """The cooldown shall not keep the next run from telling."""
    def broken():
        raise DispatchFailed("st2api is away")

    with pytest.raises(DispatchFailed):
        notify_once(store, clock, "compute-0", "d1", "needs_approval", broken)
    assert recall(store, "compute-0").ended_at == ""


def test_old_digests_are_forgotten(store, clock):
    """The text of a host stays small."""
    sent = []
    for number in range(MOST_DIGESTS + 5):
        clock.at += 1
        tell(store, clock, sent, f"d{number}")
    told = recall(store, "compute-0").notified
    assert len(told) == MOST_DIGESTS
    assert "d0" not in told
    assert f"d{MOST_DIGESTS + 4}" in told


def test_a_run_with_nothing_to_tell_is_remembered(store, clock):
    """How and when it ended, and nothing that was told is lost."""
    tell(store, clock, [])
    clock.at += 60
    remember(store, clock, "compute-0", "refused")
    memory = recall(store, "compute-0")
    assert (memory.state, age(clock, memory.ended_at), list(memory.notified)) == ("refused", 0, ["d1"])


def test_a_store_that_is_away_is_no_other_teller():
    """The error is raised: nobody was told, and nobody else tells."""
    service = Service()
    store = DatastoreStore(service)
    service.failing = {"set_value"}
    with pytest.raises(StoreUnavailable):
        tell(store, HandClock(), [])


@pytest.mark.parametrize("text", ["{", "[]", '{"host": "compute-1"}', '{"host": "compute-0", "ended_at": "soon"}'])
def test_a_memory_that_cannot_be_read_says_what_to_do(store, text):
    """Half a text, or another host's, is no memory."""
    store.put(_id_of("compute-0"), NOTIFIED, text)
    with pytest.raises(RecordInvalid, match="remove them"):
        recall(store, "compute-0")


def _id_of(host):
    return hashlib.sha256(host.encode()).hexdigest()[:32]
