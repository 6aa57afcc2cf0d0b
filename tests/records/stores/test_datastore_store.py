"""The store in StackStorm's datastore, whose service hides some failures and raises on others."""

from __future__ import annotations

import pytest

from placement_recovery.errors import RecordExists, RecordNotFound, StoreUnavailable
from placement_recovery.records.stores import PROGRESS, SAVED, DatastoreStore
from placement_recovery.records.stores.datastore import MAX_TEXT_BYTES


@pytest.fixture
def store(service):
    """A store with one recovery in it."""
    store = DatastoreStore(service)
    store.add("a", SAVED, "saved")
    store.put("a", PROGRESS, "old")
    return store


def test_keys_are_found_by_every_action(store, service):
    """One prefix per part, none of them local to an action's class."""
    assert set(service.values) == {"placement_recovery:saved:a", "placement_recovery:progress:a"}


def test_a_failing_read_is_not_an_absent_record(store, service):
    """get_value returns None on a 500 as well; list_values, which is called next, raises."""
    service.failing = {"get_value", "list_values"}
    with pytest.raises(StoreUnavailable, match=r"403 Client Error: Forbidden.*Check that st2api answers"):
        store.get("a", SAVED)
    with pytest.raises(StoreUnavailable):
        store.get("never", SAVED)


def test_a_failing_read_does_not_let_add_overwrite(store, service):
    """An `add` that cannot read does not write."""
    service.failing = {"get_value", "list_values"}
    with pytest.raises(StoreUnavailable):
        store.add("a", SAVED, "other")
    service.failing = {"get_value"}
    with pytest.raises(RecordExists):
        store.add("a", SAVED, "other")
    assert service.values["placement_recovery:saved:a"] == "saved"


def test_a_single_failing_read_falls_back_to_the_list(store, service):
    """The list holds the values too."""
    service.failing = {"get_value"}
    assert store.get("a", PROGRESS) == "old"


def test_a_failing_write_is_reported_with_its_cause(store, service):
    """One line, with the status and what to do; the old text remains."""
    service.failing = {"set_value"}
    with pytest.raises(StoreUnavailable, match=r"did not write \S+:a: 500 Server Error.*run the same") as caught:
        store.put("a", PROGRESS, "new")
    assert "\n" not in str(caught.value)
    assert service.values["placement_recovery:progress:a"] == "old"


def test_a_write_whose_answer_was_lost_is_recognised(store, service):
    """A 504 after the value was written is not a failure."""
    service.lost = {"set_value"}
    store.put("a", PROGRESS, "new")
    store.add("b", SAVED, "saved")
    assert store.get("a", PROGRESS) == "new"
    assert store.get("b", SAVED) == "saved"


def test_the_first_cause_is_reported_when_the_check_fails_too(store, service):
    """If the API is down, the error of the write is shown, not that of the read after it."""
    service.failing = {"get_value", "set_value", "list_values", "delete_value"}
    with pytest.raises(StoreUnavailable, match=r"did not write .* 500 Server Error"):
        store.put("a", PROGRESS, "new")


def test_a_write_answered_by_false_is_an_error(store, service):
    """False is not taken for success."""
    service.rejecting = True
    with pytest.raises(StoreUnavailable, match=r"did not write .*returned False"):
        store.put("a", PROGRESS, "new")


def test_a_failing_list_is_reported(store, service):
    """With RBAC only an admin may list all keys; a partial list is not accepted."""
    service.failing = {"list_values"}
    with pytest.raises(StoreUnavailable, match=r"did not list placement_recovery:saved:.*admin role"):
        store.ids(SAVED)


def test_a_failing_removal_is_reported_and_can_be_repeated(store, service):
    """delete_value hides the error behind False."""
    service.failing = {"delete_value"}
    with pytest.raises(StoreUnavailable, match="did not delete placement_recovery:saved:a"):
        store.remove("a")
    service.failing = set()
    store.remove("a")
    assert service.values == {}


