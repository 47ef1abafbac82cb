"""Data Elements per second of the scanner alone, over whole headers in memory.

`extra_info` has the number of elements and the rate. pydicom counts a sample of each shape as a check, so a
scanner that stops early cannot look fast.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO

import pydicom
import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from dcmveil._scanner import Scanner
from tests.synthetic import Chunk, Hole, ct_image, enhanced_ct, rt_structure_set, small_functional_groups

SHAPES: dict[str, Callable[[], Iterable[Chunk]]] = {
    "CT 64x64": lambda: ct_image(64, 64),
    "CT 512x512": ct_image,
    "multi-frame, defined lengths": lambda: enhanced_ct(1800),
    "multi-frame, undefined lengths": lambda: enhanced_ct(1800, undefined=True),
    "100,000 Items": small_functional_groups,
    "contours": rt_structure_set,
}


def whole(chunks: Iterable[Chunk]) -> bytes:
    return b"".join(bytes(chunk.length) if isinstance(chunk, Hole) else chunk for chunk in chunks)


def count_by_pydicom(data: bytes) -> int:
    return sum(1 for _ in pydicom.dcmread(BytesIO(data)).iterall())


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.benchmark(group="scanner")
def test_elements_per_second(benchmark: BenchmarkFixture, shape: str) -> None:
    data = whole(SHAPES[shape]())
    elements = benchmark(Scanner.count, data)
    benchmark.extra_info.update(bytes=len(data), elements=elements)
    if benchmark.stats is not None:  # None under --benchmark-disable
        benchmark.extra_info["elements_per_second"] = round(elements / benchmark.stats.stats.min)


@pytest.mark.parametrize("undefined", [False, True])
def test_the_scanner_counts_what_pydicom_counts(undefined: bool) -> None:
    for chunks in (ct_image(64, 64), enhanced_ct(5, undefined=undefined), rt_structure_set(40)):
        data = whole(chunks)
        assert Scanner.count(data) == count_by_pydicom(data)
