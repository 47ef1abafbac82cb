"""Operations at any place in every encoding: the elements asked for change, all other bytes are those of the input."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.editing.support import ROWS, WRITTEN, Kind, Path_, Row, argument, changed, comparable, edited, encoded
from tests.hostile.forms import DEFLATED, EXPLICIT, FORMS, IMPLICIT, UNDEFINED, Form

VRS = {
    0x00080050: "SH", 0x00080100: "SH", 0x00081140: "SQ", 0x00081150: "UI", 0x00081155: "UI", 0x00090010: "LO",
    0x00091002: "LO", 0x00100010: "PN", 0x00100020: "LO", 0x00100030: "DA", 0x00280010: "US", 0x00280011: "US",
    0x00189073: "FD", 0x00400007: "LO", 0x00400008: "SQ", 0x00400009: "SH", 0x00400275: "SQ",
}  # fmt: skip
PATHS: list[Path_] = [
    (),
    ((0x00081140, None),),
    ((0x00081140, 1),),
    ((0x00081140, 2),),
    ((0x00081140, 9),),
    ((0x00400275, None),),
    ((0x00400275, 2),),
    ((0x00400275, None), (0x00400008, None)),
    ((0x00400275, 1), (0x00400008, 2)),
    ((0x00400275, None), (0x00400008, 1)),
    ((0x00081115, None),),
]
Case = tuple[Kind, Path_, int]


def row_after(kind: Kind, tag: int) -> Row | None:
    """The row an operation leaves."""
    vr = VRS[tag]
    if kind == "remove":
        return None
    if kind in ("clear", "empty"):
        return tag, vr, b""
    value = WRITTEN[vr]
    if vr == "US":
        return tag, vr, ("H", int(value))
    return tag, vr, ("d", float(value)) if vr == "FD" else value


def check(folder: Path, form: Form, open_end: bool, cases: list[Case]) -> None:
    rows, operations = list(ROWS), []
    for kind, path, tag in cases:
        rows = changed(rows, path, row_after(kind, tag), tag=tag, inserts=kind in ("empty", "replace"))
        operations.append((kind, argument(path, tag, WRITTEN[VRS[tag]] if kind == "replace" else None)))
    preamble = b"II*\0 kept"
    before = form.file(encoded(form, ROWS, open_end=open_end), preamble=preamble)
    expected = form.file(encoded(form, rows, open_end=open_end), preamble=preamble)
    assert comparable(form, edited(before, folder, *operations)) == comparable(form, expected)


def possible() -> list[Case]:
    kinds: list[Kind] = ["empty", "clear", "remove", "replace"]
    private = {tag for tag in VRS if tag >> 16 & 1}
    return [
        (kind, path, tag)
        for path in PATHS
        for tag, vr in VRS.items()
        for kind in kinds
        if not (kind == "replace" and vr == "SQ") and not (path and tag in private)
    ]


def is_together_clear(cases: list[Case]) -> bool:
    """Each acts on a tag of its own, and on none that another goes through."""
    tags = [tag for _kind, _path, tag in cases]
    through = {sequence for _kind, path, _tag in cases for sequence, _number in path}
    return len(set(tags)) == len(tags) and not through & set(tags)


@pytest.mark.parametrize("open_end", [False, True], ids=["defined", "undefined"])
@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_every_operation_at_every_place(form: Form, open_end: bool, tmp_path: Path) -> None:
    cases = possible()
    step = 3 if form is EXPLICIT else 7
    for case in cases[::step]:
        check(tmp_path, form, open_end, [case])


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    form=st.sampled_from(FORMS),
    open_end=st.booleans(),
    cases=st.lists(st.sampled_from(possible()), min_size=2, max_size=5).filter(is_together_clear),
)
def test_several_operations_at_a_time(form: Form, open_end: bool, cases: list[Case], tmp_path: Path) -> None:
    check(tmp_path, form, open_end, cases)


def test_every_item_and_one_item_more(tmp_path: Path) -> None:
    """What is said of every Item holds for those that are named, too; what is said of one comes on top."""
    out = edited(
        EXPLICIT.file(encoded(EXPLICIT, ROWS)),
        tmp_path,
        ("remove", "00081140>0008,1150"),
        ("replace", "00081140[1]>0008,1155=2.999.5"),
        ("empty", "00081140[2]>0008,1155"),
    )
    rows = changed(ROWS, ((0x00081140, None),), None, tag=0x00081150, inserts=False)
    rows = changed(rows, ((0x00081140, 1),), (0x00081155, "UI", "2.999.5"), tag=0x00081155, inserts=True)
    rows = changed(rows, ((0x00081140, 2),), (0x00081155, "UI", ""), tag=0x00081155, inserts=True)
    assert out == EXPLICIT.file(encoded(EXPLICIT, rows))


def test_a_sequence_that_goes_takes_what_was_asked_inside_with_it(tmp_path: Path) -> None:
    for kind in ("remove", "empty", "clear"):
        row = None if kind == "remove" else (0x00081140, "SQ", b"")
        rows = changed(ROWS, (), row, tag=0x00081140, inserts=False)
        out = edited(
            EXPLICIT.file(encoded(EXPLICIT, ROWS)), tmp_path, (kind, "8,1140"), ("replace", "8,1140>8,1150=2.999.5")
        )
        assert out == EXPLICIT.file(encoded(EXPLICIT, rows))


def test_into_sequences_that_are_un(tmp_path: Path) -> None:
    """PS3.5 6.2.2: Implicit VR Little Endian inside, whatever is outside."""
    for open_end in (False, True):
        old, new = (
            EXPLICIT.file(
                EXPLICIT.common()
                + EXPLICIT.sequence(
                    0x00400275, IMPLICIT.item(IMPLICIT.element(0x00400007, "LO", text)), vr="UN", open_end=open_end
                )
            )
            for text in ("knee", "another knee")
        )
        assert edited(old, tmp_path, ("replace", "0040,0275>40,7=another knee")) == new


def test_into_private_sequences(tmp_path: Path) -> None:
    def file(text: str) -> bytes:
        inner = EXPLICIT.element(0x00100010, "PN", text)
        return EXPLICIT.file(
            EXPLICIT.common()
            + EXPLICIT.element(0x00090010, "LO", "A")
            + EXPLICIT.sequence(0x00091001, EXPLICIT.item(inner))
        )

    assert edited(file("DOE"), tmp_path, ("replace", "9,1001>10,10=ROE^JANE")) == file("ROE^JANE")


@pytest.mark.parametrize("kind", ["remove", "clear", "empty", "replace"])
def test_of_repeated_elements_none_is_left_as_it_was(kind: Kind, tmp_path: Path) -> None:
    """What is replaced is there once then; what is only taken away or cleared, is so wherever it stands."""
    twice = [*ROWS[:8], (0x00100010, "PN", "DOE^JACK"), *ROWS[8:]]
    rows = [row for row in twice if row[0] != 0x00100010]
    left = row_after(kind, 0x00100010)
    if left is not None:
        rows[7:7] = [left, left] if kind == "clear" else [left]
    operation = (kind, "10,10=ROE^JANE" if kind == "replace" else "10,10")
    assert edited(EXPLICIT.file(encoded(EXPLICIT, twice)), tmp_path, operation) == EXPLICIT.file(
        encoded(EXPLICIT, rows)
    )


def test_an_element_out_of_order_is_put_into_order(tmp_path: Path) -> None:
    """It goes before the first with a greater tag, as one that is not there; it is not there twice."""

    def file(*rows: Row) -> bytes:
        return EXPLICIT.file(encoded(EXPLICIT, rows))

    name, late, early = (0x00100010, "PN", "A"), (0x00280010, "US", ("H", 1)), (0x00080050, "SH", "B")
    before = file(ROWS[2], late, early)
    assert edited(before, tmp_path, ("empty", "8,50")) == file(ROWS[2], (0x00080050, "SH", ""), late)
    assert edited(before, tmp_path, ("replace", "10,10=A")) == file(ROWS[2], name, late, early)


def test_fragments_and_what_stands_behind_them(tmp_path: Path) -> None:
    def file(tail: bytes) -> bytes:
        pixels = EXPLICIT.sequence(
            0x7FE00010, EXPLICIT.item(), EXPLICIT.item(b"\xff\xd8\xff\xd9"), vr="OB", open_end=True
        )
        return EXPLICIT.file(EXPLICIT.common() + pixels + tail, syntax="1.2.840.10008.1.2.4.50")

    padding = EXPLICIT.element(0xFFFCFFFC, "OB", bytes(10))
    assert edited(file(padding), tmp_path, ("remove", "FFFC,FFFC")) == file(b"")
    assert edited(file(b""), tmp_path, ("empty", "FFFC,FFFC")) == file(EXPLICIT.element(0xFFFCFFFC, "OB"))
    out = edited(file(padding), tmp_path, ("remove", "7FE0,0010"))
    assert out == EXPLICIT.file(EXPLICIT.common() + padding, syntax="1.2.840.10008.1.2.4.50")


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_long_values_do_not_hinder(form: Form, tmp_path: Path) -> None:
    def file(name: str) -> bytes:
        rows = [(0x00100010, "PN", name), (0x7FE00010, "OW", bytes(3 << 20)), (0xFFFCFFFC, "OB", b"tail")]
        return form.file(encoded(form, rows))

    out = edited(file("DOE^JOHN"), tmp_path, ("replace", "10,10=ROE"))
    assert comparable(form, out) == comparable(form, file("ROE"))


def test_long_sequences_of_defined_length_stay_so(tmp_path: Path) -> None:
    """Their lengths are patched, however long they are."""

    def file(name: str) -> bytes:
        item = [(0x00100010, "PN", name), (0x7FE00010, "OW", bytes(2 << 20))]
        return EXPLICIT.file(encoded(EXPLICIT, [(0x00081140, "SQ", [item, item])]))

    assert edited(
        file("DOE^JOHN"), tmp_path, ("replace", "8,1140[2]>10,10=ROE"), ("replace", "8,1140[1]>10,10=ROE")
    ) == (file("ROE"))


def test_what_comes_behind_a_deflated_stream_stays(tmp_path: Path) -> None:
    data = DEFLATED.file(encoded(DEFLATED, ROWS)) + b"\0"
    assert edited(data, tmp_path, ("clear", "0010,4000")) == data


def test_an_edit_of_nothing_but_an_open_end(tmp_path: Path) -> None:
    """Into an Item of undefined length in a Sequence of defined length, and the other way round."""
    inner = EXPLICIT.element(0x00081150, "UI", "1.2.3")
    more = inner + EXPLICIT.element(0x00081155, "UI", "2.999.1")
    for make in (
        lambda content: EXPLICIT.sequence(0x00081140, EXPLICIT.open_item(content)),
        lambda content: EXPLICIT.sequence(0x00081140, EXPLICIT.item(content), open_end=True),
        lambda content: (
            EXPLICIT.header(0x00081140, "SQ", UNDEFINED)
            + EXPLICIT.open_item(content)
            + EXPLICIT.item(content)
            + EXPLICIT.item(tag=0xFFFEE0DD)
        ),
    ):
        before, after = (EXPLICIT.file(EXPLICIT.common() + make(content)) for content in (inner, more))
        assert edited(before, tmp_path, ("replace", "8,1140>8,1155=2.999.1")) == after
