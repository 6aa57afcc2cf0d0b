"""Lines of nova-compute's log in, faults out. Standard library only: the sensor imports nothing else.

events         the results: faults, and other failures
files          whole logs, from files and streams
parser         one log, bytes in and events out
line_splitter  bytes to whole lines
scan           which bytes are worth parsing
frames         the lines of container runtimes, put together again
wrappers       headers and JSON around nova's line, removed
entries        one record of nova's log
causes         what a record says about a failed creation
correlator     joins a cause with the failed update that follows it
anchors        nova's own sentences, by which its message is found
journal        the host of a journal's record that is written a field a line
jsontext       JSON from a log, read safely
"""

from __future__ import annotations

from placement_recovery.detection.logs.events import Event, Fault, OtherFailure
from placement_recovery.detection.logs.files import read_file, read_stream
from placement_recovery.detection.logs.parser import LogParser

__all__ = ["Event", "Fault", "LogParser", "OtherFailure", "read_file", "read_stream"]
