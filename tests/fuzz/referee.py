"""What pydicom finds in an output, in a process of its own: pydicom takes as much memory as all that is tested here.

An object goes there after its length, in four bytes; the tags of what has the marker come back in the same way.
"""

from __future__ import annotations

import io
import os
import struct
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import BinaryIO

__all__ = ["Referee"]

INTERPRETER = "DCMVEIL_FUZZ_PYTHON"  # names it where Python is within something else


class Referee:
    """Starts the process when first asked. The end of this process is the end of that."""

    def __init__(self, mark: bytes) -> None:
        self.mark = mark
        self._pipes: tuple[BinaryIO, BinaryIO] | None = None

    def tags(self, data: bytes) -> list[int]:
        """Of the elements, but Sequences, in whose Value pydicom finds the marker, as far as it can read the object."""
        if self._pipes is None:
            self._pipes = self._start()
        there, back = self._pipes
        send(there, data)
        return [tag for (tag,) in struct.iter_unpack("<I", next(received(back)))]

    def _start(self) -> tuple[BinaryIO, BinaryIO]:
        (stdin, there), (back, stdout) = os.pipe(), os.pipe()
        python = os.environ.get(INTERPRETER) or sys.executable
        os.posix_spawn(
            python,
            [python, "-m", "tests.fuzz.referee", self.mark.decode()],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, stdin, 0), (os.POSIX_SPAWN_DUP2, stdout, 1)],
        )
        os.close(stdin)
        os.close(stdout)
        return os.fdopen(there, "wb"), os.fdopen(back, "rb")


def send(pipe: BinaryIO, data: bytes) -> None:
    pipe.write(struct.pack("<I", len(data)) + data)
    pipe.flush()


def received(pipe: BinaryIO) -> Iterator[bytes]:
    """Each message until nobody is at the other end."""
    while head := pipe.read(4):
        yield pipe.read(*struct.unpack("<I", head))


def found(data: bytes, mark: str) -> Iterator[int]:
    """By pydicom. What it cannot read it does not find."""
    import pydicom

    with suppress(Exception):
        for element in pydicom.dcmread(io.BytesIO(data), force=True).iterall():
            if element.VR != "SQ" and mark in str(element.value):
                yield int(element.tag)


if __name__ == "__main__":
    for message in received(sys.stdin.buffer):
        send(sys.stdout.buffer, b"".join(struct.pack("<I", tag) for tag in found(message, sys.argv[1])))
