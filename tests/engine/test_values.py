"""What stays is a Value of its VR: what a wrong length has made part of one goes with it.

Leak channel 8, and the threats "length trusted" and "VR confusion": texts have bytes that texts have (PS3.5 6.2),
numbers are as many as the dictionary says.
"""

from __future__ import annotations

import random
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil import Options, Policy, _tables, deidentify_file, edit_file
from dcmveil._planner import Planner
from dcmveil._policy import RuleTable
from dcmveil.resolver import Resolver
from tests.editing.support import edits
from tests.engine.support import SECRET, execute, feed, pieces, rewritten, segments
from tests.hostile.forms import BIG, EXPLICIT, FORMS, IMPLICIT, PLAIN_FORMS, Form, inflated
from tests.reference.values import PADDED, is_text_of

MARK = b"VEILME"
KEPT = {
    "AE": 0x00741236, "AS": 0x00101010, "CS": 0x00080060, "DA": 0x00181200, "DS": 0x00281050, "DT": 0x0018A002,
    "IS": 0x00200013, "LO": 0x00181020, "LT": 0x00104000, "PN": 0x00081060, "SH": 0x00180024, "ST": 0x00080092,
    "TM": 0x00181201, "UC": 0x00080119, "UI": 0x00080016, "UR": 0x00080120, "UT": 0x0040A160,
}  # fmt: skip
VALUES: dict[str, list[bytes]] = {
    "AE": [b"STORE SCP "],
    "AS": [b"045Y", b"45y "],
    "CS": [b"ORIGINAL\\PRIMARY\\\\m_se", b"head/neck", b"T1 (fast)+", b"CT\0\0 \0"],
    "DA": [b"20200229", b"2020.02.29", b"2020-02-29", b"20200101-20200301", b"        ", b"\0\0"],
    "DS": [b"1.25\\-1E-3\\+2,5 ", b" 0.70710678118654752440084436210485 "],
    "DT": [b"20200229101112.123456+0100", b"2020-02-29 10:11"],
    "IS": [b"7 ", b"-7\\+8", b"7.0 "],
    "LO": [b"a\xc3\xa9\\\x1b$B;3\x1b(B", b"first\r\nsecond\tthird", b"x" * 512],
    "LT": [b"a\r\n\tb\\c\f" * 1000],
    "PN": [b"A^B=\xe5\xb1\xb1=C"],
    "SH": [b"NONE\0", b"\xb0C"],
    "ST": [b"x" * 8192],
    "TM": [b"10:11:12.5", b"101112 \\1012"],
    "UC": [b"long\\" * 4000],
    "UI": [b"1.2.840\\1.2.3\0", b"1.2 ", b"0" * 100],
    "UR": [b"urn:oid:1.2\\3?x=%20"],
    "UT": [b"line\n" * 4000],
}
NONE: dict[str, list[bytes]] = {
    "AE": [b"A\nB ", b"\xe9t\xe9 ", b"x" * 130],
    "AS": [b"old ", b"045Y\0Y", b"0" * 33 + b" "],
    "CS": [b"CT\0\0CT", b"C\tT ", b"SCH\xc4DEL ", b"x" * 130],
    "DA": [b"yesterday ", b"2" * 66],
    "DS": [b"NaN ", b"1.0\0\x002", b"1" * 130],
    "DT": [b"2020T", b"2" * 210],
    "IS": [b"seven ", b"1" * 98],
    "LO": [b"a\0\0b", b"\x01a", b"a\x7f", b"x" * 514, b"a\\" + b"x" * 514],
    "LT": [b"a\0\0b", b"x" * 10 + b"\x08"],
    "PN": [b"A\0\0B", b"x" * 1538],
    "SH": [b"\x10\0", b"x" * 130],
    "ST": [b"a\0\0b", b"\\x" * 4097],
    "TM": [b"noon", b"1" * 114],
    "UC": [b"a\0\0b"],
    "UI": [b"1.2 3 ", b"1.2\\ 3", b"1.2.ab", b"1" * 514],
    "UR": [b"a\0\0b", b"\xe9\xe9", b"a\nb "],
    "UT": [b"a\0\0b", b"\x1f\x20"],
}


