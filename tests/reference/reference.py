"""A de-identifier written straight from the rules of the Basic Profile (PS3.15 Annex E), for clarity only.

It turns the tree of a file into the tree its de-identified file must have, or raises `RefusalError`. Every rule is
one method or function here; dcmveil is right when it agrees. Only ext/tables/*.tsv is shared with dcmveil.
"""

from __future__ import annotations

import hmac
import math
import re
import struct
import uuid
from pathlib import Path

from . import tables
from .model import (
    MEDIA_STORAGE_DIRECTORY,
    Element,
    Encoding,
    Expected,
    Parsed,
    RefusalError,
    Settings,
    first_value,
    padded,
)
from .parse import read_file, read_meta

SOP_CLASS, SOP_INSTANCE, DIRECTORY_RECORDS = 0x00080016, 0x00080018, 0x00041220
ENCRYPTED_ATTRIBUTES, ENCRYPTED_SYNTAX, ENCRYPTED_CONTENT = 0x04000500, 0x04000510, 0x04000520
IDENTITY_REMOVED, METHOD, METHOD_CODES, TEMPORAL = 0x00120062, 0x00120063, 0x00120064, 0x00280303
TIMEZONE, MAC_PARAMETERS, ANNOTATION_GROUP_UID = 0x00080201, 0x4FFE0001, 0x006A0003
X_UNLESS_REQUIRED = {0x00700082, 0x00700083, TIMEZONE}
METHOD_TEXT = b"dcmveil: PS3.15 2026d Basic Application Confidentiality Profile"
IMPLEMENTATION_CLASS = b"2.25.93788369709748088662773663422743228673"
IMPLEMENTATION_VERSION = b"DCMVEIL 0.1.0"
DUMMY_UID = b"2.25.2677542441955234605162594322160111148"

