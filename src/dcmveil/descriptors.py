"""Descriptors of files: read, written and closed so that neither a signal nor a short count makes a difference.

Python repeats most calls that a signal has interrupted, but not close: on Linux the descriptor is closed then, and may
be another file's by now. So one that was only read is put away, whatever close says; of one that was written close may
have to say that what was written has been lost, on network file systems first of all, so that is asked of a duplicate.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["opening", "put_away", "read_most", "read_start", "settle", "write_all"]


@contextmanager
def opening(path: str | os.PathLike[str], flags: int = os.O_RDONLY | os.O_CLOEXEC) -> Iterator[int]:
    """A descriptor to read from. Raises OSError."""
    fd = os.open(path, flags)
    try:
        yield fd
    finally:
        put_away(fd)


def put_away(fd: int) -> None:
    """Close what nothing was written to, or what has been settled."""
    with suppress(OSError):
        os.close(fd)


def settle(fd: int) -> None:
    """Has the file system taken what was written? Raises the OSError that closing would be too late for."""
    while True:
        duplicate = os.dup(fd)
        try:
            os.close(duplicate)
            return
        except InterruptedError:  # and perhaps before all was sent
            pass


def read_most(fd: int, count: int) -> bytes:
    """All that is left to read, but `count` bytes at most. Raises OSError."""
    pieces = []
    while count and (piece := os.read(fd, count)):
        pieces.append(piece)
        count -= len(piece)
    return b"".join(pieces)


def read_start(fd: int, count: int) -> bytes:
    """The first bytes of a file; fewer only where it ends. Raises OSError."""
    found = b""
    while len(found) < count and (piece := os.pread(fd, count - len(found), len(found))):
        found += piece
    return found


def write_all(fd: int, data: bytes | bytearray) -> None:
    """Raises OSError."""
    with memoryview(data) as view:
        sent = 0
        while sent < len(view):
            sent += os.write(fd, view[sent:])
