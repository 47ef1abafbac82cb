"""Leak channel 28: a report counts kinds of what was done, not Attributes, so that rare ones single nobody out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dcmveil import _tables
from tests.cli.support import image, invoke
from tests.hostile.channels import CHANNELS
from tests.hostile.forms import EXPLICIT
from tests.services.certificates import write

Capture = pytest.CaptureFixture[str]
KEYS = {
    "source", "target", "status", "transfer_syntax", "sop_class", "bytes_in", "bytes_out", "copied", "notice",
    "options", "edition", "digest", "counts", "remarks", "problems", "risks",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def report(capfd: Capture, data: bytes, *options: str) -> dict[str, Any]:
    write(Path("in.dcm"), data)
    assert invoke(capfd, *options, "--report", "report", "in.dcm", "out.dcm").status == 0
    (line,) = Path("report").read_text("ascii").splitlines()
    return dict(json.loads(line))


def without_sizes(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name not in ("bytes_in", "bytes_out", "copied")}


RARE = {
    "a private element": [0x00191001, 0x00291001, 0x7FE11001],
    "one that is not in the dictionary": [0x00080FFE, 0x00100FFE, 0x00400FFE],
    "a row of the table": [0x00102180, 0x001021B0, 0x00102154],  # occupation, additional history, telephone numbers
}


@pytest.mark.parametrize("kind", RARE)
def test_leak_channel_28_a_report_does_not_tell_which_attribute_went(kind: str, capfd: Capture) -> None:
    """Objects with different ones of a kind have the same report."""
    reports = [without_sizes(report(capfd, image(EXPLICIT, EXPLICIT.element(tag, "LO", "x ")))) for tag in RARE[kind]]
    assert reports[0] == reports[1] == reports[2]


def test_leak_channel_28_a_report_has_no_tag_keyword_or_value(capfd: Capture) -> None:
    """Of an object with about everything in it, only what is the same for all objects of its kind."""
    elements = b"".join(channel(EXPLICIT) for name, channel in CHANNELS.items() if name.startswith(("private", "UID")))
    for options in ((), ("--clean-descriptors", "--modify-dates")):
        found = report(capfd, image(EXPLICIT, elements), *options)
        assert found.keys() == KEYS
        assert {key for row in found["counts"] for key in row} == {"reason", "decision", "elements"}
        words = set(json.dumps({**found, "source": "", "target": ""}).replace('"', " ").split())
        keywords = {_tables.keyword(tag) for tag, _mask, _action, _options in _tables.confidentiality()}
        assert words & {keyword for keyword in keywords if keyword} == set()


def test_leak_channel_28_a_report_is_for_its_owner_and_a_folder_ends_with_sums(capfd: Capture) -> None:
    found = report(capfd, image())
    assert found["status"] == "ok"
    assert Path("report").stat().st_mode & 0o777 == 0o600
    Path("folder").mkdir()
    write(Path("folder/a"), image())
    assert invoke(capfd, "folder", "out") == (0, "", "")  # but for the line that `invoke` leaves out