# Action for Type 1, 2, 3 and for an unknown IOD; 1C counts as 1 and 2C as 2.
COMPOUND = {
    "X/Z": ("D", "Z", "X", "Z"),
    "X/D": ("D", "D", "X", "D"),
    "Z/D": ("D", "Z", "Z", "D"),
    "X/Z/D": ("D", "Z", "X", "D"),
    "X/Z/U*": ("descend", "Z", "X", "descend"),
}
DUMMIES = dict.fromkeys(["AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"], b"REMOVED") | {
    "AS": b"000Y",
    "DA": b"19000101",
    "DT": b"19000101000000",
    "TM": b"000000",
    "DS": b"0",
    "IS": b"0",
    "UR": b"http://removed.invalid",
    "UI": DUMMY_UID,
}
ZERO_BYTES = {"AT": 4, "FL": 4, "FD": 8, "SL": 4, "SS": 2, "SV": 8, "UL": 4, "US": 2, "UV": 8}
ZERO_BYTES |= {"OB": 2, "OW": 2, "UN": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
NUMBERS = {"OB": "B", "FL": "f", "FD": "d", "SL": "l", "SS": "h", "SV": "q", "UL": "L", "US": "H", "UV": "Q"}


def expected_of_file(path: Path, settings: Settings) -> Expected:
    """What the de-identified file must contain; raises RefusalError or UnreadableError."""
    refuse_declared_directory(read_meta(path))
    return expected_of(read_file(path), settings)


def expected_of(source: Parsed, settings: Settings) -> Expected:
    """As `expected_of_file`, for a tree."""
    sop_class = first_value(source.data_set, SOP_CLASS, "UI")
    refuse_directory(source, sop_class)
    refuse_embedded_overlay(source.data_set, settings)
    data_set = Reference(source.encoding, sop_class.decode("latin-1"), settings).top_level(source.data_set)
    return Expected(file_meta(source, data_set, settings), data_set)


def refuse_declared_directory(meta: list[Element]) -> None:
    """A DICOMDIR says so in its File Meta Information, so the Data Set need not even be well-formed."""
    if first_value(meta, 0x00020002, "UI") == MEDIA_STORAGE_DIRECTORY:
        raise RefusalError("dicomdir")


def refuse_directory(source: Parsed, sop_class: bytes) -> None:
    """A DICOMDIR is not an Instance: it must be rebuilt from the de-identified files."""
    refuse_declared_directory(source.meta)
    records = any(element.tag == DIRECTORY_RECORDS for element in source.data_set) and not sop_class
    if records or sop_class == MEDIA_STORAGE_DIRECTORY:
        raise RefusalError("dicomdir")


def refuse_embedded_overlay(data_set: list[Element], settings: Settings) -> None:
    """Overlay Bit Position != 0 without Overlay Data: the overlay is in the unused bits of Pixel Data."""
    with_data = {element.tag >> 16 for element in data_set if element.tag & 0xFFFF == 0x3000}
    for tag, _, value in data_set:
        is_bit_position = tag & 0xFF01FFFF == 0x60000102
        embedded = is_bit_position and any(value) and tag >> 16 not in with_data
        if embedded and not settings.allow_embedded_overlays:
            raise RefusalError("embedded-overlay")


class Reference:
    """The rules for one file: its encoding, its SOP Class and the settings decide."""

    def __init__(self, encoding: Encoding, sop_class: str, settings: Settings) -> None:
        self.encoding = encoding
        self.iod_types = tables.iod_types(sop_class)
        self.settings = settings

    def top_level(self, elements: list[Element]) -> list[Element]:
        """The whole Data Set: the ordinary rules, and the four attributes that describe the process."""
        result: list[Element] = []
        missing = {IDENTITY_REMOVED, METHOD, METHOD_CODES, TEMPORAL}
        for element in elements:
            if element.tag in missing:
                missing.remove(element.tag)
                result.append(self.described(element.tag, element))
            elif element.tag not in (IDENTITY_REMOVED, METHOD, METHOD_CODES, TEMPORAL):
                result += self.element(element, 0)
        for tag in sorted(missing):
            place = next((index for index, other in enumerate(result) if other.tag > tag), len(result))
            result.insert(place, self.described(tag, None))
        return result

    def described(self, tag: int, existing: Element | None) -> Element:
        """One of the four attributes of E.1.1 and E.2 that say what was done."""
        if tag == METHOD:
            return self.method(existing)
        if tag == METHOD_CODES:
            return self.method_codes(existing)
        return self.new(tag, "CS", b"YES" if tag == IDENTITY_REMOVED else b"REMOVED")

    def method(self, existing: Element | None) -> Element:
        """De-identification Method (0012,0063): our text behind what is there."""
        if existing is None or existing.vr not in ("LO", None) or not isinstance(existing.value, bytes):
            return self.new(METHOD, "LO", METHOD_TEXT)
        if METHOD_TEXT in (part.strip(b" \0") for part in existing.value.split(b"\\")):
            return existing
        former = existing.value.rstrip(b" \0")
        return self.new(METHOD, "LO", former + b"\\" + METHOD_TEXT if former else METHOD_TEXT)

    def method_codes(self, existing: Element | None) -> Element:
        """De-identification Method Code Sequence (0012,0064): one Item 113100 behind those that are there."""
        former = self.kept(existing) if existing else []
        vr = former[0].vr if former else self.vr("SQ")
        items = former[0].items if former else []
        if not any(is_basic_profile_code(item) for item in items):
            rows = [(0x00080100, "SH", b"113100"), (0x00080102, "SH", b"DCM")]
            rows.append((0x00080104, "LO", b"Basic Application Confidentiality Profile"))
            implicit = vr in ("UN", None)
            items.append([Element(tag, None if implicit else of, padded(text, of)) for tag, of, text in rows])
        return Element(METHOD_CODES, vr, items)

    def data_set(self, elements: list[Element], parent: int) -> list[Element]:
        """The Data Set of an Item of the Sequence `parent`."""
        return [kept for element in elements for kept in self.element(element, parent)]

    def element(self, element: Element, parent: int) -> list[Element]:
        """What becomes of one Data Element: nothing or one Data Element."""
        if element.tag == ENCRYPTED_ATTRIBUTES:
            return self.encrypted_attributes(element)
        action = self.action(element.tag, parent)
        if action in ("keep", "descend"):
            return self.kept(element)
        if action == "X":
            return []
        value = {"Z": self.emptied, "D": self.dummy, "U": self.mapped}[action](element)
        unchanged = action == "U" and value == element.value and element.vr in ("UI", None)
        return [element if unchanged else Element(element.tag, written_vr(element), value)]

    def action(self, tag: int, parent: int) -> str:
        """X, Z, D, U, descend or keep, by the tag alone."""
        group = tag >> 16
        if group & 1 or tag & 0xFFFF == 0 or group in (0, 2, 4, 6):
            return "X"
        if not tables.dictionary_vrs(tag) or tag == MAC_PARAMETERS or group >> 8 in (0x50, 0x60):
            return "X"
        listed = tables.basic_actions().get(tables.printed(tag))
        if listed is None:
            return gap_action(tables.gap_roles().get(tables.printed(tag), "structural"))
        return self.resolved(listed, tag, parent)

    def resolved(self, action: str, tag: int, parent: int) -> str:
        """The action of Table E.1-1 with its alternatives settled by the Type in the IOD."""
        if tag == ANNOTATION_GROUP_UID:
            return "U"
        type_ = self.type_of(tag, parent)
        if tag in X_UNLESS_REQUIRED:
            return "D" if type_ == 1 else "X"
        return COMPOUND[action][3 if type_ is None else type_ - 1] if action in COMPOUND else action

    def type_of(self, tag: int, parent: int) -> int | None:
        """1, 2 or 3 at that place; None if the IOD is unknown."""
        if self.iod_types is None:
            return None
        if parent:
            return tables.nested_types().get((tables.printed(parent), tables.printed(tag)), 3)
        return self.iod_types.get(tables.printed(tag), 3)

    def kept(self, element: Element) -> list[Element]:
        """A kept element must have a VR of the dictionary; a Sequence is looked into."""
        if not has_right_vr(element):
            return []
        if isinstance(element.value, bytes):
            return [element]
        items = [self.data_set(item, element.tag) for item in element.items]
        return [Element(element.tag, element.vr, items)]

    def encrypted_attributes(self, element: Element) -> list[Element]:
        """Encrypted Attributes Sequence (0400,0500), which Table E.1-1 does not list."""
        if self.settings.existing_encrypted == "refuse":
            raise RefusalError("encrypted-attributes")
        if self.settings.existing_encrypted == "remove":
            return []
        allowed = (ENCRYPTED_SYNTAX, ENCRYPTED_CONTENT)
        kept = self.kept(element)
        items = [[inner for inner in item if inner.tag in allowed] for found in kept for item in found.items]
        return [Element(found.tag, found.vr, items) for found in kept]

    def emptied(self, element: Element) -> bytes | list[list[Element]]:
        """Zero length, or zero Items."""
        return [] if tables.dictionary_vrs(element.tag)[0] == "SQ" else b""

    def dummy(self, element: Element) -> bytes | list[list[Element]]:
        """The constant value for D, whatever was there."""
        vr = written_vr(element) or tables.dictionary_vrs(element.tag)[0]
        if vr == "SQ":
            return [self.dummy_item(element)]
        if element.tag == TIMEZONE:
            return padded(b"+0000", vr)
        return padded(DUMMIES[vr], vr) if vr in DUMMIES else bytes(ZERO_BYTES[vr])

    def dummy_item(self, element: Element) -> list[Element]:
        """The one Item of a Sequence that has to have one."""
        item: list[Element] = []
        little = self.encoding.little or element.vr is None
        for path, vr, text in tables.dummy_items()[tables.printed(element.tag)]:
            place = item
            for step in path[:-1]:
                place = descended(place, step, None if element.vr is None else "SQ")
            value: bytes | list[list[Element]] = [] if vr == "SQ" else encoded(vr, text, little)
            if not (vr == "SQ" and any(other.tag == path[-1] for other in place)):
                place.append(Element(path[-1], None if element.vr is None else vr, value))
        return item

    def mapped(self, element: Element) -> bytes:
        """Every UID of the value replaced, except the Standard's own. Items in place of a value: nothing."""
        if not isinstance(element.value, bytes) or element.vr == "SQ":
            return b""
        return mapped_value(element.value, self.settings)

    def new(self, tag: int, vr: str, value: bytes) -> Element:
        """A top-level element in the encoding of the file."""
        return Element(tag, self.vr(vr), padded(value, vr))

    def vr(self, vr: str) -> str | None:
        """The VR as the file's encoding carries it at top level."""
        return None if self.encoding.implicit else vr


def gap_action(role: str) -> str:
    """For attributes of VR UI, DA, DT, TM and PN that are not in Table E.1-1."""
    return {"structural": "keep", "temporal": "X", "person-name": "X"}.get(role, "U")


def has_right_vr(element: Element) -> bool:
    """Whether the VR is one of the dictionary's, or UN for SQ; Items make an element without a VR a Sequence."""
    vrs = tables.dictionary_vrs(element.tag)
    if element.vr is None:
        return isinstance(element.value, bytes) or vrs == ("SQ",)
    return element.vr in vrs or (element.vr, vrs) == ("UN", ("SQ",))


def written_vr(element: Element) -> str | None:
    """The VR of a replaced element: the file's if the dictionary allows it, else the dictionary's first."""
    if element.vr is None:
        return None
    vrs = tables.dictionary_vrs(element.tag)
    return element.vr if element.vr in vrs else vrs[0]


def is_basic_profile_code(item: list[Element]) -> bool:
    """Whether the Item is (113100, DCM)."""
    return first_value(item, 0x00080100, "SH") == b"113100" and first_value(item, 0x00080102, "SH") == b"DCM"


def descended(item: list[Element], tag: int, vr: str | None) -> list[Element]:
    """The only Item of the Sequence `tag` in `item`, made if it is not there."""
    for element in item:
        if element.tag == tag and isinstance(element.value, list):
            if not element.value:
                element.value.append([])
            return element.value[0]
    made: list[Element] = []
    item.append(Element(tag, vr, [made]))
    return made


def encoded(vr: str, text: str, little: bool) -> bytes:
    """The value of a dummy Item's row: numbers are decimal, values separated by a backslash."""
    if vr not in NUMBERS:
        return padded(text.encode("ascii"), vr)
    read = float if vr in ("FL", "FD") else int
    return b"".join(struct.pack("<>"[not little] + NUMBERS[vr], read(part)) for part in text.split("\\"))


def mapped_value(value: bytes, settings: Settings) -> bytes:
    """The value with each UID mapped; the very same bytes if none changes."""
    components = [component.strip(b"\0 ") for component in value.split(b"\\")]
    mapped = [c if not c or is_well_known(c) else mapped_uid(c, settings) for c in components]
    return value if mapped == components else padded(b"\\".join(mapped), "UI")


def is_well_known(uid: bytes) -> bool:
    """Whether it is a well-formed UID of the Standard, which are never replaced."""
    text = uid.decode("latin-1")
    if len(text) > 64 or not re.fullmatch(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*", text):
        return False
    return f"{text}.".startswith("1.2.840.10008.") or text in tables.well_known_uids()


def mapped_uid(uid: bytes, settings: Settings) -> bytes:
    """HMAC-SHA256 under the secret: a UUID of version 8 (RFC 9562) under 2.25, or a number under the root."""
    digest = hmac.new(settings.secret, b"dcmveil/uid\0" + uid, "sha256").digest()
    if settings.root_uid is None:
        octets = bytearray(digest[:16])
        octets[6] = octets[6] & 0x0F | 0x80
        octets[8] = octets[8] & 0x3F | 0x80
        return b"2.25.%d" % uuid.UUID(bytes=bytes(octets)).int
    bits = min(128, math.floor((64 - len(settings.root_uid) - 1) * math.log2(10)))
    return settings.root_uid.encode("ascii") + b".%d" % (int.from_bytes(digest, "big") >> 256 - bits)


def file_meta(source: Parsed, data_set: list[Element], settings: Settings) -> list[Element]:
    """The File Meta Information of the output (PS3.10 section 7), complete with its group length."""
    sop_class = first_value(data_set, SOP_CLASS, "UI") or first_value(source.meta, 0x00020002, "UI")
    instance = first_value(data_set, SOP_INSTANCE, "UI")
    instance = instance or mapped_value(first_value(source.meta, 0x00020003, "UI"), settings).rstrip(b"\0")
    meta = [
        Element(0x00020001, "OB", b"\0\1"),
        Element(0x00020002, "UI", padded(sop_class, "UI")),
        Element(0x00020003, "UI", padded(instance, "UI")),
        Element(0x00020010, "UI", padded(source.transfer_syntax.encode("latin-1"), "UI")),
        Element(0x00020012, "UI", padded(IMPLEMENTATION_CLASS, "UI")),
        Element(0x00020013, "SH", padded(IMPLEMENTATION_VERSION, "SH")),
    ]
    meta = [element for element in meta if element.value]
    length = sum((12 if vr == "OB" else 8) + len(value) for _, vr, value in meta)
    return [Element(0x00020000, "UL", struct.pack("<L", length)), *meta]
