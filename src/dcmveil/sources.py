"""Where the bytes of an input come from, and the way back for a deflated Data Set (PS3.5 A.5).

A `FileSource` is read by position. A `DeflatedSource` is one *logical* stream: the bytes of the file up to
the Data Set (preamble and File Meta Information) as they are, then the inflated Data Set. Scanner and segment
script use offsets in that stream, so nothing above this module knows that there was compression. It can be
read forward only; a second look is a second pass. `copy_script` and `DeflateWriter` are its sink.

Everything goes through fixed windows: memory does not depend on the length of the stream nor on its ratio.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from errno import ENODATA
from typing import Protocol

from dcmveil.errors import InputError, ParseError

__all__ = ["DeflateWriter", "DeflatedSource", "FileSource", "ForwardSource", "RangeReader", "copy_script"]

_WINDOW_IN = 1 << 16
_WINDOW_OUT = 1 << 18
_COPY_RECORD = 1 << 63
_WORD = struct.Struct("=Q")


class ForwardSource(Protocol):
    """A stream that moves forward only."""

    @property
    def position(self) -> int: ...
    def read(self, count: int, /) -> bytes: ...
    def skip(self, count: int, /) -> int: ...


class FileSource:
    """A regular file, read by position; the file offset of `fd` is neither used nor moved."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.size = os.fstat(fd).st_size

    def read_at(self, position: int, count: int) -> bytes:
        """The `count` bytes from `position` on; fewer only where the file ends. Raises InputError."""
        count = min(count, max(self.size - position, 0))  # memory is taken for bytes that exist only
        piece = self._read(position, count)
        pieces = [piece]
        while piece and len(piece) < count:
            position += len(piece)
            count -= len(piece)
            piece = self._read(position, count)
            pieces.append(piece)
        return b"".join(pieces)

    def _read(self, position: int, count: int) -> bytes:
        try:
            return os.pread(self._fd, count, position)
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror}") from error


class DeflatedSource:
    """The logical stream of a file whose Data Set, from `dataset_start` on, is deflated.

    The Data Set is a raw deflate stream (RFC 1951); one in a zlib envelope (RFC 1950), as some writers make
    it, is read too. Bytes behind the end of the deflate stream are ignored. Where it is corrupt or cut short,
    reading raises ParseError with the offset in the logical stream.
    """

    def __init__(self, fd: int, dataset_start: int) -> None:
        self._source = FileSource(fd)
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
        pending = self._source.read_at(self._dataset_start, _WINDOW_IN)
        at = self._dataset_start + len(pending)
        inflater = self._inflater(pending)
        while not inflater.eof:
            block = self._inflate(inflater, pending)
            if not (block or pending or inflater.eof):
                raise self._error("the deflated Data Set is cut short")
            if block:
                yield block
            pending = inflater.unconsumed_tail
            if not pending and not inflater.eof:
                pending = self._source.read_at(at, _WINDOW_IN)
                at += len(pending)

    @staticmethod
    def _inflater(head: bytes) -> zlib._Decompress:
        """A new decompressor of the kind that can read `head`, the first bytes of the deflated Data Set."""
        try:
            zlib.decompressobj(-zlib.MAX_WBITS).decompress(head, 1)
        except zlib.error:
            return zlib.decompressobj(zlib.MAX_WBITS)
        return zlib.decompressobj(-zlib.MAX_WBITS)

    def _inflate(self, inflater: zlib._Decompress, deflated: bytes) -> bytes:
        try:
            return inflater.decompress(deflated, _WINDOW_OUT)
        except zlib.error:
            raise self._error("the deflated Data Set is corrupt") from None

    def _error(self, message: str) -> ParseError:
        return ParseError(message, offset=self.position)


