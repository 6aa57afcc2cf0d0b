"""The datastore that actions and sensors are handed keeps what they rely on of StackStorm's."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from lab.environments import ROOT
from lab.stackstorm import datastore
from lab.stackstorm.triggers import PATH_VARIABLE


@pytest.fixture
def service(tmp_path, monkeypatch):
    """The datastore of the class Save in the pack placement_recovery."""
    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "datastore.sqlite"))
    return datastore.DatastoreService(logging.getLogger("test"), "placement_recovery", "Save")


def test_local_keys_carry_pack_and_class(service):
    """A local key is hidden from other classes under its prefix; others share one space."""
    service.set_value("a", 1)
    service.set_value("b", 2, local=False)

    assert [item.name for item in service.list_values(local=False)] == ["b", "placement_recovery.Save:a"]
    assert [item.value for item in service.list_values()] == ["1"]


def test_a_missing_key_is_none_and_its_delete_succeeds(service):
    """What is not there is None, and is deleted as well as it can be."""
    assert service.get_value("nothing") is None
    assert service.delete_value("nothing") is True


def test_deleted_key_is_gone(service):
    """A key that was there is deleted."""
    service.set_value("a", "x")

    assert service.delete_value("a") is True
    assert service.get_value("a") is None


def test_listing_stops_at_a_hundred(service):
    """Without a limit a listing says nothing of the 101st item; -1 gives all."""
    for number in range(101):
        service.set_value(f"key-{number:03}", number)

    assert len(service.list_values(prefix="key-")) == 100
    assert len(service.list_values(prefix="key-", limit=-1)) == 101
    assert [item.value for item in service.list_values(limit=2, offset=3)] == ["3", "4"]


def test_prefix_is_taken_literally(service):
    """A prefix with SQL's wildcards matches itself only."""
    service.set_value("a%", "x")
    service.set_value("ab", "y")

    assert [item.value for item in service.list_values(prefix="a%")] == ["x"]


def test_encrypted_value_is_read_with_decrypt_only(service):
    """Without decrypt, and in listings, an encrypted value is something else."""
    service.set_value("secret", "word", encrypt=True)

    assert service.get_value("secret", decrypt=True) == "word"
    assert service.get_value("secret") != "word"
    assert service.list_values()[0].value != "word"


def test_value_above_16_mb_is_refused(service):
    """One value is one document of at most 16 MB; the old value stays."""
    service.set_value("big", "small")

    with pytest.raises(datastore.DatastoreError, match="larger than 16 MB"):
        service.set_value("big", "x" * datastore.MAX_VALUE_BYTES)
    assert service.get_value("big") == "small"


def test_value_expires(service, monkeypatch):
    """A value with a time to live is gone after it."""
    service.set_value("short", "x", ttl=60)
    now = datastore.time.time()
    monkeypatch.setattr(datastore.time, "time", lambda: now + 61)

    assert service.get_value("short") is None
    assert service.list_values() == []


def test_other_scopes_are_refused(service):
    """As in StackStorm's services only the system's scope can be used."""
    with pytest.raises(ValueError, match="Scope user is unsupported"):
        service.set_value("a", "x", scope="user")


def test_processes_can_write_at_the_same_time(service):
    """Several processes write to one file, and nothing is lost."""
    script = (
        "import logging, sys; from lab.stackstorm.datastore import DatastoreService as D\n"
        "service = D(logging.getLogger(), 'p', 'C')\n"
        "for n in range(50): service.set_value('{}-{}'.format(sys.argv[1], n), n, local=False)\n"
    )
    command = [sys.executable, "-c", f"import sys; sys.path.append({str(ROOT)!r})\n{script}"]

    writers = [subprocess.Popen([*command, name]) for name in "abcd"]

    assert [writer.wait(60) for writer in writers] == [0, 0, 0, 0]
    assert len(service.list_values(local=False, limit=-1)) == 200
