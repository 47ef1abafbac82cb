"""Scripts read backwards: what was copied, lost and put in between gives the input again, wherever the gap is."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dcmveil._inverse import KINDS, Inverse, restoring_script

COPY_BIT, SHIFT = 1 << 63, 29
MOST = (1 << SHIFT) - 1
COPY, BULK, SKIP, TEXT, RAW = range(5)
EXAMPLES = settings(max_examples=250, deadline=None)

Range = tuple[int, int]


class Rewritten(NamedTuple):
    """An input, what a script makes of it, and the ranges of it that are at hand or long Values."""

    data: bytes
    script: list[bytes]
    output: bytes
    text: list[Range]
    bulk: list[Range]


@st.composite
def ranges(draw: st.DrawFn, size: int) -> list[Range]:
    """Ranges in order that do not overlap; two may touch."""
    cuts = sorted(draw(st.lists(st.integers(0, size), max_size=12)))
    return [(start, stop) for start, stop in pairwise(cuts) if start < stop and draw(st.booleans())]


@st.composite
def rewritten(draw: st.DrawFn) -> Rewritten:
    data = draw(st.binary(max_size=120))
    script, output = [], b""
    for start, stop in draw(ranges(len(data))):
        put = draw(st.binary(max_size=9))
        script += [struct.pack("=Q", len(put)) + put] * bool(put) + [struct.pack("=QQ", start | COPY_BIT, stop - start)]
        output += put + data[start:stop]
    put = draw(st.binary(max_size=9))
    script += [struct.pack("=Q", len(put)) + put] * bool(put)
    return Rewritten(data, script, output + put, draw(ranges(len(data))), draw(ranges(len(data))))


def packed(found: list[Range]) -> bytes:
    return b"".join(struct.pack("=QQ", *pair) for pair in found)


def unpacked(found: bytes) -> list[Range]:
    return list(struct.iter_unpack("=QQ", found))


def gathered(data: bytes, found: list[Range]) -> bytes:
    return b"".join(data[start:stop] for start, stop in found)


def execute(script: bytes, source: bytes) -> bytes:
    """What a segment script makes of a source; what it copies has to be there."""
    at, output = 0, b""
    while at < len(script):
        (head,) = struct.unpack_from("=Q", script, at)
        if head & COPY_BIT:
            start, length = head ^ COPY_BIT, struct.unpack_from("=Q", script, at + 8)[0]
            assert start + length <= len(source)
            output += source[start : start + length]
            at += 16
        else:
            output += script[at + 8 : at + 8 + head]
            at += 8 + head
    return output


def inverse(case: Rewritten, joined: bool = True) -> tuple[bytes, bytes, bytes]:
    made = Inverse(packed(case.text), packed(case.bulk))
    for piece in [b"".join(case.script)] if joined else case.script:
        made.add(piece)
    return made.finish(len(case.data))


def words(*operations: tuple[int, int] | int) -> bytes:
    """Operations: (kind, length), or a number as it is."""
    return b"".join(
        struct.pack("<I", word if isinstance(word, int) else word[0] << SHIFT | word[1]) for word in operations
    )


# ---- there and back --------------------------------------------------------------------------------------------


@EXAMPLES
@given(rewritten(), st.data())
def test_the_output_leads_back_to_the_input_past_any_gap(case: Rewritten, data: st.DataObject) -> None:
    operations, lost, _bulk = inverse(case)
    start = data.draw(st.integers(0, len(case.output)), label="gap")
    gap = data.draw(st.binary(max_size=20), label="what stands in it")
    written = case.output[:start] + gap + case.output[start:]
    text, raw = gathered(case.data, case.text), gathered(case.data, unpacked(lost))
    back = restoring_script(operations, text, raw, start, start + len(gap))
    assert execute(back, written) == case.data


@EXAMPLES
@given(rewritten())
def test_pieces_of_a_script_come_to_the_same_as_the_whole(case: Rewritten) -> None:
    assert inverse(case, joined=False) == inverse(case)


@EXAMPLES
@given(rewritten())
def test_raw_is_only_what_is_neither_copied_nor_at_hand(case: Rewritten) -> None:
    _operations, lost, bulk = inverse(case)
    kept = set()
    for record in case.script:
        (head,) = struct.unpack_from("=Q", record)
        if head & COPY_BIT:
            kept.update(range(head ^ COPY_BIT, (head ^ COPY_BIT) + struct.unpack_from("=Q", record, 8)[0]))
    at_hand = {at for start, stop in case.text for at in range(start, stop)}
    long_values = {at for start, stop in case.bulk for at in range(start, stop)}
    assert {at for pair in unpacked(lost) for at in range(*pair)} == set(range(len(case.data))) - kept - at_hand
    assert {at for pair in unpacked(bulk) for at in range(*pair)} == kept & long_values


@pytest.mark.parametrize("length", [MOST, MOST + 1, 3 * MOST + 5, 1 << 40])
def test_long_runs_are_cut_to_what_an_operation_can_say(length: int) -> None:
    """No data is made: a script only says from where to where."""
    made = Inverse(b"", packed([(length, 2 * length)]))
    made.add(struct.pack("=QQ", COPY_BIT, 2 * length))
    operations, lost, bulk = made.finish(2 * length)
    runs = [(word >> SHIFT, word & MOST) for (word,) in struct.iter_unpack("<I", operations)]
    assert sum(run for kind, run in runs if kind == COPY) == length
    assert sum(run for kind, run in runs if kind == BULK) == length
    assert (lost, sum(stop - start for start, stop in unpacked(bulk))) == (b"", length)
    copies = list(struct.iter_unpack("=QQ", restoring_script(operations, b"", b"", 7, 10)))
    assert copies[0] == (COPY_BIT, 7)
    assert copies[1][0] == 10 | COPY_BIT
    assert sum(count for _start, count in copies) == 2 * length


def test_what_was_lost_in_one_long_run_is_raw_in_several() -> None:
    made = Inverse(b"", b"")
    operations, lost, _bulk = made.finish(MOST + 9)
    assert operations == words((RAW, MOST), (RAW, 9))
    assert unpacked(lost) == [(0, MOST + 9)]


def test_text_beyond_one_operation_goes_on_where_it_stopped() -> None:
    operations, _lost, _bulk = Inverse(packed([(0, 4), (5, MOST + 30)]), b"").finish(MOST + 30)
    assert operations == words((TEXT, 4), 0, (RAW, 1), (TEXT, MOST), 4, (TEXT, 25), MOST + 4)


def test_an_input_of_nothing_has_nothing_to_go_back_to() -> None:
    assert Inverse(b"", b"").finish(0) == (b"", b"", b"")
    assert restoring_script(b"", b"", b"", 0, 0) == b""


# ---- hostile operations ----------------------------------------------------------------------------------------

HOSTILE = {
    "text from past its end": (words((TEXT, 1), 4), b"text", b""),
    "text past its end": (words((TEXT, 5), 0), b"text", b""),
    "text far past its end": (words((TEXT, MOST), 0xFFFFFFFF), b"text", b""),
    "text where there is none": (words((TEXT, 1), 0), b"", b""),
    "text that says not from where": (words((TEXT, 1)), b"text", b""),
    "text cut short": (words((TEXT, 1), 0)[:-1], b"text", b""),
    "raw past its end": (words((RAW, 4)), b"", b"raw"),
    "raw past its end, later": (words((RAW, 2), (RAW, 2)), b"", b"raw"),
    "raw where there is none": (words((RAW, 1)), b"", b""),
    "no such operation, 5": (words((5, 1)), b"text", b"raw"),
    "no such operation, 6": (words((6, 0)), b"text", b"raw"),
    "no such operation, 7": (words((7, MOST)), b"text", b"raw"),
    "one byte": (b"\1", b"text", b"raw"),
    "cut short": (words((COPY, 1))[:3], b"text", b"raw"),
    "cut short behind a whole one": (words((COPY, 1)) + b"\0\0", b"text", b"raw"),
}


@pytest.mark.parametrize("case", HOSTILE.values(), ids=HOSTILE)
def test_operations_past_what_there_is_are_errors(case: tuple[bytes, bytes, bytes]) -> None:
    with pytest.raises(ValueError, match="operation"):
        restoring_script(*case, 0, 0)


def test_operations_on_nothing_are_nothing() -> None:
    nothing = words((COPY, 0), (BULK, 0), (SKIP, 0), (TEXT, 0), 0, (RAW, 0))
    assert restoring_script(nothing, b"", b"", 0, 0) == b""


OPERATIONS = st.lists(
    st.builds(lambda kind, length: words((kind, length)), st.integers(0, 7), st.integers(0, 40) | st.just(MOST))
    | st.integers(0, 50).map(words)
    | st.binary(max_size=5),
    max_size=12,
).map(b"".join)


@EXAMPLES
@given(OPERATIONS, st.binary(max_size=30), st.binary(max_size=30), st.integers(0, 1 << 60), st.integers(0, 1 << 60))
def test_any_operations_end_in_a_script_or_a_value_error(
    operations: bytes, text: bytes, raw: bytes, start: int, size: int
) -> None:
    try:
        script = restoring_script(operations, text, raw, start, start + size)
    except ValueError:
        return
    at = 0
    while at < len(script):
        (head,) = struct.unpack_from("=Q", script, at)
        if not head & COPY_BIT:
            found = script[at + 8 : at + 8 + head]
            assert len(found) == head
            assert found in text or found in raw
        at += 16 if head & COPY_BIT else 8 + head
    assert at == len(script)


def test_the_kinds_are_numbered_as_named() -> None:
    assert KINDS == ("copy", "bulk", "skip", "text", "raw")
