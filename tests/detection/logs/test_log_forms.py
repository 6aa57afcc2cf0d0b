"""One log in every form, in pieces of any size: the same faults."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from placement_recovery.detection.logs import Fault, LogParser, OtherFailure
from testkit.logs import forms

CONFLICT = forms.sample("nova-34-name-conflict.log")
UNAVAILABLE = forms.sample("nova-34-placement-503-on-create.log")
DROPPED = forms.sample("nova-34-connection-dropped-on-create.log")
SHORT = CONFLICT[16:21] + CONFLICT[56:65]


def read(lines, **parameters):
    """All events of a file with these lines."""
    parser = LogParser(**parameters)
    return parser.feed(forms.as_bytes(lines)) + parser.close()


def fed_in_pieces(data, cuts):
    """All events of these bytes, fed piece by piece."""
    parser = LogParser()
    edges = [0, *sorted(cuts), len(data)]
    events = [event for start, end in zip(edges, edges[1:]) for event in parser.feed(data[start:end])]
    return events + parser.close()


FAULTS = read(CONFLICT)
NAMED = [replace(fault, host=forms.HOST) for fault in FAULTS]


def test_the_plain_form_holds_two_faults():
    """The reference for all other forms."""
    assert [type(fault) for fault in FAULTS] == [Fault, Fault]


@pytest.mark.parametrize("form", forms.NAMELESS.values(), ids=forms.NAMELESS)
def test_a_form_without_a_host_gives_the_same_faults(form):
    """The host is then the node."""
    assert read(form(CONFLICT)) == FAULTS


@pytest.mark.parametrize("form", forms.NAMING.values(), ids=forms.NAMING)
def test_a_form_with_a_host_gives_the_same_faults_on_that_host(form):
    """Header, journal and JSON name the host."""
    assert read(form(CONFLICT)) == NAMED


@pytest.mark.parametrize("form", forms.ALL.values(), ids=forms.ALL)
def test_the_callers_host_takes_precedence(form):
    """In a central tree the folder's name is the host."""
    assert {fault.host for fault in read(form(CONFLICT), host="from-the-path")} == {"from-the-path"}


@pytest.mark.parametrize("form", forms.ALL.values(), ids=forms.ALL)
@pytest.mark.parametrize(("lines", "kind"), [(UNAVAILABLE, "unavailable"), (DROPPED, "unreachable")])
def test_other_causes_are_other_failures_in_every_form(form, lines, kind):
    """No wrapper turns them into faults."""
    assert [(type(event), event.kind) for event in read(form(lines))] == [(OtherFailure, kind)] * 2


@pytest.mark.parametrize("form", forms.ALL.values(), ids=forms.ALL)
def test_each_single_cut_changes_nothing(form):
    """A log is read while it is written: a read may end at any byte."""
    data = forms.as_bytes(form(SHORT))
    whole = fed_in_pieces(data, [])
    assert len(whole) == 2
    step = 1 + len(data) // 120
    assert all(fed_in_pieces(data, [cut]) == whole for cut in range(1, len(data), step))


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(sorted(forms.ALL)))
def test_any_cuts_change_nothing(data, name):
    """Many cuts at once, within characters and line ends too."""
    content = forms.as_bytes(forms.ALL[name](SHORT))
    cuts = data.draw(st.lists(st.integers(0, len(content)), max_size=30))
    assert fed_in_pieces(content, cuts) == fed_in_pieces(content, [])


@pytest.mark.parametrize("name", [path.name for path in sorted(forms.SAMPLES.glob("*.log"))])
@settings(max_examples=25, deadline=None)
@given(cuts=st.lists(st.integers(0, 2**17), max_size=50))
def test_the_samples_in_random_pieces_give_the_same_events(name, cuts):
    """The real files, byte for byte."""
    data = (forms.SAMPLES / name).read_bytes()
    assert fed_in_pieces(data, [min(cut, len(data)) for cut in cuts]) == fed_in_pieces(data, [])


@pytest.mark.parametrize("form", forms.ALL.values(), ids=forms.ALL)
def test_lines_one_by_one_give_the_same_events(form):
    """The end of a split line comes alone, with none of the words that make a line worth reading."""
    data = forms.as_bytes(form(CONFLICT))
    ends = [index + 1 for index, byte in enumerate(data) if byte == ord("\n")]
    assert fed_in_pieces(data, ends) == fed_in_pieces(data, [])


def test_a_piece_that_ends_in_a_quoted_line_break_is_not_a_whole_line():
    """docker's mark of a whole line is a line's end; the text may end in a backslash and an n."""
    text = forms.oslo_json(CONFLICT[18:19])[0]
    text = text.replace("{", r'{"note": "first\\n and more", ', 1)
    cut = text.index(r"\\n and") + len(r"\\n")
    harmless = forms.docker(["nothing"] * 20)
    split = [forms.docker([part])[0] for part in (text[:cut], text[cut:])]
    split[0] = split[0].replace(r'\n","stream"', '","stream"')
    assert len(read([*harmless, *split, *harmless])) == 1


def test_single_bytes_give_the_same_events():
    """The smallest pieces there are."""
    data = forms.as_bytes(SHORT)
    assert fed_in_pieces(data, range(len(data))) == fed_in_pieces(data, [])


def test_a_form_without_time_has_the_time_of_its_wrapper():
    """devstack leaves time and process to the journal, which writes times in UTC."""
    records = forms.journal_json(forms.without_time_and_process(CONFLICT))
    assert {fault.time for fault in read(records)} == {"2026-11-22 11:00:32.672Z"}


def test_windows_line_ends_change_nothing():
    """Some collectors write them."""
    assert read([line + "\r" for line in CONFLICT]) == FAULTS


def test_a_record_from_another_source_is_read_line_by_line():
    """Loki delivers lines, not bytes."""
    parser = LogParser()
    assert [event for line in CONFLICT for event in parser.feed_line(line)] == FAULTS


def test_a_line_within_a_line_is_refused():
    """Otherwise the half line before would be joined with it."""
    parser = LogParser()
    parser.feed(b"half a li")
    with pytest.raises(ValueError, match="left a line incomplete"):
        parser.feed_line("a record")
