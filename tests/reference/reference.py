"""A de-identifier written straight from the rules of the Basic Profile and its Options (PS3.15 Annex E), for clarity.

It turns the tree of a file into the tree its de-identified file must have, or raises `RefusalError`. Every rule is
one method or function, here or in the module of its Option; dcmveil is right when it agrees. Only ext/tables/*.tsv is
shared with dcmveil.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from . import dates, options, private, pseudonyms, structured, tables, texts
from .dummies import TIMEZONE, dummy_item, dummy_value
from .model import (
    MEDIA_STORAGE_DIRECTORY,
    Cleaned,
    Element,
    Encoding,
    Expected,
    Identity,
    Parsed,
    RefusalError,
    Settings,
    first_value,
    padded,
)
from .parse import UN_CONTENT, read_file, read_items, read_meta
from .uids import mapped_value
from .values import are_numbers_of, is_text_of

SOP_CLASS, SOP_INSTANCE, DIRECTORY_RECORDS = 0x00080016, 0x00080018, 0x00041220
ENCRYPTED_ATTRIBUTES, ENCRYPTED_SYNTAX, ENCRYPTED_CONTENT = 0x04000500, 0x04000510, 0x04000520
IDENTITY_REMOVED, METHOD, METHOD_CODES, TEMPORAL = 0x00120062, 0x00120063, 0x00120064, 0x00280303
MAC_PARAMETERS, ANNOTATION_GROUP_UID, CODE_MEANING = 0x4FFE0001, 0x006A0003, 0x00080104
CODING_SCHEME = 0x00080102
PATIENT_ID, STUDY_INSTANCE = 0x00100020, 0x0020000D
FRAME_ORIGIN_TIMESTAMP, REASON_FOR_MODIFICATION = 0x00340007, 0x04000565
X_UNLESS_REQUIRED = {0x00700082, 0x00700083, TIMEZONE}
IMPLEMENTATION_CLASS = b"2.25.93788369709748088662773663422743228673"
IMPLEMENTATION_VERSION = b"DCMVEIL 0.1.0"

# Specific Character Set stays only if it is what it should be (C.12.1.1.2).
SETS = rb"(ISO_IR (6|100|101|109|110|144|127|126|138|148|203|13|166|192)|GB18030|GBK|"
SETS += rb"ISO 2022 IR (6|100|101|109|110|144|127|126|138|148|203|13|166|87|159|149|58)|)"
FITS = {
    "known sets": re.compile(rb"[ \0]*" + SETS + rb"[ \0]*(\\[ \0]*" + SETS + rb"[ \0]*)*"),
}
# URLs and names of files that objects are to be had under.
LOCATORS = {0x00080407, 0x00080408, 0x00080409, 0x0008040B, 0x00081190, 0x00287FE0, 0x00404073, 0x0040E010, 0x0074100A}

# Action for Type 1, 2, 3 and for an unknown IOD; 1C counts as 1 and 2C as 2.
COMPOUND = {
    "X/Z": ("D", "Z", "X", "Z"),
    "X/D": ("D", "D", "X", "D"),
    "Z/D": ("D", "Z", "Z", "D"),
    "X/Z/D": ("D", "Z", "X", "D"),
    "X/Z/U*": ("descend", "Z", "X", "descend"),
}
NO_ACTIONS: Mapping[int, str] = {}


def expected_of_file(path: Path, settings: Settings) -> Expected:
    """What the de-identified file must contain; raises RefusalError or UnreadableError."""
    refuse_declared_directory(read_meta(path))
    return expected_of(read_file(path), settings)


def expected_of(source: Parsed, settings: Settings) -> Expected:
    """As `expected_of_file`, for a tree."""
    sop_class = first_value(source.data_set, SOP_CLASS, "UI")
    refuse_directory(source, sop_class)
    refuse_embedded_overlay(source.data_set, settings)
    referenced = settings.clean_structured_content and are_items_referenced(source, sop_class, settings)
    reference = Reference(source.encoding, sop_class.decode("latin-1"), settings, source.data_set, referenced)
    data_set = reference.top_level(source.data_set)
    identity = Identity(frozenset(texts.names_in(source.data_set)), frozenset(reference.may_go))
    return Expected(file_meta(source, data_set, settings), data_set, identity)


def are_items_referenced(source: Parsed, sop_class: bytes, settings: Settings) -> bool:
    """Whether anything refers to Content Items that would be in the output if all of them stayed."""
    lenient = replace(settings, existing_encrypted="remove")  # what would be refused in an Item may go with it
    rules = Reference(source.encoding, sop_class.decode("latin-1"), lenient, source.data_set, referenced=True)
    return structured.has_references(rules.top_level(source.data_set))


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
    """The rules for one file: its encoding, its SOP Class, what it says of itself and the settings decide.

    If Content Items are `referenced` all of them stay."""

    def __init__(
        self,
        encoding: Encoding,
        sop_class: str,
        settings: Settings,
        source: Sequence[Element] = (),
        referenced: bool = True,
    ) -> None:
        self.encoding = encoding
        self.iod_types = tables.iod_types(sop_class)
        self.settings = settings
        self.charset = b""  # of the Item that is at work
        self.undescribed = {IDENTITY_REMOVED, METHOD, METHOD_CODES, TEMPORAL}
        self.may_go: set[str] = set()
        whole = list(source)
        self.days = dates.days_of(settings, raw_value(whole, PATIENT_ID), raw_value(whole, STUDY_INSTANCE))
        self.patient_id = texts.decoded(raw_value(whole, PATIENT_ID), texts.charset_of(whole, b"")).strip("\0 ")
        self.referenced = referenced
        self.said = private.characteristics(whole, encoding.little)

    def top_level(self, elements: list[Element]) -> list[Element]:
        """The whole Data Set: the ordinary rules, and the four attributes that describe the process."""
        result = self.data_set(elements, 0)
        for tag in sorted(self.undescribed):
            place = next((index for index, other in enumerate(result) if other.tag > tag), len(result))
            result.insert(place, self.described(tag, None))
        return result

    def data_set(self, elements: list[Element], parent: int, actions: Mapping[int, str] = NO_ACTIONS) -> list[Element]:
        """The Data Set of an Item of the Sequence `parent`; a Content Item has its own actions for some elements."""
        outer, self.charset = self.charset, texts.charset_of(elements, self.charset)
        result: list[Element] = []
        seen: set[int] = set()
        for element in elements:
            if private.is_private(element.tag):
                kept = self.private(element, elements)
            elif element.tag in actions:
                kept = self.carried_out(actions[element.tag], element, parent, "D")
            else:
                kept = self.element(element, parent)
            if self.is_repeated(element, parent, kept, seen):
                kept = []
            if kept != [element] and not any(isinstance(other.value, Cleaned) for other in kept):
                self.may_go |= texts.words_of(element, self.charset)
            result += kept
        self.charset = outer
        owned = {private.creator_of(element.tag, elements)[0] for element in result}
        return [element for element in result if not private.is_creator(element.tag) or element.tag in owned]

    def is_repeated(self, element: Element, parent: int, kept: list[Element], seen: set[int]) -> bool:
        """Whether it stays, as an earlier one of its tag has: readers would have to choose which of them to take."""
        tag = element.tag
        is_asked = self.action(tag, parent) in FITS and has_value(element)
        is_asked |= self.may_clean(element) or self.action(tag, parent) in ("shift", "clean", "pseudonym")
        if not kept and (private.is_private(tag) or not is_asked):
            return False
        if private.is_creator(tag) or self.has_a_say(tag):
            return False
        before = tag in seen
        seen.add(tag)
        return before

    def has_a_say(self, tag: int) -> bool:
        """Whether it says what is to become of private elements, which counts however often it does."""
        return tag == private.CHARACTERISTICS and self.settings.retain_safe_private

    def element(self, element: Element, parent: int) -> list[Element]:
        """What becomes of one Data Element that is not private: nothing or one Data Element."""
        if not parent and element.tag in (IDENTITY_REMOVED, METHOD, METHOD_CODES, TEMPORAL):
            return self.described_once(element)
        if element.tag == ENCRYPTED_ATTRIBUTES:
            return self.encrypted_attributes(element)
        action = self.action(element.tag, parent)
        return self.carried_out(action, element, parent, self.basic_action(element.tag, parent))

    def carried_out(self, action: str, element: Element, parent: int, otherwise: str = "X") -> list[Element]:
        """The outcome of an action; what can not be cleaned or shifted is treated as said by `otherwise`."""
        if action == "X":
            return []
        if action in FITS:
            return [element] if has_value(element) and FITS[action].fullmatch(element.value or b"") else []
        if action == "retain":
            return [element] if has_value(element) else []
        if action in ("keep", "descend"):
            return self.kept(element, parent)
        if action in ("shift", "clean", "pseudonym"):
            how = {"shift": self.shifted, "clean": self.cleaned, "pseudonym": self.renamed}[action]
            instead = self.carried_out(otherwise, element, parent)
            return how(element, instead) if has_value(element) else instead
        value = {"Z": self.emptied, "D": self.dummy, "U": self.mapped}[action](element)
        if action == "U":
            return [element._replace(vr=element.vr and "UI", value=value)]
        is_value = isinstance(element.value, bytes) and element.vr != "SQ"
        if pseudonyms.is_keyed(element.tag, self.settings) and is_value:
            value = pseudonyms.keyed(element, self.charset, self.patient_id, self.settings)
        return [Element(element.tag, written_vr(element), value)]

    def action(self, tag: int, parent: int) -> str:
        """X, Z, D, U, descend, keep, shift, clean or pseudonym: by the tag, its Type and the Options."""
        row = tables.profile().get(tables.printed(tag))
        if is_removed_always(tag):
            return "X"
        if tag in LOCATORS:
            return "X"
        if tag == texts.CHARACTER_SET:
            return "known sets"
        if tag == CODE_MEANING and self.settings.clean_descriptors:
            return "clean"
        if row is None:
            return options.gap_action(tables.gap_roles().get(tables.printed(tag), ""), self.settings)
        said = options.decided(row, self.settings)[0]
        if said == "C":
            return cleaning(tag) or self.basic_action(tag, parent)
        return "keep" if said == "K" else self.basic_action(tag, parent)

    def basic_action(self, tag: int, parent: int) -> str:
        """The action of the Basic Profile, or of what is only cleaned if that fails."""
        if tag == ANNOTATION_GROUP_UID:
            return "U"
        if tag == CODE_MEANING:
            return "D"
        if tag in X_UNLESS_REQUIRED:
            return "D" if self.type_of(tag, parent) == 1 else "X"
        return self.by_type(tables.basic_actions().get(tables.printed(tag), "X"), tag, parent)

    def by_type(self, action: str, tag: int, parent: int) -> str:
        """An action with its alternatives settled by the Type in the IOD."""
        type_ = self.type_of(tag, parent)
        return COMPOUND[action][3 if type_ is None else type_ - 1] if action in COMPOUND else action

    def type_of(self, tag: int, parent: int) -> int | None:
        """1, 2 or 3 at that place; None if the IOD is unknown."""
        if self.iod_types is None:
            return None
        if parent:
            return tables.nested_types().get((tables.printed(parent), tables.printed(tag)), 3)
        return self.iod_types.get(tables.printed(tag), 3)

    def kept(self, element: Element, parent: int) -> list[Element]:
        """A kept element must have a VR of the dictionary; a Sequence is looked into, a text loses names."""
        if not has_right_vr(element) or not self.is_read_alike(element):
            return []
        if isinstance(element.value, list):
            return [Element(element.tag, element.vr, self.items(element))]
        if self.may_clean(element):
            instead = self.carried_out(self.by_type("X/Z/D", element.tag, parent), element, parent)
            return self.text(element, False, instead) if self.is_value(element) else instead
        return [element] if self.is_value(element) else []

    def may_clean(self, element: Element) -> bool:
        """Whether it is a text that no row names, of which names are cleaned."""
        unlisted = tables.printed(element.tag) not in tables.profile() and element.tag != CODING_SCHEME
        return self.settings.clean_descriptors and unlisted and the_vr(element) in texts.TEXT_VRS

    def is_read_alike(self, element: Element) -> bool:
        """Whether other readers see the same: whole numbers, as many as can be, and in Big Endian no Items as UN."""
        if not isinstance(element.value, bytes) or tables.dictionary_vrs(element.tag) == ("SQ",):
            return not self.is_unknown_in_big_endian(element)
        return are_numbers_of(element, element.value, self.vrs_of(element))

    def is_value(self, element: Element) -> bool:
        """Whether its bytes are a Value of its VR, or without one of a VR of the dictionary."""
        return not isinstance(element.value, bytes) or is_text_of(element.value, self.vrs_of(element))

    def vrs_of(self, element: Element) -> tuple[str, ...]:
        """What it is, or may be where it does not say."""
        if private.is_private(element.tag):
            return (element.vr or "UN",)
        return (element.vr,) if element.vr else tables.dictionary_vrs(element.tag)

    def is_unknown_in_big_endian(self, element: Element) -> bool:
        return element.vr == "UN" and not self.encoding.little

    def items(self, element: Element) -> list[list[Element]]:
        """The Items of a kept Sequence, by the rules of each element; Content Items by the name of their concept."""
        found = []
        as_content = self.settings.clean_structured_content and element.tag in structured.CONTENT_SEQUENCES
        for item in element.items:
            actions: Mapping[int, str] | None = NO_ACTIONS
            if as_content:
                actions = structured.value_actions(item, element.tag, self.settings, self.referenced)
            if actions is None:
                self.may_go |= texts.words_of(Element(element.tag, element.vr, [item]), self.charset)
            else:
                found.append(self.data_set(item, element.tag, actions))
        return found

    def shifted(self, element: Element, instead: list[Element]) -> list[Element]:
        """Dates moved by the days of the patient."""
        assert isinstance(element.value, bytes)
        if element.tag == FRAME_ORIGIN_TIMESTAMP:
            moved = dates.shifted_timestamp(element.value, self.days)
        else:
            moved = dates.shifted(element.value, the_vr(element), self.days)
        return instead if moved is None else [element._replace(value=moved)]

    def cleaned(self, element: Element, instead: list[Element]) -> list[Element]:
        """A text without what identifies; the two reasons that the Standard has."""
        if not self.is_value(element):
            return instead
        if the_vr(element) in texts.TEXT_VRS:
            return self.text(element, True, instead)
        return [element] if first_value([element], element.tag, "CS") in (b"COERCE", b"CORRECT") else instead

    def renamed(self, element: Element, instead: list[Element]) -> list[Element]:
        """AE titles replaced."""
        assert isinstance(element.value, bytes)
        return [element._replace(value=pseudonyms.keyed_titles(element.value, self.settings))]

    def text(self, element: Element, by_rule: bool, instead: list[Element]) -> list[Element]:
        """The place of a text that will have been cleaned."""
        assert isinstance(element.value, bytes)
        return [Element(element.tag, element.vr, Cleaned(element.value, self.charset, by_rule, instead))]

    def private(self, element: Element, elements: list[Element]) -> list[Element]:
        """A private element: a Private Creator stays for now."""
        if not self.settings.retain_safe_private:
            return []
        if private.is_creator(element.tag):
            return [element]
        _, creator = private.creator_of(element.tag, elements)
        action = private.action(element, creator, self.said) if creator else "X"
        if action == "items":
            return [] if self.is_unknown_in_big_endian(element) else [self.private_sequence(element)]
        if not self.is_read_alike(element):
            return []
        if action == "keep" and self.settings.clean_descriptors and private.may_name(element, creator, self.said):
            return self.text(element, False, []) if self.is_value(element) else []
        if action == "keep" or (action == "UID" and self.settings.retain_uids):
            return [element] if self.is_value(element) else []
        if private.is_sequence(element):  # neither a dummy nor a UID can be made of Items
            return []
        return self.carried_out("U" if action == "UID" else action, element, element.tag)

    def private_sequence(self, element: Element) -> Element:
        """A private Sequence, whose Items have not been read if its length is defined."""
        if isinstance(element.value, bytes):
            inner = UN_CONTENT if element.vr in ("UN", None) else self.encoding
            element = Element(element.tag, element.vr, read_items(element.value, inner))
        return Element(element.tag, element.vr, self.items(element))

    def described_once(self, element: Element) -> list[Element]:
        """One of the four attributes that say what was done; a second one goes."""
        if element.tag not in self.undescribed:
            return []
        self.undescribed.remove(element.tag)
        return [self.described(element.tag, element)]

    def described(self, tag: int, existing: Element | None) -> Element:
        """One of the four attributes of E.1.1 and E.2 that say what was done."""
        if tag == METHOD:
            return self.method(existing)
        if tag == METHOD_CODES:
            return self.method_codes(existing)
        return self.new(tag, "CS", b"YES" if tag == IDENTITY_REMOVED else options.temporal_information(self.settings))

    def method(self, existing: Element | None) -> Element:
        """De-identification Method (0012,0063): our texts behind what is there, none of them twice."""
        ours = options.method_texts(self.settings)
        if existing is None or existing.vr not in ("LO", None) or not isinstance(existing.value, bytes):
            return self.new(METHOD, "LO", b"\\".join(ours))
        if not self.is_value(existing):
            return self.new(METHOD, "LO", b"\\".join(ours))
        former = existing.value.rstrip(b" \0")
        there = [part.strip(b" \0") for part in former.split(b"\\")]
        missing = [text for text in ours if text not in there]
        return self.new(METHOD, "LO", b"\\".join([former] * bool(former) + missing)) if missing else existing

    def method_codes(self, existing: Element | None) -> Element:
        """De-identification Method Code Sequence (0012,0064): an Item for each code behind those that are there."""
        former = self.kept(existing, 0) if existing else []
        vr = former[0].vr if former else self.vr("SQ")
        items = former[0].items if former else []
        there = [code_of(item) for item in items]
        for code, meaning in options.methods(self.settings):
            if (code, b"DCM") not in there:
                rows = [(0x00080100, "SH", code), (0x00080102, "SH", b"DCM"), (0x00080104, "LO", meaning)]
                implicit = vr in ("UN", None)
                items.append([Element(tag, None if implicit else of, padded(text, of)) for tag, of, text in rows])
        return Element(METHOD_CODES, vr, items)

    def encrypted_attributes(self, element: Element) -> list[Element]:
        """Encrypted Attributes Sequence (0400,0500), which Table E.1-1 does not list."""
        if self.settings.existing_encrypted == "refuse":
            raise RefusalError("encrypted-attributes")
        if self.settings.existing_encrypted == "remove":
            return []
        allowed = (ENCRYPTED_SYNTAX, ENCRYPTED_CONTENT)
        kept = self.kept(element, 0)
        items = [[inner for inner in item if inner.tag in allowed] for found in kept for item in found.items]
        return [Element(found.tag, found.vr, items) for found in kept]

    def emptied(self, element: Element) -> bytes | list[list[Element]]:
        """Zero length, or zero Items."""
        return [] if the_vr(element) == "SQ" else b""

    def dummy(self, element: Element) -> bytes | list[list[Element]]:
        """The constant value for D, whatever was there."""
        vr, implicit = the_vr(element), element.vr is None
        if vr != "SQ":
            return dummy_value(element.tag, vr)
        return [dummy_item(element.tag, implicit, self.encoding.little or implicit)]

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


def is_removed_always(tag: int) -> bool:
    """What no Data Set should have or no rule can judge: whatever the table and the Options say."""
    foreign = tag >> 16 in (0, 2, 4, 6) or tag & 0xFFFF == 0 or tag == MAC_PARAMETERS
    return private.is_private(tag) or foreign or tag >> 24 in (0x50, 0x60) or not tables.dictionary_vrs(tag)


def cleaning(tag: int) -> str:
    """What C means for an attribute; nothing if no cleaning is for what it holds."""
    vr = tables.dictionary_vrs(tag)[0]
    if vr == "SQ" or tag == TIMEZONE:
        return "keep"
    if vr in ("DA", "DT", "TM") or tag == FRAME_ORIGIN_TIMESTAMP:
        return "shift"
    if vr == "AE":
        return "pseudonym"
    return "clean" if vr in texts.TEXT_VRS or tag == REASON_FOR_MODIFICATION else ""


def raw_value(elements: list[Element], tag: int) -> bytes:
    """The value of the first element of that tag, whatever its VR."""
    value = next((element.value for element in elements if element.tag == tag), b"")
    return value if isinstance(value, bytes) else b""


def has_right_vr(element: Element) -> bool:
    """Whether the VR is one of the dictionary's, or UN for SQ; Items make an element without a VR a Sequence."""
    vrs = tables.dictionary_vrs(element.tag)
    if element.vr is None:
        return isinstance(element.value, bytes) or vrs == ("SQ",)
    return element.vr in vrs or (element.vr, vrs) == ("UN", ("SQ",))