@cache
def table() -> RuleTable:
    """All is kept but what is not as the dictionary says."""
    special = dict.fromkeys(("private", "unknown", "group_length", "duplicate", "member", "meta"), 0)
    return RuleTable(behaviours=["keep", "remove"], special={**special, "vr": 1})


def edits_of(*chunks: bytes) -> int:
    planner = Planner(table())
    for chunk in chunks:
        feed(planner, chunk)
    return len(planner.finish())


def file_with(form: Form, vr: str, value: bytes) -> bytes:
    """An object that has it, at top level and nested, and something behind it."""
    element = form.element(KEPT[vr], vr, value)
    nested = form.sequence(0x52009229, form.item(element), form.open_item(element), open_end=True)
    return form.head() + form.element(KEPT[vr], vr, value) + nested


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("vr", KEPT)
def test_a_value_stays_if_it_is_one(form: Form, vr: str) -> None:
    """Channel 8: whole, in two pieces, and byte by byte."""
    for value, expected in chain(((value, 0) for value in VALUES[vr]), ((value, 6) for value in NONE[vr])):
        data = file_with(form, vr, value)
        cuts = [len(data) // 2] if len(value) > 600 else range(300, len(data))
        assert edits_of(data) == edits_of(*pieces(data, cuts)) == expected, value[:40]
        assert all(edits_of(*pieces(data, [cut])) == expected for cut in cuts[: 2 * len(value) + 40 : 3])


@given(st.data())
def test_what_is_a_value_is_so_by_the_pattern_too(data: st.DataObject) -> None:
    vr = data.draw(st.sampled_from(sorted(PADDED)))
    letters = st.sampled_from(b"01.ABab \\\0\x1b\n\x01\x7f\x80\xff:-+eEDWMYdwmy,/^=")
    value = bytes(data.draw(st.lists(letters, max_size=24))) * data.draw(st.sampled_from([1, 1, 1, 7, 40]))
    value += b" " * (len(value) % 2)
    whole = EXPLICIT.head() + EXPLICIT.element(KEPT[vr], vr, value)
    cut = data.draw(st.integers(len(whole) - len(value), len(whole)))
    assert edits_of(whole[:cut], whole[cut:]) == (not is_text_of(value, (vr,)))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("vr", ["CS", "DS", "LO", "SH", "UI", "US", "FD", "AT", "UL"])
def test_leak_channel_8_a_value_that_takes_in_what_follows_goes(form: Form, vr: str) -> None:
    """Channel 8: a length that lies makes a name part of a Value that is kept."""
    tag, value = {
        "CS": (0x00080060, b"CT"), "DS": (0x00281050, b"40\\400"), "LO": (0x00201040, b"A PLACE "),
        "SH": (0x00181210, b"B30f"), "UI": (0x00080016, b"1.2.840.10008.5.1.4.1.1.7\0"), "US": (0x00280010, b"\1\0"),
        "FD": (0x00189073, bytes(8)), "AT": (0x00209165, bytes(4)), "UL": (0x00409302, bytes(4)),
    }[vr]  # fmt: skip
    name = form.element(0x00100010, "PN", MARK.ljust(8))  # so that numbers have whole sizes
    data = form.file(form.element(0x00080018, "UI", "2.999.7.7") + form.element(tag, vr, value + name))
    assert MARK not in inflated(rewritten(data, Policy(secret=SECRET)))


def test_numbers_are_as_many_as_the_dictionary_says() -> None:
    """Rows: 1. LUT Descriptor: 3. Pixel Aspect Ratio is text. Frame Increment Pointer: any number; a LUT as well."""
    for form in PLAIN_FORMS:
        rows = {0x00280010: ("US", 2, 1), 0x00281101: ("US", 2, 3), 0x00189073: ("FD", 8, 1), 0x00280106: ("SS", 2, 1)}
        for tag, (vr, size, most) in rows.items():
            assert edits_of(form.head() + form.element(tag, vr, bytes(size * most))) == 0
            assert edits_of(form.head() + form.element(tag, vr, bytes(size * (most + 1)))) == 1
        for tag, vr in ((0x00280009, "AT"), (0x00283006, "US"), (0x00660016, "OF")):
            assert edits_of(form.head() + form.element(tag, vr, bytes(4000))) == 0


def test_nothing_is_held_of_what_is_looked_at() -> None:
    planner = Planner(table(), max_held=1000)
    data = EXPLICIT.head() + EXPLICIT.element(KEPT["UT"], "UT", bytes(100_000).replace(b"\0", b"x"))
    for piece in pieces(data, range(512, len(data), 512)):
        feed(planner, piece)
    assert len(planner.finish()) == 0


CLEANING = Options(clean_descriptors=True)
PROSE = {
    "method": (0x00120063, "LO", Options()), "clean": (0x00081030, "LO", CLEANING),
    "clean, Code Meaning": (0x00080104, "LO", CLEANING), "clean identity": (0x00181210, "SH", CLEANING),
}  # fmt: skip


@pytest.mark.parametrize("form", PLAIN_FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("kind", PROSE)
def test_leak_channel_8_what_stays_for_the_most_part_is_a_value(kind: str, form: Form) -> None:
    """Channel 8: texts that others are added to, or that names are cut out of, which the lying length may not have."""
    tag, vr, options = PROSE[kind]
    policy = Policy(secret=SECRET, options=options)
    for value, stays in ((b"knee with contrast", True), (b"knee" + form.element(0x00081048, "PN", MARK), False)):
        row = form.element(tag, vr, value)
        data = form.file(form.element(0x00080018, "UI", "2.999.7.7") + row)
        output = rewritten(data, policy)
        assert (MARK in output, b"knee" in output) == (False, stays)
        assert segments(pieces(data, range(300, len(data))), policy) == segments([data], policy)


def test_what_is_binary_may_be_anything() -> None:
    """It is not looked at, nor is it in Implicit VR, and so need not be fed; texts are, however long."""
    for form, vr, tag in ((EXPLICIT, "OB", 0x00420011), (IMPLICIT, "OB", 0x00420011), (BIG, "OW", 0x7FE00010)):
        planner = Planner(table())
        feed(planner, form.head() + form.header(tag, vr, 1 << 21))
        assert planner.ahead == 1 << 21
    planner = Planner(table())
    feed(planner, EXPLICIT.head() + EXPLICIT.header(KEPT["UT"], "UT", 1 << 21) + b"text")
    assert planner.ahead == 0
    feed(planner, b"\0\0text")
    assert planner.ahead == (1 << 21) - 10  # what it is is known


@pytest.mark.parametrize("bad", [0, 100_000, (3 << 20) - 2])
def test_long_texts_are_read_to_their_ends(bad: int, tmp_path: Path) -> None:
    """One byte of three million; and the bulk that others know of is what stays."""
    text = bytearray(b"some text\n" * 314573)[: 3 << 20]
    for is_bad in (False, True):
        text[bad] = 1 if is_bad else 0x41
        data = EXPLICIT.file(EXPLICIT.common() + EXPLICIT.element(KEPT["UT"], "UT", bytes(text)))
        policy = Policy(secret=SECRET)
        assert (bytes(text) in rewritten(data, policy)) != is_bad
        planner = policy.planner()
        for piece in pieces(data, range(1 << 16, len(data), 1 << 16)):
            feed(planner, piece)
        plan = planner.finish()
        resolver = Resolver(planner, policy.answers())
        resolver.answer()
        assert bool(plan.first_bulk) != is_bad
        resolver.align()
        assert execute(data, plan.segments()) == rewritten(data, policy)


def test_a_value_that_is_none_says_nothing(tmp_path: Path) -> None:
    """No SOP Class, no Specific Character Set for an Item, and another one of its tag is the first."""
    sop_class = EXPLICIT.element(0x00080016, "UI", b"1.2.840.10008.5.1.4.1.1.7\0\x10\0\x10\0")
    modality = EXPLICIT.element(0x00080060, "CS", b"CT\0CT ") + EXPLICIT.element(0x00080060, "CS", b"MR")
    more = EXPLICIT.element(0x00080060, "CS", b"US") + EXPLICIT.element(0x00100010, "PN", MARK)
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(EXPLICIT.head() + sop_class + modality + more)
    report = deidentify_file(source, target, Policy(secret=SECRET))
    assert report.sop_class is None or report.sop_class.startswith("1.2.840.10008.5.1.4.1.1.7")
    assert report.counts["no Value of the dictionary's VR", "remove"] == 2
    output = target.read_bytes()
    assert EXPLICIT.element(0x00080060, "CS", b"MR") in output
    assert output.count(b"\x08\0\x60\0CS") == 1
    planner = Policy(secret=SECRET).planner()
    feed(planner, source.read_bytes())
    assert 0x00080016 not in [tag for tag, *_rest in planner.finish().watched() if tag >> 16 == 8]


def test_a_safe_private_element_is_a_value_or_goes_with_its_creator(tmp_path: Path) -> None:
    creator = EXPLICIT.element(0x00E10010, "LO", "ELSCINT1")
    policy = Policy(secret=SECRET, options=Options(retain_safe_private=True))
    for value, stays in ((b"1.5 ", True), (b"\x10\0\x10\0PN\6\0" + MARK, False)):
        data = EXPLICIT.file(EXPLICIT.common() + creator + EXPLICIT.element(0x00E11021, "DS", value))
        output = rewritten(data, policy)
        assert (value in output) == (b"ELSCINT1" in output) == stays


@pytest.mark.parametrize("vr", KEPT)
def test_those_who_keep_everything_keep_what_is_none(vr: str, tmp_path: Path) -> None:
    """`--dumb`, and what has no rules at all."""
    source, target = tmp_path / "in", tmp_path / "out"
    row = EXPLICIT.element(KEPT[vr], vr, NONE[vr][0])
    source.write_bytes(EXPLICIT.file(EXPLICIT.common() + row))
    edit_file(source, target, edits(("remove", "0008,0018")))
    assert row in target.read_bytes()
    assert rewritten(source.read_bytes(), Policy.identity()) == source.read_bytes()


def test_what_comes_again_and_again_as_none_is_forgotten_each_time() -> None:
    """Elements in order and not, with a slot of the dictionary and without: those that go have not been there."""
    policy = Policy(secret=SECRET)
    chooser = random.Random(6)
    tags = [KEPT[vr] for vr in ("CS", "DS", "IS", "UI")] + [0x00280412, 0x00280422]
    bad = [EXPLICIT.element(tag, _tables.dictionary_vr(tag) or "", b"\1\2") for tag in tags]
    good = {tag: EXPLICIT.element(tag, _tables.dictionary_vr(tag) or "", b"1 ") for tag in tags}
    rows = [chooser.choice(bad) for _ in range(4000)] + list(good.values()) + bad + list(good.values())
    output = rewritten(EXPLICIT.head() + b"".join(rows), policy)
    assert [output.count(row) for row in good.values()] == [1] * len(good)
    assert b"\1\2" not in output[400:]


def test_a_number_is_no_text_of_a_repeating_group(tmp_path: Path) -> None:
    """(0028,0402) is US, though (0028,04x2) is LO."""
    policy = Policy(secret=SECRET, options=Options(clean_descriptors=True))
    data = EXPLICIT.file(EXPLICIT.common() + EXPLICIT.element(0x00280402, "US", b"VEIL"))
    assert b"VEIL" not in rewritten(data, policy).replace(b"DCMVEIL", b"")


SETS = {
    b"ISO_IR 100": True, b"": True, b" ISO_IR 192 \\ISO 2022 IR 87\0 ": True, b"\\ISO 2022 IR 87": True,
    b"ISO_IR 13 ": True, b"GB18030\\\\": True, b"iso_ir 100": False, b"ISO_IR 100\\VEILME": False,
    b"ISO_IR 100\0\0VEILME": False, b"ISO_IR 10": False, b"ISO_IR 100\x08\0\x60\0": False,
    b"ISO 2022 IR 100\\" * 15 + b"ISO_IR 100": True, b"ISO 2022 IR 100\\" * 16 + b"ISO_IR 100": False,
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_leak_channel_8_a_specific_character_set_has_defined_terms_only(form: Form) -> None:
    """Channel 8: at top level and in an Item; one that is too long to be one is none."""
    policy = Policy(secret=SECRET)
    for value, stays in SETS.items():
        row = form.element(0x00080005, "CS", value)
        item = form.item(row + form.element(0x00080100, "SH", "A"))
        data = form.file(row + form.common() + form.sequence(0x0040A043, item))
        output = inflated(rewritten(data, policy))
        assert (row in output) == (item in output) == stays, value
        if not form.deflated:
            assert segments(pieces(data, range(300, len(data))), policy) == segments([data], policy), value
