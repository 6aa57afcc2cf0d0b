"""The store in files: its folder, failing disks, links, and several writers."""

from __future__ import annotations

import errno
import multiprocessing
import os
import stat
import time

import pytest

from placement_recovery.errors import (
    ConfigurationError,
    RecordExists,
    RecordInvalid,
    RecordNotFound,
    StoreUnavailable,
)
from placement_recovery.records.stores import PROGRESS, SAVED, FileStore
from placement_recovery.records.stores.disk import Disk
from placement_recovery.records.stores.files import STALE_TEMPORARY_AGE
from testkit.stores import writers

# Its daemonic processes end with the tests, even if one fails.
SPAWN = multiprocessing.get_context("spawn")


class FullDisk(Disk):
    """A disk with room for some bytes."""

    def __init__(self, room: int) -> None:
        self._room = room

    def write(self, handle, data):
        """Write what fits."""
        if not self._room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = super().write(handle, data[: self._room])
        self._room -= written
        return written


class FailingDisk(Disk):
    """A disk on which one call always fails."""

    def __init__(self, call: str, number: int) -> None:
        def fail(*arguments):
            raise OSError(number, os.strerror(number))

        setattr(self, call, fail)


class ForgetfulDisk(Disk):
    """A disk that returns something else than was written."""

    def read(self, path):
        """Lose the last byte."""
        return super().read(path)[:-1]


def mode_of(path):
    """The permission bits of a path."""
    return stat.S_IMODE(os.stat(path).st_mode)


def test_only_the_owner_can_read(folder):
    """Folder 0700, files 0600, under the laxest umask."""
    before = os.umask(0)
    try:
        store = FileStore(folder)
        store.add("a", SAVED, "saved")
        store.put("a", PROGRESS, "progress")
    finally:
        os.umask(before)
    assert mode_of(folder) == 0o700
    assert {name: mode_of(os.path.join(folder, name)) for name in os.listdir(folder)} == {
        "a.saved": 0o600,
        "a.progress": 0o600,
    }


def test_the_file_is_synced_before_its_name(folder, monkeypatch):
    """Only a real power cut would show a missing sync, so the calls of os.fsync are recorded."""
    synced = []
    store = FileStore(folder)
    monkeypatch.setattr(os, "fsync", lambda handle: synced.append(os.fstat(handle).st_ino))
    store.put("a", SAVED, "text")
    assert synced == [os.stat(os.path.join(folder, "a.saved")).st_ino, os.stat(folder).st_ino]


