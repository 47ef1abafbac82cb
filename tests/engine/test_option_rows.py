"""Each row of Table E.1-1 by each column of an Option that says something: what becomes of one element.

The table is read here anew. An object has that one element besides its UIDs, and is of no known SOP Class.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from dcmveil import Options, Policy, deidentify_file
from dcmveil._elements import list_elements
from dcmveil.dates import DateShifter, shift_value
from dcmveil.options import COLUMNS
from tests.engine.wire import element, file, item

TABLE = Path(__file__).resolve().parents[2] / "ext" / "tables" / "confidentiality.tsv"
SECRET = b"a secret for the rows of the table"
AROUND = {
    0x00080016: element(0x00080016, "UI", b"1.2.3.4\0"),
    0x00080018: element(0x00080018, "UI", b"1.2.3\0"),
    0x00100010: element(0x00100010, "PN", b"Veil^Mark "),
    0x00100020: element(0x00100020, "LO", b"VM-4711 "),
}
CODE = item(
    element(0x00080100, "SH", b"121311") + element(0x00080102, "SH", b"DCM ") + element(0x00080104, "LO", b"Seen")
)
TEXT_VRS = {"LO", "LT", "SH", "ST", "UC", "UT"}
VALUES = {
    "AE": b"STATION1", "AS": b"045Y", "CS": b"M ", "DA": b"20200229", "DS": b"1.5 ", "DT": b"20200229101112",
    "IS": b"4 ", "PN": b"Some^One", "TM": b"101112", "UI": b"1.2.3.9\0", "UR": b"http://example.org",
    "US": b"\1\0",
    **dict.fromkeys(TEXT_VRS, b"nodule of Veil left "),
}  # fmt: skip
Row = tuple[int, str, str, str]


@cache
def rows() -> list[Row]:
    """(tag, VR, column, action) of all cells of Options but the private row and the repeating groups."""
    header, *lines = TABLE.read_text(encoding="utf-8").splitlines()
    names = header.split("\t")
    found = []
    for line in lines:
        row = dict(zip(names, line.split("\t"), strict=True))
        if not set(row["tag"]) & set("xg"):
            tag, vr = int(row["tag"].replace(",", ""), 16), row["vr"].split(" or ")[0]
            found += [(tag, vr, column, row[column]) for column in COLUMNS if row[column]]
    return found


def cells(column: str, action: str) -> list[Row]:
    return [row for row in rows() if row[2:] == (column, action) and row[0] >> 16 not in (0, 2, 4)]


def original(tag: int, vr: str) -> bytes:
    if tag == 0x00080201:
        return b"+0100 "
    if tag in (0x00081140, 0x00082112):
        return item(element(0x00081155, "UI", b"1.2.3.9\0"))
    return CODE if vr == "SQ" else VALUES.get(vr, bytes(8))


def outcome(tag: int, vr: str, folder: Path, policy: Policy) -> bytes | None:
    """The Value of the element in the output, None if it has gone."""
    elements = AROUND | {tag: element(tag, vr, original(tag, vr))}
    (folder / "in.dcm").write_bytes(file(b"".join(made for _tag, made in sorted(elements.items()))))
    deidentify_file(folder / "in.dcm", folder / "out.dcm", policy)
    data = (folder / "out.dcm").read_bytes()
    start = 132 + 12 + int.from_bytes(data[140:144], "little")
    for _level, _item, found, _vr, _start, value, stop in list_elements(data[start:], 0):
        if found == tag:
            return data[start + value : start + stop]
    return None


def outcomes(column: str, action: str, folder: Path) -> Iterator[tuple[int, str, bytes | None]]:
    policy = Policy(secret=SECRET, options=Options(**{COLUMNS[column]: True}))
    for tag, vr, _column, _action in cells(column, action):
        yield tag, vr, outcome(tag, vr, folder, policy)


@pytest.mark.parametrize("column", ["rtn_uids", "rtn_dev_id", "rtn_inst_id", "rtn_pat_chars", "rtn_full_dates"])
def test_what_an_option_retains_stays_as_it_is(column: str, tmp_path: Path) -> None:
    """R6, R11, R51, R55, R56, R57, R58: K, for Sequences what is in them is by the rules of each element."""
    found = list(outcomes(column, "K", tmp_path))
    assert len(found) >= {"rtn_inst_id": 10, "rtn_pat_chars": 14}.get(column, 40)
    changed = [f"{tag:08X}" for tag, vr, value in found if value != original(tag, vr)]
    assert changed == []


def test_what_is_retained_is_not_without_the_option(tmp_path: Path) -> None:
    """R11: the Option makes the difference, cell by cell."""
    policy = Policy(secret=SECRET)
    same = {
        f"{tag:08X}" for tag, vr, _column, action in rows()
        if action == "K" and tag >> 16 not in (0, 2, 4) and outcome(tag, vr, tmp_path, policy) == original(tag, vr)
    }  # fmt: skip
    assert same == set()


def test_texts_keep_their_words_and_lose_the_name(tmp_path: Path) -> None:
    """R7, R50: action C on text keeps its meaning."""
    found = [(vr, value) for _tag, vr, value in outcomes("clean_desc", "C", tmp_path) if vr in TEXT_VRS]
    assert len(found) > 120
    assert {value for _vr, value in found} == {b"nodule of left"}


def test_sequences_to_be_cleaned_keep_their_items(tmp_path: Path) -> None:
    """R10, R50: the codes stay, their meanings are cleaned."""
    found = [value for _tag, vr, value in outcomes("clean_desc", "C", tmp_path) if vr == "SQ"]
    assert len(found) == 9
    assert set(found) == {CODE}


@pytest.mark.parametrize(("column", "count"), [("clean_desc", 2), ("rtn_modif_dates", 1)])
def test_binary_that_cannot_be_cleaned_is_treated_by_the_profile(column: str, count: int, tmp_path: Path) -> None:
    """R7: a value that is known not to identify, or none. (0034,0007) is a time only if it has 10 bytes."""
    found = [(tag, value) for tag, vr, value in outcomes(column, "C", tmp_path) if vr == "OB"]
    assert [value for _tag, value in found].count(None) == count
    assert not any(value == bytes(8) for _tag, value in found)


def test_dates_are_shifted_and_times_stay(tmp_path: Path) -> None:
    """R52, R54: by the days of the patient, in every row."""
    days = DateShifter(SECRET).days(b"VM-4711")
    for tag, vr, value in outcomes("rtn_modif_dates", "C", tmp_path):
        if vr in ("DA", "DT"):
            assert value == shift_value(vr, original(tag, vr), days), f"{tag:08X}"
        elif vr in ("TM", "SH"):
            assert value == original(tag, vr), f"{tag:08X}"


def test_application_entities_get_pseudonyms(tmp_path: Path) -> None:
    """R56: the same for the same title, and not the title."""
    found = [value for _tag, _vr, value in outcomes("rtn_dev_id", "C", tmp_path)]
    assert len(found) == 11
    assert len(set(found)) == 1
    assert found[0] not in (None, b"", b"STATION1")


def test_dates_of_devices_are_modified_when_both_options_say_something(tmp_path: Path) -> None:
    """R11: of two Options the more private action wins."""
    both = Policy(secret=SECRET, options=Options(retain_device_identity=True, modify_dates=True))
    one = {tag for tag, _vr, column, action in rows() if (column, action) == ("rtn_dev_id", "K")}
    meeting = [(tag, vr) for tag, vr, column, _action in rows() if column == "rtn_modif_dates" and tag in one]
    assert len(meeting) == 11
    for tag, vr in meeting:
        if vr in ("DA", "DT"):
            assert outcome(tag, vr, tmp_path, both) not in (None, original(tag, vr)), f"{tag:08X}"
