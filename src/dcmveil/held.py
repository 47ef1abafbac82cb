"""Bytes of an input that comes in order, kept as long as they may be asked for, and the segments they go out as."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

from dcmveil.errors import LimitExceeded

__all__ = ["Held", "Segment"]

_SMALL = 1 << 12  # bytes; what comes in smaller pieces is gathered
_GATHERED = 1 << 16


class Segment(NamedTuple):
    """Some bytes of an output: a range of the input, bytes that are new, or both where the range had been fed.

    `start` and `stop` are offsets in the input, in bytes, None for new bytes, for short ranges between such, and for
    all of a deflated object. `data` is None for a range that was advanced over: whoever has the input copies it from
    there. The repr shows no Value.
    """

    start: int | None
    stop: int | None
    data: bytes | memoryview | None

    @property
    def length(self) -> int:
        """Bytes of output."""
        if self.data is not None:
            return len(self.data)
        return (self.stop or 0) - (self.start or 0)

    def __repr__(self) -> str:
        return f"Segment({self.start}, {self.stop}, {self.length} bytes)"


class Held:
    """A Source (`dcmveil.sources`) of what has come so far and has not been dropped.

    `size` is the number of bytes that have come or been passed over, `bytes` of those that are held. Raises
    LimitExceeded for more than `most` of them.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._starts: list[int] = []
        self._pieces: list[bytes | bytearray] = []
        self._floor = 0
        self.size = 0
        self.bytes = 0

    def __repr__(self) -> str:
        return f"Held({self.bytes} bytes of {self.size})"

    def add(self, data: bytes) -> None:
        """The next bytes; those that have been dropped beforehand are not kept."""
        start, self.size = self.size, self.size + len(data)
        if start < self._floor:
            data = data[self._floor - start :]
            start = self._floor
        if not data:
            return
        self._check(len(data))
        self.bytes += len(data)
        last = self._pieces[-1] if self._pieces else b""
        if isinstance(last, bytearray) and self._stop() == start and len(last) < _GATHERED and len(data) < _SMALL:
            last += data
            return
        self._starts.append(start)
        self._pieces.append(data if len(data) >= _SMALL else bytearray(data))

    def _check(self, more: int) -> None:
        if more > self._most - self.bytes:
            raise LimitExceeded(
                f"more than {self._most} bytes would have to be held before they can go out: advance over long Values "
                "instead of feeding them, give the object as a file, or raise max_held",
                offset=self.size - more,
            )

    def skip(self, count: int) -> None:
        """The next bytes are not shown."""
        self.size += count

    def take_back(self, position: int) -> bytes:
        """The bytes from `position` on, which are no longer held, nor have come."""
        taken = self.read_at(position, self.size - position)
        self.size = position
        while self._starts and self._stop() > position:
            start, piece = self._starts.pop(), self._pieces.pop()
            self.bytes -= len(piece)
            if start < position:
                self._starts.append(start)
                self._pieces.append(piece[: position - start])
                self.bytes += position - start
        return taken

    def drop(self, position: int) -> None:
        """Nothing before this offset will be asked for."""
        self._floor = max(self._floor, position)
        count = bisect_right(self._starts, self._floor)
        if count and self._starts[count - 1] + len(self._pieces[count - 1]) > self._floor:
            count -= 1
        if count:
            self.bytes -= sum(map(len, self._pieces[:count]))
            del self._starts[:count], self._pieces[:count]
        if self._starts and self._starts[0] < self._floor:
            self._trim(self._floor - self._starts[0])

    def _trim(self, count: int) -> None:
        """Of a piece of which only the end is needed, a copy of that, if it is much shorter."""
        piece = self._pieces[0]
        if 2 * count >= len(piece):
            self._pieces[0] = piece[count:]
            self._starts[0] += count
            self.bytes -= count

    def read_at(self, position: int, count: int) -> bytes:
        """The `count` bytes from `position` on; fewer where a gap begins, or the end. Raises LimitExceeded in a gap."""
        stop = min(position + count, self.size)
        found: list[bytes | memoryview] = []
        for segment in self.segments(position, stop):
            if segment.data is None:
                if not found:
                    raise LimitExceeded("bytes that were advanced over have to be seen: feed them", offset=position)
                break
            found.append(segment.data)
        return b"".join(found)

    def segments(self, start: int, stop: int) -> Iterator[Segment]:
        """A range as segments: with bytes where they are held, without where they were passed over."""
        index = max(bisect_right(self._starts, start) - 1, 0)
        while start < stop:
            if index >= len(self._starts) or self._starts[index] >= stop:
                yield Segment(start, stop, None)
                return
            first, piece = self._starts[index], self._pieces[index]
            if start < first:
                yield Segment(start, first, None)
                start = first
            end = min(stop, first + len(piece))
            if start < end:
                yield Segment(start, end, _part(piece, start - first, end - first))
                start = end
            index += 1

    def _stop(self) -> int:
        return self._starts[-1] + len(self._pieces[-1])


def _part(piece: bytes | bytearray, start: int, stop: int) -> bytes | memoryview:
    """What is gathered may still grow, which it could not with a view on it."""
    if isinstance(piece, bytearray):
        return bytes(piece[start:stop])
    return piece if stop - start == len(piece) else memoryview(piece)[start:stop]
