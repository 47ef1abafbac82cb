"""Objects with markers, and structured mutations of them: what one reader may take for another Data Set.

Object number n of a seed is always the same. An object is a tree of `Part`s, each of which may be written otherwise
than its form demands; the bytes that come of it are mutated in their turn.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random
from typing import NamedTuple

from tests.hostile.forms import BIG, EXPLICIT, FORMS, IMPLICIT, LONG, UNDEFINED, Form, meta_element

__all__ = ["MARKER", "MUTATIONS", "Mutant", "mutant"]

MARKER = b"VEILME"
VRS = "AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV".split()
ODD_VRS = [b"ZZ", b"\0\0", b"pn", b"??", b"P\0", b"  ", b"XX", b"OX", b"\xff\xff"]
LENGTHS = [0, 1, 2, 7, 8, 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFE, UNDEFINED]
PIXELS = 0x7FE00010
SEQUENCES = (0x00081140, 0x0040A043, 0x00082218, 0x00400275, 0x00081111, 0x52009229, 0x0040A730, 0x00211010)


@dataclass
class Part:
    """A Data Element. `claimed` is what it says its length is; `form` is what it is written in, if not as all else."""

    tag: int
    vr: str | bytes
    value: bytes = b""
    items: list[list[Part]] | None = None
    open_end: bool = False
    open_items: bool = False
    claimed: int | None = None
    item_delta: int = 0
    form: Form | None = None
    before: bytes = b""
    after: bytes = b""
    inner: bytes = b""
    ends: bool = True
    others: list[Part] = field(default_factory=list)

    def write(self, form: Form) -> bytes:
        form = self.form or form
        return self.before + self._element(form) + self.after

    def _element(self, form: Form) -> bytes:
        if self.items is None:
            claimed = None if self.claimed is None else self._fitting(self.claimed, form)
            return form.element(self.tag, self.vr, self.value, length=claimed)
        within = IMPLICIT if self.vr == "UN" and not self.others else form
        content = b"".join(self._item(within, item) for item in self.items) + self.inner
        length = UNDEFINED if self.open_end else len(content)
        end = within.item(tag=0xFFFEE0DD) if self.open_end and self.ends else b""
        claimed = self._fitting(length if self.claimed is None else self.claimed, form)
        return form.header(self.tag, self.vr, claimed) + content + end

    def _fitting(self, length: int, form: Form) -> int:
        """A length cut to the bytes there are for it."""
        return length & (0xFFFFFFFF if form.implicit or self.vr in LONG else 0xFFFF)

    def _item(self, form: Form, parts: list[Part]) -> bytes:
        content = b"".join(part.write(form) for part in parts)
        if self.open_items:
            return form.item(content, length=UNDEFINED) + (form.item(tag=0xFFFEE00D) if self.ends else b"")
        return form.item(content, length=max(0, len(content) + self.item_delta))


class Mutant(NamedTuple):
    """A whole file, and what was done to it."""

    number: int
    form: str
    mutations: tuple[str, ...]
    data: bytes


# ---- what is mutated -----------------------------------------------------------------------------------------------


def _leaves(random: Random) -> list[Part]:
    """Attributes that stay, and those that go with a marker each; in tag order."""

    def marker() -> bytes:
        return MARKER + b"%04d" % random.randrange(10000)

    number = struct.pack("<H", 16)
    parts = [
        Part(0x00080008, "CS", b"ORIGINAL\\PRIMARY"),
        Part(0x00080060, "CS", b"OT"),
        Part(0x00080090, "PN", marker()),
        Part(0x0008103E, "LO", marker()),
        Part(0x00090010, "LO", b"A CREATOR " + marker()),
        Part(0x00091001, random.choice(["LO", "UN", "OB"]), marker()),
        Part(0x00100010, "PN", marker()),
        Part(0x00100020, "LO", marker()),
        Part(0x00104000, "LT", marker()),
        Part(0x00180050, "DS", b"1.25"),
        Part(0x00200013, "IS", b"7"),
        Part(0x00280004, "CS", b"MONOCHROME2"),
        Part(0x00280010, "US", number),
        Part(0x00281050, "DS", b"40\\400"),
        Part(0x00284000, "LT", marker()),
        Part(0x00400244, "DA", b"19480317"),
        Part(0x00420011, "OB", marker() * 2),
    ]
    return [part for part in parts if random.random() < 0.6]


def _sequence(random: Random, depth: int) -> Part:
    items = [_parts(random, depth + 1) for _ in range(random.randrange(3))]
    tag = random.choice(SEQUENCES)
    vr = "UN" if random.random() < 0.15 else "SQ"
    return Part(tag, vr, items=items, open_end=random.random() < 0.5, open_items=random.random() < 0.5)


def _parts(random: Random, depth: int = 0) -> list[Part]:
    parts = _leaves(random)
    if depth < 3:
        parts += [_sequence(random, depth) for _ in range(random.randrange(3) if depth else 2)]
    once = {part.tag: part for part in parts}
    return [once[tag] for tag in sorted(once)]


def _all(parts: list[Part]) -> list[tuple[list[Part], int]]:
    """Where each part is."""
    found = []
    for number, part in enumerate(parts):
        found.append((parts, number))
        for item in part.items or []:
            found += _all(item)
    return found


# ---- mutations of the tree -----------------------------------------------------------------------------------------

Place = tuple[list[Part], int]
Mutation = Callable[[Random, Place], None]
TREE: dict[str, Mutation] = {}


def tree(mutation: Mutation) -> Mutation:
    TREE[mutation.__name__] = mutation
    return mutation


def _part(place: Place) -> Part:
    return place[0][place[1]]


def _size(part: Part) -> int:
    return len(part._element(part.form or EXPLICIT)) - len(EXPLICIT.header(part.tag, part.vr, 0))


@tree
def length(random: Random, place: Place) -> None:
    part = _part(place)
    near = _size(part) + random.choice([-8, -4, -2, -1, 1, 2, 4, 8, 12])
    claimed = random.choice([near, near, random.choice(LENGTHS)])
    part.claimed = max(0, claimed) & (0xFFFFFFFF if part.vr in ("SQ", "UN", "OB") else 0xFFFF)


@tree
def swallow(random: Random, place: Place) -> None:
    """A length that takes in what follows, exactly."""
    parts, number = place
    rest = parts[number + 1 : number + 1 + random.randrange(1, 3)]
    parts[number].claimed = _size(parts[number]) + sum(len(part.write(part.form or EXPLICIT)) for part in rest)
    parts[number].claimed &= 0xFFFF


@tree
def vr(random: Random, place: Place) -> None:
    _part(place).vr = random.choice([random.choice(VRS), random.choice(VRS), random.choice(ODD_VRS)])


@tree
def other_form(random: Random, place: Place) -> None:
    """From here on or here alone another encoding."""
    parts, number = place
    form = random.choice([EXPLICIT, IMPLICIT, BIG])
    for part in parts[number : number + random.choice([1, 1, 100])]:
        part.form = form


@tree
def twice(random: Random, place: Place) -> None:
    parts, number = place
    again = replace(parts[number])
    if again.items is None:
        again.value = random.choice([again.value, again.value * 2, b""])
    parts.insert(random.choice([number, number + 1, len(parts)]), again)


@tree
def out_of_order(random: Random, place: Place) -> None:
    parts, number = place
    part = parts.pop(number)
    parts.insert(random.randrange(len(parts) + 1), part)


@tree
def delimiter(random: Random, place: Place) -> None:
    tag = random.choice([0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD, 0xFFFEE00E, 0xFFFE0000])
    form = random.choice([EXPLICIT, BIG])
    content = random.choice([b"", b"", MARKER + b"DELI"])
    bad = form.item(content, tag=tag, length=random.choice([None, 0, UNDEFINED]))
    setattr(_part(place), random.choice(["before", "after", "inner"]), bad)


@tree
def no_delimiter(random: Random, place: Place) -> None:
    part = _part(place)
    part.open_end, part.open_items, part.ends = random.random() < 0.7, random.random() < 0.7, False


@tree
def open_or_closed(random: Random, place: Place) -> None:
    part = _part(place)
    part.open_end, part.open_items = random.random() < 0.5, random.random() < 0.5


@tree
def item_length(random: Random, place: Place) -> None:
    _part(place).item_delta = random.choice([-12, -8, -2, -1, 1, 2, 8, 12, 40])


@tree
def odd(random: Random, place: Place) -> None:
    part = _part(place)
    part.value += b" " * (1 - len(part.value) % 2)
    part.claimed = len(part.value) if random.random() < 0.7 else None


@tree
def as_unknown(random: Random, place: Place) -> None:
    """As UN, with content in Implicit VR as it has to be, or in the form of the rest."""
    part = _part(place)
    part.vr = "UN"
    part.others = [part] if random.random() < 0.5 else []


@tree
def as_bytes(random: Random, place: Place) -> None:
    """Items in what is no Sequence."""
    _part(place).vr = random.choice(["OB", "OW", "UT", "LO", "UN"])


@tree
def as_sequence(random: Random, place: Place) -> None:
    """A Value as Items, and the attribute another one or the same."""
    part = _part(place)
    part.items = [[Part(part.tag, part.vr, part.value)], []][: random.randrange(3)]
    part.vr = random.choice(["SQ", "SQ", "UN", part.vr])
    part.open_end = random.random() < 0.6


@tree
def like_items(random: Random, place: Place) -> None:
    """A Value that reads as Items, which some look for in UN and OB; of an Attribute that goes."""
    part = _part(place)
    part.tag = random.choice([0x00100010, 0x00420011, 0x00091003, 0x0008FFFE])
    form = random.choice([IMPLICIT, EXPLICIT])
    part.items, part.vr = None, random.choice(["UN", "OB", "OW", "UT"])
    part.value = form.item(form.element(0x00100010, "PN", MARKER + b"ITEM"))


@tree
def group_length(random: Random, place: Place) -> None:
    part = _part(place)
    value = random.choice([struct.pack("<I", random.choice([0, 4, 20, 0xFFFFFFFF])), MARKER])
    vr = random.choice(["UL", "UL", "LO", "UN", "OB"])
    part.before = (part.form or EXPLICIT).element(part.tag & 0xFFFF0000, vr, value)


@tree
def private(random: Random, place: Place) -> None:
    parts, number = place
    group = random.choice([0x0009, 0x0001, 0x0021, 0x7FE1, 0xFFFF, 0x0007])
    inner = [Part(group << 16 | 0x1002, "LO", MARKER + b"PRIV"), Part(0x00100010, "PN", MARKER + b"PRNA")]
    new = Part(group << 16 | 0x1001, random.choice(["UN", "SQ", "UN", "OB"]), items=[inner])
    new.open_end, new.others = random.random() < 0.5, [new] if random.random() < 0.4 else []
    parts.insert(number, new)


@tree
def foreign(random: Random, place: Place) -> None:
    """A tag that has no business here, or none at all."""
    parts, number = place
    tag = random.choice([0x00020010, 0x00020016, 0x00000010, 0x00041220, 0x00080001, 0xFFFCFFFC, 0xFFFAFFFA, 0])
    parts.insert(number, Part(tag, random.choice(["LO", "UI", "UN", "OB"]), MARKER + b"FORE"))


@tree
def pixels(random: Random, place: Place) -> None:
    """Pixel Data somewhere, encapsulated or not, whatever the Transfer Syntax."""
    parts, number = place
    vr = random.choice(["OB", "OW", "UN", "SQ", "OB"])
    fragments = EXPLICIT.item() + EXPLICIT.item(b"\1\2\3\4" * random.randrange(3))
    native = Part(PIXELS, vr, bytes(8))
    as_fragments = Part(PIXELS, vr, fragments, claimed=UNDEFINED if vr != "UT" else None)
    as_fragments.after = EXPLICIT.item(tag=0xFFFEE0DD)
    at = random.choice([number, len(parts), len(parts)])
    parts.insert(at, random.choice([native, as_fragments]))


# ---- mutations of the bytes ----------------------------------------------------------------------------------------

WORDS = [
    b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xfe\xff\x00\xe0", b"\xfe\xff\x0d\xe0\0\0\0\0", b"\xfe\xff\xdd\xe0\0\0\0\0",
    b"SQ\0\0\xff\xff\xff\xff", b"UN\0\0\xff\xff\xff\xff", b"\x09\x00\x01\x10", b"\xe0\x7f\x10\x00", b"\x02\x00\x10\x00",
    b"\x10\x00\x10\x00PN\x0a\x00VEILMEWORD", b"\x10\x00\x10\x00\x0a\x00\x00\x00VEILMEWORD",
]  # fmt: skip
BYTES = ("byte", "word", "cut", "repeat")


def _damaged(random: Random, data: bytes, how: str) -> bytes:
    at = random.randrange(len(data)) if data else 0
    if how == "byte":
        return (
            data[:at]
            + bytes([random.choice([0, 1, 2, 4, 8, 0x20, 0xFE, 0xFF, random.randrange(256)])])
            + data[at + 1 :]
        )
    if how == "word":
        word = random.choice(WORDS)
        return data[:at] + word + data[at + random.choice([0, len(word)]) :]
    if how == "cut":
        return data[:at]
    stop = at + random.randrange(1, 60)
    return data[:stop] + data[at:]


def _tail(random: Random, form: Form) -> bytes:
    text = MARKER + b"TAIL"
    name = form.element(0x00100010, "PN", text)
    return random.choice([
        text, b"\0" * random.randrange(1, 600) + text, b" " * 8 + text, form.file(form.common() + name), bytes(128),
        bytes(128) + b"DICM" + name, form.item(tag=0xFFFEE0DD) + name, form.item(tag=0xFFFEE00D) + name,
        form.element(0xFFFCFFFC, "OB", text), form.element(0xFFFCFFFC, "OB", bytes(64)) + name, name, b"\0",
        form.element(PIXELS, "OW", bytes(8)) + name, form.item(text), b"PK\3\4" + text,
    ])  # fmt: skip


# ---- mutations of what stands before the Data Set ------------------------------------------------------------------

HEADS = ("meta group length", "syntax", "meta", "no meta", "no preamble", "two preambles", "no syntax", "two syntaxes")


def _head(random: Random, form: Form, how: str) -> bytes:
    head = form.head()
    text = MARKER + b"META"
    if how == "meta group length":
        (right,) = struct.unpack_from("<I", head, 140)
        wrong = random.choice([0, 4, right - 2, right + 2, right - 8, right + 8, right + 26, 0xFFFFFFFF, 1])
        return head[:140] + struct.pack("<I", wrong & 0xFFFFFFFF) + head[144:]
    if how == "syntax":
        others = [other.syntax for other in FORMS] + ["1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.5", "", "1.2"]
        return form.head(syntax=random.choice(others) or " ")
    if how == "meta":
        tag = random.choice([0x00020003, 0x00020010, 0x00020016, 0x00020099, 0x00020102, 0x0002FFFF, 0x00030010])
        vr = random.choice(["UI", "OB", "UN", "UT", "SH", "ZZ"])
        return form.head(more=[random.choice([meta_element, IMPLICIT.element, BIG.element])(tag, vr, text)])
    if how == "no meta":
        return random.choice([b"", bytes(128) + b"DICM"])
    if how == "no preamble":
        return head[random.choice([132, 128, 64]) :]
    if how == "two preambles":
        return bytes(128) + b"DICM" + head if random.random() < 0.5 else head + bytes(128) + b"DICM"
    if how == "no syntax":
        return head[: head.index(b"\x02\x00\x10\x00UI")]
    other = random.choice([other for other in FORMS if other != form])
    return form.head(more=[meta_element(0x00020010, "UI", other.syntax)])


# ---- all together --------------------------------------------------------------------------------------------------

MUTATIONS = (*TREE, *BYTES, *HEADS, "tail", "other class")


def mutant(number: int, seed: int = 0) -> Mutant:
    """Object number so and so, with none to four mutations."""
    random = Random(f"{seed}/{number}")
    form = random.choice(FORMS)
    parts = _parts(random)
    chosen = [random.choice(MUTATIONS) for _ in range(random.choice([0, 1, 1, 1, 2, 2, 3, 4]))]
    for name in chosen:
        places = _all(parts)
        if name in TREE and places:
            TREE[name](random, random.choice(places))
    first = form.element(0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.2" if "other class" in chosen else CLASS)
    instance = form.element(0x00080018, "UI", f"2.999.7.{number}")
    body = first + instance + b"".join(part.write(form) for part in parts)
    for name in chosen:
        if name in BYTES:
            body = _damaged(random, body, name)
        elif name == "tail":
            body += _tail(random, form)
    heads = [name for name in chosen if name in HEADS]
    head = _head(random, form, heads[-1]) if heads else form.head()
    if form.deflated:
        deflater = zlib.compressobj(wbits=-15)
        body = deflater.compress(body) + deflater.flush()
    return Mutant(number, form.name, tuple(chosen), head + body)


CLASS = "1.2.840.10008.5.1.4.1.1.7"
