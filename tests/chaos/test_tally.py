"""What a run says of itself: how much was asked for, tried, and failed; and what its shards leave to each other."""

from __future__ import annotations

import json

import pytest

from testkit.chaos.points import all_points
from testkit.chaos.tally import POINTS, TOPOLOGIES, Shard, Tally, result


@pytest.fixture
def tally(tmp_path):
    """A tally with a file of its own."""
    return Tally(str(tmp_path / "tally"))


def told(tally, tmp_path, kind):
    """What the closing line says of a kind."""
    lines = [json.loads(line) for line in (tmp_path / "tally").read_text().splitlines()]
    return result(kind, lines)


def test_a_failing_topology_counts_as_tried_and_as_failed(tally, tmp_path):
    """And what was asked for and not tried makes the run unfinished."""
    tally.ask(TOPOLOGIES, 25)
    tally.tried(TOPOLOGIES)
    tally.fail(TOPOLOGIES, "something was lost")
    found = told(tally, tmp_path, TOPOLOGIES)
    assert str(found) == "2 of 25 (1 failed)"
    assert found.problems == ("something was lost",)
    assert not found.is_whole


def test_a_failing_point_does_not_keep_the_next_one_from_being_tried(tally, tmp_path):
    """One that fails, one that ends well, one beyond the last request."""
    def lose():
        raise AssertionError("a server has no allocation")

    tally.ask(POINTS, 3)
    assert [tally.story(POINTS, "a point", story) for story in (lose, lambda: True, lambda: False)] == [
        True, True, False,
    ]
    found = told(tally, tmp_path, POINTS)
    assert str(found) == "2 of 3 (1 failed, 1 beyond the last request)"
    assert found.is_whole
    assert tally.failed == ["a point: a server has no allocation"]


@pytest.mark.parametrize("method", ["preserve", "discard", "transplant"])
def test_shards_try_each_point_once(method):
    """All together everything, and none what another one tries."""
    points = list(all_points(method))
    shares = [Shard(number, 8).share(points) for number in range(1, 9)]
    assert sorted(map(str, points)) == sorted(str(point) for share in shares for point in share)


@pytest.mark.parametrize("text", ["0/8", "9/8", "1", "a/b", ""])
def test_what_is_no_shard_is_refused(text):
    """k/n with k from 1 to n."""
    with pytest.raises(ValueError, match="a shard is k/n"):
        Shard.from_text(text)
