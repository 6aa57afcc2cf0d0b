"""A recovery that is hit at one point comes to a good end from there. Some of all points; `make chaos` takes more."""

from __future__ import annotations

import pytest

from testkit.chaos.points import all_points, survive
from testkit.chaos.tally import ALL, METHODS, POINTS, SEED, SHARD, STRIDE
from testkit.sampling import sampled

# They take a minute each: all are tried where a run asks for them.
CHOSEN = METHODS if ALL else sampled(METHODS)


@pytest.mark.parametrize("method", CHOSEN)
def test_no_point_loses_anything(cloud, roads, tally, method):
    """Each STRIDE-th point, in a world of its own; who is beyond the last request of its kind is no point."""
    points = SHARD.share(list(all_points(method))[SEED % STRIDE :: STRIDE])
    tally.ask(POINTS, len(points))
    beyond, hits = set(), 0
    for point in points:
        if point.kind in beyond:
            tally.beyond(POINTS)
        elif tally.story(POINTS, point, lambda at=point: survive(cloud, roads, at)):
            hits += 1
        else:
            beyond.add(point.kind)
    # All points of a small share may be beyond the last request, but for the first of a kind.
    assert hits or (SHARD.of > 1 and all(one.blow.number > 1 for one in points))
