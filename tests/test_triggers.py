"""Actions dispatch triggers through StackStorm's API, with payloads that meet their schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.stackstorm import triggers
from lab.stackstorm.services import ActionService
from placement_recovery.errors import DispatchFailed, InvalidInput
from placement_recovery.triggers import check_payload, dispatch, dispatch_checked

NEEDS_APPROVAL = "placement_recovery.needs_approval"
PAYLOAD = {
    "host": "compute-0", "method": "preserve", "digest": "0123abcd", "finding": "stale", "summary": "a summary",
    "next": "st2 run", "text": "a text",
}  # fmt: skip


@pytest.fixture
def service(tmp_path, monkeypatch):
    """The action_service of an action whose triggers are kept in a file, and that file."""
    monkeypatch.setenv(triggers.PATH_VARIABLE, str(tmp_path / "datastore.sqlite"))
    return ActionService("placement_recovery", "ReceiveAlerts"), tmp_path / "datastore.sqlite"


def dispatched(datastore: Path):
    """The dispatched triggers."""
    return [(one.trigger, one.payload, one.trace_tag) for one in triggers.read(datastore)]


@pytest.mark.parametrize("dispatching", [dispatch, dispatch_checked])
def test_trigger_is_dispatched_with_its_payload_and_trace_tag(service, dispatching):
    """It arrives as it was given."""
    dispatching(service[0], NEEDS_APPROVAL, PAYLOAD, "tag")

    assert dispatched(service[1]) == [(NEEDS_APPROVAL, PAYLOAD, "tag")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"host": ""}, "host: '' "),
        ({"host": None}, "host: None is not of type 'string'"),
        ({"digest": "x"}, "digest: 'x' does not match"),
        ({"more": "x"}, "'more' was unexpected"),
        ({"finding": "x" * 65}, "finding: "),
    ],
)
def test_payload_that_breaks_the_schema_is_refused(service, change, words):
    """StackStorm would drop it without a word: the error names the field, and nothing is dispatched."""
    with pytest.raises(InvalidInput, match=words):
        dispatch(service[0], NEEDS_APPROVAL, {**PAYLOAD, **change}, "tag")
    assert dispatched(service[1]) == []


@pytest.mark.parametrize("field", sorted(PAYLOAD))
def test_each_field_is_required(field):
    """A rule may render any field."""
    with pytest.raises(InvalidInput, match=f"'{field}' is a required property"):
        check_payload(NEEDS_APPROVAL, {name: value for name, value in PAYLOAD.items() if name != field})


@pytest.mark.parametrize("trigger", ["placement_recovery.other", "core.st2.webhook", "placement_recovery.../pack", "x"])
def test_unknown_trigger_is_refused(service, trigger):
    """Only the pack's own triggers are dispatched."""
    with pytest.raises(InvalidInput, match="is not a trigger of this pack"):
        dispatch(service[0], trigger, PAYLOAD, "tag")


def test_unavailable_api_is_an_error():
    """The error says what to check; StackStorm's client raises errors of classes that the library does not import."""

    class Unavailable:
        def get_api_client(self):
            raise ConnectionError("Connection refused")

    class Service:
        datastore_service = Unavailable()

    with pytest.raises(DispatchFailed, match=r"Connection refused.*st2api answers"):
        dispatch(Service(), NEEDS_APPROVAL, PAYLOAD, "tag")