def test_missing_parent_folders_are_created(tmp_path):
    """The folder and its parents are created."""
    folder = tmp_path / "state" / "placement_recovery"
    FileStore(str(folder)).put("a", SAVED, "text")
    assert mode_of(folder) == 0o700
    assert FileStore(str(folder)).get("a", SAVED) == "text"


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_a_folder_that_others_may_enter_is_refused(folder, mode):
    """The message says what to type."""
    os.mkdir(folder)
    os.chmod(folder, mode)
    with pytest.raises(ConfigurationError, match=f"mode {mode:04o}.*chmod 700 {folder}"):
        FileStore(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_a_folder_of_another_user_is_refused(folder):
    """Root would leave files there that the owner cannot read."""
    os.mkdir(folder, 0o700)
    os.chown(folder, 54321, -1)
    with pytest.raises(ConfigurationError, match="belongs to the user with id 54321, and this runs as 0"):
        FileStore(folder)


def test_a_folder_that_cannot_be_created_is_refused(tmp_path):
    """Here a file has the name of a parent folder."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file/records cannot be created.*Not a directory"):
        FileStore(str(tmp_path / "file" / "records"))
    with pytest.raises(ConfigurationError, match="is not a folder"):
        FileStore(str(tmp_path / "file"))


@pytest.mark.parametrize("folder", ["", "records", "./records"])
def test_a_relative_folder_is_refused(folder):
    """It would depend on the working directory."""
    with pytest.raises(ConfigurationError, match="absolute"):
        FileStore(folder)


@pytest.mark.parametrize("room", range(9))
def test_a_full_disk_loses_no_old_text(folder, room):
    """At any byte of the text: the old text and no temporary file remain, and the error names the remedy."""
    FileStore(folder).put("a", PROGRESS, "old")
    with pytest.raises(StoreUnavailable, match="No space left on device; free some space"):
        FileStore(folder, FullDisk(room)).put("a", PROGRESS, "new text.")
    with pytest.raises(StoreUnavailable, match="No space left on device"):
        FileStore(folder, FullDisk(room)).add("a", SAVED, "new text.")
    assert FileStore(folder).get("a", PROGRESS) == "old"
    assert os.listdir(folder) == ["a.progress"]


def test_a_file_size_limit_loses_no_old_text(folder):
    """The kernel refuses to write more in the middle of the text."""
    FileStore(folder).put("a", PROGRESS, "old")
    results = SPAWN.Queue()
    process = SPAWN.Process(target=writers.put_with_limit, args=(folder, "n" * 5000, 1000, results), daemon=True)
    process.start()
    assert "File too large" in results.get(timeout=60)
    process.join()
    assert FileStore(folder).get("a", PROGRESS) == "old"
    assert os.listdir(folder) == ["a.progress"]


@pytest.mark.parametrize("call", ["create", "write", "sync", "rename", "sync_folder", "read"])
@pytest.mark.parametrize("number", [errno.EIO, errno.EDQUOT, errno.EROFS])
def test_put_reports_any_failing_call(folder, call, number):
    """For each call: StoreUnavailable with the system's message, and one of the two texts is complete."""
    FileStore(folder).put("a", PROGRESS, "old")
    with pytest.raises(StoreUnavailable, match=f"a.progress: {os.strerror(number)}; "):
        FileStore(folder, FailingDisk(call, number)).put("a", PROGRESS, "new")
    before_rename = call in ("create", "write", "sync", "rename")
    assert FileStore(folder).get("a", PROGRESS) == ("old" if before_rename else "new")
    assert os.listdir(folder) == ["a.progress"]


@pytest.mark.parametrize("call", ["create", "write", "sync", "link", "sync_folder", "read"])
def test_add_reports_any_failing_call(folder, call):
    """A part that could not be added is absent or complete."""
    FileStore(folder)
    with pytest.raises(StoreUnavailable, match="Input/output error"):
        FileStore(folder, FailingDisk(call, errno.EIO)).add("a", SAVED, "new")
    assert os.listdir(folder) == ([] if call in ("create", "write", "sync", "link") else ["a.saved"])


def test_a_file_system_without_hard_links_is_named(folder):
    """`add` needs them to be safe against a second writer."""
    FileStore(folder)
    with pytest.raises(StoreUnavailable, match="must support hard links"):
        FileStore(folder, FailingDisk("link", errno.EPERM)).add("a", SAVED, "new")


def test_a_text_that_reads_back_differently_is_an_error(folder):
    """A write succeeds only if the disk returns the same text."""
    FileStore(folder)
    with pytest.raises(StoreUnavailable, match="saved of recovery a was written, but reads back differently"):
        FileStore(folder, ForgetfulDisk()).add("a", SAVED, "text")


def test_a_failing_removal_is_reported(folder):
    """It can be repeated."""
    FileStore(folder).add("a", SAVED, "text")
    with pytest.raises(StoreUnavailable, match=r"cannot remove .*a.saved: Input/output error"):
        FileStore(folder, FailingDisk("remove", errno.EIO)).remove("a")
    FileStore(folder).remove("a")
    assert os.listdir(folder) == []


def test_a_folder_that_was_removed_is_not_an_empty_store(folder):
    """Without the folder nothing is known of any record: no listing, no RecordNotFound."""
    store = FileStore(folder)
    os.rmdir(folder)
    for call in (
        lambda: store.ids(SAVED),
        lambda: store.get("a", SAVED),
        lambda: store.put("a", SAVED, "text"),
        lambda: store.remove("a"),
    ):
        with pytest.raises(StoreUnavailable, match="No such file or directory; check that"):
            call()


def test_symbolic_links_are_not_followed(folder, tmp_path):
    """`get` refuses a link, `put` replaces it, and `add` finds the name taken."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("not ours")
    store = FileStore(folder)
    os.symlink(elsewhere, os.path.join(folder, "a.saved"))
    with pytest.raises(StoreUnavailable, match="symbolic link, which is never followed"):
        store.get("a", SAVED)
    with pytest.raises(RecordExists):
        store.add("a", SAVED, "text")
    store.put("a", SAVED, "text")
    assert store.get("a", SAVED) == "text"
    assert elsewhere.read_text() == "not ours"


def test_a_pipe_in_place_of_a_record_does_not_block(folder):
    """It is refused, and so is a folder."""
    store = FileStore(folder)
    os.mkfifo(os.path.join(folder, "a.saved"))
    os.mkdir(os.path.join(folder, "b.saved"))
    for recovery_id in ("a", "b"):
        with pytest.raises(StoreUnavailable, match="not a regular file"):
            store.get(recovery_id, SAVED)


def test_bytes_that_are_not_text_are_an_invalid_record(folder):
    """A person or a faulty disk has changed the file."""
    store = FileStore(folder)
    store.put("a", SAVED, "text")
    with open(os.path.join(folder, "a.saved"), "wb") as stream:
        stream.write(b"\xff\x00")
    with pytest.raises(RecordInvalid, match=r"a.saved is not what was written"):
        store.get("a", SAVED)


def test_temporary_files_of_killed_writers_are_ignored_and_removed_when_old(folder):
    """A young one may belong to a writer that is still running."""
    store = FileStore(folder)
    old, young = (os.path.join(folder, f".a.saved.{digit * 16}.tmp") for digit in "01")
    for path in (old, young, os.path.join(folder, "notes.txt")):
        with open(path, "w") as stream:
            stream.write("half a te")
    os.utime(old, (0, time.time() - STALE_TEMPORARY_AGE - 60))
    assert store.ids(SAVED) == ()
    with pytest.raises(RecordNotFound):
        store.get("a", SAVED)
    store.put("b", SAVED, "text")
    assert sorted(os.listdir(folder)) == [os.path.basename(young), "b.saved", "notes.txt"]


def test_of_several_processes_that_add_one_wins(folder):
    """For each id one writer wins, the others get RecordExists, and the text is the winner's, complete."""
    names, recovery_ids = "wxyz", [f"r{number}" for number in range(25)]
    barrier, results = SPAWN.Barrier(len(names)), SPAWN.Queue()
    processes = [
        SPAWN.Process(target=writers.add_all, args=(folder, name, recovery_ids, barrier, results), daemon=True)
        for name in names
    ]
    for process in processes:
        process.start()
    won = dict(results.get(timeout=120) for _ in processes)
    for process in processes:
        process.join()
    winners = {recovery_id: name for name in names for recovery_id in won[name]}
    assert sum(map(len, won.values())) == len(recovery_ids)
    store = FileStore(folder)
    assert {name: store.get(name, SAVED) for name in store.ids(SAVED)} == {
        recovery_id: name * 50_000 for recovery_id, name in winners.items()
    }


def test_a_reader_never_sees_a_partial_text(folder):
    """While another process overwrites the record, each read returns one of the texts, complete."""
    texts = ("x" * 300_000, "y" * 100_000)
    store = FileStore(folder)
    store.put("a", PROGRESS, texts[0])
    process = SPAWN.Process(target=writers.put_often, args=(folder, texts, 200), daemon=True)
    process.start()
    read = set()
    while process.is_alive():
        read.add(store.get("a", PROGRESS))
    process.join()
    assert process.exitcode == 0
    assert read <= set(texts)
