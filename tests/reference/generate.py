"""Random DICOM objects as bytes: the same seed gives the same object, so a failing test is replayed by its number.

An object is a tree of Data Elements whose tags are drawn from ext/tables (what Table E.1-1 lists, what it does not,
what an IOD requires where) and beside them: private, unknown, group lengths, overlays, duplicates. It is well-formed
(PS3.5 section 7), whatever it says: VRs may be wrong, Sequences may stand where a value belongs, as SQ, as UN
(PS3.5 6.2.2) or by an undefined length. Explicit VR of either byte order, Implicit VR, deflated and encapsulated;
with and without preamble and File Meta Information. What the Options are about is in `ingredients`. Nothing of
dcmveil is used.

`python -m tests.reference.generate SEED FILE` writes one object to look at.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from random import Random

from . import tables
from .encode import FUTURE_VR, ITEM, ITEM_END, LONG, UN_CONTENT, UNDEFINED, element, header, padded, undefined
from .ingredients import PATIENT_ID, STUDY_INSTANCE, Ingredients
from .model import EXPLICIT_BIG, EXPLICIT_LITTLE, IMPLICIT_LITTLE, Encoding

DEFLATED, JPEG, DIRECTORY = "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.3.10"
SYNTAXES = (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG, DEFLATED, JPEG)
DETECTABLE = (IMPLICIT_LITTLE, EXPLICIT_LITTLE, EXPLICIT_BIG)
META = Encoding(implicit=False, little=True)

SOP_CLASS, SOP_INSTANCE, METHOD, METHOD_CODES = 0x00080016, 0x00080018, 0x00120063, 0x00120064
CODE_VALUE, CODING_SCHEME, ENCRYPTED_ATTRIBUTES = 0x00080100, 0x00080102, 0x04000500
OVERLAY_BIT_POSITION, PIXEL_DATA = 0x60000102, 0x7FE00010
DESCRIBING = (0x00120062, METHOD, METHOD_CODES, 0x00280303)
SPECIAL = (SOP_INSTANCE, *DESCRIBING, 0x00080201, 0x006A0003, 0x00700082, 0x4FFE0001, OVERLAY_BIT_POSITION)
DEEPEST = 4

WIDTHS = {"AT": 4, "FL": 4, "FD": 8, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
WIDTHS |= {"OB": 2, "OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
WRONG_VRS = (
    *sorted((LONG | set(WIDTHS)) - {FUTURE_VR}),
    "AE",
    "AS",
    "CS",
    "DA",
    "DS",
    "DT",
    "IS",
    "LO",
    "LT",
    "PN",
    "SH",
    "ST",
    "TM",
)
UIDS = (
    b"",
    b"1.2.3",
    b"1.2.840.10008.1.1",
    b"1.2.840.10008.5.1.4.1.1.2 ",
    b"1.2.840.10008.01",
    b"01.2",
    b" 1.9.8",
    b"A",
)
# What is read by the rules and so must be there once: which of two counts, no rule says.
SINGLE = {SOP_INSTANCE, CODE_VALUE, CODING_SCHEME, PATIENT_ID, STUDY_INSTANCE}
# What the reference reads in the input, so that it is there now and then.
TELLING = {
    CODE_VALUE: b"113100",
    CODING_SCHEME: b"DCM ",
    METHOD: b"other\\dcmveil: PS3.15 2026d Basic Application Confidentiality Profile",
}


def generated(seed: int) -> bytes:
    """The object of that seed, as the bytes of a file."""
    return Generator(seed).file()


class Generator:
    """One object: what holds for all of it is drawn first, then element after element."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.syntax = self.random.choice(SYNTAXES)
        known = self.random.choice(sop_classes())
        self.sop_class = self.random.choices((known, "1.2.3.4", "", DIRECTORY), (60, 20, 18, 2))[0]
        self.has_meta = self.syntax not in DETECTABLE or not self.sop_class or self.chance(0.9)
        self.with_encrypted = self.chance(0.2)
        self.ingredients = Ingredients(self.random)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def file(self) -> bytes:
        """Preamble, File Meta Information and Data Set; the first two may be missing."""
        encoding = Encoding(implicit=self.syntax == IMPLICIT_LITTLE, little=self.syntax != EXPLICIT_BIG)
        data = self.data_set(encoding, 0, 0)
        if self.syntax == DEFLATED:
            compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
            data = compressor.compress(data) + compressor.flush()
        preamble = self.random.choice((bytes(128), b"II*\0".ljust(128, b"x"))) + b"DICM"
        return (preamble if self.chance(0.9) else b"") + (self.meta() if self.has_meta else b"") + data

    def meta(self) -> bytes:
        """Group 0002, with a group length that is wrong if it is there (PS3.10 section 7.1)."""
        rows = [
            (0x00020000, "UL", self.random.randbytes(4)),
            (0x00020002, "UI", padded((self.sop_class or "1.2.840.10008.5.1.4.1.1.7").encode())),
            (0x00020003, "UI", b"1.2.3.4.5\0"),
            (0x00020010, "UI", padded(self.syntax.encode())),
            (0x00020016, "AE", b"STORE_01"),
        ]
        return b"".join(element(META, *row) for row in rows if row[0] == 0x00020010 or self.chance(0.5))

    def data_set(self, encoding: Encoding, parent: int, depth: int) -> bytes:
        """The Data Elements of the Data Set (depth 0), or of an Item of the Sequence `parent`."""
        ready = self.ingredients.elements(encoding, parent, self.sequence if depth < DEEPEST else None, depth)
        return b"".join(
            ready[tag] if tag in ready else self.data_element(encoding, tag, depth)
            for tag in self.tags(parent, depth, set(ready))
            for _ in range(2 if tag not in SINGLE and tag not in ready and self.chance(0.02) else 1)
        )

    def tags(self, parent: int, depth: int, ready: set[int]) -> list[int]:
        """Tags in order; a file without File Meta begins with SOP Class UID, for its encoding to be seen."""
        drawn = ready | {self.tag(parent) for _ in range(self.random.randrange(9) if depth else 14)}
        if depth:
            return sorted(drawn)
        drawn |= {PIXEL_DATA} if self.syntax == JPEG else set()
        drawn -= {SOP_CLASS}
        first = [SOP_CLASS] if self.sop_class else []
        return sorted([*drawn, *first]) if self.has_meta else first + sorted(drawn)

    def tag(self, parent: int) -> int:
        """A tag from one of the lists; in an Item mostly one the Standard has there."""
        listed = tag_lists()
        inner = nested_tags().get(parent) or listed[0]
        own = (CODE_VALUE, CODING_SCHEME) if parent == METHOD_CODES else inner
        encrypted = (ENCRYPTED_ATTRIBUTES,) if self.with_encrypted else SPECIAL
        return self.random.choice(self.random.choice((*listed, inner, own, encrypted, (self.odd_tag(),))))

    def odd_tag(self) -> int:
        """Private, an element number the Standard does not have, a group length, or any number at all."""
        known = self.random.choice(tag_lists()[0])
        private, unknown, length = known | 0x10000, known & ~0xFFFF | 0x1234, known & ~0xFFFF
        return self.random.choice((private, private, unknown, length, self.random.randrange(0x00080000, 0xFFFD0000)))

    def data_element(self, encoding: Encoding, tag: int, depth: int) -> bytes:
        if tag == SOP_CLASS and not depth:
            return element(encoding, tag, None if encoding.implicit else "UI", padded(self.sop_class.encode()))
        if tag == PIXEL_DATA and not depth and self.syntax == JPEG:
            fragments = b"".join(element(encoding, ITEM, None, value) for value in (b"", self.random.randbytes(8)))
            return undefined(encoding, tag, "OB", fragments, encoding)
        vr = None if encoding.implicit else self.vr(tag, depth)
        if self.holds_items(tag, vr):
            return self.sequence(encoding, tag, vr, depth)
        return element(encoding, tag, vr, self.value(tag, vr))

    def vr(self, tag: int, depth: int) -> str:
        """A VR of the dictionary, or a wrong one: UN, SQ, any of PS3.5, and in Items one of a later edition.

        By the first VR of a Data Set a reader may judge whether there are VRs at all, so there it is one of PS3.5.
        """
        if self.chance(0.85):
            return self.random.choice(tables.dictionary_vrs(tag) or ("LO", "SQ"))
        return self.random.choice(("UN", "SQ", self.random.choice(WRONG_VRS), FUTURE_VR if depth else "LO"))

    def holds_items(self, tag: int, vr: str | None) -> bool:
        """SQ does; UN and Implicit VR do where the dictionary says so, and elsewhere if the length is undefined.

        Pixel Data has Fragments there, and no rule says whether Items are an Overlay Bit Position other than 0.
        """
        if tag == PIXEL_DATA or tag & 0xFF01FFFF == OVERLAY_BIT_POSITION:
            return False
        if vr in ("UN", None):
            return tables.dictionary_vrs(tag) == ("SQ",) or self.chance(0.1)
        return vr == "SQ"

    def sequence(self, encoding: Encoding, tag: int, vr: str | None, depth: int) -> bytes:
        """A Sequence with up to two Items, of defined or undefined length; a private one says by that what it is."""
        inner = UN_CONTENT if vr == "UN" else encoding
        count = self.random.choice((0, 1, 1, 2)) if depth < DEEPEST else 0
        items = b"".join(self.item(inner, tag, depth + 1) for _ in range(count))
        only_undefined = vr in ("UN", None) and tables.dictionary_vrs(tag) != ("SQ",)
        if only_undefined or self.chance(0.5):
            return undefined(encoding, tag, vr, items, inner)
        return element(encoding, tag, vr, items)

    def item(self, encoding: Encoding, parent: int, depth: int) -> bytes:
        content = self.data_set(encoding, parent, depth)
        if self.chance(0.5):
            return element(encoding, ITEM, None, content)
        return header(encoding, ITEM, None, UNDEFINED) + content + header(encoding, ITEM_END, None, 0)

    def value(self, tag: int, vr: str | None) -> bytes:
        """A value of even length that suits the attribute, or else the VR."""
        usual = (*tables.dictionary_vrs(tag), "LO")[0]
        if tag in TELLING and self.chance(0.7):
            return padded(TELLING[tag])
        if "UI" in (usual, vr):
            return padded(b"\\".join(self.random.choice(UIDS) for _ in range(self.random.choice((1, 1, 1, 2, 3)))))
        special = self.ingredients.value(tag, usual)
        if special is not None:
            return padded(special)
        width = WIDTHS.get(vr or usual)
        if width is None:
            return padded(self.ingredients.text())
        return self.random.choice((bytes(width), self.random.randbytes(width * self.random.choice((0, 1, 2)))))


