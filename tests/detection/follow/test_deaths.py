"""The sensor is killed, or what it needs is away: nothing is missed, and nothing is told twice but in one instant."""

from __future__ import annotations

import pytest

from testkit.nova_log import Killed, fault, noise


def kill_at(service, call, number=1):
    """Let the sensor die at the so manieth call of that name, before it takes effect."""
    seen = []

    def fail(name):
        seen.append(name)
        return Killed() if seen.count(call) == number and name == call else None

    service.fail = fail


def survive(sensor):
    """Poll until it is killed, and start it again."""
    with pytest.raises(Killed):
        sensor.poll(3)
    sensor.service.fail = lambda call: None
    sensor.start()
    sensor.poll(3)


def test_killed_before_a_trigger_goes_out_it_goes_out_later(sensor, log):
    """Nothing was remembered of what was not dispatched."""
    log.write(fault(1) + noise() + fault(2))
    kill_at(sensor.service, "dispatch", 2)

    survive(sensor)

    assert set(sensor.uuids) == {"1", "2"}


def test_killed_between_a_trigger_and_its_memory_it_goes_out_again_under_the_same_tag(sensor, log):
    """At least once: one trigger too many is harmless, one too few is not; the tag says that it is the same."""
    log.write(fault(1))
    kill_at(sensor.service, "set_value")

    survive(sensor)

    assert sensor.uuids == ["1", "1"]
    assert len({one.trace_tag for one in sensor.service.dispatched}) == 1


def test_killed_after_the_memory_nothing_goes_out_again(sensor, log):
    """What was remembered is behind it."""
    log.write(fault(1))
    sensor.poll()
    sensor.start()

    assert len(sensor.poll(3)) == 1


def test_cooldown_outlives_a_kill_that_the_offsets_did_not(sensor, log):
    """Half of a chunk was dispatched: with a cooldown, the half is not dispatched again."""
    sensor._options = (*sensor._options[:3], 360)
    sensor.start()
    log.write(b"".join(fault(number, f"c-{number}") for number in range(1, 60)))
    sensor.poll()
    assert len(sensor.nodes) == 50
    sensor.start()

    sensor.poll(2)

    assert sorted(sensor.nodes) == sorted(f"c-{number}" for number in range(1, 60))


def test_queue_that_is_away_holds_everything_up_and_loses_nothing(sensor, log, caplog):
    """What could not be dispatched waits, also over a restart."""
    sensor.service.fail = lambda call: ConnectionError("amqp is away") if call == "dispatch" else None
    log.write(fault(1))
    sensor.poll(2)
    log.write(fault(2))
    sensor.poll()
    sensor.start()
    assert sensor.poll() == []

    sensor.service.fail = lambda call: None
    sensor.poll(3)

    assert sensor.uuids == ["1", "2"]
    assert "waits: amqp is away" in caplog.text


def test_datastore_that_is_away_at_the_start_is_awaited(sensor, log, caplog):
    """StackStorm says None for an error as for nothing; its list does raise, and so no log is begun anew."""
    log.write(fault(1))
    sensor.start()
    away = ("get_value", "list_values")
    sensor.service.fail = lambda call: ConnectionError("503") if call in away else None
    assert sensor.poll(2) == []

    sensor.service.fail = lambda call: None

    assert len(sensor.poll(2)) == 1
    assert "where the logs were left off could not be read: 503. See that st2api answers" in caplog.text


def test_datastore_that_is_away_later_does_not_stop_the_triggers(sensor, log):
    """What is told is told; it is remembered as soon as it can be."""
    sensor.service.fail = lambda call: ConnectionError("503") if call == "set_value" else None
    log.write(fault(1))
    sensor.poll()
    log.write(fault(2))
    sensor.poll(2)
    assert sensor.uuids == ["1", "2"]

    sensor.service.fail = lambda call: None
    sensor.save()
    sensor.start()

    assert len(sensor.poll(2)) == 2


@pytest.mark.parametrize("text", ["", "{", "[]", '{"logs": {"/x": {}}}', '{"logs": [1]}', '{"told": {"c": "x"}}'])
def test_memory_that_cannot_be_read_is_begun_anew(sensor, log, text, caplog):
    """Somebody's hand in the datastore; the sensor says so and goes on."""
    (key,) = sensor.service.values
    sensor.service.values[key] = text
    sensor.start()
    sensor.poll()
    log.write(fault(1))

    assert len(sensor.poll(2)) == 1
    assert "cannot be read" in caplog.text


def test_each_machine_has_a_memory_of_its_own(sensor, monkeypatch):
    """Inodes are a machine's own."""
    sensor.save()
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    sensor.start()
    sensor.poll()
    sensor.save()

    assert len(sensor.service.values) == 2
