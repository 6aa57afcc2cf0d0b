"""A whole conversation: what is typed is matched, run through the runner on the test cloud, and answered."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from lab.stackstorm import runner


@pytest.fixture
def say(chat, cloud, tmp_path):
    """Type a line; the answer at the end."""
    datastore, config = tmp_path / "datastore.sqlite", cloud.config(store="datastore")

    def type_it(line):
        ((alias, parameters),) = chat.type(line)
        done = runner.run(
            chat.aliases[alias]["action_ref"],
            parameters,
            config=config,
            datastore=datastore,
            api_user="alice",
            python=Path(sys.executable),
        )
        return chat.answer(alias, done.result, done.status, **parameters)

    return type_it


def test_a_host_is_recovered_from_a_chat(cloud, say):
    """Look, ask for a method that needs approval, approve it with the words that are shown, look again."""
    host = cloud.stale_host(1)
    assert f"{host.host} has the stale provider {host.stale_uuid}; transplant: keep 1" in say(f"rp-status {host.host}")
    shown = say(f"recover-rp {host.host} method=discard")
    approve = re.search(r"To approve it: `(.+)`", shown)[1]
    assert re.fullmatch(rf"rp-approve {host.host} [0-9a-f]{{8}}", approve)
    with cloud.nova_compute(host.host):
        done = say(approve)
    assert "\n" not in done
    assert f"of {host.host} is finished" in done
    status = say(f"rp-status {host.host}").splitlines()
    assert "is healthy" in status[0]
    assert re.fullmatch(r"recovery \w{10} \(discard, \S+Z\): finished", status[1])
    assert len(status) == 2


def test_errors_are_one_line(cloud, say):
    """A host that nobody knows, a name that is none, nothing to resume."""
    assert say("recover-rp no-such-host").startswith("no-such-host is not recovered: nova knows no compute host")
    expected = {"rp-status a b": "host name 'a b' has ' '", "rp-resume no-such-host": "has no unfinished recovery"}
    for line, words in expected.items():
        answer = say(line)
        assert words in answer
        assert "\n" not in answer


def test_the_audit_answers(cloud, say):
    """With the stale host among its findings, or counted."""
    cloud.stale_host(0)
    first, *rest = say("rp-audit").splitlines()
    assert re.search(r"\d+ compute nodes and \d+ providers: .*\d+ stale provider", first)
    assert 1 <= len(rest) <= 11
