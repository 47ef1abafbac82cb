"""An object that comes once only and has to wait for its end: set aside in a file without a name, and done as a file.

For pipes and for web servers without ranges. A push driver is tried first, since most objects need not wait.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dcmveil.descriptors import put_away, write_all
from dcmveil.errors import InputError, LimitExceeded, show_path
from dcmveil.held import Segment
from dcmveil.output import nameless

if TYPE_CHECKING:
    from dcmveil.streaming import Driver

__all__ = ["first_segments", "new_file", "set_aside", "why_not"]

_ENOUGH = 4 << 20  # bytes held before any has gone out


def first_segments(driver: Driver, pieces: Iterator[bytes], head: bytearray) -> list[Segment] | None:
    """What goes out first, or nothing at the end of the input. None if that would have to be held back too long; `head`
    is what has been taken by then."""
    for data in pieces:
        head += data
        try:
            segments = driver.feed(data)
        except LimitExceeded:  # of what can be held, perhaps: a file need not be
            return None
        if segments:
            return segments
        if max(len(head), driver.held) > _ENOUGH:
            return None
    return []


@contextmanager
def set_aside(head: bytearray, pieces: Iterator[bytes]) -> Iterator[int]:
    """A file with what has been taken, which is forgotten, and what is still to come. It has no name, and is gone with
    this. Raises InputError."""
    try:
        fd = new_file()
    except OSError as error:
        raise InputError(why_not(error)) from None
    try:
        _fill(fd, head, pieces)
        yield fd
    finally:
        put_away(fd)


def _fill(fd: int, head: bytearray, pieces: Iterator[bytes]) -> None:
    try:
        write_all(fd, head)
        head.clear()
        for data in pieces:
            write_all(fd, data)
    except OSError as error:
        raise InputError(why_not(error)) from None


def new_file() -> int:
    """In TMPDIR, else where large files belong. Raises OSError."""
    return nameless(_folder())


def why_not(error: OSError) -> str:
    """What to tell where there is no room for it."""
    return f"cannot be set aside in {show_path(_folder())} (TMPDIR): {error.strerror}"


def _folder() -> str:
    return os.environ.get("TMPDIR") or "/var/tmp"
