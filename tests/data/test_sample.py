"""The sample image is what its script makes, three readers take it, and de-identified it tells nothing.

pydicom, dcmdump (DCMTK) and gdcmdump (GDCM) are the readers; the latter two where they are installed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pydicom
import pytest

from tests.data.identity import MARKERS, NUMBERED
from tests.data.make_sample import PATH, build, kept_elements

READERS = [name for name in ("dcmdump", "gdcmdump") if shutil.which(name)]


@pytest.fixture(scope="module")
def deidentified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from dcmveil import Policy, deidentify_file

    target = tmp_path_factory.mktemp("sample") / "deidentified.dcm"
    deidentify_file(PATH, target, Policy(secret=b"sixteen bytes or more"))
    return target


def read_everything(path: Path) -> pydicom.Dataset:
    dataset = pydicom.dcmread(path)
    for element in dataset.iterall():
        assert element.value is not element
    return dataset


def run_reader(reader: str, path: Path) -> str:
    done = subprocess.run([reader, path], check=False, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stderr
    complaints = [line for line in done.stderr.splitlines() if not line.startswith("W: Found element")]
    assert not complaints  # DCMTK tells of each UN of undefined length, which is legal (PS3.5 6.2.2)
    return done.stdout


def test_the_script_makes_the_committed_bytes() -> None:
    assert build() == PATH.read_bytes()


def test_the_sample_is_small_enough_to_commit() -> None:
    assert PATH.stat().st_size < 60_000


def test_every_text_marker_has_its_own_number() -> None:
    data = build()
    front = NUMBERED.rstrip(b"#")
    markers = Counter(part[:3] for part in data.split(front)[1:])
    assert len(markers) == data.count(front) >= 100
    assert all(number.isdigit() for number in markers)


def test_the_sample_holds_every_kind_of_marker_and_kept_elements_hold_none() -> None:
    data = build()
    assert all(data.count(marker) > 1 for marker in MARKERS)
    assert all(data.count(kept) >= 1 for kept in kept_elements())
    assert not any(marker in kept for kept in kept_elements() for marker in MARKERS)


def test_pydicom_reads_the_sample() -> None:
    dataset = read_everything(PATH)
    assert len(list(dataset.iterall())) > 220
    assert len(dataset.PixelData) == dataset.Rows * dataset.Columns * 2


@pytest.mark.parametrize("reader", READERS)
def test_other_toolkits_read_the_sample(reader: str) -> None:
    assert "VEILME" in run_reader(reader, PATH)


def test_no_marker_is_left(deidentified: Path) -> None:
    data = deidentified.read_bytes()
    assert [marker for marker in MARKERS if marker in data] == []


def test_no_marker_is_left_in_what_a_reader_sees(deidentified: Path) -> None:
    values = str(read_everything(deidentified))
    assert [marker for marker in MARKERS if marker.decode() in values] == []


def test_kept_elements_are_the_same_bytes(deidentified: Path) -> None:
    data = deidentified.read_bytes()
    assert [kept[:8].hex() for kept in kept_elements() if kept not in data] == []


@pytest.mark.parametrize("reader", READERS)
def test_other_toolkits_read_the_output(reader: str, deidentified: Path) -> None:
    assert run_reader(reader, deidentified)
