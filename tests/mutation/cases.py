"""The robustness cases: files that are broken, odd or hostile, each with its number and with what has to become of it.

"ok": an output that other readers read, without a marker. "error": one line, no output. None: one of the two. Markers
stand in what the Basic Profile removes, and in what is no attribute of anything. The numbers go by kind:

 1 empty and short files            7 delimiters missing, stray, misused   13 deflate streams cut and corrupt
 2 cut points                       8 empty Items                          14 without preamble, without meta
 3 lengths past the end             9 odd lengths                          15 group lengths of the meta
 4 claims of 4 GB                  10 depth                                16 SOP Class missing, unknown
 5 undefined length on a wrong VR  11 Transfer Syntax and meta garbled     17 wild rows, bits, tables, overlays
 6 Pixel Data of the wrong form    12 deflate bombs
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from tests.hostile.forms import BIG, DEFLATED, EXPLICIT, IMPLICIT, SC_IMAGE, UNDEFINED, Form, meta_element
from tests.hostile.test_depth import kept_defined, kept_open, private_open, unknown_vr_defined, unknown_vr_open

__all__ = ["CASES", "MARK", "Case"]

MARK = b"VEILME0001"
KEPT, CODE, NAME, PIXELS, DOCUMENT = 0x0040A043, 0x00080100, 0x00100010, 0x7FE00010, 0x00420011
ITEM_END, SEQUENCE_END = 0xFFFEE00D, 0xFFFEE0DD
JPEG = Form("JPEG", "1.2.840.10008.1.2.4.50")
RLE = Form("RLE", "1.2.840.10008.1.2.5")

Outcome = Literal["ok", "error"] | None


class Case(NamedTuple):
    """A file, made when it is needed, and its outcome."""

    make: Callable[[], bytes]
    outcome: Outcome


def name(form: Form = EXPLICIT) -> bytes:
    return form.element(NAME, "PN", MARK)


def rows(form: Form = EXPLICIT, number: int = 8) -> bytes:
    return form.element(0x00280010, "US", form.pack("H", number)) + form.element(
        0x00280011, "US", form.pack("H", number)
    )


def file(*parts: bytes, form: Form = EXPLICIT) -> bytes:
    """A small object with a name, and whatever else."""
    return form.file(form.common() + name(form) + rows(form) + b"".join(parts))


def case(outcome: Outcome, *parts: bytes, form: Form = EXPLICIT) -> Case:
    return Case(lambda: file(*parts, form=form), outcome)


def given(outcome: Outcome, data: bytes) -> Case:
    return Case(lambda: data, outcome)


# ---- 1 to 4: sizes that are not there --------------------------------------------------------------------------------

HEAD = EXPLICIT.head()
SHORT = (0, 1, 7, 8, 127, 128, 131, 132)


def whole() -> bytes:
    """What is cut: all there is in an object, and at its end a Fragment that is closed."""
    item = EXPLICIT.item(EXPLICIT.element(CODE, "SH", MARK))
    kept = EXPLICIT.sequence(KEPT, item, EXPLICIT.open_item(EXPLICIT.element(CODE, "SH", "A")), open_end=True)
    return JPEG.file(JPEG.common() + name() + kept + rows() + fragments(b"\xff\xd8" + MARK))


def fragments(*contents: bytes, end: bytes = EXPLICIT.item(tag=SEQUENCE_END)) -> bytes:
    return EXPLICIT.header(PIXELS, "OB", UNDEFINED) + EXPLICIT.item() + b"".join(map(EXPLICIT.item, contents)) + end


def cut_points() -> dict[str, int]:
    """Where the file of `whole` ends too early, from front to back."""
    data = whole()
    meta, dataset = 132, len(JPEG.head())
    kept, pixels = (data.index(EXPLICIT.pack("HH", tag >> 16, tag & 0xFFFF)) for tag in (KEPT, PIXELS))
    return {
        "in the preamble": 60, "in the prefix": 130, "in a header of the meta": meta + 5, "in the meta": meta + 20,
        "behind the meta": dataset, "in a tag": dataset + 3, "in a VR": dataset + 5, "in a length": dataset + 7,
        "in a Value": dataset + 12, "in the header of a Sequence": kept + 10, "in the header of an Item": kept + 17,
        "in an Item": kept + 30, "in a Fragment": pixels + 30, "in the last delimiter": len(data) - 3,
    }  # fmt: skip


def claims(short: int, long: int) -> Iterator[tuple[str, Case]]:
    """Lengths that nothing has room for."""
    inner = EXPLICIT.element(CODE, "SH", MARK, length=short)
    open_kept = EXPLICIT.header(KEPT, "SQ", UNDEFINED)
    yield "short", case("error", EXPLICIT.element(0x00280004, "CS", MARK, length=short))
    yield "long", case("error", EXPLICIT.element(DOCUMENT, "OB", MARK, length=long))
    yield "long, removed", case("error", EXPLICIT.element(0x00102000, "UT", MARK, length=long))
    yield "private", case("error", EXPLICIT.element(0x00291010, "OB", MARK, length=long))
    yield "unknown VR", case("error", EXPLICIT.element(0x00291010, "ZZ", MARK, length=long))
    yield "Pixel Data", case("error", EXPLICIT.element(PIXELS, "OW", MARK, length=long))
    yield "Sequence", case("error", EXPLICIT.header(KEPT, "SQ", long) + EXPLICIT.item(inner))
    yield "Item", case("error", open_kept + EXPLICIT.item(MARK, length=long))
    yield "Item of a defined Sequence", case("error", EXPLICIT.sequence(KEPT, EXPLICIT.item(MARK * 2, length=long)))
    yield (
        "nested Item",
        case(
            "error", EXPLICIT.sequence(KEPT, EXPLICIT.item(EXPLICIT.sequence(KEPT, EXPLICIT.item(MARK, length=long))))
        ),
    )
    yield "element of an Item", case("error", EXPLICIT.sequence(KEPT, EXPLICIT.item(inner)))
    yield "Fragment", case("error", fragments(end=EXPLICIT.item(MARK, length=long)), form=JPEG)
    yield "implicit", case("error", IMPLICIT.element(0x00280004, "CS", MARK, length=long), form=IMPLICIT)
    yield "big endian", case("error", BIG.element(DOCUMENT, "OB", MARK, length=long), form=BIG)
    yield "deflated", case("error", DEFLATED.element(DOCUMENT, "OB", MARK, length=long), form=DEFLATED)
    yield "meta", given("error", meta(EXPLICIT.element(0x00020102, "OB", MARK, length=long)))
    yield "unknown VR in the meta", given("error", meta(EXPLICIT.element(0x00020099, "ZZ", MARK, length=long)))


def meta(*more: bytes, rest: bytes | None = None) -> bytes:
    return EXPLICIT.head(more=more) + (EXPLICIT.common() + name() + rows() if rest is None else rest)


# ---- 5 to 9: forms that are not allowed ------------------------------------------------------------------------------

LONG_VRS = ("OB", "OD", "OF", "OL", "OV", "OW", "UC", "UR", "UT")


def pixel_forms() -> Iterator[tuple[str, Case]]:
    value, items = EXPLICIT.element(PIXELS, "OB", bytes(64)), fragments(b"\xff\xd8\xff\xd9")
    yield "native where it should be encapsulated", case("ok", value, form=JPEG)
    yield "encapsulated where it should be native", case("ok", items)
    yield (
        "encapsulated in big endian",
        case(
            "ok",
            BIG.header(PIXELS, "OB", UNDEFINED) + BIG.item() + BIG.item(b"\xff\xd8") + BIG.item(tag=SEQUENCE_END),
            form=BIG,
        ),
    )
    yield (
        "encapsulated in implicit",
        case(
            "ok",
            IMPLICIT.header(PIXELS, "OB", UNDEFINED) + IMPLICIT.item() + IMPLICIT.item(tag=SEQUENCE_END),
            form=IMPLICIT,
        ),
    )
    yield (
        "without any Item",
        case("ok", EXPLICIT.header(PIXELS, "OB", UNDEFINED) + EXPLICIT.item(tag=SEQUENCE_END), form=JPEG),
    )
    yield "a Value where Items should be", case("error", EXPLICIT.header(PIXELS, "OB", UNDEFINED) + MARK * 3, form=JPEG)
    yield "a Sequence", case("ok", EXPLICIT.sequence(PIXELS, EXPLICIT.item(name())))
    yield (
        "a Sequence of undefined length",
        case("ok", EXPLICIT.sequence(PIXELS, EXPLICIT.open_item(name()), open_end=True)),
    )
    yield (
        "UN of undefined length",
        case("ok", EXPLICIT.sequence(PIXELS, IMPLICIT.item(name(IMPLICIT)), vr="UN", open_end=True)),
    )
    yield "text", case("ok", EXPLICIT.element(PIXELS, "UT", MARK))
    yield "nothing", case("ok", EXPLICIT.element(PIXELS, "OW"))
    yield (
        "a Fragment of undefined length",
        case("error", fragments(end=EXPLICIT.item(length=UNDEFINED) + MARK), form=JPEG),
    )
    yield "in an Item", case("ok", EXPLICIT.sequence(0x00880200, EXPLICIT.item(EXPLICIT.element(PIXELS, "OB", MARK))))
    yield "encapsulated in an Item", case("ok", EXPLICIT.sequence(0x00880200, EXPLICIT.item(items)), form=JPEG)
    yield "twice", case("ok", value, value)
    yield "Fragments of odd length", case("ok", fragments(b"\xff\xd8\xff"), form=JPEG)


def delimiters() -> Iterator[tuple[str, Case]]:
    code, end, stop = EXPLICIT.element(CODE, "SH", "A"), EXPLICIT.item(tag=ITEM_END), EXPLICIT.item(tag=SEQUENCE_END)
    start, item = EXPLICIT.header(KEPT, "SQ", UNDEFINED), EXPLICIT.item(length=UNDEFINED)
    yield "no end of a Sequence", case("error", start + item + code + end)
    yield "no end of an Item", case("error", start + item + code + stop)
    yield "no end of both", case("error", start + item + code)
    yield "no end of Fragments", case("error", fragments(b"1234", end=b""), form=JPEG)
    yield "end of an Item alone", case("error", end)
    yield "end of a Sequence alone", case("error", stop)
    yield "Item alone", case("error", EXPLICIT.item(name()))
    yield "ends behind Pixel Data", case("error", EXPLICIT.element(PIXELS, "OW", bytes(8)) + stop + end)
    yield "end of a Sequence in a defined Item", case("error", EXPLICIT.sequence(KEPT, EXPLICIT.item(code + stop)))
    yield "end of an Item in a defined Item", case("error", EXPLICIT.sequence(KEPT, EXPLICIT.item(code + end)))
    yield "end of a defined Sequence", case("error", EXPLICIT.sequence(KEPT, EXPLICIT.item(code), stop))
    yield "end of an Item with a length", case("error", start + item + code + EXPLICIT.item(MARK, tag=ITEM_END) + stop)
    yield (
        "end of a Sequence with a length",
        case("error", start + EXPLICIT.item(code) + EXPLICIT.item(MARK, tag=SEQUENCE_END)),
    )
    yield (
        "end of a Sequence of undefined length",
        case("error", start + EXPLICIT.item(code) + EXPLICIT.item(tag=SEQUENCE_END, length=UNDEFINED)),
    )
    yield "an element where an Item should be", case("error", start + name() + stop)
    yield "Items within each other", case("error", start + item + item + code + end + end + stop)
    yield "of the wrong byte order", case("error", BIG.header(KEPT, "SQ", UNDEFINED) + item + end + stop, form=BIG)
    yield "as a Value", case("ok", EXPLICIT.element(0x00102000, "UT", stop + end + MARK))
    yield "as a kept Value", case("ok", EXPLICIT.element(0x00283006, "OW", stop + end))
    yield "unknown", case("error", EXPLICIT.item(tag=0xFFFEBEEF))


def empty_items() -> Iterator[tuple[str, Case]]:
    for form in (EXPLICIT, IMPLICIT, BIG, DEFLATED):
        yield f"of defined length, {form.name}", case("ok", form.sequence(KEPT, form.item(), form.item()), form=form)
        yield f"open, {form.name}", case("ok", form.sequence(KEPT, form.open_item(), open_end=True), form=form)
        yield f"none, {form.name}", case("ok", form.sequence(KEPT), form=form)
        yield f"none, open, {form.name}", case("ok", form.sequence(KEPT, open_end=True), form=form)
    yield "removed", case("ok", EXPLICIT.sequence(0x00400275, EXPLICIT.item(), EXPLICIT.open_item(), open_end=True))
    yield "Fragments", case("ok", fragments(b"", b""), form=JPEG)


def odd() -> Iterator[tuple[str, Case]]:
    for form in (EXPLICIT, IMPLICIT, BIG, DEFLATED):
        yield f"kept, {form.name}", case("ok", form.element(0x00281054, "LO", b"ABC", length=3), form=form)
        yield f"removed, {form.name}", case("ok", form.element(0x00081030, "LO", MARK + b"1", length=11), form=form)
        yield f"UID, {form.name}", case("ok", form.element(0x0020000D, "UI", b"2.999", length=5), form=form)
    yield "Item", case("ok", EXPLICIT.sequence(KEPT, EXPLICIT.item(EXPLICIT.element(CODE, "SH", b"A", length=1))))
    yield "Pixel Data", case("ok", EXPLICIT.element(PIXELS, "OB", b"123", length=3))
    yield "number", case("ok", EXPLICIT.element(0x00280100, "US", b"\x08", length=1))
    yield "meta", given("ok", meta(EXPLICIT.element(0x00020013, "SH", b"ABC", length=3)))


# ---- 10: depth -------------------------------------------------------------------------------------------------------

DEPTHS = (60, 249, 1000, 1024, 1025, 5000, 100_000)
WAYS = {
    "undefined": kept_open, "defined": kept_defined, "UN": unknown_vr_open, "UN of defined length": unknown_vr_defined,
    "private": private_open,
}  # fmt: skip


def deep(form: Form, way: Callable[[Form, int], bytes], depth: int) -> Case:
    return Case(lambda: form.file(form.common() + way(form, depth)), "ok" if depth <= 1024 else "error")


def depths() -> Iterator[tuple[str, Case]]:
    for form in (EXPLICIT, IMPLICIT):
        for way, make in WAYS.items():
            yield from ((f"{depth} {way}, {form.name}", deep(form, make, depth)) for depth in DEPTHS)


# ---- 11, 14 to 16: File Meta Information, SOP Class ------------------------------------------------------------------

DATASET = EXPLICIT.common() + name() + rows()
SYNTAXES = {
    "none": None, "empty": "", "unknown": "1.2.3.4", "private": "2.999.1", "of text": "VEILME0001",
    "with a space": "1.2.840.10008.1.2.1 ", "cut": "1.2.840.10008.1.2.", "too long": "1.2.840.10008.1.2.1." + "1" * 80,
    "a list": "1.2.840.10008.1.2.1\\1.2.840.10008.1.2", "a SOP Class": SC_IMAGE,
    "implicit, said of explicit": IMPLICIT.syntax,
    "big endian, said of explicit": BIG.syntax, "deflated, said of plain": DEFLATED.syntax,
    "encapsulated, said of native": JPEG.syntax,
}  # fmt: skip


def syntax(text: str | None) -> bytes:
    """A file whose Transfer Syntax UID says this."""
    row = b"" if text is None else meta_element(0x00020010, "UI", text)
    return bytes(128) + b"DICM" + meta_element(0x00020002, "UI", SC_IMAGE) + row + DATASET


def garbled() -> Iterator[tuple[str, Case]]:
    outcomes: dict[str, Outcome] = {
        "with a space": "ok",
        "encapsulated, said of native": "ok",
        "none": "ok",
        "empty": "ok",
    }
    for what, text in SYNTAXES.items():
        yield f"Transfer Syntax {what}", given(outcomes.get(what, "error"), syntax(text))
    twice = meta_element(0x00020010, "UI", IMPLICIT.syntax)
    yield "two Transfer Syntaxes", given("error", EXPLICIT.head(more=[twice]) + DATASET)
    in_implicit = IMPLICIT.element(0x00020010, "UI", EXPLICIT.syntax)
    yield "meta in implicit", given("error", bytes(128) + b"DICM" + in_implicit + DATASET)
    yield (
        "meta in big endian",
        given("error", bytes(128) + b"DICM" + BIG.element(0x00020010, "UI", BIG.syntax) + DATASET),
    )


def without() -> Iterator[tuple[str, Case]]:
    yield "preamble", given("error", file()[128:])
    yield "preamble and prefix", given("ok", file()[132:])
    yield "meta", given("ok", bytes(128) + b"DICM" + DATASET)
    yield "anything", given("ok", DATASET)
    yield "anything, implicit", given("ok", IMPLICIT.common() + name(IMPLICIT) + rows(IMPLICIT))
    yield "anything, big endian", given("ok", BIG.common() + name(BIG) + rows(BIG))
    yield "a Data Set", given("error", HEAD)


def group_lengths() -> Iterator[tuple[str, Case]]:
    (right,) = struct.unpack_from("<I", file(), 140)
    for what, number in {"0": 0, "short": right - 8, "long": right + 8, "huge": 0xFFFFFFFF, "1": 1}.items():
        yield what, given("ok", file()[:140] + struct.pack("<I", number) + file()[144:])
    yield "missing", given("ok", file()[:132] + file()[144:])
    yield "of 2 bytes", given("ok", file()[:132] + EXPLICIT.element(0x00020000, "US", b"\0\0") + file()[144:])


def sop_classes() -> Iterator[tuple[str, Case]]:
    instance, rest = EXPLICIT.element(0x00080018, "UI", "2.999.7"), name() + rows()
    yield (
        "missing",
        given("ok", bytes(128) + b"DICM" + meta_element(0x00020010, "UI", EXPLICIT.syntax) + instance + rest),
    )
    for what, text in {
        "empty": "",
        "unknown": "1.2.3.4",
        "text": "NO UID",
        "retired": "1.2.840.10008.5.1.1.27",
    }.items():
        yield what, given("ok", HEAD + EXPLICIT.element(0x00080016, "UI", text) + instance + rest)
    yield "twice", given("ok", HEAD + EXPLICIT.common() + EXPLICIT.element(0x00080016, "UI", "1.2.3") + rest)
    yield "instance missing", given("ok", HEAD + EXPLICIT.common()[:-18] + rest)
    yield "a directory", given("error", HEAD + EXPLICIT.element(0x00080016, "UI", "1.2.840.10008.1.3.10") + rest)


# ---- 12 and 13: deflated ---------------------------------------------------------------------------------------------


def bomb(content: Callable[[], bytes], outcome: Outcome = "ok") -> Case:
    return Case(lambda: DEFLATED.file(DEFLATED.common() + name(DEFLATED) + content()), outcome)


def creators() -> bytes:
    """100,000 Private Creators, 240 in a group."""
    tags = (0x0009 + 2 * (number // 240) << 16 | 0x10 + number % 240 for number in range(100_000))
    return b"".join(EXPLICIT.element(tag, "LO", MARK) for tag in tags)


def bombs() -> Iterator[tuple[str, Case]]:
    item = EXPLICIT.item(EXPLICIT.element(CODE, "SH", "A"))
    yield "64 MB of pixels", bomb(lambda: EXPLICIT.element(PIXELS, "OB", bytes(64 << 20)))
    yield "64 MB that are removed", bomb(lambda: EXPLICIT.element(0x00291010, "OB", MARK + bytes(64 << 20)))
    yield "2 million elements", bomb(lambda: EXPLICIT.element(0x00280010, "US") * 2_000_000)
    yield "2 million elements that go", bomb(lambda: EXPLICIT.element(0x00081030, "LO") * 2_000_000)
    yield "200,000 Items", bomb(lambda: EXPLICIT.sequence(KEPT, *[item] * 200_000))
    yield "100,000 creators", bomb(creators)
    yield (
        "64 MB that end in a Value",
        bomb(lambda: EXPLICIT.element(PIXELS, "OB", bytes(64 << 20), length=65 << 20), "error"),
    )


def streams() -> Iterator[tuple[str, Case]]:
    head, data = len(DEFLATED.head()), file(EXPLICIT.element(PIXELS, "OB", bytes(range(256)) * 20), form=DEFLATED)
    for where in (1, 2, 20, (len(data) - head) // 2, len(data) - head - 1):
        yield f"cut behind byte {where}", given("error", data[: head + where])
    for where in (0, 1, 30, (len(data) - head) // 2, len(data) - head - 2):
        flipped = bytes([data[head + where] ^ 0x55])
        yield f"byte {where} flipped", given(None, data[: head + where] + flipped + data[head + where + 1 :])
    yield "no stream", given("error", DEFLATED.head())
    yield "text", given("error", DEFLATED.head() + MARK * 3)
    yield "a tail", given("ok", data + MARK * 3)
    yield "an empty stream", given("error", DEFLATED.head() + b"\3\0")


# ---- 17: numbers -----------------------------------------------------------------------------------------------------

NUMBERS = {"Rows": 0x00280010, "Columns": 0x00280011, "Bits Allocated": 0x00280100, "Bits Stored": 0x00280101,
           "High Bit": 0x00280102, "Samples per Pixel": 0x00280002, "Pixel Representation": 0x00280103}  # fmt: skip


def numbers() -> Iterator[tuple[str, Case]]:
    pixels = EXPLICIT.element(PIXELS, "OW", bytes(128))
    for what, tag in NUMBERS.items():
        for number in (0, 0xFFFF):
            yield f"{what} {number}", case("ok", EXPLICIT.element(tag, "US", struct.pack("<H", number)), pixels)
    yield "Number of Frames negative", case("ok", EXPLICIT.element(0x00280008, "IS", "-1"), pixels)
    yield "Number of Frames huge", case("ok", EXPLICIT.element(0x00280008, "IS", "99999999999"), pixels)
    for what, table in {"empty": b"", "short": b"\1\0", "wild": b"\xff" * 64, "zero": bytes(64)}.items():
        yield f"RLE table {what}", case("ok", fragments(table), form=RLE)
    table = EXPLICIT.header(PIXELS, "OB", UNDEFINED) + EXPLICIT.item(b"\xff" * 12) + EXPLICIT.item(b"\xff\xd8")
    yield "offset table wild", case("ok", table + EXPLICIT.item(tag=SEQUENCE_END), form=JPEG)
    origin = EXPLICIT.element(0x60000050, "SS", struct.pack("<hh", -32768, 32767))
    yield "overlay origin", case("ok", origin, EXPLICIT.element(0x60003000, "OW", MARK))
    yield "overlay bit position", case("error", EXPLICIT.element(0x60000102, "US", b"\xff\xff"), pixels)
    yield (
        "palette",
        case("ok", EXPLICIT.element(0x00281101, "US", b"\xff" * 6), EXPLICIT.element(0x00281201, "OW", b"12")),
    )


# ---- all -------------------------------------------------------------------------------------------------------------


def all_cases() -> Iterator[tuple[str, str, Case]]:
    yield from (("1", f"{length} bytes", given("error", file()[:length])) for length in SHORT)
    yield from (("2", where, given("error", whole()[:cut])) for where, cut in cut_points().items())
    undefined = (
        (vr, case("error", EXPLICIT.header(DOCUMENT, vr, UNDEFINED) + MARK + EXPLICIT.item(tag=SEQUENCE_END)))
        for vr in LONG_VRS
    )
    kinds = {
        "3": claims(4000, 4000), "4": claims(0xFFFE, 0xFFFFFFFE), "5": undefined, "6": pixel_forms(), "7": delimiters(),
        "8": empty_items(), "9": odd(), "10": depths(), "11": garbled(), "12": bombs(), "13": streams(),
        "14": without(), "15": group_lengths(), "16": sop_classes(), "17": numbers(),
    }  # fmt: skip
    for number, rows_ in kinds.items():
        yield from ((number, what, one) for what, one in rows_)


CASES: dict[str, Case] = {f"case {number}, {what}": one for number, what, one in all_cases()}
