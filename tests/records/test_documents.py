"""What a record says is what was written, or it is refused: cut off, altered, swapped, or of another shape."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Callable, Dict, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement_recovery.errors import RecordInvalid
from placement_recovery.records.document import checksum, dumps, loads
from placement_recovery.records.record import Progress, Saved, StepProgress
from testkit.records import NEW, SERVERS, STALE, consumer, progress, saved

ID = "3f9a2c0d11"
READERS: Dict[str, Tuple[str, Callable[[str, str], Any]]] = {
    "saved": (saved().to_text(), Saved.from_text),
    "progress": (
        progress(
            past_no_return=True, providers={STALE: NEW}, outcomes={SERVERS[0]: "gone"},
            steps={"save_allocations": StepProgress("done", 1, "then", "now", "told", "")},
        ).to_text(),
        Progress.from_text,
    ),
}


@pytest.mark.parametrize("part", READERS)
def test_it_reads_as_it_was_written(part):
    """To the last value."""
    text, read = READERS[part]
    assert read(ID, text).to_text() == text


def test_what_was_saved_comes_back_as_a_value():
    """Names in any script, types, all consumers in their order."""
    assert Saved.from_text(ID, saved().to_text()) == saved()


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.text(st.characters(exclude_categories=["Cs"])))
def test_names_and_reasons_of_others_come_back_whatever_they_are(name, reason):
    """They are text of users and operators."""
    was = saved(consumers=(consumer(SERVERS[0], name),), service=replace(saved().service, disabled_reason=reason))
    assert Saved.from_text(ID, was.to_text()) == was


@pytest.mark.parametrize("part", READERS)
def test_a_record_that_was_cut_off_is_refused(part):
    """At whatever byte."""
    text, read = READERS[part]
    for length in range(len(text)):
        with pytest.raises(RecordInvalid, match=f"recovery {ID}: its {part} record"):
            read(ID, text[:length])


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(READERS)), st.data())
def test_a_character_that_was_altered_is_noticed_or_without_meaning(part, data):
    """Such as one blank for another."""
    text, read = READERS[part]
    place = data.draw(st.integers(0, len(text) - 1))
    altered = text[:place] + data.draw(st.characters(exclude_categories=["Cs"])) + text[place + 1 :]
    try:
        found = read(ID, altered)
    except RecordInvalid:
        return
    assert found == read(ID, text)


def _at(document: Any, path: Tuple[Any, ...], value: Any) -> None:
    for step in path[:-1]:
        document = document[step]
    document[path[-1]] = value


TAMPERED = [
    ("saved", ("host",), "compute-1"),
    ("saved", ("method",), "discard"),
    ("saved", ("digest",), "ffffffffffff"),
    ("saved", ("started_by",), "somebody else"),
    ("saved", ("service", "status"), "disabled"),
    ("saved", ("tree", 0, "uuid"), NEW),
    ("saved", ("tree", 0, "inventories", "VCPU", "allocation_ratio"), 16.0),
    ("saved", ("tree", 0, "traits"), []),
    ("saved", ("consumers", 0, "disposition"), "drop"),
    ("saved", ("consumers", 1, "allocations", STALE, "VCPU"), 2),
    ("saved", ("consumers", 1, "generation"), 4),
    ("saved", ("consumers",), []),
    ("progress", ("state",), "finished"),
    ("progress", ("past_no_return",), False),
    ("progress", ("host",), "compute-1"),
    ("progress", ("steps", "save_allocations", "state"), "failed"),
    ("progress", ("providers",), {}),
    ("progress", ("saved",), "f" * 64),
    ("progress", ("attempt",), "0"),
]


@pytest.mark.parametrize(("part", "path", "value"), TAMPERED, ids=lambda item: str(item)[:60])
def test_a_field_that_was_altered_is_noticed(part, path, value):
    """Though it is of the right shape."""
    text, read = READERS[part]
    document = json.loads(text)
    _at(document, path, value)
    with pytest.raises(RecordInvalid, match=rf"recovery {ID}: its {part} record is not what was written \(checksum"):
        read(ID, json.dumps(document))


MISSHAPEN = [
    ("saved", ("consumers", 1, "allocations", STALE, "VCPU"), "many", "consumers/1/allocations/.*/VCPU: 'many' is not"),
    ("saved", ("consumers", 0, "disposition"), "kill", "consumers/0/disposition: 'kill' is not one of"),
    ("saved", ("tree", 0, "inventories", "VCPU", "total"), 0, "tree/0/inventories/VCPU/total: 0 is less than"),
    ("saved", ("tree",), [], "tree: "),
    ("saved", ("service", "status"), "UNKNOWN", "service/status: 'UNKNOWN' is not one of"),
    ("saved", ("method",), "adopt me", "method: 'adopt me' is not one of"),
    ("saved", ("version",), "2", "version: 2 was expected"),
    ("saved", ("extra",), 1, r"\(top\): Additional properties are not allowed"),
    ("progress", ("steps", "save_allocations", "tries"), 0, "steps/save_allocations/tries: 0 is less than"),
    ("progress", ("state",), "sleeping", "state: 'sleeping' is not one of"),
    ("progress", ("checksum",), "short", "checksum: 'short' does not match"),
]


@pytest.mark.parametrize(("part", "path", "value", "told"), MISSHAPEN, ids=lambda item: str(item)[:60])
def test_a_breach_of_the_schema_is_told_with_its_place(part, path, value, told):
    """So that a person finds it in a large document."""
    text, read = READERS[part]
    document = json.loads(text)
    _at(document, path, value)
    with pytest.raises(RecordInvalid, match=f"recovery {ID}: its {part} record breaks the schema at {told}") as caught:
        read(ID, json.dumps({**document, "checksum": checksum(document)} if path != ("checksum",) else document))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("part", READERS)
@pytest.mark.parametrize(
    "text", ["", "null", "[]", "3", '"text"', "{}", "\x00\x00", "[" * 100_000, "NaN"], ids=lambda text: repr(text)[:9]
)
def test_what_is_no_record_at_all_is_refused(part, text):
    """An empty file, a page of nulls, another program's value."""
    with pytest.raises(RecordInvalid, match=f"recovery {ID}: its {part} record"):
        READERS[part][1](ID, text)


