"""Where the bytes of an input come from (for a deflated Data Set: PS3.5 A.5).

A `Source` is read by position; a `FileSource` is one. A `DeflatedSource` is one *logical* stream: the bytes of the file
up to the Data Set (preamble and File Meta Information) as they are, then the inflated Data Set. Scanner and segment
script use offsets in that stream, so nothing above this module knows that there was compression. It can be read forward
only; a second look is a second pass. The way back is in module `sinks`.

Everything goes through fixed windows: memory does not depend on the length of the stream nor on its ratio.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from typing import Protocol

from dcmveil.errors import InputError, ParseError

__all__ = [
    "CHANGED",
    "CORRUPT",
    "CUT_SHORT",
    "DeflatedSource",
    "FileSource",
    "ForwardSource",
    "Inflater",
    "RangeReader",
    "Source",
]

_WINDOW_IN = 1 << 16
_WINDOW_OUT = 1 << 18
_TELLING = 5  # bytes: a zlib envelope, read without one, begins with a stored block whose two lengths do not agree

CHANGED = "changed while it was being read"
CORRUPT = "the deflated Data Set is corrupt"
CUT_SHORT = "the deflated Data Set is cut short"


class Source(Protocol):
    """An input that is read by position, of `size` bytes."""

    @property
    def size(self) -> int: ...

    def read_at(self, position: int, count: int, /) -> bytes:
        """The `count` bytes from `position` on; fewer where the input ends, or not all can be had at once."""


class ForwardSource(Protocol):
    """A stream that moves forward only."""

    @property
    def position(self) -> int: ...
    def read(self, count: int, /) -> bytes: ...
    def skip(self, count: int, /) -> int: ...


class FileSource:
    """A regular file, read by position; the file offset of `fd` is neither used nor moved."""

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.status = _look_at(fd)
        self.size = self.status.st_size

    def check(self) -> None:
        """Raises InputError if the file may be another one than when this was made.

        What is planned from one state must not be carried out on another: bytes that were found harmless would be
        copied from where there are others now. Times of modification can be set back, those of change cannot.
        """
        if _state(_look_at(self.fd)) != _state(self.status):
            raise InputError(CHANGED)

    def read_at(self, position: int, count: int) -> bytes:
        """The `count` bytes from `position` on; fewer only where the file ends. Raises InputError."""
        count = min(count, max(self.size - position, 0))  # memory is taken for bytes that exist only
        piece = self._read(position, count)
        if len(piece) == count:
            return piece
        pieces = [piece]
        while piece and len(piece) < count:
            position += len(piece)
            count -= len(piece)
            piece = self._read(position, count)
            pieces.append(piece)
        return b"".join(pieces)

    def _read(self, position: int, count: int) -> bytes:
        try:
            return os.pread(self.fd, count, position)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}") from error


def _look_at(fd: int) -> os.stat_result:
    try:
        return os.fstat(fd)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}") from error


def _state(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


class Inflater:
    """Inflates a Data Set as it comes, a window at a time: a raw deflate stream (RFC 1951); one in a zlib envelope
    (RFC 1950), as some writers make it, too. Bytes behind its end are ignored."""

    def __init__(self) -> None:
        self._head = b""
        self._inflater: zlib._Decompress | None = None
        self.is_done = False

    def inflate(self, deflated: bytes) -> Iterator[bytes]:
        """What the next bytes give; none at all say that there are no more. Raises zlib.error if it is corrupt."""
        if self._inflater is None:
            self._head += deflated
            if deflated and len(self._head) < _TELLING:
                return
            self._inflater, deflated = self._kind_of(self._head), self._head
        while not self.is_done:
            block = self._inflater.decompress(deflated, _WINDOW_OUT)
            deflated = self._inflater.unconsumed_tail
            self.is_done = self._inflater.eof
            if block:
                yield block
            elif not deflated:
                return

    @staticmethod
    def _kind_of(head: bytes) -> zlib._Decompress:
        """A new decompressor of the kind that can read these first bytes."""
        try:
            zlib.decompressobj(-zlib.MAX_WBITS).decompress(head, 1)
        except zlib.error:
            return zlib.decompressobj(zlib.MAX_WBITS)
        return zlib.decompressobj(-zlib.MAX_WBITS)


class DeflatedSource:
    """The logical stream of a source whose Data Set, from `dataset_start` on, is deflated.

    Where the deflate stream is corrupt or cut short, reading raises ParseError with the offset in the logical stream.
    """

    def __init__(self, source: Source, dataset_start: int) -> None:
        self._source = source
        self._dataset_start = dataset_start
        self.rewind()

    def rewind(self) -> None:
        """Start over: a new pass from the first byte."""
        self._blocks = self._logical_blocks()
        self._block = b""
        self._used = 0
        self.position = 0

    def read(self, count: int) -> bytes:
        """The next `count` bytes; fewer only at the end of the stream, none behind it."""
        return b"".join(self._pieces(count))

    def skip(self, count: int) -> int:
        """Pass over the next `count` bytes. Returns how many there were."""
        return sum(map(len, self._pieces(count)))

    def _pieces(self, count: int) -> Iterator[bytes]:
        while count and (self._used < len(self._block) or self._next_block()):
            piece = self._block[self._used : self._used + count]
            self._used += len(piece)
            self.position += len(piece)
            count -= len(piece)
            yield piece

    def _next_block(self) -> bool:
        self._block = next(self._blocks, b"")
        self._used = 0
        return bool(self._block)

    def _logical_blocks(self) -> Iterator[bytes]:
        for start in range(0, self._dataset_start, _WINDOW_IN):
            length = min(_WINDOW_IN, self._dataset_start - start)
            block = self._source.read_at(start, length)
            if len(block) < length:
                raise self._error("the file ends before its Data Set")
            yield block
        yield from self._inflated_blocks()

    def _inflated_blocks(self) -> Iterator[bytes]:
        at, inflater = self._dataset_start, Inflater()
        while not inflater.is_done:
            deflated = self._source.read_at(at, _WINDOW_IN)
            at += len(deflated)
            try:
                yield from inflater.inflate(deflated)
            except zlib.error:
                raise self._error(CORRUPT) from None
            if not (deflated or inflater.is_done):
                raise self._error(CUT_SHORT)

    def _error(self, message: str) -> ParseError:
        return ParseError(message, offset=self.position)


class RangeReader:
    """Ranges of the logical stream of a source, best asked for in ascending order.

    `dataset_start` is where a deflated Data Set begins, None if it is not deflated; `head` are the first bytes of the
    source, if they have been read already. One window is held; of a deflated stream no more than is asked for. Raises
    InputError, and ParseError for a corrupt deflate stream.
    """

    def __init__(self, source: Source, dataset_start: int | None = None, head: bytes = b"") -> None:
        self.source = source
        self._dataset_start = dataset_start or 0
        self._deflated = None if dataset_start is None else DeflatedSource(source, dataset_start)
        self._window = head
        self._start = 0

    def between(self, start: int, stop: int) -> bytes:
        """The bytes from `start` to `stop`. Raises InputError if the input ends before."""
        found = self._inflated(start, stop) if self._deflated else self._read(start, stop)
        if len(found) < stop - start:
            raise InputError("shrank while it was being read")
        return found

    def gather(self, ranges: Sequence[tuple[int, int]]) -> bytes:
        """The bytes of all ranges, which are in ascending order."""
        if ranges and ranges[-1][1] <= _WINDOW_IN and self._deflated is None:
            head = self._read(0, ranges[-1][1])  # an ordinary header: one look at it does
            if len(head) == ranges[-1][1]:
                return b"".join([head[start:stop] for start, stop in ranges])
        return b"".join([self.between(start, stop) for start, stop in ranges])

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The same, a window at a time."""
        while start < stop:
            end = min(stop, start + _WINDOW_OUT)
            yield self.between(start, end)
            start = end

    def deflated(self) -> tuple[int, int]:
        """Where in the source the deflated Data Set begins, and where it ends: with the source."""
        return self._dataset_start, self.source.size

    def stored(self, start: int, stop: int) -> bytes:
        """Bytes of the source itself."""
        return self.source.read_at(start, stop - start)

    def _read(self, start: int, stop: int) -> bytes:
        if start < self._start or stop > self._start + len(self._window):
            if stop > start + _WINDOW_IN:
                return self.source.read_at(start, stop - start)
            self._window = self.source.read_at(start, _WINDOW_IN)
            self._start = start
        return self._window[start - self._start : stop - self._start]

    def _inflated(self, start: int, stop: int) -> bytes:
        source = self._deflated
        assert source is not None
        if start < source.position:
            source.rewind()
        source.skip(start - source.position)
        return source.read(stop - start)