class RangeReader:
    """Ranges of the logical stream of a file, best asked for in ascending order.

    `dataset_start` is where a deflated Data Set begins, None if it is not deflated; `head` are the first bytes of the
    file, if they have been read already. One window is held; of a deflated stream no more than is asked for. Raises
    InputError, and ParseError for a corrupt deflate stream.
    """

    def __init__(self, fd: int, dataset_start: int | None = None, head: bytes = b"") -> None:
        self.fd = fd
        self._file = FileSource(fd)
        self._dataset_start = dataset_start or 0
        self._deflated = None if dataset_start is None else DeflatedSource(fd, dataset_start)
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
        if not ranges or ranges[-1][1] > _WINDOW_IN:
            return b"".join([self.between(start, stop) for start, stop in ranges])
        head = self.between(0, ranges[-1][1])  # an ordinary header: one look at it does
        return b"".join([head[start:stop] for start, stop in ranges])

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The same, a window at a time."""
        while start < stop:
            end = min(stop, start + _WINDOW_OUT)
            yield self.between(start, end)
            start = end

    def deflated(self) -> tuple[int, int]:
        """Where in the file the deflated Data Set begins, and where it ends: with the file."""
        return self._dataset_start, self._file.size

    def stored(self, start: int, stop: int) -> bytes:
        """Bytes of the file itself."""
        return self._file.read_at(start, stop - start)

    def _read(self, start: int, stop: int) -> bytes:
        if start < self._start or stop > self._start + len(self._window):
            first = start - start % _WINDOW_IN
            if stop > first + _WINDOW_IN:
                return self._file.read_at(start, stop - start)
            self._window = self._file.read_at(first, _WINDOW_IN)
            self._start = first
        return self._window[start - self._start : stop - self._start]

    def _inflated(self, start: int, stop: int) -> bytes:
        source = self._deflated
        assert source is not None
        if start < source.position:
            source.rewind()
        source.skip(start - source.position)
        return source.read(stop - start)


def copy_script(
    source: ForwardSource, script: bytes, write: Callable[[bytes], object], *, window: int = _WINDOW_OUT
) -> None:
    """Execute a segment script (format: module `_copier`) from a stream that moves forward only.

    The ranges of the COPY records must be in ascending order. `write` is given at most `window` bytes at a
    time. Raises OSError when the stream ends inside a COPY, ValueError for a malformed script, and what
    `source` and `write` raise.
    """
    at = 0
    while at < len(script):
        (head,), at = _unpack_word(script, at), at + _WORD.size
        if head & _COPY_RECORD:
            (length,), at = _unpack_word(script, at), at + _WORD.size
            _copy_range(source, head ^ _COPY_RECORD, length, write, window)
        elif head > len(script) - at:
            raise ValueError("malformed segment script")
        else:
            stop = at + head
            while at < stop:
                write(script[at : min(stop, at + window)])
                at = min(stop, at + window)


def _unpack_word(script: bytes, at: int) -> tuple[int]:
    try:
        return _WORD.unpack_from(script, at)
    except struct.error:
        raise ValueError("malformed segment script") from None


def _copy_range(source: ForwardSource, start: int, length: int, write: Callable[[bytes], object], window: int) -> None:
    gap = start - source.position
    if gap < 0:
        raise ValueError("malformed segment script")
    source.skip(gap)
    while length:
        piece = source.read(min(length, window))
        if not piece:
            raise OSError(ENODATA, "the input shrank while it was being read")
        write(piece)
        length -= len(piece)


class DeflateWriter:
    """Write a file whose Data Set is deflated.

    The first `raw_length` bytes are written as they are, the rest as one raw deflate stream, followed by a
    single NULL byte where that makes its length even (PS3.5 A.5).
    `level` is zlib's, 0 to 9. Nothing is complete before `finish`. `fd` is not closed. Raises OSError.
    """

    def __init__(self, fd: int, level: int = zlib.Z_DEFAULT_COMPRESSION, *, raw_length: int) -> None:
        self._fd = fd
        self._raw_left = raw_length
        self._deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._gathered = bytearray()
        self._deflated_length = 0
        self.written = 0

    def write(self, data: bytes) -> None:
        """Take the next bytes of the logical stream, any number of them."""
        raw = data[: self._raw_left]
        self._raw_left -= len(raw)
        self._gather(raw)
        for at in range(len(raw), len(data), _WINDOW_OUT):
            self._gather_deflated(self._deflater.compress(data[at : at + _WINDOW_OUT]))

    def finish(self) -> None:
        """End the deflate stream, pad it and write what is still gathered."""
        self._gather_deflated(self._deflater.flush())
        if self._deflated_length % 2:
            self._gather(b"\0")
        self._flush()

    def _gather_deflated(self, data: bytes) -> None:
        self._deflated_length += len(data)
        self._gather(data)

    def _gather(self, data: bytes) -> None:
        self._gathered += data
        self.written += len(data)
        if len(self._gathered) >= _WINDOW_OUT:
            self._flush()

    def _flush(self) -> None:
        with memoryview(self._gathered) as gathered:
            sent = 0
            while sent < len(gathered):
                sent += os.write(self._fd, gathered[sent:])
        self._gathered.clear()
