"""The map of a run: which new UID or Patient ID stands for which old one, a CSV for the site's own eyes.

This is the one file of this package with Values of Data Elements in it. Whoever has it can undo the replacement, so it
is for its owner alone (mode 0600, and no symbolic link is followed), and it is made only where it is asked for. Its two
columns, ``id_old`` and ``id_new``, are what the validation scripts of MIDI-B read.

Each pair is written once, as soon as it is known: a run that is interrupted has told of what it has done. To know what
was written a digest of 16 bytes is held of each pair, some 100 bytes of memory.
"""

from __future__ import annotations

import csv
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from dcmveil.descriptors import put_away, read_start, settle, write_all
from dcmveil.errors import OutputError, show_path

__all__ = ["map_to"]

HEADER = ("id_old", "id_new")
MODE = 0o600
DIGEST_BYTES = 16

_BEGINS = b"%s,%s\n" % tuple(name.encode("ascii") for name in HEADER)
_OPEN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW

_Pairs = Iterable[tuple[str, str]]


@contextmanager
def map_to(path: str) -> Iterator[Callable[[_Pairs], None]]:
    """A function that adds pairs of old and new to the map. What is no map is not overwritten: it may be the input."""
    with _errors_of(path):
        fd = os.open(path, _OPEN, MODE)
    try:
        with _errors_of(path):
            _make_ready(fd, path)
        lines = _Once()
        rows = csv.writer(lines, lineterminator=_Once.END)

        def add(pairs: _Pairs) -> None:
            rows.writerows(pairs)
            with _errors_of(path):
                write_all(fd, lines.take())

        add([HEADER])
        yield add
        with _errors_of(path):
            settle(fd)
    finally:
        put_away(fd)


def _make_ready(fd: int, path: str) -> None:
    """Empty, and for its owner only before anything is in it."""
    mode = os.fstat(fd).st_mode
    if not stat.S_ISREG(mode):
        raise OutputError(f"{show_path(path)}: is not a regular file")
    if read_start(fd, len(_BEGINS)) not in (b"", _BEGINS):
        raise OutputError(f"{show_path(path)}: exists and is no map")
    if stat.S_IMODE(mode) & ~MODE:
        os.fchmod(fd, MODE)
    os.ftruncate(fd, 0)


class _Once:
    """Gathers each line the first time it comes, and ends it as lines end elsewhere."""

    END = "\r\n"  # what it is given must end so: csv quotes CR and LF only if they are in its line terminator

    def __init__(self) -> None:
        self._lines = bytearray()
        self._seen: set[bytes] = set()

    def write(self, line: str) -> None:
        from hashlib import blake2b

        data = (line.removesuffix(self.END) + "\n").encode("utf-8", "backslashreplace")
        digest = blake2b(data, digest_size=DIGEST_BYTES).digest()
        if digest not in self._seen:
            self._seen.add(digest)
            self._lines += data

    def take(self) -> bytes:
        """What has been gathered since."""
        taken = bytes(self._lines)
        self._lines.clear()
        return taken


@contextmanager
def _errors_of(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OutputError(f"{show_path(path)}: map not written: {error.strerror}") from None
