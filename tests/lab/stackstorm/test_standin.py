"""The stand-in's base classes of actions and sensors keep what the pack relies on of StackStorm's."""

from __future__ import annotations

import pytest
from st2common.runners.base_action import Action
from st2reactor.sensor.base import PollingSensor

from lab.stackstorm import standin
from lab.stackstorm.services import ActionService

pytestmark = pytest.mark.skipif(not standin.install(), reason="the base classes here are StackStorm's own")


def test_missing_configuration_key_is_named():
    """self.config[...] of a key that is not there says which, and of which pack."""
    class Nothing(Action):
        def run(self):
            return self.config["cloud"]

    action = Nothing(config={}, action_service=ActionService("placement_recovery", "Nothing"))

    with pytest.raises(ValueError, match='Config for pack "placement_recovery" is missing key "cloud"'):
        action.run()


def test_polling_sensor_polls_until_it_is_stopped():
    """A polling sensor's run() calls poll() again and again, at its interval."""
    class Three(PollingSensor):
        polls = 0

        def poll(self):
            self.polls += 1
            if self.polls == 3:
                raise StopIteration

        setup = cleanup = add_trigger = update_trigger = remove_trigger = lambda *_: None

    sensor = Three(sensor_service=None, poll_interval=0)

    with pytest.raises(StopIteration):
        sensor.run()
    assert sensor.polls == 3