def has_value(element: Element) -> bool:
    """Whether it has a value, in a VR of the dictionary."""
    return has_right_vr(element) and isinstance(element.value, bytes)


def written_vr(element: Element) -> str | None:
    """The VR of a replaced element: the file's if the dictionary allows it, else the dictionary's first."""
    return None if element.vr is None else the_vr(element)


def the_vr(element: Element) -> str:
    """The same, of an element without one that which is meant; a private one without is UN."""
    vrs = tables.dictionary_vrs(element.tag) or (element.vr or "UN",)
    return element.vr if element.vr in vrs else vrs[0]


def code_of(item: list[Element]) -> tuple[bytes, bytes]:
    """(code, scheme) of an Item of the output: a code that goes, being of another VR, says nothing."""
    uncut = [e._replace(value=e.value.original) if isinstance(e.value, Cleaned) else e for e in item]
    return first_value(uncut, 0x00080100, "SH"), first_value(uncut, 0x00080102, "SH")


def file_meta(source: Parsed, data_set: list[Element], settings: Settings) -> list[Element]:
    """The File Meta Information of the output (PS3.10 section 7), complete with its group length."""
    sop_class = first_value(data_set, SOP_CLASS, "UI") or first_value(source.meta, 0x00020002, "UI")
    instance = first_value(data_set, SOP_INSTANCE, "UI")
    if not instance:
        former = first_value(source.meta, 0x00020003, "UI")
        instance = former if settings.retain_uids else mapped_value(former, settings).rstrip(b"\0")
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
