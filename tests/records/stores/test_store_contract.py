"""What every store guarantees, tested on both."""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from placement_recovery.errors import InvalidInput, RecordExists, RecordNotFound
from placement_recovery.records.stores import PARTS, PROGRESS, SAVED, DatastoreStore, FileStore
from testkit.stores.service import Service


def test_get_returns_what_was_added(store):
    """Any text is returned unchanged."""
    text = '{"host": "compute-0", "name": "Zürich 東京"}\r\n\n {{ st2kv.system.x }} \x00'
    store.add("3f9a2c", SAVED, text)
    assert store.get("3f9a2c", SAVED) == text


def test_add_never_overwrites(store):
    """The first text remains."""
    store.add("3f9a2c", SAVED, "the first")
    with pytest.raises(RecordExists, match=r"3f9a2c.*left as it is"):
        store.add("3f9a2c", SAVED, "the second")
    assert store.get("3f9a2c", SAVED) == "the first"


def test_put_overwrites(store):
    """The progress is rewritten at each step, also by a shorter text."""
    store.put("3f9a2c", PROGRESS, "a long text")
    store.put("3f9a2c", PROGRESS, "short")
    assert store.get("3f9a2c", PROGRESS) == "short"


def test_parts_and_recoveries_are_independent(store):
    """One id may be the beginning of another."""
    store.add("a", SAVED, "a saved")
    store.add("ab", SAVED, "ab saved")
    store.put("a", PROGRESS, "a progress")
    assert [store.get("a", SAVED), store.get("ab", SAVED), store.get("a", PROGRESS)] == [
        "a saved",
        "ab saved",
        "a progress",
    ]
    assert store.ids(SAVED) == ("a", "ab")
    assert store.ids(PROGRESS) == ("a",)


@pytest.mark.parametrize("there", [(), ("ab",)])
def test_an_absent_part_is_not_found(store, there):
    """An absent part is an error that names it, never an empty text; longer ids do not match."""
    for recovery_id in there:
        store.add(recovery_id, SAVED, "text")
    with pytest.raises(RecordNotFound, match="recovery a has no saved"):
        store.get("a", SAVED)


def test_more_than_a_page_of_recoveries_is_listed(store):
    """By default StackStorm lists 100 values and does not say that there are more."""
    expected = tuple(sorted(f"r{number}" for number in range(130)))
    for recovery_id in reversed(expected):
        store.put(recovery_id, PROGRESS, "{}")
    assert store.ids(PROGRESS) == expected


def test_remove_deletes_all_parts_and_can_be_repeated(store):
    """Nothing of the removed recovery is left; others are unchanged."""
    for recovery_id in ("one", "two"):
        store.add(recovery_id, SAVED, "saved")
        store.put(recovery_id, PROGRESS, "progress")
    store.remove("one")
    store.remove("one")
    assert store.ids(SAVED) == store.ids(PROGRESS) == ("two",)


@pytest.mark.parametrize("recovery_id", ["", "../etc", "A", "a.b", "a/b", "ä", "a\n", "a b", "a" * 65])
def test_an_id_that_could_be_a_path_is_refused(store, recovery_id):
    """Ids become parts of keys and of file names: only a-z and 0-9 are allowed."""
    for call in (
        lambda: store.add(recovery_id, SAVED, "text"),
        lambda: store.put(recovery_id, SAVED, "text"),
        lambda: store.get(recovery_id, SAVED),
        lambda: store.remove(recovery_id),
    ):
        with pytest.raises(InvalidInput, match="not a recovery id"):
            call()
    assert store.ids(SAVED) == ()


@pytest.mark.parametrize("part", ["", "tmp", "../saved", "Saved", "saved\n"])
def test_an_unknown_part_is_refused(store, part):
    """`remove` would never delete an unknown part."""
    for call in (
        lambda: store.add("a", part, "text"),
        lambda: store.put("a", part, "text"),
        lambda: store.get("a", part),
        lambda: store.ids(part),
    ):
        with pytest.raises(InvalidInput, match="the parts are saved, progress"):
            call()


def test_a_text_that_utf8_cannot_hold_is_refused(store):
    """It is refused before anything is written."""
    with pytest.raises(InvalidInput, match="UTF-8"):
        store.put("a", SAVED, "half a surrogate pair: \ud800")
    assert store.ids(SAVED) == ()


IDS = st.sampled_from(["a", "ab", "b", "0", "z" * 64])
PART_NAMES = st.sampled_from(PARTS)
TEXTS = st.text(max_size=40)


class StoreAgainstDict(RuleBasedStateMachine):
    """After any sequence of calls the store holds what a plain mapping would."""

    def __init__(self):
        super().__init__()
        self.expected = {}
        self.store = self.open()

    def open(self):
        """Open the store under test; may be called again for the same records."""
        raise NotImplementedError

    @rule(recovery_id=IDS, part=PART_NAMES, text=TEXTS)
    def add(self, recovery_id, part, text):
        """The first text wins."""
        if (recovery_id, part) in self.expected:
            with pytest.raises(RecordExists):
                self.store.add(recovery_id, part, text)
        else:
            self.store.add(recovery_id, part, text)
            self.expected[recovery_id, part] = text

    @rule(recovery_id=IDS, part=PART_NAMES, text=TEXTS)
    def put(self, recovery_id, part, text):
        """The last text wins."""
        self.store.put(recovery_id, part, text)
        self.expected[recovery_id, part] = text

    @precondition(lambda self: self.expected)
    @rule(recovery_id=IDS)
    def remove(self, recovery_id):
        """All parts are removed."""
        self.store.remove(recovery_id)
        self.expected = {key: text for key, text in self.expected.items() if key[0] != recovery_id}

    @rule()
    def open_again(self):
        """The object itself holds no state."""
        self.store = self.open()

    @invariant()
    def holds_what_is_expected(self):
        """Listings and texts equal those of the mapping."""
        found = {(name, part): self.store.get(name, part) for part in PARTS for name in self.store.ids(part)}
        assert found == self.expected


class FilesAgainstDict(StoreAgainstDict):
    """The same for files."""

    def open(self):
        """Open the one folder of this run."""
        if not self.expected and not hasattr(self, "home"):
            self.home = tempfile.TemporaryDirectory()
        return FileStore(self.home.name)

    def teardown(self):
        """Leave nothing behind."""
        self.home.cleanup()


class DatastoreAgainstDict(StoreAgainstDict):
    """The same for the datastore."""

    def open(self):
        """Open the one datastore of this run."""
        if not hasattr(self, "service"):
            self.service = Service()
        return DatastoreStore(self.service)


TestFiles = FilesAgainstDict.TestCase
TestDatastore = DatastoreAgainstDict.TestCase
TestFiles.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
TestDatastore.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
