"""Memory does not grow with the file, and limits are limits."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pydicom
import pytest

from dcmveil import Limits, Policy, deidentify_file
from dcmveil.errors import LimitExceeded
from tests.engine.support import SECRET, feed
from tests.engine.wire import END_SEQUENCE, element, file, item
from tests.synthetic import (
    Chunk,
    encapsulated_image,
    native_image,
    rt_structure_set,
    small_functional_groups,
    write_stream,
)
from tests.synthetic.rss import peak_rss

MEBIBYTE = 1 << 20
BULK, HEADER = 40 * 1024, 64 * 1024  # KiB that may be resident
SAMPLE = Path(__file__).parents[1] / "data" / "sample.dcm"


def peak_of(chunks: Iterable[Chunk], folder: Path, *options: str) -> int:
    """Peak resident KiB of a process that de-identifies this file."""
    source, target = folder / "source.dcm", folder / "target.dcm"
    write_stream(source, chunks)
    try:
        status, peak = peak_rss([sys.executable, "-m", "dcmveil", *options, source, target])
    finally:
        source.unlink()
        target.unlink(missing_ok=True)
    assert status == 0
    return peak


@pytest.mark.parametrize("kind", ["native", "encapsulated"])
def test_memory_does_not_grow_with_bulk(kind: str, tmp_path: Path) -> None:
    """64 MiB and, without writing it, 8 GiB."""
    makers: dict[str, Callable[[int], Iterable[Chunk]]] = {
        "native": lambda size: native_image(size * MEBIBYTE),
        "encapsulated": lambda size: encapsulated_image(size, MEBIBYTE),
    }
    small = peak_of(makers[kind](64), tmp_path)
    planned = [peak_of(makers[kind](size), tmp_path, "--dry-run", "--report", "/dev/null") for size in (64, 8192)]
    assert max(small, *planned) <= BULK
    assert planned[1] - planned[0] < 2 * 1024


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["native", "encapsulated"])
def test_memory_does_not_grow_with_8_gib_written(kind: str, tmp_path: Path) -> None:
    def maker(size: int) -> Iterable[Chunk]:
        return native_image(size * MEBIBYTE) if kind == "native" else encapsulated_image(size, MEBIBYTE)

    small, huge = peak_of(maker(64), tmp_path), peak_of(maker(8192), tmp_path)
    assert max(small, huge) <= BULK
    assert huge - small < 2 * 1024


@pytest.mark.parametrize(
    "chunks",
    [
        small_functional_groups,
        pytest.param(lambda: small_functional_groups(undefined=True), marks=pytest.mark.ci),
        pytest.param(rt_structure_set, marks=pytest.mark.ci),
        lambda: encapsulated_image(100_000, 64),
    ],
    ids=["100,000 Items", "100,000 Items of undefined length", "contours", "100,000 Fragments"],
)
def test_memory_does_not_grow_with_the_header(chunks: Callable[[], Iterable[Chunk]], tmp_path: Path) -> None:
    assert peak_of(chunks(), tmp_path) <= HEADER


def test_limits_refuse_and_leave_nothing(tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    for limits in (Limits(max_edits=5), Limits(max_depth=1), Limits(max_held=64)):
        with pytest.raises(LimitExceeded):
            deidentify_file(SAMPLE, target, Policy(secret=SECRET, limits=limits))
        assert list(tmp_path.iterdir()) == []


def ending(data: bytes, most: int, step: int) -> str:
    """What a Planner that may hold so much makes of an object in such pieces."""
    planner = Policy(secret=SECRET, limits=Limits(max_held=most)).planner()
    try:
        for start in range(0, len(data), step):
            feed(planner, data[start : start + step])
        planner.finish()
    except LimitExceeded:  # at an offset that does
        return "too much"
    return "planned"


@pytest.mark.parametrize("value", [b"1" * 282, b"1" * 99 + b"\0\1\0" + b"1" * 180, b"1" * 99 + b" " * 183, b"\1" * 282])
def test_limits_do_not_depend_on_the_pieces(value: bytes) -> None:
    """Nor does it on them whether a Value is held that turns out to be none, at its first byte or at a later one."""
    data = file(element(0x00080016, "UI", b"1.2") + element(0x00080100, "SH", value))
    found = set()
    for most in range(0, 480, 16):
        ends = {ending(data, most, step) for step in (1, 10, 100, len(data))}
        assert len(ends) == 1, most
        found |= ends
    assert found == {"planned", "too much"}


def test_a_long_sequence_becomes_one_of_undefined_length(tmp_path: Path) -> None:
    """Above `hold_limit` only; the content is the same."""
    read = []
    for limit in (0, 1 << 20):
        deidentify_file(SAMPLE, tmp_path / "out.dcm", Policy(secret=SECRET, limits=Limits(hold_limit=limit)))
        read.append(pydicom.dcmread(tmp_path / "out.dcm"))
    assert read[0] == read[1]
    recoded = [element.is_undefined_length for element in read[0] if element.VR == "SQ" and element.value]
    assert recoded.count(True) > [e.is_undefined_length for e in read[1] if e.VR == "SQ" and e.value].count(True)


def test_repeating_what_is_watched_costs_no_quadratic_time(tmp_path: Path) -> None:
    """A million code Items in (0012,0064) are an output, and so are thousands of SOP Class UIDs: the first stays."""
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    code = item(element(0x00080100, "SH", b"X "))
    codes = element(0x00120064, "SQ", code * 300_000 + END_SEQUENCE, length=0xFFFFFFFF)
    uid = element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")
    source.write_bytes(file(uid + element(0x00080018, "UI", b"1.2.3\0") + codes))
    deidentify_file(source, target, Policy(secret=SECRET))
    assert target.stat().st_size > source.stat().st_size
    source.write_bytes(file(uid * 10_000))
    deidentify_file(source, target, Policy(secret=SECRET))
    assert target.read_bytes().count(uid) == 1
