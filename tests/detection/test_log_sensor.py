"""The sensor in its own process, as StackStorm runs it, on real logs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab.stackstorm import sensors, standin, triggers
from lab.stackstorm.runner import ROOT
from placement_recovery.detection.payload import PROVIDER_CREATION_FAILED
from placement_recovery.triggers import check_payload
from testkit.nova_log import Log, fault, noise

SAMPLES = Path(__file__).resolve().parent.parent / "fixtures" / "logs"
FAULTY = (
    "nova-26-name-conflict-after-failed-migration.log",
    "nova-26-name-conflict-json.log",
    "nova-34-name-conflict.log",
)
OTHER = ("nova-34-connection-dropped-on-create.log", "nova-34-placement-503-on-create.log", "nova-34-placement-503.log")


@pytest.fixture
def datastore(tmp_path):
    """The datastore's file."""
    return tmp_path / "datastore.sqlite"


@pytest.fixture
def start(tmp_path, datastore):
    """Start the sensor on the logs of this test; on return it follows them."""

    def run(**options):
        config = {"log_globs": [f"{tmp_path}/*/nova-compute.log"], "log_cooldown": 0, **options}
        running = sensors.start(
            "log_sensor.py", "LogSensor", config=config, datastore=datastore, poll_interval=0.1, python=sys.executable
        )
        started.append(running)
        await_log(running, "following")
        return running

    started = []
    yield run
    for one in started:
        one.close()


def await_log(running, words, seconds=30):
    """Wait until the sensor has logged these words."""
    deadline = time.monotonic() + seconds
    while words not in running.log():
        assert running.is_running, running.log()
        assert time.monotonic() < deadline, running.log()
        time.sleep(0.05)


def await_tags(datastore, count, seconds=30):
    """Wait until `count` different faults were dispatched, and assert that there are no more."""
    deadline = time.monotonic() + seconds
    while len(tags := {one.trace_tag for one in triggers.read(datastore)}) < count:
        assert time.monotonic() < deadline, tags
        time.sleep(0.05)
    assert len(tags) == count


@pytest.mark.parametrize("name", FAULTY)
def test_fault_in_a_real_log_is_dispatched(tmp_path, datastore, start, name):
    """The payload meets the trigger's schema, read as StackStorm reads it."""
    log = Log(tmp_path / "compute-0" / "nova-compute.log")
    log.write(noise())
    start(log_cooldown=360)

    log.write((SAMPLES / name).read_bytes())

    (one,) = triggers.wait(datastore)
    assert one.trigger == PROVIDER_CREATION_FAILED
    assert (one.payload["host"], one.payload["source"], one.payload["file"]) == ("compute-0", "log", str(log.path))
    check_payload(one.trigger, one.payload)


def test_other_failures_are_logged_and_not_dispatched(tmp_path, datastore, start):
    """All samples, before one fault."""
    log = Log(tmp_path / "compute-0" / "nova-compute.log")
    log.write(noise())
    running = start()

    for name in OTHER:
        log.write((SAMPLES / name).read_bytes())
    log.write(fault(7))

    (one,) = triggers.wait(datastore)
    assert one.payload["compute_node_uuid"].startswith("00000007")
    assert "for a reason that the pack does not recover" in running.log()


def test_killed_sensor_neither_repeats_nor_misses(tmp_path, datastore, start):
    """SIGKILL at any moment while the log grows and is rotated: the trace tags show each fault exactly once."""
    log = Log(tmp_path / "compute-0" / "nova-compute.log")
    log.write(noise())
    running = start()

    for number in range(1, 13):
        log.write(noise(number) + fault(number))
        if number % 4 == 0:
            log.rename()
        if number % 3 == 0:
            await_tags(datastore, number)
            running.kill()
            running = start()
    log.write(noise())

    await_tags(datastore, 12)
    # Only a kill between a dispatch and the save repeats a trigger, and this test kills four times.
    assert len(triggers.read(datastore)) <= 16


def test_sensor_survives_unusable_files(tmp_path, datastore, start):
    """A folder, a dead link and binary data where logs should be."""
    (tmp_path / "a" / "nova-compute.log").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "nova-compute.log").symlink_to("/nowhere")
    log = Log(tmp_path / "c" / "nova-compute.log")
    log.write(bytes(range(256)) * 100)
    running = start()

    log.write(b"\n" + fault(1))

    assert triggers.wait(datastore)
    assert running.is_running


def test_invalid_configuration_is_logged_at_the_start(tmp_path, datastore):
    """It is found in StackStorm's sensor log."""
    running = sensors.start(
        "log_sensor.py", "LogSensor", config={"log_globs": ["nova.log"]}, datastore=datastore, python=sys.executable
    )
    with running:
        running.wait(30)
        assert "log_globs: 'nova.log' is not an absolute path" in running.log()


def test_sensor_imports_nothing_of_openstack():
    """StackStorm's packages come first in its process, and keystoneauth1 cannot be imported beside them."""
    request = {
        "pack": "placement_recovery", "file": str(ROOT / "sensors" / "log_sensor.py"), "class_name": "LogSensor",
        "standin": str(standin.FOLDER), "config": {}, "poll_interval": 5,
    }  # fmt: skip
    script = (
        "import json, sys\nsys.path.insert(0, sys.argv[1])\nfrom lab.stackstorm.sensor_process import make_sensor\n"
        "sys.path.pop(0)\nmake_sensor(json.loads(sys.argv[2]))\nprint(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", script, str(ROOT), json.dumps(request)], capture_output=True, text=True, check=True
    )
    foreign = {"openstack", "keystoneauth1", "requests", "jsonschema", "yaml"}

    assert foreign & {name.split(".")[0] for name in json.loads(done.stdout)} == set()
