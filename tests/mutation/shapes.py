"""Objects that are well formed and meant to cost more than their size: `n` of something, for any n.

What makes parsers slow is one thing repeated: small elements, Items, Fragments, private blocks, Values of one element,
or Sequences within each other. Each shape is a function from the Form and `n` to a file whose size is linear in n.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.hostile.forms import EXPLICIT, SC_IMAGE, UNDEFINED, Form

__all__ = ["DEPTH", "SHAPES", "Shape", "plain"]

NAME, STUDY, DESCRIPTION = 0x00100010, 0x0020000D, 0x0008103E
KEPT = 0x0040A043  # Concept Name Code Sequence: the Basic Profile keeps it, and looks into it
CODE = 0x00080100
DOCUMENT = 0x00420011
PIXELS = 0x7FE00010
SR = "1.2.840.10008.5.1.4.1.1.88.33"
DEPTH = 1000  # of Sequences within each other; 1,024 are accepted
TEXTS = 1 << 16

Shape = Callable[[Form, int], bytes]


def rows(form: Form) -> bytes:
    return form.element(0x00280010, "US", form.pack("H", 50))


def plain(form: Form, size: int) -> bytes:
    """A file of `size` bytes that has nothing special: a few Attributes, and Pixel Data."""
    front = form.common() + form.element(NAME, "PN", "DOE^JANE") + form.element(STUDY, "UI", "2.999.1") + rows(form)
    length = max(0, size - len(form.file(front)) - 12) & ~1
    return form.file(front + form.element(PIXELS, "OB", b"\x5a" * length))


def filled(form: Form, dataset: bytes) -> bytes:
    return form.file(form.common() + dataset)


# ---- elements --------------------------------------------------------------------------------------------------


def small(form: Form) -> bytes:
    """Eight that stay, as small as they can be: without Value, and different, for what is repeated goes."""
    return b"".join(form.element(0x00280000 | tag, "US") for tag in (2, 6, 0x10, 0x11, 0x100, 0x101, 0x102, 0x103))


def kept_elements(form: Form, n: int) -> bytes:
    """Eight to an Item."""
    return filled(form, form.sequence(KEPT, *[form.item(small(form))] * (n // 8)))


def repeated_elements(form: Form, n: int) -> bytes:
    return filled(form, form.element(0x00280010, "US") * n)


def removed_elements(form: Form, n: int) -> bytes:
    return filled(form, form.element(0x00081030, "LO") * n)


def alternating_elements(form: Form, n: int) -> bytes:
    """One stays, one goes: nothing can be taken together."""
    tags = (2, 6, 0x10, 0x11)
    pairs = (form.element(0x00280000 | tag, "US") + form.element(0x00281000 | tag, "LO") for tag in tags)
    return filled(form, form.sequence(KEPT, *[form.item(b"".join(pairs))] * (n // 8)))


def unknown_elements(form: Form, n: int) -> bytes:
    """Different tags, which no dictionary has."""
    return filled(form, b"".join(form.element(0x00600000 + (number << 1 & 0xFFFE) + 1, "LO") for number in range(n)))


def names(form: Form, n: int) -> bytes:
    """Many Values of the same Attribute, all emptied, at top level."""
    return filled(form, b"".join(form.element(NAME, "PN", f"DOE{number:07}^J") for number in range(n)) + rows(form))


def uids(form: Form, n: int) -> bytes:
    """Different ones, all mapped."""
    return filled(form, b"".join(form.element(STUDY, "UI", f"2.999.{number}") for number in range(n)))


def dates(form: Form, n: int) -> bytes:
    days = (form.element(0x00080020, "DA", f"{1900 + number % 120}{1 + number % 12:02}11") for number in range(n))
    return filled(form, form.element(0x00100020, "LO", "ID1") + b"".join(days))


def descriptions(form: Form, n: int) -> bytes:
    """Texts to be cleaned, all different, with the name of the patient in them."""
    texts = (form.element(DESCRIPTION, "LO", f"CT {number} of Miller, 12.3.2020") for number in range(n))
    return filled(form, form.element(NAME, "PN", "Miller^Jane") + b"".join(texts))


def names_and_descriptions(form: Form, n: int) -> bytes:
    """Half of it names to look for, half texts to look into: all names in all texts would be n squared."""
    people = (form.element(0x00081070, "PN", f"Miller{number}^Jane{number}") for number in range(n // 2))
    texts = (form.element(DESCRIPTION, "LO", f"seen by Miller{number} again") for number in range(n // 2))
    return filled(form, b"".join(people) + b"".join(texts))


def group_lengths(form: Form, n: int) -> bytes:
    return filled(form, form.element(0x00280000, "UL", bytes(4)) * n)


# ---- Values of one element ---------------------------------------------------------------------------------------


def listed(tag: int, vr: str, one: str) -> Shape:
    """One element with n Values, as far as its Value Length goes; then another one."""

    def make(form: Form, n: int) -> bytes:
        most = min(n, 65000 // (len(one) + 1))
        return filled(form, form.element(tag, vr, "\\".join([one] * most)) * (n // most))

    return make


def long_text(one: str) -> Shape:
    """A single text of n words; texts of more than 1 MiB are not read, so several."""

    def make(form: Form, n: int) -> bytes:
        most = min(n, (1 << 20) // len(one) - 1)
        text = form.element(0x00400602, "UT", one * most)
        return filled(form, form.element(NAME, "PN", "Miller^Jane") + text * (n // most))

    return make


def short_texts(one: str) -> Shape:
    """The same in elements of at most 64 kB."""

    def make(form: Form, n: int) -> bytes:
        most = min(n, TEXTS // len(one) - 2)
        text = form.element(0x00104000, "LT", one * most)
        return filled(form, form.element(NAME, "PN", "Miller^Jane") + text * (n // most))

    return make


# ---- Items and Sequences -----------------------------------------------------------------------------------------


def items(content: Callable[[Form, int], bytes], *, tag: int = KEPT, is_open: bool = False) -> Shape:
    def make(form: Form, n: int) -> bytes:
        item = form.open_item if is_open else form.item
        return filled(form, form.sequence(tag, *(item(content(form, number)) for number in range(n)), open_end=is_open))

    return make


def nothing(form: Form, number: int) -> bytes:
    return b""


def kept(form: Form, number: int) -> bytes:
    return form.element(CODE, "SH", "T-D3000")


def renewed(form: Form, number: int) -> bytes:
    return form.element(0x00081155, "UI", f"2.999.{number}")


def removed(form: Form, number: int) -> bytes:
    return form.element(NAME, "PN", f"DOE^{number}")


def mixed(form: Form, number: int) -> bytes:
    return kept(form, number) + form.sequence(0x00081140, form.item(renewed(form, number))) + removed(form, number)


def sequences(form: Form, n: int) -> bytes:
    """As many Sequences as Items, each of defined length: every one has to be patched."""
    return filled(form, b"".join(form.sequence(KEPT, form.item(removed(form, number))) for number in range(n)))


def nested(*, is_open: bool) -> Shape:
    """Sequences within each other, `DEPTH` deep, as often as it takes; something goes in the innermost Item."""

    def make(form: Form, n: int) -> bytes:
        leaf = form.element(NAME, "PN", "DOE^JANE")
        whole = nest(form, leaf, min(n, DEPTH), is_open=is_open)
        return filled(form, whole * max(1, n // DEPTH))

    return make


def nest(form: Form, leaf: bytes, depth: int, *, is_open: bool) -> bytes:
    """In linear time."""
    if is_open:
        front = form.header(KEPT, "SQ", UNDEFINED) + form.item(length=UNDEFINED)
        return front * depth + leaf + (form.item(tag=0xFFFEE00D) + form.item(tag=0xFFFEE0DD)) * depth
    level = len(form.header(KEPT, "SQ", 0)) + 8
    sizes = (len(leaf) + number * level for number in reversed(range(depth)))
    return b"".join(form.header(KEPT, "SQ", size + 8) + form.item(length=size) for size in sizes) + leaf


def leaves_on_the_way(form: Form, n: int) -> bytes:
    """At each level something that goes, in defined lengths: each of them changes all lengths around it."""
    whole = b""
    parts, size = [], 0
    for _level in range(min(n, DEPTH)):
        leaf = form.element(NAME, "PN", "DOE^JANE")
        size += len(leaf)
        header = form.header(KEPT, "SQ", size + 8) + form.item(length=size)
        parts.append((header, leaf))
        size += len(header)
    whole = b"".join(header for header, _leaf in reversed(parts)) + b"".join(leaf for _header, leaf in parts)
    return filled(form, whole * max(1, n // DEPTH))


def private_nest(form: Form, n: int) -> bytes:
    """Private Sequences of undefined length, which have to be gone through though they go."""
    front = form.header(0x00091001, "SQ", UNDEFINED) + form.item(length=UNDEFINED)
    depth = min(n, DEPTH)
    whole = front * depth + (form.item(tag=0xFFFEE00D) + form.item(tag=0xFFFEE0DD)) * depth
    return filled(form, whole * max(1, n // DEPTH))


def method_codes(form: Form, n: int) -> bytes:
    """De-identification Method Code Sequence, to which a code is added, and which is looked for in it."""
    code = (kept(form, number) + form.element(0x00080102, "SH", "DCM") for number in range(n))
    return filled(form, form.sequence(0x00120064, *map(form.item, code)))


def code_sequences(form: Form, n: int) -> bytes:
    return filled(form, form.sequence(0x00120064, form.item(kept(form, 0))) * n)


def content_items(form: Form, n: int) -> bytes:
    """A report of n Content Items, side by side."""
    head = form.element(0x00080016, "UI", SR) + form.element(0x00080018, "UI", "2.999.7.7")
    name = form.sequence(KEPT, form.item(form.element(CODE, "SH", "121071") + form.element(0x00080102, "SH", "DCM")))
    item = form.item(form.element(0x0040A040, "CS", "TEXT") + name + form.element(0x0040A160, "UT", "of Miller"))
    return form.file(head + form.element(NAME, "PN", "Miller^Jane") + form.sequence(0x0040A730, *[item] * n))


def references(form: Form, n: int) -> bytes:
    """Content Items of which each refers to another by its number."""
    head = form.element(0x00080016, "UI", SR) + form.element(0x00080018, "UI", "2.999.7.7")
    refer = (form.element(0x0040DB73, "UL", form.pack("II", 1, 1 + number)) for number in range(n))
    rows_ = (form.item(form.element(0x0040A010, "CS", "SELECTED FROM") + one) for one in refer)
    return form.file(head + form.sequence(0x0040A730, *rows_))


# ---- private blocks, Fragments -----------------------------------------------------------------------------------


def creators(form: Form, n: int) -> bytes:
    """Private Creators, each in a block of its own with an element, 240 to a group."""
    parts = []
    for number in range(n):
        group, block = 0x0009 + 2 * (number // 240), 0x10 + number % 240
        parts.append(form.element(group << 16 | block, "LO", "SIEMENS CSA HEADER"))
        parts.append(form.element(group << 16 | block << 8 | 1, "LO", "x"))
    return filled(form, b"".join(parts))


def same_creators(form: Form, n: int) -> bytes:
    """Said again and again in the same block."""
    creator = form.element(0x00190010, "LO", "SIEMENS MR HEADER")
    return filled(form, (creator + form.element(0x0019100C, "IS", "1")) * n)


def creators_in_items(form: Form, n: int) -> bytes:
    creator = form.element(0x00190010, "LO", "SIEMENS MR HEADER") + form.element(0x0019100C, "IS", "1")
    return filled(form, form.sequence(KEPT, *[form.item(creator)] * n))


def characteristics(form: Form, n: int) -> bytes:
    """Private Data Element Characteristics: what the object says of its own private elements."""
    block = form.element(0x00080301, "US", form.pack("H", 0x19)) + form.element(0x00080303, "CS", "SAFE")
    rows_ = (form.item(block + form.element(0x00080302, "LO", f"CREATOR {number}")) for number in range(n))
    own = form.element(0x00190010, "LO", "CREATOR 1") + form.element(0x00191001, "LO", "x")
    return filled(form, form.sequence(0x00080300, *rows_) + own)


def fragments(form: Form, n: int) -> bytes:
    if form.implicit or form.big or form.deflated:
        form = EXPLICIT
    pixels = form.header(PIXELS, "OB", UNDEFINED) + form.item() + form.item(b"1234") * n + form.item(tag=0xFFFEE0DD)
    jpeg = Form("JPEG", "1.2.840.10008.1.2.4.50")
    return jpeg.file(form.element(0x00080016, "UI", SC_IMAGE) + form.element(0x00080018, "UI", "2.999.7.7") + pixels)


def segments(form: Form, n: int) -> bytes:
    """JPEG streams that are nothing but comments, of the least length."""
    jpeg = Form("JPEG", "1.2.840.10008.1.2.4.50")
    stream = jpeg.item(b"\xff\xd8" + b"\xff\xfe\0\2" * n + b"\xff\xd9")
    return jpeg.file(
        jpeg.common() + jpeg.header(PIXELS, "OB", UNDEFINED) + jpeg.item() + stream + jpeg.item(tag=0xFFFEE0DD)
    )


# n is that of a full run.
SHAPES: dict[str, tuple[Shape, int]] = {
    "kept elements": (kept_elements, 2_000_000),
    "repeated elements": (repeated_elements, 2_000_000),
    "removed elements": (removed_elements, 2_000_000),
    "every other one": (alternating_elements, 2_000_000),
    "unknown elements": (unknown_elements, 2_000_000),
    "names": (names, 500_000),
    "UIDs": (uids, 500_000),
    "dates": (dates, 500_000),
    "descriptions": (descriptions, 100_000),
    "names and descriptions": (names_and_descriptions, 100_000),
    "group lengths": (group_lengths, 1_000_000),
    "lists of UIDs": (listed(STUDY, "UI", "2.999.1"), 1_000_000),
    "lists of dates": (listed(0x00080020, "DA", "20200101"), 1_000_000),
    "lists of names": (listed(NAME, "PN", "A^B"), 1_000_000),
    "lists of texts": (listed(DESCRIPTION, "LO", "A B"), 1_000_000),
    "long texts": (long_text("of Miller, J. 12.3.2020 "), 200_000),
    "texts of digits": (short_texts("1"), 2_000_000),
    "texts of dots": (short_texts("1."), 1_000_000),
    "texts of names": (short_texts("Miller"), 400_000),
    "texts of spaces": (short_texts(" "), 2_000_000),
    "texts of brackets": (short_texts("("), 2_000_000),
    "texts of titles": (short_texts("Dr. "), 500_000),
    "texts of ats": (short_texts("a@"), 1_000_000),
    "texts of letters": (short_texts("a"), 2_000_000),
    "texts of labels": (short_texts("Name: "), 400_000),
    "empty Items": (items(nothing), 200_000),
    "empty open Items": (items(nothing, is_open=True), 200_000),
    "Items that stay": (items(kept), 200_000),
    "Items with a name": (items(removed), 200_000),
    "open Items with a name": (items(removed, is_open=True), 200_000),
    "Items with a UID": (items(renewed), 200_000),
    "mixed Items": (items(mixed), 200_000),
    "Items that go": (items(kept, tag=0x00400275), 200_000),
    "open Items that go": (items(kept, tag=0x00400275, is_open=True), 200_000),
    "Sequences": (sequences, 200_000),
    "one nest": (nested(is_open=False), DEPTH),
    "one open nest": (nested(is_open=True), DEPTH),
    "nests": (nested(is_open=False), 1_000_000),
    "open nests": (nested(is_open=True), 500_000),
    "nests that change on each level": (leaves_on_the_way, 500_000),
    "private nests": (private_nest, 500_000),
    "method codes": (method_codes, 200_000),
    "code Sequences": (code_sequences, 100_000),
    "Content Items": (content_items, 100_000),
    "Content Items that refer": (references, 100_000),
    "private blocks": (creators, 100_000),
    "the same private block": (same_creators, 100_000),
    "private blocks in Items": (creators_in_items, 100_000),
    "private characteristics": (characteristics, 100_000),
    "Fragments": (fragments, 100_000),
    "JPEG comments": (segments, 1_000_000),
}
