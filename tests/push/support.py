"""Objects that come in pieces: through the push drivers, with the segments put together to an output."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Protocol

from dcmveil import Segment

__all__ = ["CHUNKINGS", "Driver", "assembled", "fed", "in_chunks", "random_chunks", "skipped"]


class Driver(Protocol):
    """What all push drivers have."""

    @property
    def ahead(self) -> int: ...
    def feed(self, data: bytes, /) -> list[Segment]: ...
    def advance(self, count: int, /) -> list[Segment]: ...
    def finish(self) -> list[Segment]: ...


def random_chunks(seed: int) -> Iterator[int]:
    chooser = random.Random(seed)
    while True:
        yield chooser.choice([1, 2, 7, 100, 1000, 5000, 70_000, 300_000])


# How the bytes come: all at once, as from a socket, in the sizes at which something begins or ends, one by one.
CHUNKINGS: dict[str, Callable[[int], Iterator[int]]] = {
    "whole": lambda seed: cycle([1 << 40]),
    "64 KiB": lambda seed: cycle([1 << 16]),
    "1,000 bytes": lambda seed: cycle([1000]),
    "random": random_chunks,
}


def in_chunks(data: bytes, sizes: Iterator[int]) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        size = next(sizes)
        yield data[at : at + size]
        at += size


def fed(driver: Driver, data: bytes, sizes: Iterator[int]) -> list[Segment]:
    """The segments of an object all of which is fed."""
    found = [segment for piece in in_chunks(data, sizes) for segment in driver.feed(piece)]
    return found + driver.finish()


def skipped(driver: Driver, data: bytes, sizes: Iterator[int], least: int = 1) -> list[Segment]:
    """The same, but from `least` bytes ahead on they are advanced over."""
    found: list[Segment] = []
    at = 0
    while at < len(data):
        if driver.ahead >= least:
            count = min(driver.ahead, len(data) - at)
            found += driver.advance(count)
        else:
            count = min(next(sizes), len(data) - at)
            found += driver.feed(data[at : at + count])
        at += count
    return found + driver.finish()


def assembled(segments: list[Segment], data: bytes) -> bytes:
    """The output; what was advanced over comes from the input, and what was fed is what stands there."""
    for segment in segments:
        if segment.data is not None and segment.start is not None:
            assert segment.data == data[segment.start : segment.stop]
    return b"".join(data[one.start : one.stop] if one.data is None else one.data for one in segments)
