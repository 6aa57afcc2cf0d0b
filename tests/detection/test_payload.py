"""The payload of provider_creation_failed: the class and the trigger's schema agree."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import yaml

from placement_recovery.detection.payload import (
    FROM_ALERT,
    FROM_LOG,
    LONGEST,
    PROVIDER_CREATION_FAILED,
    SOURCES,
    ProviderCreationFailed,
)
from placement_recovery.errors import InvalidInput
from placement_recovery.names import MAX_NAME_LENGTH
from placement_recovery.triggers import check_payload
from testkit.host_names import HOSTILE

FILE = Path(__file__).resolve().parents[2] / "triggers" / "provider_creation_failed.yaml"
FAULT = {"host": "compute-0", "compute_node_uuid": "8c5b2c05-282e-4600-9a91-133ae31245c3", "time": "11:00", "file": "a"}


@pytest.fixture(scope="module")
def definition():
    """The trigger's metadata."""
    return yaml.safe_load(FILE.read_text())


def test_name_is_that_of_the_metadata(definition):
    """The reference of a trigger is PACK.NAME."""
    assert f"{definition['pack']}.{definition['name']}" == PROVIDER_CREATION_FAILED


def test_fields_are_those_of_the_schema(definition):
    """Each is required text, and there are no others: a rule may render any of them."""
    schema = definition["payload_schema"]

    assert sorted(one.name for one in fields(ProviderCreationFailed)) == sorted(schema["properties"])
    assert {(one["type"], one["required"]) for one in schema["properties"].values()} == {("string", True)}
    assert schema["additionalProperties"] is False


def test_limits_are_those_of_the_schema(definition):
    """The lengths of the host and the details, and the sources."""
    properties = definition["payload_schema"]["properties"]

    lengths = {name: one["maxLength"] for name, one in properties.items() if "maxLength" in one}
    assert lengths == {**LONGEST, "host": MAX_NAME_LENGTH}
    assert tuple(properties["source"]["enum"]) == SOURCES


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("host", ["c", "compute-0.example.org", "compute_0", "192.0.2.7", "fd00::7", "a" * 63])
def test_payload_meets_the_schema(source, host):
    """With and without details; those that are too long are cut."""
    full = ProviderCreationFailed(source=source, host=host, **dict.fromkeys(LONGEST, "x" * 5000))

    check_payload(PROVIDER_CREATION_FAILED, full.as_dict())
    check_payload(PROVIDER_CREATION_FAILED, ProviderCreationFailed(source=source, host=host).as_dict())
    assert {name: len(full.as_dict()[name]) for name in LONGEST} == LONGEST


@pytest.mark.parametrize("host", ["", "a" * 300, *HOSTILE])
def test_host_that_nova_cannot_have_is_refused(host):
    """The host is never cut or changed, because it alone decides anything."""
    with pytest.raises(InvalidInput, match=r"^payload field host: host name "):
        ProviderCreationFailed(source=FROM_LOG, host=host)


@pytest.mark.parametrize("name", ["source", "host", *LONGEST])
@pytest.mark.parametrize("value", [None, 7, b"x", ["x"]])
def test_field_that_is_not_text_is_refused(name, value):
    """The error names the field."""
    with pytest.raises(InvalidInput, match=f"^payload field {name}: must be text, not {type(value).__name__}$"):
        ProviderCreationFailed(**{"source": FROM_LOG, "host": "compute-0", name: value})


def test_unknown_source_is_refused():
    """The error lists the known ones."""
    with pytest.raises(InvalidInput, match=r"^payload field source: must be one of log, alert, audit, not 'rumour'$"):
        ProviderCreationFailed(source="rumour", host="compute-0")


def test_equal_reports_have_the_same_trace_tag():
    """So a repeated dispatch can be recognised."""
    tags = {ProviderCreationFailed(source=FROM_LOG, **FAULT).trace_tag for _ in range(2)}

    assert len(tags) == 1
    assert tags.pop().startswith("placement_recovery-compute-0-")


@pytest.mark.parametrize(
    "change", [{"source": FROM_ALERT}, {"host": "c"}, {"time": "11:01"}, {"file": "\ud800"}, {"request_id": "r"}]
)
def test_other_report_has_another_trace_tag(change):
    """Another source, host, time, file or request."""
    fault = {"source": FROM_LOG, **FAULT}

    changed = ProviderCreationFailed(**{**fault, **change})

    assert changed.trace_tag != ProviderCreationFailed(**fault).trace_tag
