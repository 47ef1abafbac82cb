"""Where the bytes of an output go: segment scripts (format: module `_copier`) executed into a file or into segments.

For a deflated Data Set (PS3.5 A.5) the script is about the inflated stream: `copy_script` executes it from there, and a
`DeflateWriter` compresses what comes out. Everything goes through fixed windows: memory does not depend on lengths.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Mapping
from errno import ENODATA
from typing import Protocol

from dcmveil._copier import Copier
from dcmveil.descriptors import write_all
from dcmveil.held import Held, Segment
from dcmveil.sources import FileSource, ForwardSource, Source

__all__ = ["DeflateWriter", "FileOutput", "Output", "SegmentOutput", "copy_script", "without_first"]

_WINDOW = 1 << 18
_SHORT = 1 << 12  # bytes of a segment that is not worth being one
_COPY_RECORD = 1 << 63
_WORD = struct.Struct("=Q")


def _records(script: bytes) -> Iterator[tuple[int, int, bool]]:
    """Where each record has its bytes, start and length: of the input if it is a COPY, else of the script. ValueError
    if it is malformed."""
    at = 0
    while at < len(script):
        head, at = _word(script, at), at + _WORD.size
        if head & _COPY_RECORD:
            yield head ^ _COPY_RECORD, _word(script, at), True
            at += _WORD.size
        elif head > len(script) - at:
            raise ValueError("malformed segment script")
        else:
            yield at, head, False
            at += head


def _word(script: bytes, at: int) -> int:
    if len(script) - at < _WORD.size:
        raise ValueError("malformed segment script")
    return int(_WORD.unpack_from(script, at)[0])


# ---- from a stream ---------------------------------------------------------------------------------------------------


def copy_script(
    source: ForwardSource, script: bytes, write: Callable[[bytes], object], *, window: int = _WINDOW
) -> None:
    """Execute a segment script from a stream that moves forward only.

    The ranges of the COPY records must be in ascending order. `write` is given at most `window` bytes at a
    time. Raises OSError when the stream ends inside a COPY, ValueError for a malformed script, and what
    `source` and `write` raise.
    """
    for start, length, is_copy in _records(script):
        if is_copy:
            _copy_range(source, start, length, write, window)
            continue
        for at in range(start, start + length, window):
            write(script[at : min(start + length, at + window)])


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
    """Writes an object whose Data Set is deflated, by calls of `write`.

    The first `raw_length` bytes go as they are, the rest as one raw deflate stream, followed by a single NULL byte
    where that makes its length even (PS3.5 A.5). It is compressed in blocks of a fixed length, so that the stream does
    not depend on how its bytes came. `level` is zlib's, 0 to 9. Nothing is complete before `finish`.
    """

    def __init__(
        self, write: Callable[[bytes], object], level: int = zlib.Z_DEFAULT_COMPRESSION, *, raw_length: int
    ) -> None:
        self._write = write
        self._raw_left = raw_length
        self._deflater = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._block = bytearray()
        self._gathered = bytearray()
        self._deflated_length = 0
        self.written = 0

    def write(self, data: bytes | memoryview) -> None:
        """Take the next bytes of the logical stream, any number of them."""
        raw = data[: self._raw_left]
        self._raw_left -= len(raw)
        self._gather(raw)
        at = len(raw)
        while at < len(data):
            part = data[at : at + _WINDOW - len(self._block)]
            self._block += part
            at += len(part)
            if len(self._block) == _WINDOW:
                self._deflate()

    def finish(self) -> None:
        """End the deflate stream, pad it and write what is still gathered."""
        self._deflate()
        last = self._deflater.flush()
        self._deflated_length += len(last)
        self._gather(last + bytes(self._deflated_length % 2))
        self._flush()

    def _deflate(self) -> None:
        deflated = self._deflater.compress(self._block)
        self._block.clear()
        self._deflated_length += len(deflated)
        self._gather(deflated)

    def _gather(self, data: bytes | memoryview) -> None:
        self._gathered += data
        self.written += len(data)
        if len(self._gathered) >= _WINDOW:
            self._flush()

    def _flush(self) -> None:
        if self._gathered:
            self._write(bytes(self._gathered))
            self._gathered.clear()


# ---- into something --------------------------------------------------------------------------------------------------


class Output(Protocol):
    """Takes segment scripts over an input, or bytes."""

    @property
    def written(self) -> int:
        """Bytes of output so far."""

    @property
    def methods(self) -> Mapping[str, int]:
        """Bytes of the input by how they were copied."""

    def show(self, head: bytes) -> None:
        """The first bytes of the input, which need not be read once more."""

    def run(self, script: bytes) -> None:
        """Execute a script."""

    def write(self, data: bytes) -> None:
        """Take bytes that are in no input."""

    def finish(self) -> None:
        """All has been said."""

    def source(self) -> Source:
        """What has been written, to be read once more."""


class FileOutput:
    """From one descriptor into another. `method` is how bulk is copied, `dcmveil._copier.Copier` has them."""

    def __init__(self, source: int, target: int, size: int, method: str = "auto") -> None:
        self._target = target
        self._copier = Copier(source, target, size=size, method=method)
        self._bytes = 0

    @property
    def written(self) -> int:
        return self._bytes + self._copier.written

    @property
    def methods(self) -> Mapping[str, int]:
        return self._copier.methods

    def show(self, head: bytes) -> None:
        self._copier.show(head)

    def run(self, script: bytes) -> None:
        """Raises OSError, with ENODATA if the input has become shorter."""
        self._copier.run(script)

    def write(self, data: bytes) -> None:
        """Not to be mixed with scripts, whose last bytes may not have been written yet. Raises OSError."""
        write_all(self._target, data)
        self._bytes += len(data)

    def finish(self) -> None:
        self._copier.finish()

    def source(self) -> Source:
        return FileSource(self._target)


class SegmentOutput:
    """Into segments, with the bytes of the input that are `held`. What is short is joined: it is new bytes then."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self._segments: list[Segment] = []
        self._joined = bytearray()
        self.written = 0

    @property
    def methods(self) -> Mapping[str, int]:
        """Nothing was copied here."""
        return {}

    def show(self, head: bytes) -> None:
        """They are held."""

    def run(self, script: bytes) -> None:
        for start, length, is_copy in _records(script):
            if is_copy:
                self.copy(start, start + length)
            else:
                self.write(script[start : start + length])

    def copy(self, start: int, stop: int) -> None:
        """A range of the input."""
        for segment in self._held.segments(start, stop):
            self._put(segment)

    def write(self, data: bytes) -> None:
        self._put(Segment(None, None, data))

    def _put(self, segment: Segment) -> None:
        length = segment.length
        self.written += length
        if segment.data is not None and length < _SHORT:
            self._joined += segment.data
            if len(self._joined) < _WINDOW:
                return
            segment = Segment(None, None, b"")
        self._end_joined()
        if segment.length:
            self._segments.append(segment)

    def _end_joined(self) -> None:
        if self._joined:
            self._segments.append(Segment(None, None, bytes(self._joined)))
            self._joined.clear()

    def finish(self) -> None:
        """There is nothing that cannot be taken."""

    def take(self) -> list[Segment]:
        """The segments since they were last taken."""
        self._end_joined()
        taken, self._segments = self._segments, []
        return taken

    def source(self) -> Source:
        """All of it has to be here still."""
        self._end_joined()
        made = Held(self.written)
        for segment in self._segments:
            if segment.data is None:
                made.skip(segment.length)
            else:
                made.add(bytes(segment.data))
        return made


def without_first(segments: list[Segment], count: int) -> list[Segment]:
    """Segments without their first `count` bytes."""
    left: list[Segment] = []
    for segment in segments:
        part = min(count, segment.length)
        count -= part
        if part < segment.length:
            left.append(_behind(segment, part) if part else segment)
    return left


def _behind(segment: Segment, count: int) -> Segment:
    start = None if segment.start is None else segment.start + count
    return Segment(start, segment.stop, None if segment.data is None else segment.data[count:])
