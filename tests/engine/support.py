"""Driving the engine by hand: bytes in, in any pieces, segments out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path

from dcmveil import Policy, deidentify_file
from dcmveil._planner import Planner
from dcmveil.errors import DcmveilError
from dcmveil.resolver import Resolver
from dcmveil.sources import DeflatedSource, FileSource

Segment = tuple[str, int, int] | tuple[str, bytes]

SECRET = b"a secret for the engine's tests"


def logical(path: Path) -> bytes:
    """The bytes as the Planner sees them: the Data Set inflated if it is deflated."""
    planner = Policy.identity().planner()
    data = path.read_bytes()
    with suppress(DcmveilError):
        planner.feed(data)
    if not planner.deflated:
        return data
    fd = os.open(path, os.O_RDONLY)
    try:
        return DeflatedSource(FileSource(fd), planner.dataset_start).read(1 << 40)
    finally:
        os.close(fd)


def feed(planner: Planner, piece: bytes) -> None:
    """All of a piece, although the Planner stops once where the Data Set begins."""
    used = 0
    while used < len(piece):
        used += planner.feed(piece[used:])


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """`data` cut at the given offsets."""
    return [data[start:stop] for start, stop in pairwise([0, *cuts, len(data)])]


def segments(chunks: Sequence[bytes], policy: Policy) -> list[Segment]:
    """The segments for an object that arrives in these chunks."""
    planner = policy.planner()
    for chunk in chunks:
        feed(planner, chunk)
    planner.finish()
    resolver = Resolver(planner, policy.answers())
    resolver.answer()
    resolver.align()
    return planner.plan.segments()


def drained(chunks: Sequence[bytes], policy: Policy) -> list[Segment]:
    """As `segments`, but with what can be settled taken away after each chunk."""
    planner, found = policy.planner(), []
    resolver = Resolver(planner, policy.answers())
    for chunk in chunks:
        feed(planner, chunk)
        if planner.crowded and planner.cut() and resolver.may_write() and resolver.is_ready():
            resolver.answer()
            if not found:
                resolver.align()
            found += planner.plan.segments()
            planner.drop()
    planner.finish()
    resolver.answer()
    if not found:
        resolver.align()
    return found + planner.plan.segments()


def execute(data: bytes, script: Iterable[Segment]) -> bytes:
    """The output."""
    return b"".join(data[part[1] : part[2]] if part[0] == "copy" else part[1] for part in script)


def header_length(data: bytes) -> int:
    """Offset of the first Value of 256 bytes or more at top level, or all: what comes before is the header."""
    planner = Policy.identity().planner()
    at = 0
    with suppress(DcmveilError):
        while at < len(data):
            at += planner.feed(data[at : at + 64])
            if planner.ahead >= 256:
                return at
    return len(data)


def rewritten(data: bytes, policy: Policy) -> bytes:
    """The output of the pull driver for a file with these bytes."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.dcm"), Path(folder, "out.dcm")
        source.write_bytes(data)
        deidentify_file(source, target, policy)
        return target.read_bytes()
