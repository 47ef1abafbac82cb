"""What --dry-run prints and --report writes: everything that was or would be done, and no Value."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.support import BAD, MARK, image, invoke, one_line
from tests.hostile.forms import DEFLATED, EXPLICIT, FORMS, Form

Capture = pytest.CaptureFixture[str]
HEAD = ["path", "keyword", "action", "decision", "old", "new", "reason"]


def rows(text: str) -> list[list[str]]:
    """The rows of a dry run of one file."""
    title, *lines = text.splitlines()
    assert title.startswith("# ")
    head, *found = [line.split("\t") for line in lines]
    assert head == HEAD
    assert title.endswith(f": {len(found)} edits")
    return found


def nested(form: Form) -> bytes:
    code = form.element(0x00080100, "SH", b"T-1") + form.element(0x00091001, "LO", MARK)
    return form.sequence(0x00082218, form.item(), form.item(code))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_a_dry_run_tells_of_each_edit(form: Form, tmp_path: Path, capfd: Capture) -> None:
    path = tmp_path / "in"
    path.write_bytes(image(form, nested(form)))
    said = invoke(capfd, "--dry-run", path)
    assert (said.status, said.err) == (0, "")
    assert os.listdir(tmp_path) == ["in"]
    assert "VEILME" not in said.out
    assert "2.999" not in said.out
    by_path = {row[0]: row for row in rows(said.out)}
    assert by_path["(0010,0010)"] == ["(0010,0010)", "PatientName", "Z", "replace", "18", "8", "Table E.1-1: Z"]
    assert by_path["(0020,000D)"][1:4] == ["StudyInstanceUID", "U", "replace"]
    private = by_path["(0008,2218)[2]>(0009,1001)"]
    assert private[1:] == ["-", "X", "remove", "18", "0", "private (R43)"]
    assert {"(0012,0062)", "(0012,0063)", "(0012,0064)", "(0028,0303)"} <= by_path.keys()
    assert "(0028,0010)" not in by_path


def test_the_lengths_of_a_dry_run_add_up(sample_image: Path, tmp_path: Path, capfd: Capture) -> None:
    """Old and new lengths of the edits are the difference in size, but for the lengths of what encloses them."""
    secret = tmp_path / "secret"
    secret.write_bytes(b"sixteen bytes or more")
    edits = rows(invoke(capfd, "--dry-run", "--secret-file", secret, sample_image).out)
    assert invoke(capfd, "--secret-file", secret, sample_image, tmp_path / "out").status == 0
    size = sample_image.stat().st_size + sum(int(row[5]) - int(row[4]) for row in edits)
    assert size == (tmp_path / "out").stat().st_size


def test_a_dry_run_writes_nothing_even_if_told_where_to(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "in").write_bytes(image())
    (tmp_path / "out").write_bytes(b"old")
    assert invoke(capfd, "--dry-run", tmp_path / "in", tmp_path / "out").status == 0
    assert (tmp_path / "out").read_bytes() == b"old"
    assert invoke(capfd, "--dry-run", tmp_path / "in", tmp_path / "no" / "out").status == 0
    assert sorted(os.listdir(tmp_path)) == ["in", "out"]


def test_a_dry_run_of_a_folder(tmp_path: Path, capfd: Capture) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(image(DEFLATED))
    (tmp_path / "bad").write_bytes(BAD)
    said = invoke(capfd, "--dry-run", tmp_path)
    one_line(said, tmp_path / "bad")
    assert [line.split(": ")[0] for line in said.out.splitlines() if line.startswith("#")] == [
        f"# {tmp_path / name}" for name in ("a", "b")
    ]
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "bad"]


def test_a_dry_run_of_a_bad_file_fails_as_a_run_does(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "in").write_bytes(image()[:-1])
    dry = invoke(capfd, "--dry-run", tmp_path / "in")
    one_line(dry, "offset", "(0028,0010)", "input ends inside")
    assert dry == invoke(capfd, tmp_path / "in", tmp_path / "out")


# ---- --report --------------------------------------------------------------------------------------------------


def test_a_report_has_a_line_for_each_file(tmp_path: Path, capfd: Capture) -> None:
    source, target, report = tmp_path / "in", tmp_path / "out", tmp_path / "report"
    source.mkdir()
    encrypted = EXPLICIT.sequence(0x04000500)
    for name, data in {"a": image(), "b\n\udcff": image(), "c": BAD, "d": image(EXPLICIT, encrypted)}.items():
        (source / name).write_bytes(data)
    (source / "e").write_bytes(image()[:-1])
    assert invoke(capfd, "--report", report, source, target).status == 1
    assert report.stat().st_mode & 0o777 == 0o600
    lines = [json.loads(line) for line in report.read_text("ascii").splitlines()]
    assert [line["source"] for line in lines] == [f"{source}/{name}" for name in ("a", "b\n\udcff", "c", "d", "e")]
    assert [line["target"] for line in lines] == [f"{target}/{name}" for name in ("a", "b\n\udcff", "c", "d", "e")]
    assert [line["status"] for line in lines] == ["ok", "ok", "refused", "refused", "error"]
    assert [line.get("reason") for line in lines[2:]] == ["not-dicom", "encrypted-attributes", "ParseError"]
    first = lines[0]
    assert (first["bytes_in"], first["bytes_out"]) == (len(image()), (target / "a").stat().st_size)
    assert (first["transfer_syntax"], first["sop_class"]) == (EXPLICIT.syntax, "1.2.840.10008.5.1.4.1.1.7")
    assert {"reason": "Table E.1-1: Z", "decision": "replace", "elements": 1} in first["counts"]
    assert "VEILME" not in report.read_text("ascii")


def test_a_report_replaces_a_report_and_nothing_else(tmp_path: Path, capfd: Capture) -> None:
    """The input given for the report by mistake must survive it."""
    source, target, report = tmp_path / "in", tmp_path / "out", tmp_path / "report"
    source.write_bytes(image())
    for _ in range(2):
        assert invoke(capfd, "--report", report, source, target).status == 0
        assert report.read_text().count("\n") == 1
    target.unlink()
    one_line(invoke(capfd, "--report", source, source, target), source, "no report")
    assert source.read_bytes() == image()
    assert not target.exists()


def test_a_report_of_a_dry_run_has_no_target(tmp_path: Path, capfd: Capture) -> None:
    (tmp_path / "in").write_bytes(image())
    assert invoke(capfd, "--dry-run", "--report", tmp_path / "report", tmp_path / "in").status == 0
    line = json.loads((tmp_path / "report").read_text())
    assert (line["status"], line["target"], line["bytes_out"]) == ("ok", None, None)
