"""Segment scripts for tests: how to write one down, what it means, and arbitrary ones."""

from __future__ import annotations

import os
import random
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import strategies as st

if TYPE_CHECKING:
    from collections.abc import Iterator

KIB = 1 << 10
MIB = 1 << 20
INPUT = random.Random(2026).randbytes(3 * MIB + 77)

BLOCK = 4 * KIB

# The same with holes, one of them from block to block: what a sparse file holds that was written around them.
HOLES = ((64 * KIB, 256 * KIB), (MIB - 5, 2 * MIB + 77))
SPARSE = b"".join(
    INPUT[start:stop] + bytes(hole)
    for start, stop, hole in ((0, HOLES[0][0], 192 * KIB), (HOLES[0][1], HOLES[1][0], MIB + 82), (HOLES[1][1], None, 0))
)

# A Segment is DATA, or (start, length) of a COPY.
Segment = bytes | tuple[int, int]


def data(value: bytes) -> bytes:
    return struct.pack("=Q", len(value)) + value


def copy(start: int, length: int) -> bytes:
    return struct.pack("=QQ", start | 1 << 63, length)


def script_of(segments: list[Segment]) -> bytes:
    return b"".join(data(s) if isinstance(s, bytes) else copy(*s) for s in segments)


def meaning_of(segments: list[Segment], source: bytes = INPUT) -> bytes:
    """The naive executor: all in memory."""
    return b"".join(s if isinstance(s, bytes) else source[s[0] : s[0] + s[1]] for s in segments)


def write_sparse(path: Path) -> None:
    """A file that holds SPARSE, and no blocks where its holes are."""
    with path.open("wb") as file:
        for start, stop in zip((0, *(stop for _, stop in HOLES)), (*(start for start, _ in HOLES), None), strict=True):
            file.seek(start)
            file.write(SPARSE[start:stop])


@contextmanager
def opened(path: Path, flags: int = os.O_RDONLY) -> Iterator[int]:
    fd = os.open(path, flags, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


def child_environment() -> dict[str, str]:
    """Ours, with what we can import. A sanitized build is not to hold freed memory back: it would count as in use."""
    options = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ASAN_OPTIONS": options}


def run_python(code: str, *args: str | Path) -> str:
    """What a fresh interpreter prints for `code`; it must end well."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, args)],
        env=child_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# Lengths on both sides of every buffer and threshold of the executors, and tiny ones.
_edges = st.builds(
    lambda edge, off: edge + off,
    st.sampled_from([16 * KIB, 64 * KIB, 128 * KIB, 256 * KIB, MIB, 2 * MIB]),
    st.integers(-2, 2),
)
_lengths = st.integers(0, 300) | _edges
_copies = st.builds(
    lambda start, length: (start, min(length, len(INPUT) - start)), st.integers(0, len(INPUT)), _lengths
)
_inline = st.binary(max_size=40) | st.builds(lambda n: INPUT[:n], _edges)
segment_lists: st.SearchStrategy[list[Segment]] = st.lists(_copies | _inline, max_size=12)

# COPYs from one border of a block to another, or near to one.
_borders = st.builds(
    lambda block, off: min(max(block * BLOCK + off, 0), len(INPUT)),
    st.integers(0, len(INPUT) // BLOCK) | st.sampled_from([0, MIB // BLOCK, 2 * MIB // BLOCK]),
    st.sampled_from([0, 0, 0, -1, 1, 77]),
)
_ranges = st.builds(lambda one, other: (min(one, other), abs(one - other)), _borders, _borders | st.just(len(INPUT)))


def congruent(ranges: list[tuple[int, int, int]], base: int) -> list[Segment]:
    """COPYs, each after DATA that makes it `off` bytes from standing in its block as it does in the input. The
    output begins at `base`."""
    at, result = base, list[Segment]()
    for start, length, off in ranges:
        pad = (start + off - at) % BLOCK
        result += [INPUT[:pad], (start, length)]
        at += pad + length
    return result


congruent_ranges: st.SearchStrategy[list[tuple[int, int, int]]] = st.lists(
    st.builds(lambda where, off: (*where, off), _ranges, st.sampled_from([0, 0, 0, 1])), max_size=6
)


def ascending(segments: list[Segment]) -> list[Segment]:
    """The same, cut so that it can be executed by one forward pass over the input."""
    at, result = 0, list[Segment]()
    for segment in segments:
        if isinstance(segment, bytes):
            result.append(segment)
        elif segment[0] >= at:
            result.append(segment)
            at = sum(segment)
    return result


forward_segment_lists = st.builds(ascending, segment_lists)
