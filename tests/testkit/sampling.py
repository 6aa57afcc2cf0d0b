"""Cases of which `make test` runs the first ones, and `make test-all` all."""

from __future__ import annotations

from typing import Any, Iterable, List

import pytest


def sampled(values: Iterable[Any], most: int = 1, several: bool = False) -> List[Any]:
    """The values for `parametrize`, of which those behind the first `most` are long.

    `several`: each is a tuple, for as many names.
    """
    chosen = list(values)
    later = chosen[most:]
    return [*chosen[:most], *(pytest.param(*(one if several else (one,)), marks=pytest.mark.long) for one in later)]
