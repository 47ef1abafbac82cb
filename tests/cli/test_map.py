"""--map: which new UID and Patient ID stands for which old one, for the site's own eyes."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest

from tests.cli.persons import MODIFIED, person, read, uids, write_secret
from tests.cli.support import BAD, invoke, one_line
from tests.hostile.forms import FORMS
from tests.reference.files import BUNDLED

Capture = pytest.CaptureFixture[str]
ID_OF_VR_UN = ("rtdose_rle.dcm", "rtdose_rle_1frame.dcm")  # such a Patient ID becomes a dummy


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder `in` with objects of several persons in all encodings, and the files of pydicom."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    for number in range(12):
        form = FORMS[number % len(FORMS)]
        Path("in", f"person{number:02}.dcm").write_bytes(person(number // 2, form, x00080018=b"2.999.9.%d" % number))
    for path in sorted(BUNDLED.rglob("*.dcm")):
        if path.stat().st_size < 1 << 20 and path.name not in ID_OF_VR_UN:
            shutil.copy(path, Path("in", f"{len(list(Path('in').iterdir())):03}-{path.name}"))
    write_secret(Path("secret"))
    return tmp_path


def rows(name: str = "map.csv") -> list[tuple[str, ...]]:
    with open(name, encoding="utf-8", newline="") as file:
        head, *found = map(tuple, csv.reader(file))
    assert head == ("id_old", "id_new")
    assert all(len(row) == 2 for row in found)
    return found


def run(capfd: Capture, *options: object, source: str = "in", target: str = "out", name: str = "map.csv") -> list[str]:
    """The lines of the map of a run over a folder."""
    invoke(capfd, "--secret-file", "secret", *options, "--map", name, source, target)
    assert Path(name).stat().st_mode & 0o777 == 0o600
    return Path(name).read_text(encoding="utf-8").splitlines()


def test_the_map_has_every_uid_and_patient_id_of_a_run(place: Path, capfd: Capture) -> None:
    """Each once, and nothing else; it is read back from inputs and outputs."""
    run(capfd, "-r")
    pairs = rows()
    assert len(set(pairs)) == len(pairs)
    new_of = dict(pairs)
    olds, news = set[str](), set[str]()
    for target in Path("out").iterdir():
        before, after = read(Path("in", target.name)), read(target)
        old_id, new_id = (str(dataset.get("PatientID") or "").strip(" ") for dataset in (before, after))
        assert new_of.get(old_id, "") == new_id, target.name
        olds |= uids(before) | {old_id}
        if "SOPInstanceUID" in before:  # else that of the File Meta Information, which is not told
            news |= uids(after) | {new_id}
    assert len(news) > 200
    assert news - {""} <= set(new_of.values())
    assert {old for old, _new in pairs} <= olds
    assert {f"VEILME-{number}" for number in range(6)} | {f"2.999.9.{number}" for number in range(12)} <= new_of.keys()


def test_the_map_is_the_same_for_any_number_of_processes_and_any_order(place: Path, capfd: Capture) -> None:
    once = run(capfd, *MODIFIED)
    assert run(capfd, *MODIFIED, "--jobs", 2, target="out2") == once
    assert run(capfd, *MODIFIED, "--dry-run") == once
    Path("turned").mkdir()
    names = sorted(path.name for path in Path("in").iterdir())
    for number, name in enumerate(reversed(names)):
        shutil.copy(Path("in", name), Path("turned", f"{number:03}.dcm"))
    turned = run(capfd, *MODIFIED, source="turned", target="out3")
    assert turned != once
    assert sorted(turned) == sorted(once)


def test_of_what_is_kept_or_emptied_there_is_nothing_to_map(place: Path, capfd: Capture) -> None:
    assert not [row for row in run(capfd, "--retain-uids")[1:] if "." in row]
    assert not [row for row in run(capfd, "--patient-id", "empty")[1:] if "VEILME" in row]
    run(capfd, "--retain-uids", "--patient-id", "empty")
    assert rows() == []


def test_the_map_has_what_a_list_says(place: Path, capfd: Capture) -> None:
    """A list may be the map of an earlier run; files that are refused are not in the new one."""
    for path in Path("in").glob("*-*"):
        path.unlink()
    Path("earlier.csv").write_text('id_old,id_new\nVEILME-0,"Zero, one"\nVEILME-3,Three\n', encoding="utf-8")
    run(capfd, "--retain-uids", "--patient-id", "earlier.csv", "--patient-name", "empty")
    assert sorted(rows()) == [("VEILME-0", "Zero, one"), ("VEILME-3", "Three")]
    assert len(list(Path("out").iterdir())) == 4


def test_a_map_replaces_a_map_and_nothing_else(place: Path, capfd: Capture) -> None:
    """One that others could read is theirs no more."""
    Path("map.csv").write_text("id_old,id_new\nVEILME,VEILME\n", encoding="utf-8")
    Path("map.csv").chmod(0o644)
    assert "VEILME,VEILME" not in run(capfd)
    Path("notes.csv").write_bytes(BAD)
    said = invoke(capfd, "--map", "notes.csv", "in", "out4")
    one_line(said, "notes.csv", "is no map")
    assert Path("notes.csv").read_bytes() == BAD
    assert not Path("out4").exists()
