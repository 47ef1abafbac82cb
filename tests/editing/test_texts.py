"""Values as text: encoded for VR and Specific Character Set, or an error that names no Value, and no file."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pydicom
import pytest

from dcmveil.editing import edit_file, plan_edits
from dcmveil.errors import DcmveilError
from dcmveil.operations import OperationError
from dcmveil.values import ValueProblem
from tests.editing.support import ROWS, Row, comparable, edited, edits, encoded
from tests.hostile.forms import BIG, EXPLICIT, FORMS, IMPLICIT, PLAIN_FORMS, SC_IMAGE, Form, meta_element


def file(*rows: Row, form: Form = EXPLICIT) -> bytes:
    return form.file(form.common() + encoded(form, rows))


# ---- Specific Character Set ------------------------------------------------------------------------------------

CYRILLIC = "\u041b\u044e\u043a\u0441"
SETS = {
    "ISO_IR 100": ("Müller^Jörg", "latin-1"),
    "ISO_IR 144": (CYRILLIC, "iso8859-5"),
    "ISO_IR 192": ("山田^太郎=やまだ", "utf-8"),
    "GB18030": ("王^小东", "gb18030"),
}


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("name", SETS)
def test_text_is_in_the_character_set_of_the_file(name: str, form: Form, tmp_path: Path) -> None:
    text, codec = SETS[name]
    before = file((0x00080005, "CS", name), (0x00100010, "PN", "DOE"), form=form)
    after = file((0x00080005, "CS", name), (0x00100010, "PN", padded(text.encode(codec))), form=form)
    assert comparable(form, edited(before, tmp_path, ("replace", f"10,10={text}"))) == comparable(form, after)


def padded(value: bytes) -> bytes:
    return value + b" " * (len(value) % 2)


@pytest.mark.parametrize(
    "rows", [[], [(0x00080005, "CS", "")], [(0x00080005, "CS", "ISO_IR 6")], [(0x00080005, "CS", "XY")]]
)
def test_without_a_character_set_there_is_only_ascii(rows: list[Row], tmp_path: Path) -> None:
    before = file(*rows, (0x00100010, "PN", "DOE"))
    assert edited(before, tmp_path, ("replace", "10,10=ROE")) == file(*rows, (0x00100010, "PN", "ROE"))
    with pytest.raises(ValueProblem):
        edited(before, tmp_path, ("replace", "10,10=Müller"))


def test_a_character_set_that_is_written_holds_for_what_is_written(tmp_path: Path) -> None:
    before = EXPLICIT.file(encoded(EXPLICIT, ROWS))
    out = edited(before, tmp_path, ("replace", "8,5=ISO_IR 192"), ("replace", "10,10=山田"))
    assert pydicom.dcmread(BytesIO(out)).PatientName == "山田"
    out = edited(file(), tmp_path, ("replace", "8,5=ISO_IR 144"), ("replace", f"10,10={CYRILLIC}"))
    assert pydicom.dcmread(BytesIO(out)).PatientName == CYRILLIC


@pytest.mark.parametrize("kind", ["remove", "clear", "empty"])
def test_a_character_set_that_goes_holds_for_nothing(kind: str, tmp_path: Path) -> None:
    """The object as it will be is ASCII."""
    before = EXPLICIT.file(encoded(EXPLICIT, ROWS))
    with pytest.raises(ValueProblem):
        edited(before, tmp_path, (kind, "8,5"), ("replace", "10,10=Müller"))  # type: ignore[arg-type]


def test_an_item_with_a_character_set_of_its_own(tmp_path: Path) -> None:
    """PS3.5 7.5.3: it holds for what is in the Item. One Value cannot be right in all, unless it is ASCII."""
    items = [[(0x00080005, "CS", "ISO_IR 192"), (0x00400007, "LO", "knee")], [(0x00400007, "LO", "knee")]]
    before = file((0x00080005, "CS", "ISO_IR 100"), (0x00400275, "SQ", items))
    with pytest.raises(ValueProblem, match="character"):
        edited(before, tmp_path, ("replace", "0040,0275>40,7=Müller"))
    data_set = pydicom.dcmread(BytesIO(edited(before, tmp_path, ("replace", "0040,0275>40,7=Mueller"))))
    assert [item[0x00400007].value for item in data_set[0x00400275].value] == ["Mueller", "Mueller"]


# ---- VRs -------------------------------------------------------------------------------------------------------

BINARY = {
    "28,10=513": (0x00280010, "US", ("H", 513)),
    "28,106=-2": (0x00280106, "SS", ("h", -2)),
    "28,106=2": (0x00280106, "US", ("H", 2)),
    "18,9073=1.5": (0x00189073, "FD", ("d", 1.5)),
    "18,6020=-7": (0x00186020, "SL", ("i", -7)),
    r"28,9=(0018,1063)": (0x00280009, "AT", ("HH", 0x18, 0x1063)),
    r"28,1101=1\2\3": (0x00281101, "US", ("HHH", 1, 2, 3)),
    r"7FE0,0010=0102\0304": (0x7FE00010, "OW", ("HH", 0x0102, 0x0304)),
}


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("text", BINARY)
def test_binary_values_from_text(text: str, form: Form, tmp_path: Path) -> None:
    assert edited(file(form=form), tmp_path, ("replace", text)) == file(BINARY[text], form=form)


@pytest.mark.parametrize("form", [EXPLICIT, BIG], ids=lambda form: form.name)
def test_the_vr_of_the_file_counts_if_the_dictionary_has_it(form: Form, tmp_path: Path) -> None:
    before = file((0x00280106, "SS", ("h", 5)), (0x00280107, "US", ("H", 5)), form=form)
    out = edited(before, tmp_path, ("replace", "28,106=6"), ("replace", "28,107=7"))
    assert out == file((0x00280106, "SS", ("h", 6)), (0x00280107, "US", ("H", 7)), form=form)


def test_private_values_take_the_vr_they_have(tmp_path: Path) -> None:
    rows: list[Row] = [(0x00090010, "LO", "A"), (0x00091001, "US", ("H", 1)), (0x00091002, "DA", "20200101")]
    out = edited(file(*rows), tmp_path, ("replace", "9,1001=700"), ("replace", "9,1002=20211231"))
    assert out == file(rows[0], (0x00091001, "US", ("H", 700)), (0x00091002, "DA", "20211231"))
    with pytest.raises(ValueProblem):
        edited(file(*rows), tmp_path, ("replace", "9,1001=many"))


def test_sequences_can_be_emptied_and_nothing_else(tmp_path: Path) -> None:
    rows: list[Row] = [(0x00081140, "SQ", [[(0x00081150, "UI", "1.2.3")]])]
    for form in PLAIN_FORMS:
        out = edited(file(*rows, form=form), tmp_path, ("empty", "8,1140"), ("empty", "8,1115"))
        assert out == file((0x00081115, "SQ", b""), (0x00081140, "SQ", b""), form=form)
    with pytest.raises((ValueProblem, OperationError)):
        edited(file(*rows), tmp_path, ("replace", "8,1140=x"))


# ---- Values that cannot be ------------------------------------------------------------------------------------

PROBLEMS = [
    "10,30=HIDDEN", "10,30=20210229", "10,1010=HIDDEN", "28,10=65536", "28,10=HIDDEN", "8,60=hidden!",
    "8,50=HIDDEN HIDDEN HIDDEN", "8,18=HIDDEN", "8,16=HIDDEN", "8,18=HIDDÉN", "8,16=HIDDÉN", "8,5=HIDDÉN",
    "10,10=HIDDEN\u65e5", "10,10=HIDDEN\udcff", "18,9073=HIDDEN", "20,13=1e9HIDDEN", "8,1140=HIDDEN", "10,20=HID\nDEN",
    "8,1140>8,1150=HIDDEN", "40,275[1]>40,8=HIDDEN", "9,2,CREATOR=HIDDEN\udcff",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("text", PROBLEMS, ids=ascii)
def test_what_cannot_be_a_value_is_an_error_and_nothing_is_written(text: str, form: Form, tmp_path: Path) -> None:
    source, target = tmp_path / "in.dcm", tmp_path / "out.dcm"
    source.write_bytes(form.file(encoded(form, ROWS)))
    target.write_bytes(b"what was there before")
    wanted = edits(("replace", text), ("remove", "10,4000"))
    for call in (lambda: edit_file(source, target, wanted), lambda: plan_edits(source, wanted)):
        with pytest.raises(DcmveilError) as caught:
            call()
        assert "HID" not in f"{caught.value!r} {caught.value}"
        assert "HID" not in repr(wanted) + repr(wanted.operations)
    assert target.read_bytes() == b"what was there before"
    assert len(list(tmp_path.iterdir())) == 2


def test_in_place_a_problem_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "in.dcm"
    data = EXPLICIT.file(encoded(EXPLICIT, ROWS))
    path.write_bytes(data)
    with pytest.raises(ValueProblem):
        edit_file(path, path, edits(("replace", "10,30=yesterday")))
    assert path.read_bytes() == data
    edit_file(path, path, edits(("replace", "10,10=ROE^JANE")))
    rows = [(tag, vr, "ROE^JANE" if tag == 0x00100010 else value) for tag, vr, value in ROWS]
    assert path.read_bytes() == EXPLICIT.file(encoded(EXPLICIT, rows))


def test_more_than_a_run_can_hold(tmp_path: Path) -> None:
    many = [("replace", f"0008,{number:04x}={number}") for number in range(0x2000, 0x2000 + 300)]
    with pytest.raises(OperationError):
        edits(*many)  # type: ignore[arg-type]
    same = [("remove", f"0009,{number:04x}") for number in range(0x1000, 0x2000)]
    assert edited(file(), tmp_path, *same) == file()  # type: ignore[arg-type]


# ---- File Meta Information -------------------------------------------------------------------------------------


def with_meta(uid: str, sop_class: str = SC_IMAGE, *, form: Form = EXPLICIT, length: int | None = None) -> bytes:
    """Its own File Meta Information, with elements that are to stay and a group length that is right, or not."""
    rows = [meta_element(0x00020001, "OB", b"\0\1"), meta_element(0x00020002, "UI", sop_class)]
    rows += [meta_element(0x00020003, "UI", uid), meta_element(0x00020010, "UI", form.syntax)]
    rows += [meta_element(0x00020016, "AE", "STORE"), meta_element(0x00020102, "OB", b"private")]
    size = sum(map(len, rows)) if length is None else length
    head = b"preamble".ljust(128) + b"DICM" + meta_element(0x00020000, "UL", size.to_bytes(4, "little"))
    body = form.element(0x00080016, "UI", sop_class) + form.element(0x00080018, "UI", uid)
    return head + b"".join(rows) + body + form.element(0x00100010, "PN", "DOE")


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
def test_the_file_meta_information_follows(form: Form, tmp_path: Path) -> None:
    out = edited(with_meta("2.999.7", form=form), tmp_path, ("replace", "8,18=2.999.1234.5678"))
    assert out == with_meta("2.999.1234.5678", form=form)
    out = edited(with_meta("2.999.7", form=form), tmp_path, ("replace", "8,16=1.2.840.10008.5.1.4.1.1.2"))
    assert out == with_meta("2.999.7", "1.2.840.10008.5.1.4.1.1.2", form=form)


def test_a_uid_inside_a_sequence_is_not_that_of_the_file(tmp_path: Path) -> None:
    data = EXPLICIT.file(encoded(EXPLICIT, [*ROWS[:4], (0x00081140, "SQ", [[(0x00080018, "UI", "1.2")]])]))
    out = edited(data, tmp_path, ("replace", "8,1140>8,18=2.999.1"))
    assert out[: len(EXPLICIT.head())] == data[: len(EXPLICIT.head())]


def test_repeated_elements_of_the_file_meta_information_stay(tmp_path: Path) -> None:
    extra = [meta_element(0x00020016, "AE", "ONE"), meta_element(0x00020016, "AE", "TWO")]
    data = EXPLICIT.head(more=extra) + EXPLICIT.common()
    out = edited(data, tmp_path, ("replace", "8,18=2.999.7.8"))
    assert out == data.replace(b"2.999.7.7", b"2.999.7.8")


def test_a_file_without_file_meta_information_gets_none(tmp_path: Path) -> None:
    for form in (EXPLICIT, IMPLICIT):
        out = edited(form.common(), tmp_path, ("replace", "8,18=2.999.7.8"))
        assert out == form.common().replace(b"2.999.7.7", b"2.999.7.8")
