"""The same secret gives the same bytes, wherever and however it is run; another secret, or none, gives others.

Every run is a process of its own, with its own seed of hashes, language, and current folder.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from tests.cli.persons import ALL, MODIFIED, person, read, uids, write_secret
from tests.cli.support import TALLY
from tests.hostile.forms import FORMS
from tests.reversible.support import bundled

PATIENTS = 12
REAL = (
    "CT_small.dcm", "ExplVR_BigEnd.dcm", "MR_small_implicit.dcm", "chrH32.dcm", "image_dfl.dcm", "liver_1frame.dcm",
    "nested_priv_SQ.dcm", "reportsi.dcm", "rtplan.dcm", "test-SR.dcm",
)  # fmt: skip
TRIAL = ("--trial", "ClinicalTrialSponsorName=Sponsor")

Expected = tuple[tuple[object, ...], Mapping[str, bytes]]  # options, and outputs by name


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`in` has two objects of each of several persons, in all encodings, and real files; there are two secrets."""
    folder = tmp_path_factory.mktemp("machine")
    source = folder / "in"
    source.mkdir()
    for number in range(2 * PATIENTS):
        data = person(number // 2, FORMS[number % len(FORMS)], x00080018=b"2.999.9.%d" % number)
        (source / f"person{number:02}.dcm").write_bytes(data)
    for name in REAL:
        shutil.copy(bundled(name), source / name)
    write_secret(folder / "secret")
    write_secret(folder / "other", b"another secret of sixteen bytes")
    return folder


def run(*arguments: object, cwd: Path, seed: int = 0, language: str = "C.UTF-8", zone: str = "UTC") -> None:
    """In a process that is as far from others as one machine allows."""
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("GDCM_")}
    surroundings |= {"PYTHONHASHSEED": str(seed), "LANG": language, "LC_ALL": language, "TZ": zone}
    command = [sys.executable, "-m", "dcmveil", *map(str, arguments)]
    done = subprocess.run(command, check=False, capture_output=True, cwd=cwd, env=surroundings, timeout=60, text=True)
    said = [
        line for line in TALLY.sub("", done.stderr).splitlines() if "Patient ID" not in line and "secret" not in line
    ]
    assert (done.returncode, done.stdout, said) == (0, "", [])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module", params=[ALL, MODIFIED], ids=["all Options", "new UIDs"])
def expected(request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Expected:
    """What one process makes of the folder."""
    here = tmp_path_factory.mktemp("first")
    options = ("--secret-file", folder / "secret", *request.param, *TRIAL)
    run(*options, folder / "in", here / "out", cwd=here)
    found = contents(here / "out")
    assert len(found) == 2 * PATIENTS + len(REAL)
    return options, found


@pytest.mark.parametrize("jobs", [1, 2, 3])
def test_other_surroundings_and_processes(jobs: int, folder: Path, expected: Expected, tmp_path: Path) -> None:
    options, outputs = expected
    os.symlink(folder / "in", tmp_path / "link")
    run(*options, "--jobs", jobs, "link", "out", cwd=tmp_path, seed=jobs, language="C", zone="Asia/Tokyo")
    assert contents(tmp_path / "out") == outputs


def test_one_file_at_a_time_in_any_order(folder: Path, expected: Expected, tmp_path: Path) -> None:
    options, outputs = expected
    names = sorted(outputs, reverse=True)[::3]
    for number, name in enumerate(names):
        run(*options, folder / "in" / name, name, cwd=tmp_path, seed=number)
    found = contents(tmp_path)
    assert [name for name in names if found.get(name) != outputs[name]] == []


def test_the_order_of_a_folder_does_not_count(folder: Path, expected: Expected, tmp_path: Path) -> None:
    """Nor do names, or what else was in the folder."""
    options, outputs = expected
    (tmp_path / "turned").mkdir()
    names = sorted(outputs, reverse=True)[::2]
    for number, name in enumerate(names):
        shutil.copy(folder / "in" / name, tmp_path / "turned" / f"{number:03}")
    run(*options, "--map", "map.csv", "--report", "report", "turned", "out", cwd=tmp_path, seed=7)
    assert {names[int(name)]: data for name, data in contents(tmp_path / "out").items()} == {
        name: outputs[name] for name in names
    }


# ---- another secret, or none ---------------------------------------------------------------------------------------


def outputs_of(here: Path, folder: Path, *options: object) -> dict[str, Path]:
    run(*options, *MODIFIED, folder / "in", here, cwd=folder)
    return {path.name: path for path in here.iterdir()}


def all_uids(outputs: Mapping[str, Path]) -> set[str]:
    return {uid for path in outputs.values() for uid in uids(read(path))}


def test_another_secret_has_no_uid_in_common(folder: Path, tmp_path: Path) -> None:
    """Nor a pseudonym; and the dates of most patients are shifted by another number of days."""
    one = outputs_of(tmp_path / "one", folder, "--secret-file", folder / "secret")
    other = outputs_of(tmp_path / "other", folder, "--secret-file", folder / "other")
    originals = {path.name: path for path in (folder / "in").iterdir()}
    found = [all_uids(outputs) for outputs in (originals, one, other)]
    assert min(map(len, found)) > 5 * PATIENTS
    assert [first & second for first, second in zip(found, [*found[1:], found[0]], strict=True)] == [set()] * 3
    shifts = []
    for number in range(0, 2 * PATIENTS, 2):
        name = f"person{number:02}.dcm"
        before, this, that = (read(files[name]) for files in (originals, one, other))
        for keyword in ("PatientID", "PatientName", "AccessionNumber", "StudyID", "RetrieveAETitle"):
            assert len({str(dataset[keyword].value) for dataset in (before, this, that)}) == 3
        shifts.append([_day(dataset.StudyDate) - _day(before.StudyDate) for dataset in (this, that)])
        again = read(one[f"person{number + 1:02}.dcm"])
        assert (again.StudyDate, again.PatientID) == (this.StudyDate, this.PatientID)
    assert all(-365 <= shift <= -1 for pair in shifts for shift in pair)
    assert sum(first != second for first, second in shifts) >= PATIENTS - 1
    assert len({first for first, _second in shifts}) >= PATIENTS - 1


def _day(text: str) -> int:
    return date.fromisoformat(str(text)).toordinal()


def test_without_a_secret_no_two_runs_have_a_uid_in_common(folder: Path, tmp_path: Path) -> None:
    """Within a run they match: the objects of a person have one Study Instance UID."""
    one, other = (outputs_of(tmp_path / name, folder) for name in ("one", "other"))
    assert all_uids(one) & all_uids(other) == set()
    pair = [read(one[f"person{number:02}.dcm"]) for number in (2, 3)]
    assert pair[0].StudyInstanceUID == pair[1].StudyInstanceUID
    assert pair[0].SOPInstanceUID != pair[1].SOPInstanceUID
