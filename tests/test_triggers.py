"""Actions emit triggers through StackStorm's API, and only such as meet their schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.stackstorm import triggers
from placement_recovery.errors import DispatchFailed, InvalidInput
from placement_recovery.triggers import PROVIDER_CREATION_FAILED, check_payload, dispatch

PAYLOAD = {
    "host": "compute-0", "node": "", "provider_name": "", "compute_node_uuid": "", "time": "", "request_id": "",
    "file": "", "source": "alert",
}  # fmt: skip


@pytest.fixture
def service(tmp_path, monkeypatch):
    """The action_service of an action whose triggers are kept in a file, and that file."""
    from st2common.services.dispatched import PATH_VARIABLE
    from st2common.standin import ActionService, ActionWrapper

    monkeypatch.setenv(PATH_VARIABLE, str(tmp_path / "datastore.sqlite"))
    return ActionService(ActionWrapper("placement_recovery", "ReceiveAlerts")), tmp_path / "datastore.sqlite"


def dispatched(datastore: Path):
    """What went out."""
    return [(one.trigger, one.payload, one.trace_tag) for one in triggers.read(datastore)]


def test_trigger_goes_out_with_its_payload_and_trace_tag(service):
    """What is dispatched arrives as it was given."""
    dispatch(service[0], PROVIDER_CREATION_FAILED, PAYLOAD, "tag")

    assert dispatched(service[1]) == [(PROVIDER_CREATION_FAILED, PAYLOAD, "tag")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": ""}, "host: '' "),
        ({"host": "a b"}, "host: 'a b' does not match"),
        ({"host": None}, "host: None is not of type 'string'"),
        ({"source": "rumour"}, "source: 'rumour' is not one of"),
        ({"more": "x"}, "'more' was unexpected"),
        ({"time": "x" * 65}, "time: "),
    ],
)
def test_payload_that_breaks_the_schema_is_refused(service, change, words):
    """StackStorm would drop it in silence, so it is an error that names the field, and nothing goes out."""
    with pytest.raises(InvalidInput, match=words):
        dispatch(service[0], PROVIDER_CREATION_FAILED, {**PAYLOAD, **change}, "tag")
    assert dispatched(service[1]) == []


@pytest.mark.parametrize("field", sorted(PAYLOAD))
def test_each_field_is_required(field):
    """A rule may render any field, so each is there, if only empty."""
    with pytest.raises(InvalidInput, match=f"'{field}' is a required property"):
        check_payload(PROVIDER_CREATION_FAILED, {name: value for name, value in PAYLOAD.items() if name != field})


@pytest.mark.parametrize("trigger", ["placement_recovery.other", "core.st2.webhook", "placement_recovery.../pack", "x"])
def test_trigger_of_nobody_is_refused(service, trigger):
    """Only the pack's own triggers are emitted."""
    with pytest.raises(InvalidInput, match="no trigger of this pack"):
        dispatch(service[0], trigger, PAYLOAD, "tag")


def test_api_that_does_not_take_it_is_told():
    """The error says what to look at; StackStorm's client raises errors of classes that the library does not know."""

    class Away:
        def get_api_client(self):
            raise ConnectionError("Connection refused")

    class Service:
        datastore_service = Away()

    with pytest.raises(DispatchFailed, match=r"Connection refused.*st2api answers"):
        dispatch(Service(), PROVIDER_CREATION_FAILED, PAYLOAD, "tag")