@pytest.mark.parametrize("absent_counts_as_deleted", [True, False])
def test_removing_an_absent_record_is_not_an_error(store, service, absent_counts_as_deleted):
    """The API's client answers True to a 404, st2tests' service False."""
    service.absent_counts_as_deleted = absent_counts_as_deleted
    store.remove("a")
    store.remove("a")
    assert service.values == {}


def test_an_interrupted_removal_leaves_the_progress(store, service, monkeypatch):
    """The saved payload is removed first, and the progress, which says "closed", last."""
    delete = service.delete_value
    monkeypatch.setattr(service, "delete_value", lambda name, local: "saved" in name and delete(name, local=local))
    with pytest.raises(StoreUnavailable):
        store.remove("a")
    assert service.values == {"placement_recovery:progress:a": "old"}


def test_a_text_over_the_limit_is_refused_before_the_attempt(store, service):
    """Bytes count, not characters; the message has the sizes and the remedy."""
    with pytest.raises(StoreUnavailable, match=r"15000002 bytes.*at most 15000000; nothing was written.*to files"):
        store.put("a", PROGRESS, "ä" * (MAX_TEXT_BYTES // 2 + 1))
    assert service.values["placement_recovery:progress:a"] == "old"


def test_a_text_at_the_limit_is_accepted(store):
    """The limit leaves room for the other fields of StackStorm's document."""
    store.add("b", SAVED, "x" * MAX_TEXT_BYTES)
    assert len(store.get("b", SAVED)) == MAX_TEXT_BYTES


def test_keys_of_others_are_not_ids(store, service):
    """Other keys under the prefix or beside it (RBAC ignores the prefix) are not recoveries."""
    service.values.update({"placement_recovery:saved:Not-Ours": "x", "placement_recovery:saved:": "x", "other": "x"})
    everything = service.list_values(local=False, limit=-1)
    service.list_values = lambda **_: everything
    assert store.ids(SAVED) == ("a",)


def test_a_record_that_is_gone_is_not_found(store, service):
    """A working API's answer that there is no value is believed."""
    service.values.clear()
    with pytest.raises(RecordNotFound, match="recovery a has no saved in the datastore"):
        store.get("a", SAVED)


def test_a_user_who_may_not_see_all_keys_is_told_so(store, service):
    """With RBAC the lists of who is no admin are filtered without a word: that must never read as "there is none"."""
    store.add("0123456789", SAVED, "text")
    service.rbac = {"enabled": True, "roles": ["operator"], "is_admin": False}
    hidden = DatastoreStore(service)
    for call in (
        lambda: hidden.ids(SAVED), lambda: hidden.texts(SAVED), lambda: hidden.get("0123456789", SAVED),
        lambda: hidden.put("0123456789", SAVED, "other"), lambda: hidden.remove("0123456789"),
    ):
        with pytest.raises(StoreUnavailable, match=r"user 'operator' may not see the records.*role admin"):
            call()
    assert store.get("0123456789", SAVED) == "text"


def test_an_admin_sees_all_with_rbac_too(store, service):
    """As the system user of rules' runs does once it has the role."""
    store.add("0123456789", SAVED, "text")
    service.rbac = {"enabled": True, "roles": ["admin"], "is_admin": True}
    assert DatastoreStore(service).ids(SAVED) == ("0123456789", "a")


def test_a_user_who_cannot_be_told_sees_nothing(service):
    """st2api is ill."""
    service.failing.add("get_user_info")
    with pytest.raises(StoreUnavailable, match="503 Server Error"):
        DatastoreStore(service).ids(SAVED)


def test_a_thousand_records_cost_one_list(service):
    """Each trigger looks at them; the list has the values already."""
    for number in range(1000):
        service.values[f"placement_recovery:progress:{number:010}"] = "text"
    store, asked = DatastoreStore(service), []
    service.get_value = lambda *given, **named: asked.append(given)
    assert len(store.texts(PROGRESS)) == 1000
    assert asked == []
