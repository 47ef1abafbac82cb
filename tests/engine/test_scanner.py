"""The Scanner's tokens, on hand-made bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil import Policy, _tables
from dcmveil._scanner import Scanner
from dcmveil.errors import LimitExceeded, ParseError, Refused
from tests.engine.support import feed
from tests.engine.wire import BIG, END_ITEM, END_SEQUENCE, EXPLICIT, IMPLICIT, UNDEFINED, delimiter, element, file, item

# Kinds of token, as in ext/dcmveil/_scanner.pxd.
PREAMBLE, META, DATASET, ELEMENT, ITEM, FRAGMENT, ITEM_END, SEQUENCE_END = range(8)


def tokens(data: bytes) -> list[tuple[int, int, int, int]]:
    """(kind, tag, length, depth) of the tokens of the Data Set; offsets are checked to ascend."""
    scanner = Scanner()
    scanner.feed(data)
    scanner.finish()
    starts = [start for _kind, _tag, _length, start, _depth in scanner.tokens]
    assert starts == sorted(starts)
    kinds = [kind for kind, *_rest in scanner.tokens]
    return [(kind, tag, length, depth) for kind, tag, length, _s, depth in scanner.tokens[kinds.index(DATASET) + 1 :]]


def kinds(data: bytes) -> list[int]:
    return [kind for kind, *_rest in tokens(data)]


PN = element(0x00100010, "PN", b"A^B ")


def test_elements_of_short_and_long_form() -> None:
    data = file(PN + element(0x00420011, "OB", b"1234") + element(0x00880140, "OV", bytes(8)))
    assert tokens(data) == [(ELEMENT, 0x00100010, 4, 0), (ELEMENT, 0x00420011, 4, 0), (ELEMENT, 0x00880140, 8, 0)]


@pytest.mark.parametrize(("order", "syntax"), [("<", EXPLICIT), (">", BIG)])
@pytest.mark.parametrize("defined", [True, False])
def test_sequences_and_items(order: str, syntax: str, defined: bool) -> None:
    name = element(0x00100010, "PN", b"A^B ", order=order)
    end_item, end_sequence = delimiter(0xE00D, order=order), delimiter(0xE0DD, order=order)
    if defined:
        content = item(name, order=order) + item(order=order)
        data = element(0x00081140, "SQ", content, order=order)
    else:
        items = item(name + end_item, order=order, length=UNDEFINED) + item(end_item, order=order, length=UNDEFINED)
        data = element(0x00081140, "SQ", items + end_sequence, order=order, length=UNDEFINED)
    data = file(data + element(0x00200010, "SH", order=order), syntax)
    assert kinds(data) == [ELEMENT, ITEM, ELEMENT, ITEM_END, ITEM, ITEM_END, SEQUENCE_END, ELEMENT]


def test_tokens_without_an_element_say_nothing_of_one() -> None:
    """Nothing of an element before, nor of whatever the memory held, however the bytes come."""
    data = file(element(0x00081140, "SQ", item(PN)) + PN)
    for step in (1, 7, len(data)):
        scanner = Scanner()
        for at in range(0, len(data), step):
            scanner.feed(data[at : at + step])
        scanner.finish()
        bare = [token for token in scanner.tokens if token[0] in (PREAMBLE, DATASET, ITEM_END, SEQUENCE_END)]
        assert [(kind, tag, length) for kind, tag, length, _start, _depth in bare] == [
            (kind, 0, 0) for kind in (PREAMBLE, DATASET, ITEM_END, SEQUENCE_END)
        ]


def test_un_of_undefined_length_is_implicit_little_endian_even_in_big_endian() -> None:
    inside = item(element(0x00100010, None, b"A^B ") + END_ITEM, length=UNDEFINED)
    data = element(0x00091010, "UN", inside + END_SEQUENCE, order=">", length=UNDEFINED)
    found = tokens(file(data + element(0x00200010, "SH", order=">"), BIG))
    assert found[2] == (ELEMENT, 0x00100010, 4, 2)
    assert found[-1] == (ELEMENT, 0x00200010, 0, 0)


def test_fragments_are_walked_and_not_read() -> None:
    inside = item() + item(END_SEQUENCE) + item(b"abc", length=3) + END_SEQUENCE
    data = element(0x7FE00010, "OB", inside, length=UNDEFINED) + element(0xFFFCFFFC, "OB", b"\0\0")
    data = file(data, "1.2.840.10008.1.2.4.90")
    assert kinds(data) == [ELEMENT, FRAGMENT, FRAGMENT, FRAGMENT, SEQUENCE_END, ELEMENT]
    assert [length for _kind, _tag, length, _depth in tokens(data)[:4]] == [UNDEFINED, 0, 8, 3]


@pytest.mark.parametrize(
    ("vr", "header"),
    [("QQ", 12), ("ZZ", 12), ("\0\0", 8), ("o ", 8), ("1A", 8)],
    ids=["future", "another future", "nul", "lower case", "digit"],
)
def test_unknown_vrs_are_read_as_dcmtk_reads_them(vr: str, header: int) -> None:
    """Two capitals are a VR of the future, with a 32-bit length; anything else is broken and short."""
    head = struct.pack("<HH", 0x0010, 0x0010) + vr.encode("latin-1")
    odd = head + (struct.pack("<HI", 0, 4) if header == 12 else struct.pack("<H", 4)) + b"A^B "
    data = file(element(0x00080060, "CS", b"CT") + odd + element(0x00200010, "SH"))
    assert [tag for _kind, tag, _length, _depth in tokens(data)] == [0x00080060, 0x00100010, 0x00200010]


@pytest.mark.parametrize("declared", [None, 0, 4, 26, 1 << 20])
def test_file_meta_ends_with_its_group_whatever_its_length_says(declared: int | None) -> None:
    uid = element(0x00020010, "UI", b"1.2.840.10008.1.2\0")
    length = b"" if declared is None else element(0x00020000, "UL", struct.pack("<I", declared))
    data = bytes(128) + b"DICM" + length + uid + element(0x00080060, None, b"CT")
    assert tokens(data) == [(ELEMENT, 0x00080060, 2, 0)]


@pytest.mark.parametrize(
    ("first", "syntax"),
    [
        (element(0x00080005, "CS", b"ISO_IR 100"), EXPLICIT),
        (element(0x00080005, None, b"ISO_IR 100"), IMPLICIT),
        (element(0x00080005, "CS", b"ISO_IR 100", order=">"), BIG),
    ],
)
@pytest.mark.parametrize(
    "prefix", [b"", bytes(128) + b"DICM", element(0x00020002, "UI", b"1.2.840.10008.5.1.4.1.1.2\0")]
)
def test_encoding_is_detected_without_a_transfer_syntax(first: bytes, syntax: str, prefix: bytes) -> None:
    planner = Policy.identity().planner()
    feed(planner, prefix + first)
    planner.finish()
    assert planner.transfer_syntax == syntax
    assert planner.dataset_start == len(prefix)


def test_every_transfer_syntax_of_the_standard() -> None:
    """All that encode Data Sets are taken, with their encoding; the others and unknown ones are refused."""
    taken = refused = 0
    for uid in [row for row in _transfer_syntaxes() if _tables.transfer_syntax_flags(row) is not None]:
        planner = Policy.identity().planner()
        try:
            planner.feed(file(b"", uid) + bytes(8))
        except Refused as error:
            assert error.reason == "transfer-syntax"
            refused += 1
        else:
            assert planner.transfer_syntax == uid
            assert planner.encoding == {IMPLICIT: 1, BIG: 2}.get(uid, 0)
            taken += 1
    assert taken > 50
    assert refused >= 5
    with pytest.raises(Refused):
        Policy.identity().planner().feed(file(PN, "1.2.3.4"))


def _transfer_syntaxes() -> list[str]:
    table = Path(__file__).parents[2] / "ext" / "tables" / "uids.tsv"
    rows = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    return [row[0] for row in rows if row[1] == "Transfer Syntax"]


def test_offsets_are_64_bits_wide() -> None:
    """Two Values of 4 GiB each, never shown."""
    planner = Policy.identity().planner()
    huge = 0xFFFFFFFE
    feed(planner, file(element(0x7FE00008, "OV", length=huge)))
    planner.advance(planner.ahead)
    feed(planner, element(0x7FE00010, "OB", length=huge))
    planner.advance(planner.ahead)
    feed(planner, element(0xFFFCFFFC, "OB", bytes(2)))
    assert planner.finish().size == planner.position > 2 * huge


def test_depth_is_limited_not_the_stack() -> None:
    for depth, fine in ((1024, True), (1025, False), (100_000, False)):
        opening = element(0x00081140, "SQ", length=UNDEFINED) + item(length=UNDEFINED)
        data = file(opening * depth + (END_ITEM + END_SEQUENCE) * depth)
        scanner = Scanner()
        if fine:
            scanner.feed(data)
            scanner.finish()
        else:
            with pytest.raises(LimitExceeded, match="1024"):
                scanner.feed(data)


@given(st.binary(max_size=400), st.sampled_from([EXPLICIT, IMPLICIT, BIG]))
def test_any_bytes_end_in_tokens_or_in_one_of_our_errors(data: bytes, syntax: str) -> None:
    scanner = Scanner()
    try:
        scanner.feed(file(data, syntax))
        scanner.finish()
    except (ParseError, Refused, LimitExceeded):
        pass
    assert all(start <= len(data) + 200 for _k, _t, _l, start, _d in scanner.tokens)


def test_count_counts_elements() -> None:
    assert Scanner.count(file(PN + element(0x00081140, "SQ", item(PN + PN)))) == 4
