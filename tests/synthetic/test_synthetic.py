"""The generators make valid files of the promised size, and peak memory is measured for the right process."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import dictionary_VR

from tests.synthetic import (
    Chunk,
    Hole,
    ct_image,
    encapsulated_image,
    enhanced_ct,
    native_image,
    rt_structure_set,
    small_functional_groups,
    write_stream,
)
from tests.synthetic.rss import peak_rss

SHAPES: dict[str, Callable[[], Iterable[Chunk]]] = {
    "ct": lambda: ct_image(64, 64),
    "enhanced": lambda: enhanced_ct(3),
    "enhanced, undefined": lambda: enhanced_ct(3, undefined=True),
    "small groups": lambda: small_functional_groups(3),
    "small groups, undefined": lambda: small_functional_groups(3, undefined=True),
    "contours": lambda: rt_structure_set(40),
    "native": lambda: native_image(4096),
    "encapsulated": lambda: encapsulated_image(5, 100),
    "encapsulated, no table": lambda: encapsulated_image(5, 100, extended=False),
}
READERS = [name for name in ("dcmdump", "gdcmdump") if shutil.which(name)]


@pytest.fixture(params=SHAPES)
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    target = tmp_path / "synthetic.dcm"
    write_stream(target, SHAPES[request.param]())
    return target


def data_sets(dataset: pydicom.Dataset) -> Iterator[pydicom.Dataset]:
    """`dataset` and every Item below it."""
    yield dataset
    for element in dataset:
        for nested in element.value if element.VR == "SQ" else []:
            yield from data_sets(nested)


def test_tags_ascend_and_vrs_are_those_of_the_dictionary(path: Path) -> None:
    for dataset in data_sets(pydicom.dcmread(path)):
        tags = list(dataset.keys())
        assert tags == sorted(tags)
        public = [element for element in dataset if not element.tag.is_private]
        assert [element.tag for element in public if element.VR not in dictionary_VR(element.tag)] == []


@pytest.mark.parametrize("reader", READERS)
def test_other_toolkits_read_them(path: Path, reader: str) -> None:
    done = subprocess.run([reader, path], capture_output=True, check=True)
    assert not done.stderr


def test_an_enhanced_ct_has_about_110_elements_a_frame(tmp_path: Path) -> None:
    counts = []
    for frames in (1, 2):
        write_stream(tmp_path / "frames.dcm", enhanced_ct(frames))
        counts.append(len(list(pydicom.dcmread(tmp_path / "frames.dcm").iterall())))
    assert 100 <= counts[1] - counts[0] <= 120


def test_holes_are_not_stored_unless_asked_for(tmp_path: Path) -> None:
    sparse, filled = tmp_path / "sparse.dcm", tmp_path / "filled.dcm"
    assert write_stream(sparse, native_image(1 << 26)) == write_stream(filled, native_image(1 << 26), sparse=False)
    assert sparse.stat().st_size == filled.stat().st_size
    assert sparse.stat().st_blocks < filled.stat().st_blocks // 100


def test_bulk_above_the_largest_value_length_goes_to_the_float_pixel_data() -> None:
    holes = [chunk.length for chunk in native_image(8 << 30) if isinstance(chunk, Hole)]
    assert sum(holes) == 8 << 30
    assert max(holes) < 0xFFFFFFFF


@pytest.mark.ci
def test_headers_of_50_mb() -> None:
    for chunks in (small_functional_groups(), rt_structure_set()):
        assert 50_000_000 < sum(map(len, chunks)) < 52_000_000


def test_peak_memory_is_that_of_the_child() -> None:
    ballast = b"x" * (200 << 20)
    status, idle = peak_rss([sys.executable, "-c", "raise SystemExit(3)"])
    _, busy = peak_rss([sys.executable, "-c", "data = b'x' * (100 << 20)"])
    assert status == 3
    assert idle < 100 << 10
    assert 100 << 10 < busy < 200 << 10
    assert len(ballast) > busy << 10


def test_a_command_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(OSError, match="could not be started"):
        peak_rss(["no-such-command"])
