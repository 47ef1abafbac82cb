"""Real files: what is not there to be edited leaves them as they are; what gdcmanon does right comes out the same."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

from dcmveil import Policy, deidentify_file
from dcmveil.editing import edit_file, plan_edits
from dcmveil.errors import DcmveilError
from tests.editing.support import edited_with_report, edits
from tests.reference.files import Sample, samples

MAX_SIZE = 4 << 20
ABSENT = edits(("clear", "0009,10FE"), ("remove", "0008,1140>0009,10FE"), ("clear", "9,2,NOBODY HAS THIS"))
IDENTITY = Policy.identity()
OPERATIONS = [
    ("empty", "10,10"), ("empty", "10,4000"), ("clear", "10,30"), ("clear", "20,4000"), ("remove", "8,20"),
    ("replace", "10,20=another ID"), ("replace", "8,50=ACC1"), ("replace", "8,1030=study"),
]  # fmt: skip


def small() -> list[Sample]:
    return [sample for sample in samples() if sample.path.stat().st_size <= MAX_SIZE]


def test_what_is_absent_leaves_every_real_file_as_it_is(tmp_path: Path) -> None:
    """All that can be read: nothing of them is refused, DICOMDIRs neither."""
    target, done = tmp_path / "out.dcm", 0
    for sample in small():
        try:
            deidentify_file(sample.path, target, IDENTITY)
        except DcmveilError:
            with pytest.raises(DcmveilError):
                edit_file(sample.path, target, ABSENT)
            continue
        report = edit_file(sample.path, target, ABSENT)
        assert target.read_bytes() == sample.path.read_bytes(), sample.name
        assert report.counts == {} or all(what == "keep" for _reason, what in report.counts), sample.name
        done += 1
    assert done > 50


def test_an_edit_of_every_real_file_and_back(tmp_path: Path) -> None:
    """Inserted and removed again: the bytes that were there at first."""
    there, back, done = tmp_path / "there.dcm", tmp_path / "back.dcm", 0
    insert, remove = edits(("replace", "0010,0033=19000101")), edits(("remove", "0010,0033"))
    for sample in small():
        try:
            edit_file(sample.path, there, insert)
        except DcmveilError:
            continue
        edit_file(there, back, remove)
        if plan_edits(there, remove).transfer_syntax != "1.2.840.10008.1.2.1.99":
            assert back.read_bytes() == sample.path.read_bytes(), sample.name
        done += 1
    assert done > 50


def test_a_plan_says_what_would_be_done(sample_image: Path, tmp_path: Path) -> None:
    operations = [("empty", "10,10"), ("remove", "8,20"), ("replace", "10,20=SECRET"), ("empty", "10,4000")]
    _out, report = edited_with_report(sample_image.read_bytes(), tmp_path, *operations)  # type: ignore[arg-type]
    plan = plan_edits(sample_image, edits(*operations))  # type: ignore[arg-type]
    assert plan.counts == report.counts
    assert [(line.tag, line.decision) for line in plan.edits] == [
        (0x00080020, "remove"), (0x00100010, "replace"), (0x00100020, "replace"), (0x00104000, "replace")
    ]  # fmt: skip
    assert "SECRET" not in repr(plan)


# ---- gdcmanon --------------------------------------------------------------------------------------------------

CHOSEN = [
    "CT_small.dcm", "MR_small_implicit.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm", "rtplan.dcm", "reportsi.dcm",
    "image_dfl.dcm", "test-SR.dcm", "waveform_ecg.dcm", "SC_rgb_rle.dcm",
]  # fmt: skip


def elements(path: Path) -> Dataset:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pydicom.dcmread(path)


def chosen() -> list[Path]:
    found = {sample.path.name: sample.path for sample in samples() if sample.name.startswith("pydicom/data/")}
    return [found[name] for name in CHOSEN if name in found]


@pytest.mark.parametrize("tool", [tool for tool in ("gdcmanon",) if shutil.which(tool)])
def test_gdcmanon_does_the_same(tool: str, tmp_path: Path) -> None:
    """What it does right: public text Attributes of the top level. Values by pydicom, group 0002 is another matter."""
    command = [tool, "--dumb", *[part for kind, text in OPERATIONS for part in (f"--{kind}", text)]]
    theirs, ours = tmp_path / "theirs.dcm", tmp_path / "ours.dcm"
    for path in chosen():
        subprocess.run([*command, str(path), str(theirs)], check=True, capture_output=True)
        edit_file(path, ours, edits(*OPERATIONS))  # type: ignore[arg-type]
        one, other = elements(theirs), elements(ours)
        assert sorted(one.keys()) == sorted(other.keys()), path.name
        assert one == other, path.name
    assert len(chosen()) > 5
