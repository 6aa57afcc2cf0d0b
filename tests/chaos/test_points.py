"""A recovery that is hit at one point comes to a good end from there. Some of all points; `make chaos` takes more."""

from __future__ import annotations

from testkit.chaos.points import all_points, survive
from testkit.chaos.tally import SEED, STRIDE


def test_no_point_loses_anything(cloud, roads, tally):
    """Each STRIDE-th point, in a world of its own; who is beyond the last request of its kind is no point."""
    beyond, hits = set(), 0
    for point in list(all_points())[SEED % STRIDE :: STRIDE]:
        if point.kind in beyond:
            continue
        if tally.point(point, lambda at=point: survive(cloud, roads, at)):
            hits += 1
        else:
            beyond.add(point.kind)
    assert hits
