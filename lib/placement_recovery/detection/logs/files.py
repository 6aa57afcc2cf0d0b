"""Whole logs, from files, plain or gzip, and open streams."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import BinaryIO, Iterator, Union, cast

from placement_recovery.detection.logs.events import Event
from placement_recovery.detection.logs.parser import LogParser

CHUNK = 256 * 1024

_GZIP = b"\x1f\x8b"
_OTHER_FORMATS = {b"BZh": "bzip2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd"}


def read_file(path: Union[str, Path], host: str = "") -> Iterator[Event]:
    """Yield the events of one log, plain or gzip. Raises OSError if it cannot be read to its end."""
    with open(path, "rb") as plain:
        start = plain.read(8)
        plain.seek(0)
        _refuse_other_formats(start)
        if not start.startswith(_GZIP):
            yield from read_stream(plain, str(path), host)
            return
        try:
            with gzip.open(plain, "rb") as unpacked:
                yield from read_stream(cast(BinaryIO, unpacked), str(path), host)
        except (EOFError, zlib.error) as error:
            raise OSError(f"the gzip data are broken: {error}") from error


def read_stream(stream: BinaryIO, file: str = "", host: str = "") -> Iterator[Event]:
    """Yield the events of a stream of bytes as they arrive, up to its end."""
    parser = LogParser(file, host)
    read = getattr(stream, "read1", stream.read)
    for chunk in iter(lambda: read(CHUNK), b""):
        yield from parser.feed(chunk)
    yield from parser.close()


def _refuse_other_formats(start: bytes) -> None:
    for magic, name in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise OSError(f"it is compressed by {name}; decompress it first, or pipe the log to -")
