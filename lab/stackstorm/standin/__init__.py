"""A stand-in for the few names of StackStorm that the pack's actions, sensors and tests import.

It is put on the path only where the real ``st2common`` cannot be imported: the same actions and tests run under both.
It has no module that StackStorm lacks: what actions and sensors are handed is in ``lab.stackstorm.services``.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


def install() -> bool:
    """Put the stand-in at the end of ``sys.path``; False where the real st2common is there and is left alone."""
    if importlib.util.find_spec("st2common") is not None:
        return str(FOLDER) in sys.path
    sys.path.append(str(FOLDER))
    return True