@pytest.mark.parametrize("part", READERS)
def test_a_record_of_another_version_is_refused_with_words(part):
    """Whatever else it holds: by the same names another version may mean other things."""
    text, read = READERS[part]
    document = {**json.loads(text), "version": 3, "of_a_later_version": True}
    words = f"its {part} record has version 3, and this version of the pack reads version 2. Nothing is done with it"
    with pytest.raises(RecordInvalid, match=f"recovery {ID}: {words}"):
        read(ID, json.dumps(document))


@pytest.mark.parametrize("part", READERS)
def test_another_recoverys_record_is_refused(part):
    """Put there under this id."""
    text, read = READERS[part]
    with pytest.raises(RecordInvalid, match=f"recovery 0123456789: its {part} record belongs to recovery {ID}"):
        read("0123456789", text)


def test_nothing_of_a_wrong_shape_is_written():
    """A defect is found before it is relied on."""
    with pytest.raises(RecordInvalid, match="consumers/0/allocations"):
        saved(consumers=(_without_allocations(),)).to_text()
    with pytest.raises(RecordInvalid, match=r"recovery \?: its saved record breaks the schema"):
        dumps("saved", {})


def _without_allocations() -> Any:
    entry = consumer(SERVERS[0])
    return replace(entry, consumer=entry.consumer.holding({}))


def test_the_checksum_does_not_depend_on_the_order_of_keys():
    """Stores and tools may sort them otherwise."""
    document = json.loads(READERS["saved"][0])
    turned = json.dumps(dict(reversed(list(document.items()))))
    assert Saved.from_text(ID, turned) == saved()
    assert loads("saved", ID, turned) == document
