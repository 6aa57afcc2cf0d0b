"""A power cut at any moment of a write leaves a complete record."""

from __future__ import annotations

import os

import pytest

from placement_recovery.errors import RecordNotFound
from placement_recovery.records.stores import PROGRESS, SAVED, FileStore
from testkit.stores.power_cut import PowerCutDisk

OLD = '{"step": "lock", "ä": 1}'
NEW = '{"step": "delete allocations", "outcome": "done"}'


@pytest.fixture
def reopened(tmp_path):
    """A function that opens a store on the content that a power cut left: {name: bytes}."""
    opened = []

    def reopen(content):
        folder = tmp_path / f"after-{len(opened)}"
        folder.mkdir(mode=0o700)
        for name, data in content.items():
            (folder / name).write_bytes(data)
        opened.append(folder)
        return FileStore(str(folder))

    return reopen


def read(store, part):
    """The text of recovery `a`, or None if there is none."""
    try:
        return store.get("a", part)
    except RecordNotFound:
        return None


def test_put_leaves_the_old_text_or_the_new(folder, reopened):
    """Cut at every byte, with the rename or the names lost: one of the two texts is there, and put works again."""
    FileStore(folder).put("a", PROGRESS, OLD)
    disk = PowerCutDisk(folder)
    FileStore(folder, disk).put("a", PROGRESS, NEW)
    contents = disk.all_contents()
    assert len(contents) > len(NEW)
    found = set()
    for content in contents:
        store = reopened(content)
        assert store.ids(PROGRESS) == ("a",)
        found.add(read(store, PROGRESS))
        store.put("a", PROGRESS, NEW)
        assert read(store, PROGRESS) == NEW
    assert found == {OLD, NEW}


def test_add_leaves_nothing_or_the_whole_text(folder, reopened):
    """A saved payload is never there partially."""
    os.mkdir(folder, 0o700)
    disk = PowerCutDisk(folder)
    FileStore(folder, disk).add("a", SAVED, NEW)
    assert {read(reopened(content), SAVED) for content in disk.all_contents()} == {None, NEW}


@pytest.mark.parametrize("write", ["add", "put"])
def test_what_has_returned_stays(folder, reopened, write):
    """Once the call has returned, no power cut removes the text."""
    os.mkdir(folder, 0o700)
    disk = PowerCutDisk(folder)
    getattr(FileStore(folder, disk), write)("a", SAVED, NEW)
    assert {read(reopened(content), SAVED) for content in disk.last_contents()} == {NEW}


def test_an_interrupted_removal_leaves_the_progress(folder, reopened):
    """A saved payload without its progress would look like a recovery that was opened but has not begun."""
    store = FileStore(folder)
    store.add("a", SAVED, OLD)
    store.put("a", PROGRESS, NEW)
    disk = PowerCutDisk(folder)
    FileStore(folder, disk).remove("a")
    stores = [reopened(content) for content in disk.all_contents()]
    assert {(read(store, SAVED), read(store, PROGRESS)) for store in stores} == {(OLD, NEW), (None, NEW), (None, None)}


def test_a_missing_sync_is_detected(folder, reopened):
    """On a disk that never syncs, the possible contents include partial texts: the tests above can fail."""
    FileStore(folder).put("a", PROGRESS, OLD)
    disk = PowerCutDisk(folder, forgets_sync=True)
    FileStore(folder, disk).put("a", PROGRESS, NEW)
    assert NEW[:7] in {read(reopened(content), PROGRESS) for content in disk.all_contents()}
