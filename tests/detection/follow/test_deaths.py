"""The sensor is killed, or StackStorm is unavailable: no fault is missed, and only one window repeats a trigger."""

from __future__ import annotations

import pytest

from testkit.nova_log import Killed, fault, noise


def kill_at(service, call, number=1):
    """Kill the sensor at call `number` of that name, before the call takes effect."""
    seen = []

    def fail(name):
        seen.append(name)
        return Killed() if seen.count(call) == number and name == call else None

    service.fail = fail


def survive(sensor):
    """Poll until it is killed, and restart it."""
    with pytest.raises(Killed):
        sensor.poll(3)
    sensor.service.fail = lambda call: None
    sensor.start()
    sensor.poll(3)


def test_kill_before_a_dispatch_delays_the_trigger(sensor, log):
    """Positions behind an undispatched fault are never saved."""
    log.write(fault(1) + noise() + fault(2))
    kill_at(sensor.service, "dispatch", 2)

    survive(sensor)

    assert set(sensor.uuids) == {"1", "2"}


def test_kill_between_dispatch_and_save_repeats_the_trigger_with_the_same_tag(sensor, log):
    """At least once: a surplus trigger is harmless, a missing one is not; the tag shows that both are the same."""
    log.write(fault(1))
    kill_at(sensor.service, "set_value")

    survive(sensor)

    assert sensor.uuids == ["1", "1"]
    assert len({one.trace_tag for one in sensor.service.dispatched}) == 1


def test_kill_after_the_save_repeats_nothing(sensor, log):
    """The saved positions are behind the fault."""
    log.write(fault(1))
    sensor.poll()
    sensor.start()

    assert len(sensor.poll(3)) == 1


def test_cooldown_is_saved_even_where_the_positions_are_not(sensor, log):
    """Half of a chunk was dispatched: because of the cooldown, that half is not dispatched again."""
    sensor._options = (*sensor._options[:3], 360)
    sensor.start()
    log.write(b"".join(fault(number, f"c-{number}") for number in range(1, 60)))
    sensor.poll()
    assert len(sensor.nodes) == 50
    sensor.start()

    sensor.poll(2)

    assert sorted(sensor.nodes) == sorted(f"c-{number}" for number in range(1, 60))


def test_unavailable_message_queue_delays_triggers_and_loses_none(sensor, log, caplog):
    """Undispatched faults wait, also across a restart."""
    sensor.service.fail = lambda call: ConnectionError("amqp is unavailable") if call == "dispatch" else None
    log.write(fault(1))
    sensor.poll(2)
    log.write(fault(2))
    sensor.poll()
    sensor.start()
    assert sensor.poll() == []

    sensor.service.fail = lambda call: None
    sensor.poll(3)

    assert sensor.uuids == ["1", "2"]
    assert "will retry: amqp is unavailable" in caplog.text


def test_datastore_that_is_unavailable_at_the_start_is_awaited(sensor, log, caplog):
    """StackStorm returns None for an error too, but its list raises: no log is mistaken for a new one."""
    log.write(fault(1))
    sensor.start()
    away = ("get_value", "list_values")
    sensor.service.fail = lambda call: ConnectionError("503") if call in away else None
    assert sensor.poll(2) == []

    sensor.service.fail = lambda call: None

    assert len(sensor.poll(2)) == 1
    assert "the log positions could not be read: 503. Check that st2api answers" in caplog.text


def test_datastore_that_becomes_unavailable_does_not_stop_the_triggers(sensor, log):
    """Triggers are dispatched at once, and the positions saved as soon as possible."""
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


@pytest.mark.parametrize("text", ["", "{", "[]", '{"logs": {"/x": {}}}', '{"logs": [1]}', '{"dispatched": {"c": "x"}}'])
def test_invalid_saved_positions_are_discarded(sensor, log, text, caplog):
    """Somebody edited the datastore: the sensor logs it and continues."""
    (key,) = sensor.service.values
    sensor.service.values[key] = text
    sensor.start()
    sensor.poll()
    log.write(fault(1))

    assert len(sensor.poll(2)) == 1
    assert "the saved log positions are invalid" in caplog.text


def test_each_machine_saves_its_own_positions(sensor, monkeypatch):
    """Inodes hold on one machine only."""
    sensor.save()
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    sensor.start()
    sensor.poll()
    sensor.save()

    assert len(sensor.service.values) == 2
