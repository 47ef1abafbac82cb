"""Private elements by their creator (PS3.5 7.8): its block is found, or the first free one reserved."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcmveil.errors import Refused
from tests.editing.support import Row, comparable, edited, encoded
from tests.hostile.forms import EXPLICIT, FORMS, Form

FIRST: Row = (0x00080018, "UI", "2.999.7.7")
NAME: Row = (0x00100010, "PN", "DOE^JOHN")


def file(*rows: Row, form: Form = EXPLICIT) -> bytes:
    return form.file(encoded(form, [FIRST, *rows, NAME]))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("block", [0x10, 0x11, 0xA0, 0xFF])
def test_the_block_of_a_creator_is_found(block: int, form: Form, tmp_path: Path) -> None:
    creator, tag = (0x00090000 | block, "LO", "ACME 1.1"), 0x00090000 | block << 8 | 2
    before = file(creator, (tag, "LO", "old"), form=form)
    expected = {
        ("remove", "9,2,ACME 1.1"): [creator],
        ("clear", "9,1002,ACME 1.1"): [creator, (tag, "LO", "")],
        ("empty", "9,2,acme 1.1"): [creator, (tag, "LO", "")],
        ("replace", "9,02,ACME 1.1=new1"): [creator, (tag, "LO", "new1")],
        ("remove", "9,3,ACME 1.1"): [creator, (tag, "LO", "old")],
        ("clear", "9,3,ACME 1.1"): [creator, (tag, "LO", "old")],
        ("empty", "9,3,ACME 1.1"): [creator, (tag, "LO", "old"), (tag + 1, "UN", "")],
    }
    for operation, rows in expected.items():
        out = edited(before, tmp_path, operation)  # type: ignore[arg-type]
        assert comparable(form, out) == comparable(form, file(*rows, form=form)), operation


@pytest.mark.parametrize("kind", ["remove", "clear"])
def test_nothing_is_made_of_a_creator_that_is_not_there(kind: str, tmp_path: Path) -> None:
    before = file((0x00090010, "LO", "ACME"), (0x00091002, "LO", "old"))
    assert edited(before, tmp_path, (kind, "9,2,OTHER")) == before  # type: ignore[arg-type]
    assert edited(before, tmp_path, (kind, "19,2,ACME")) == before  # type: ignore[arg-type]


def test_the_first_free_block_is_reserved(tmp_path: Path) -> None:
    taken: list[Row] = [(0x00090010, "LO", "ACME"), (0x00090011, "LO", "B"), (0x00090013, "LO", "C")]
    rows = [taken[0], taken[1], (0x00090012, "LO", "NEW"), taken[2], (0x00091202, "UN", "v1")]
    assert edited(file(*taken), tmp_path, ("replace", "9,2,NEW=v1")) == file(*rows)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_several_elements_share_the_new_block(form: Form, tmp_path: Path) -> None:
    out = edited(
        file(form=form), tmp_path, ("replace", "9,2,NEW=v1"), ("empty", "9,3,new"), ("replace", "9,4,OTHER=v2")
    )
    rows: list[Row] = [(0x00090010, "LO", "NEW"), (0x00090011, "LO", "OTHER")]
    rows += [(0x00091002, "UN", "v1"), (0x00091003, "UN", ""), (0x00091104, "UN", "v2")]
    assert comparable(form, out) == comparable(form, file(*rows, form=form))


def test_creators_are_padded_and_case_does_not_matter(tmp_path: Path) -> None:
    for creator in (b"ACME  ", b" acme\0", b"Acme"):
        before = file((0x00090010, "LO", creator + b" " * (len(creator) % 2)), (0x00091002, "LO", "old"))
        after = file((0x00090010, "LO", creator + b" " * (len(creator) % 2)))
        assert edited(before, tmp_path, ("remove", "9,2,aCME")) == after


def test_all_blocks_of_a_creator_are_edited_and_nothing_doubled(tmp_path: Path) -> None:
    blocks: list[Row] = [(0x00090010, "LO", "ACME"), (0x00090020, "LO", "ACME")]
    before = file(*blocks, (0x00091002, "LO", "one"), (0x00092002, "LO", "two"), (0x00092003, "LO", "more"))
    gone = file(*blocks, (0x00092003, "LO", "more"))
    assert edited(before, tmp_path, ("remove", "9,2,ACME")) == gone
    assert edited(before, tmp_path, ("clear", "9,2,ACME")) == file(
        *blocks, (0x00091002, "LO", ""), (0x00092002, "LO", ""), (0x00092003, "LO", "more")
    )
    only_second = file(*blocks, (0x00091002, "LO", "one"), (0x00092002, "LO", "two"), (0x00092003, "LO", ""))
    out = edited(before, tmp_path, ("clear", "9,3,ACME"))
    assert out == only_second


@pytest.mark.parametrize("kind", ["empty", "replace"])
def test_what_is_inserted_goes_to_the_first_block_of_a_creator(kind: str, tmp_path: Path) -> None:
    """What the others have is edited there, too."""
    blocks: list[Row] = [(0x00090010, "LO", "ACME"), (0x00090020, "LO", "ACME")]
    before = file(*blocks, (0x00092003, "LO", "more"))
    text, value = ("9,3,ACME=new1", "new1") if kind == "replace" else ("9,3,ACME", "")
    after = file(*blocks, (0x00091003, "UN", value), (0x00092003, "LO", value))
    assert edited(before, tmp_path, (kind, text)) == after  # type: ignore[arg-type]


def test_elements_of_other_creators_with_the_same_number_stay(tmp_path: Path) -> None:
    rows: list[Row] = [
        (0x00090010, "LO", "ACME"),
        (0x00090011, "LO", "B"),
        (0x00091002, "LO", "a"),
        (0x00091102, "LO", "b"),
    ]
    assert edited(file(*rows), tmp_path, ("remove", "9,2,B")) == file(*rows[:3])


def test_creators_within_sequences_are_others(tmp_path: Path) -> None:
    inner = EXPLICIT.element(0x00090010, "LO", "ACME") + EXPLICIT.element(0x00091002, "LO", "inside")
    data = EXPLICIT.file(EXPLICIT.common() + EXPLICIT.sequence(0x00081140, EXPLICIT.item(inner)))
    assert edited(data, tmp_path, ("remove", "9,2,ACME")) == data


def test_no_block_is_free(tmp_path: Path) -> None:
    rows: list[Row] = [(0x00090000 | block, "LO", f"C{block:03}") for block in range(0x10, 0x100)]
    with pytest.raises(Refused) as caught:
        edited(file(*rows), tmp_path, ("replace", "9,2,SECRET=v"))
    assert caught.value.reason == "private-blocks"
    assert "SECRET" not in str(caught.value)
    assert not (tmp_path / "out.dcm").exists()
    assert edited(file(*rows), tmp_path, ("remove", "9,2,SECRET")) == file(*rows)


def test_a_block_that_has_elements_but_no_creator_is_not_free(tmp_path: Path) -> None:
    """Its elements would become those of the new creator."""
    out = edited(file((0x00091002, "LO", "orphan")), tmp_path, ("empty", "9,3,NEW"))
    rows: list[Row] = [(0x00090011, "LO", "NEW"), (0x00091002, "LO", "orphan"), (0x00091103, "UN", "")]
    assert out == file(*rows)


def test_a_creator_that_is_itself_edited(tmp_path: Path) -> None:
    before = file((0x00090010, "LO", "ACME"), (0x00091002, "LO", "old"))
    assert edited(before, tmp_path, ("replace", "9,10=FOO1")) == file(
        (0x00090010, "LO", "FOO1"), (0x00091002, "LO", "old")
    )


def test_absolute_private_tags_need_no_creator(tmp_path: Path) -> None:
    before = file((0x00090010, "LO", "ACME"), (0x00091002, "LO", "old1"))
    assert edited(before, tmp_path, ("replace", "9,1002=new1")) == file(
        (0x00090010, "LO", "ACME"), (0x00091002, "LO", "new1")
    )
    assert edited(before, tmp_path, ("remove", "9,1002")) == file((0x00090010, "LO", "ACME"))
