"""Which logs are followed, from which position, and what is dispatched."""

from __future__ import annotations

import contextlib
import os

import pytest

from placement_recovery.detection.follow.globs import LogGlob
from placement_recovery.errors import ConfigurationError
from testkit.nova_log import Log, Sensor, fault, noise


def test_payload_has_everything_that_the_log_shows(sensor, log):
    """Host, node, provider, UUID, time, request, file and source."""
    log.write(fault(1))

    sensor.poll()

    assert sensor.service.dispatched[0].payload == {
        "host": "compute-0",
        "node": "compute-0",
        "provider_name": "compute-0",
        "compute_node_uuid": "00000001-1111-4222-8333-444444444444",
        "time": "2026-11-22 11:00:01.002",
        "request_id": "req-00000001-aaaa-4000-8000-000000000000",
        "file": str(log.path),
        "source": "log",
    }


def test_unknown_log_is_followed_from_its_end(service, log):
    """What was written before the sensor's first start is old."""
    log.write(fault(1))
    sensor = Sensor(service, log.path)

    sensor.poll()
    log.write(fault(2))

    assert sensor.poll() == ["compute-0"]
    assert sensor.uuids == ["2"]


def test_unknown_log_can_be_followed_from_its_beginning(service, log):
    """With log_start: begin."""
    log.write(fault(1))

    assert Sensor(service, log.path, from_start=True).poll() == ["compute-0"]


def test_log_that_appears_later_is_read_from_its_first_line(service, tmp_path):
    """The first lines of a new host may be the fault."""
    sensor = Sensor(service, tmp_path / "remote" / "*" / "nova-compute.log")
    sensor.poll()

    Log(tmp_path / "remote" / "compute-7" / "nova-compute.log").write(fault(1, "compute-7"))

    assert sensor.poll() == ["compute-7"]


def test_incomplete_line_at_the_start_is_skipped(service, log):
    """The sensor may start while a line is being written."""
    whole = fault(1)
    log.write(whole[:40])
    sensor = Sensor(service, log.path)
    sensor.poll()

    log.write(whole[40:] + fault(2))

    sensor.poll()
    assert sensor.uuids == ["2"]


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_pieces_give_the_same_faults_as_the_whole(sensor, log, size):
    """Wherever the polls fall between the writes."""
    data = noise() + fault(1) + noise() + fault(2)

    for start in range(0, len(data), size):
        log.write(data[start : start + size])
        if start // size % 5 == 0:
            sensor.poll()
    sensor.poll()

    assert sensor.uuids == ["1", "2"]


def test_fault_without_its_second_line_is_dispatched_when_the_log_is_quiet(sensor, log):
    """The answer 409 is the fault; the failed update behind it only names the node."""
    log.write(fault(1).splitlines(True)[0])

    assert sensor.poll() == []
    sensor.poll(3)
    assert sensor.uuids == ["1"]


def test_late_second_line_is_not_dispatched_again(sensor, log):
    """Not even after a restart."""
    first, *rest = fault(1).splitlines(True)
    log.write(first)
    sensor.poll(4)
    sensor.start()

    log.write(b"".join(rest))
    sensor.poll(4)

    assert sensor.uuids == ["1"]


def test_host_comes_from_the_path_of_a_central_tree(service, tmp_path):
    """The folder, which the collector named, takes precedence over the lines."""
    log = Log(tmp_path / "remote" / "rack1-compute-7" / "nova-compute.log")
    log.write(noise())
    sensor = Sensor(service, tmp_path / "remote" / "*" / "nova-compute.log")
    sensor.poll()

    log.write(fault(1, "compute-7.example.org"))
    sensor.poll()

    assert service.dispatched[0].payload["host"] == "rack1-compute-7"
    assert service.dispatched[0].payload["node"] == "compute-7.example.org"


@pytest.mark.parametrize(
    ("pattern", "path", "host"),
    [
        ("/r/*/nova-compute.log", "r/c-1/nova-compute.log", "c-1"),
        ("/r/*/nova/nova-compute.log", "r/c-1/nova/nova-compute.log", "c-1"),
        ("/r/*/*/nova-compute.log", "r/rack/c-1/nova-compute.log", "c-1"),
        ("/r/{host}/*/nova-compute.log", "r/c-1/today/nova-compute.log", "c-1"),
        ("/r/nova-compute.{host}.log", "r/nova-compute.c-1.example.org.log", "c-1.example.org"),
        ("/r/nova-*.log", "r/nova-compute.log", ""),
        ("/r/c-?/nova-compute.log", "r/c-1/nova-compute.log", ""),
        ("/r/nova-compute.log", "r/nova-compute.log", ""),
    ],
)
def test_pattern_names_the_host(tmp_path, pattern, path, host):
    """By {host}, or by the last folder that is * alone."""
    file = tmp_path / path
    file.parent.mkdir(parents=True)
    file.touch()

    assert list(LogGlob(f"{tmp_path}{pattern}").find()) == [(str(file), host)]


@pytest.mark.parametrize("pattern", ["a.log", "/v/**/a.log", "/{host}/{host}.log", "/v/{host}*.log", "/v//a.log"])
def test_ambiguous_pattern_is_refused(pattern):
    """The error names the option."""
    with pytest.raises(ConfigurationError, match="log_globs"):
        LogGlob(pattern)


def test_rotated_files_are_not_followed_by_a_wide_pattern(service, tmp_path, log):
    """A pattern that matches them too does not turn one log into two."""
    sensor = Sensor(service, tmp_path / "nova-compute.log*")
    sensor.poll()
    log.write(fault(1))
    sensor.poll()

    log.rename()
    log.write(noise())
    log.compress()
    log.write(fault(2))
    sensor.poll(3)

    assert sensor.uuids == ["1", "2"]


def test_one_file_under_two_names_is_one_log(service, tmp_path, log):
    """kolla's logs can also be reached through a link."""
    os.symlink(log.path, tmp_path / "same.log")
    sensor = Sensor(service, tmp_path / "*.log")
    sensor.poll()

    log.write(fault(1))

    assert len(sensor.poll(2)) == 1


def open_below(folder):
    """The files below a folder that this process has open."""
    found = []
    for one in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the descriptor of the listing itself
            found.append(os.readlink(f"/proc/self/fd/{one}"))
    return [one for one in found if one.startswith(f"{folder}/")]


def test_many_logs_are_followed_at_once(service, tmp_path):
    """More than are kept open."""
    logs = [Log(tmp_path / f"c-{number}" / "nova-compute.log") for number in range(300)]
    for one in logs:
        one.write(noise())
    sensor = Sensor(service, tmp_path / "*" / "nova-compute.log")
    sensor.poll()

    for one in logs[::50]:
        one.write(fault(1))
    sensor.poll(2)

    hosts = sorted(one.payload["host"] for one in service.dispatched)
    assert hosts == sorted(one.path.parent.name for one in logs[::50])
    assert len(open_below(tmp_path)) < 100