def numbers(printed: str) -> list[int]:
    """The tags a printed tag stands for: of a pattern three (`60xx`: 6000, 6022, 60EE). Only those of a Data Set."""
    filled = {printed.replace("x", digit) for digit in "02E"}
    tags = sorted(int(name.replace(",", ""), 16) for name in filled)
    return [tag for tag in tags if tag >> 16 not in (0x0002, 0xFFFE) and tag != ENCRYPTED_ATTRIBUTES]


def tags_of(names: Iterable[str]) -> tuple[int, ...]:
    return tuple(tag for name in names for tag in numbers(name))


@cache
def tag_lists() -> tuple[tuple[int, ...], ...]:
    """What tags are drawn from; all of the dictionary comes first, what decides most is there twice."""
    actions = tables.basic_actions()
    everything = tags_of(row["tag"] for row in tables.rows("dictionary.tsv"))
    repeating = tags_of(row["tag"] for row in tables.rows("dictionary.tsv") if "x" in row["tag"])
    listed, gaps = tags_of(actions), tags_of(tables.gap_roles())
    compound = tags_of(name for name, action in actions.items() if "/" in action)
    sequences = (tag for tag in everything if tables.dictionary_vrs(tag) == ("SQ",))
    kept = tuple(tag for tag in sequences if tables.printed(tag) not in actions)
    return everything, listed, listed, compound, gaps, gaps, repeating, kept, kept, SPECIAL


@cache
def nested_tags() -> dict[int, tuple[int, ...]]:
    """Sequence -> the tags the Standard has in its Items."""
    found: dict[int, tuple[int, ...]] = {}
    for parent, name in tables.nested_types():
        for sequence in numbers(parent):
            found[sequence] = (*found.get(sequence, ()), *numbers(name))
    return found


@cache
def sop_classes() -> list[str]:
    """Every SOP Class UID with an IOD."""
    return [row["sop_class_uid"] for row in tables.rows("iod_sop.tsv")]


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(generated(int(sys.argv[1])))
