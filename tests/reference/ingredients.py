"""What random objects need for the Options to have work: a person and what is written of them, dates in all forms,
Content Items, private blocks and what an object says of them. Drawn from the tables, and from a generator of numbers
that is the object's own.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from random import Random

from . import tables
from .encode import ITEM, UN_CONTENT, element, padded
from .model import Encoding
from .structured import CONTENT_SEQUENCES, VALUES

CHARACTER_SET, PATIENT_NAME, PATIENT_ID, ACCESSION_NUMBER = 0x00080005, 0x00100010, 0x00100020, 0x00080050
STUDY_ID, STUDY_INSTANCE, TIMEZONE, FRAME_ORIGIN, REASON = 0x00200010, 0x0020000D, 0x00080201, 0x00340007, 0x04000565
CHARACTERISTICS, CONCEPT_NAME, VALUE_TYPE, REFERENCED_ITEM = 0x00080300, 0x0040A043, 0x0040A040, 0x0040DB73
FAMILIES, GIVEN = (b"Doe", b"Rossi", b"Quimby", b"Li"), (b"Jane", b"Ada^Mae", b"Bo", b"Xavier=Y^Z", b"")
IDS, ACCESSIONS = (b"4711-8", b"ID0815", b"7", b""), (b"A123456", b"12", b"")
DATES = (
    b"20200229", b"20201231 ", b"2020.02.29", b"20200101\\20200102", b"", b"  ", b"20190229", b"Quimby", b"00010101",
)  # fmt: skip
DATE_TIMES = (
    b"2020", b"202003", b"20200229", b"2020022923", b"20200229235960.123456+0100", b"", b"2020-1200", b"202013",
    b"2020022925", b"Jane", b"20200229\\2021", b"20200229120000-0000", b"20200229 ",
)  # fmt: skip
TIMES = (b"12", b"1200", b"235959.5 ", b"12:30:15", b"", b"2400", b"noon", b"1200\\1300")
TITLES = (b"STORE", b" STORE ", b"A\\B", b"", b"\\", b"ARCHIVE_OF_DOE")
ZONES = (b"+0100", b"-0500 ", b"", b"Zulu")
REASONS = (b"COERCE", b"CORRECT ", b"", b"MR DOE")
STAMPS = (bytes(10), b"\0\0\x60" + bytes(7), b"\xff" * 10, bytes(8), b"\0\0\x5e\x0b\xe1\0\1\2\3\4")
PLAIN = (b"knee with contrast", b"AXIAL, no finding", b"head", b"text\\other", b"", b"1.2.3\0", b"AB")
BY_RULE = (
    b"seen 2020-02-29", b"call +49 30 1234567", b"write to a.b@example.org", b"see http://example.org/x",
    b"thanks to Dr. Smith", b"at 12:30 in bed 7", b"19991231",
)  # fmt: skip
CONTENT_VALUES = {"TEXT": "UT", "PNAME": "PN", "DATE": "DA", "TIME": "TM", "DATETIME": "DT", "UIDREF": "UI"}
OWN_BLOCKS = (("ACME 1.0", 0x0009), ("ACME 1.0", 0x000B), ("ACME 2", 0x0029))

Sequence = Callable[[Encoding, int, str | None, int], bytes]


class Ingredients:
    """Those of one object."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.family, self.given = random.choice(FAMILIES), random.choice(GIVEN)
        self.id, self.accession = (
            random.choice((b"4711-8", b"ID0815", b"7", b"")),
            random.choice((b"A123456", b"12", b"")),
        )
        self.blocks = random.sample(known_blocks(), 2) + random.sample(OWN_BLOCKS, 1)
        self.with_references = random.random() < 0.2

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    # ---- values ----

    def value(self, tag: int, vr: str) -> bytes | None:
        """A value that suits the attribute, or its VR in the dictionary; None if any will do."""
        choices = {TIMEZONE: ZONES, FRAME_ORIGIN: STAMPS, REASON: REASONS, CHARACTER_SET: (b"ISO_IR 100", b"")}
        choices |= {PATIENT_ID: (self.id,), ACCESSION_NUMBER: (self.accession,), STUDY_ID: (b"ST 1", b"")}
        by_vr = {"DA": DATES, "DT": DATE_TIMES, "TM": TIMES, "AE": TITLES, "PN": (self.name(), b"Doe^John", b"AB", b"")}
        found = choices.get(tag) or by_vr.get(vr)
        return self.random.choice(found) if found else None

    def name(self) -> bytes:
        return b"^".join((self.family, self.given))

    def text(self) -> bytes:
        """A text as people write it, with or without what identifies."""
        written = (self.family + b", " + self.given[:4], self.id, self.accession, self.given.split(b"^")[0])
        told = b"%s of %s" % (self.random.choice(PLAIN[:3]), self.random.choice(written))
        return self.random.choice((told, told, self.random.choice(PLAIN), self.random.choice(PLAIN), *BY_RULE[:3],
                                   self.random.choice(BY_RULE), self.name()))  # fmt: skip

    # ---- elements ----

    def elements(self, encoding: Encoding, parent: int, sequence: Sequence | None, depth: int) -> dict[int, bytes]:
        """Encoded elements, in what is drawn for a Data Set or an Item of the Sequence `parent`, by their tags."""
        found: dict[int, bytes] = {}
        if parent in CONTENT_SEQUENCES and self.chance(0.9):
            found |= self.content_item(encoding)
        if self.chance(0.4):
            found |= self.private_block(encoding, sequence, depth)
        if not parent:
            found |= self.person(encoding)
            found |= {CHARACTERISTICS: self.characteristics(encoding)} if self.chance(0.3) else {}
            tag = self.random.choice((*CONTENT_SEQUENCES[:2], CONTENT_SEQUENCES[3], 0x00400610))
            found |= {tag: sequence(encoding, tag, vr_of(encoding, "SQ"), 0)} if sequence and self.chance(0.6) else {}
        return found

    def person(self, encoding: Encoding) -> dict[int, bytes]:
        """Who it is, most of the time."""
        rows = [(PATIENT_NAME, "PN", self.name()), (PATIENT_ID, "LO", self.id), (STUDY_INSTANCE, "UI", b"1.2.3.4.5")]
        rows += [(ACCESSION_NUMBER, "SH", self.accession)]
        return {tag: self.element(encoding, tag, vr, value) for tag, vr, value in rows if self.chance(0.6)}

    def element(self, encoding: Encoding, tag: int, vr: str, value: bytes) -> bytes:
        return element(encoding, tag, vr_of(encoding, vr), padded(value))

    def numbers(self, encoding: Encoding, tag: int, *values: int) -> bytes:
        packed = struct.pack(f"{'<' if encoding.little else '>'}{len(values)}H", *values)
        return self.element(encoding, tag, "US", packed)

    def items(self, encoding: Encoding, tag: int, *items: bytes) -> bytes:
        """A Sequence of defined length."""
        content = b"".join(element(encoding, ITEM, None, item) for item in items)
        return element(encoding, tag, vr_of(encoding, "SQ"), content)

    def content_item(self, encoding: Encoding) -> dict[int, bytes]:
        """Concept, type and value of a Content Item; now and then one of them is missing or does not fit."""
        code, scheme, type_ = self.random.choice(known_concepts())
        code, scheme = self.random.choice(((code, scheme),) * 6 + (("1-2-3", "99ACME"), (code, "99ACME")))
        values = [tag for tag, of in VALUES.items() if of == type_ or self.chance(0.05)]
        values += [0x00700006] if type_ == "TEXT" and self.chance(0.2) else []
        found = {CONCEPT_NAME: self.concept_name(encoding, code, scheme)} if self.chance(0.95) else {}
        if self.chance(0.8):
            declared = type_ if self.chance(0.9) else self.random.choice(("TEXT", "CODE", "DATE", ""))
            found[VALUE_TYPE] = self.element(encoding, VALUE_TYPE, "CS", declared.encode())
        if self.with_references and self.chance(0.2):
            found[REFERENCED_ITEM] = self.element(encoding, REFERENCED_ITEM, "UL", bytes(4))
        return found | {tag: self.content_value(encoding, tag) for tag in values}

    def concept_name(self, encoding: Encoding, code: str, scheme: str) -> bytes:
        """Concept Name Code Sequence (0040,A043) with the code, which may be a long one, and what it means."""
        tag, vr = self.random.choice(((0x00080100, "SH"),) * 4 + ((0x00080119, "UC"),))
        rows = [(tag, vr, code.encode()), (0x00080102, "SH", scheme.encode()), (0x00080104, "LO", self.text())]
        return self.items(encoding, CONCEPT_NAME, b"".join(self.element(encoding, *row) for row in sorted(rows)))

    def content_value(self, encoding: Encoding, tag: int) -> bytes:
        vr = tables.dictionary_vrs(tag)[0]
        value = b"1.2.3" if vr == "UI" else self.value(tag, vr)
        return self.element(encoding, tag, vr, self.text() if value is None else value)

    def private_block(self, encoding: Encoding, sequence: Sequence | None, depth: int) -> dict[int, bytes]:
        """A Private Creator and some elements of its block: listed, others, in another VR, and Sequences."""
        creator, group = self.random.choice(self.blocks)
        block = self.random.choice((0x10, 0x11, 0xA0))
        lows = [low for name, of, low in tables.safe_private() if (name, of) == (creator, group)]
        lows = self.random.sample(lows, min(3, len(lows))) + self.random.sample(range(256), 2)
        found = {group << 16 | block: self.creator(encoding, group << 16 | block, creator)} if self.chance(0.9) else {}
        for low in lows:
            listed = tables.safe_private().get((creator, group, low)) or ("LO",)
            found |= self.private_element(encoding, group << 16 | block << 8 | low, listed, sequence, depth)
        return found

    def private_element(
        self, encoding: Encoding, tag: int, listed: tuple[str, ...], sequence: Sequence | None, depth: int
    ) -> dict[int, bytes]:
        """Nothing or one element: in a VR of the table, or another; what is a Sequence there has Items."""
        vr = self.random.choice(listed * 6 + ("UN", "SQ", "UI", "DA"))
        if listed == ("SQ",) and (vr == "UN" or encoding.implicit):
            name = element(UN_CONTENT, PATIENT_NAME, None, padded(self.name()))
            return {tag: element(encoding, tag, vr_of(encoding, vr), element(UN_CONTENT, ITEM, None, name))}
        if vr == "SQ":
            return {tag: sequence(encoding, tag, vr_of(encoding, vr), depth)} if sequence else {}
        return {tag: self.element(encoding, tag, vr, self.private_value(vr))}

    def private_value(self, vr: str) -> bytes:
        choices = {"UI": (b"1.2.3", b"1.2.840.10008.1.1"), "DA": DATES, "SL": (bytes(4),), "US": (b"\1\0",)}
        return self.random.choice(choices.get(vr) or (self.text(), bytes(8)))

    def creator(self, encoding: Encoding, tag: int, name: str) -> bytes:
        """As it should be, most of the time; else padded, in other letters, of another VR, or there twice."""
        odd = (("LO", f" {name} "), ("LO", name.lower()), ("UN", name), ("ST", name))
        vr, text = self.random.choice((("LO", name),) * 6 + odd)
        return self.element(encoding, tag, vr, text.encode()) * (2 if self.chance(0.05) else 1)

    def characteristics(self, encoding: Encoding) -> bytes:
        """Private Data Element Characteristics Sequence (0008,0300): one Item for some of the blocks."""
        chosen = self.random.sample(self.blocks, self.random.choice((1, 2)))
        return self.items(encoding, CHARACTERISTICS, *(self.characterised(encoding, *block) for block in chosen))

    def characterised(self, encoding: Encoding, creator: str, group: int) -> bytes:
        """One Item: SAFE, UNSAFE, MIXED or nothing of the block, and something of some of its elements."""
        listed = [low for name, of, low in tables.safe_private() if (name, of) == (creator, group)]
        lows = self.random.choices([*range(256), *listed * 20], k=9)
        status = self.random.choice((b"SAFE", b"UNSAFE", b"MIXED", b""))
        action = self.element(encoding, 0x00080307, "CS", self.random.choice((b"D", b"Z", b"X", b"U", b"K")))
        return b"".join((
            self.numbers(encoding, 0x00080301, group),
            self.element(encoding, 0x00080302, "LO", creator.encode()),
            self.element(encoding, 0x00080303, "CS", status),
            self.numbers(encoding, 0x00080304, *lows[:4]),
            self.items(encoding, 0x00080305, self.numbers(encoding, 0x00080306, *lows[4:]) + action),
        ))  # fmt: skip


def vr_of(encoding: Encoding, vr: str) -> str | None:
    return None if encoding.implicit else vr


@cache
def known_blocks() -> list[tuple[str, int]]:
    """(creator, group) of Table E.3.10-1."""
    return sorted({(creator, group) for creator, group, _ in tables.safe_private()})


@cache
def known_concepts() -> list[tuple[str, str, str]]:
    """(code, scheme, value type) of Table E.3.4-1, and some that it does not have."""
    return [*tables.concepts(), *((f"1-2-{number}", "99ACME", type_) for number, type_ in enumerate(CONTENT_VALUES))]
