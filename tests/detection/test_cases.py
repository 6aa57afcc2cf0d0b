"""Logs and alerts as collectors and public bug reports show them: what the right answer to each is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from placement_recovery.detection.alerts import receive
from placement_recovery.detection.logs import Fault, read_file
from placement_recovery.errors import InvalidInput

CASES = Path(__file__).resolve().parents[1] / "fixtures" / "cases"
EXPECTED = json.loads((CASES / "expected.json").read_text())
FIELDS = ("host", "node", "provider_name", "compute_node_uuid")


def of_kind(kind):
    """The names of the cases of a kind."""
    return sorted(name for name, case in EXPECTED.items() if case["kind"] == kind)


@pytest.mark.parametrize("name", of_kind("log"))
def test_each_log_is_read_right(name):
    """The faults in it, and the failures that only resemble one."""
    case = EXPECTED[name]
    events = list(read_file(str(CASES / case["file"])))
    faults = [{field: getattr(one, field) for field in FIELDS} for one in events if isinstance(one, Fault)]
    assert sorted(faults, key=str) == sorted(({name: one[name] for name in FIELDS} for one in case["faults"]), key=str)
    assert [one.kind for one in events if not isinstance(one, Fault)] == case["troubles"]


@pytest.mark.parametrize("name", of_kind("alert"))
def test_each_alert_names_the_right_host(name):
    """Where the host has two names, either is right: the plan takes both."""
    case, hosts = EXPECTED[name], []
    try:
        receive((CASES / case["file"]).read_text(), lambda payload: hosts.append(payload.host))
    except InvalidInput:
        assert case["refused"]
    assert len(hosts) == len(case["hosts"])
    for host, right in zip(hosts, case["hosts"]):
        assert host in (right if isinstance(right, list) else [right])
