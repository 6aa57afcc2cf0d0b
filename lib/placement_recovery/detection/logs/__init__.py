"""Lines of nova-compute's log in, faults out. Standard library only: the sensor imports nothing else."""

from __future__ import annotations

from placement_recovery.detection.logs.events import Event, Fault, Trouble
from placement_recovery.detection.logs.files import read_file, read_stream
from placement_recovery.detection.logs.parser import LogParser

__all__ = ["Event", "Fault", "LogParser", "Trouble", "read_file", "read_stream"]
