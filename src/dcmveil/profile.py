"""The Basic Application Level Confidentiality Profile and its Options (PS3.15 2026d, Annex E) as rules over tags.

Facts come from the tables; this module holds the decisions the Standard leaves open, each in one place:
what the table does not name but is known to identify (`_gap_rule`), what must not stay although no table says so
(`_FOREIGN_GROUPS`, `_OVERLAYS`, `_MAC_PARAMETERS_SEQUENCE`, `SPECIAL`), how what an Option wants cleaned is cleaned
(`_cleaning`), which Values are looked for in texts (`_NOT_IDENTIFYING`), and what has to be there in the end
(`anchors`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from dcmveil import _tables
from dcmveil.contents import ITEM_SEQUENCES, ORDINARY_TAGS, REFERENCED_ITEM, VALUE_TAGS
from dcmveil.iods import X_UNLESS_TYPE_1
from dcmveil.options import Options, combined
from dcmveil.rules import KEEP, Rule

__all__ = ["ENCRYPTED_ATTRIBUTES_SEQUENCE", "EXACT", "Assignment", "Spec", "anchors", "assignments", "flags"]

EXACT = 0xFFFFFFFF
_GROUP = 0xFFFF0000
ENCRYPTED_ATTRIBUTES_SEQUENCE = 0x04000500

# Plain X in the table, although some IODs require a Value (E.1.1: the De-identifier answers for conformance).
_X_UNLESS_TYPE_1 = frozenset({0x00080201, 0x00700082, 0x00700083})
_U_INSTEAD = frozenset({0x006A0003})  # Annotation Group UID: D in the table, but references have to keep matching

_FOREIGN_GROUPS = (0x00000000, 0x00020000, 0x00040000, 0x00060000)  # commands, File Meta, media directories (R19)
_OVERLAYS = (0x60000000, 0xFF000000)  # R22: the whole group, its Overlay Data being X
_MAC_PARAMETERS_SEQUENCE = 0x4FFE0001  # R24: of no use without the signatures
_ENCRYPTED_MEMBERS = (0x04000510, 0x04000520)  # R32: exactly these

_TEXT_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_DATE_VRS = frozenset({"DA", "DT"})
_TIME_VRS = frozenset({"TM", "SH"})  # SH: Timezone Offset From UTC
_FRAME_ORIGIN_TIMESTAMP = 0x00340007
_REASON_FOR_MODIFICATION = 0x04000565
_GRAPHIC_ANNOTATION_SEQUENCE = 0x00700001
# URLs and names of files, in which there are UIDs, persons and machines as often as not.
_LOCATORS = (
    0x00080407, 0x00080408, 0x00080409, 0x0008040B, 0x00081190, 0x00287FE0, 0x00404073, 0x0040E010, 0x0074100A,
)  # fmt: skip
_SOP_INSTANCE_UID = 0x00080018
_CODE_MEANING = 0x00080104
_CODING_SCHEME_DESIGNATOR = 0x00080102

# Of the Attributes that the Profile takes away those whose Values say nothing of a person or a place, or are prose.
_NOT_IDENTIFYING = frozenset({
    0x00080201, 0x00100013, 0x00101080, 0x00101081, 0x001021F0, 0x0016004F, 0x00160050, 0x00160078, 0x00160082,
    0x00203406, 0x00284000, 0x00401004, 0x00403001, 0x00500020, 0x00880904, 0x00880906, 0x00880912, 0x20300020,
    0x300A0216, 0x300A0611, 0x300A0615, 0x3010002D, 0x40000010, 0x40004000, 0x60004000,
})  # fmt: skip
_IDENTIFYING_VRS = frozenset({"AE", "LO", "LT", "PN", "SH", "ST", "UC", "UT"})

SPECIAL = {
    "private": Rule("X", "private (R43)"),
    "unknown": Rule("X", "not in the dictionary of PS3.6"),
    "group_length": Rule("X", "group length (R29)"),
    "vr": Rule("X", "no Value of the dictionary's VR"),
    "duplicate": Rule("X", "repeated"),
    "repeated": Rule("X", "repeated: some read the first of them, some the last"),
    "member": Rule("X", "not an Attribute of an Encrypted Attributes Sequence Item (R32)"),
    "meta": Rule("file meta", "R18: File Meta Information is written new"),
}

_WATCHED = (
    (0x00080005, EXACT),  # Specific Character Set: of all texts
    (0x00080016, EXACT),  # SOP Class UID: the IOD
    (0x00080018, EXACT),  # SOP Instance UID: for the File Meta Information
    (0x00080100, EXACT),  # Code Value and Coding Scheme Designator, in De-identification Method Code Sequence
    (0x00080102, EXACT),
    (0x00041220, EXACT),  # Directory Record Sequence
    (0x60000102, 0xFF00FFFF),  # Overlay Bit Position
    (0x60003000, 0xFF00FFFF),  # Overlay Data
)
_PATIENT = (0x00100020, 0x0020000D)  # Patient ID and Study Instance UID: whose dates are shifted, and by how much
_NAMING = (
    (0x0040A043, "naming"), (0x00080100, "code"), (0x00080119, "code"), (0x00080102, "scheme"),
    (0x0040A040, "value type"),
)  # fmt: skip

Assignment = tuple[int, int, Rule]  # tag, mask, rule; later ones go before earlier ones


class Spec(NamedTuple):
    """What decides about the rules. `pseudonyms` are the Attributes that get one, `watched` tags of the top level that
    others want to know of; with `needs_identity` the Values that identify are wanted."""

    options: Options = Options()
    existing_encrypted: str = "refuse"
    reversible: bool = False
    pseudonyms: frozenset[int] = frozenset()
    watched: frozenset[int] = frozenset()
    needs_identity: bool = False


def assignments(spec: Spec) -> Iterator[Assignment]:
    """The rule of each tag or pattern of tags that is not just kept."""
    if spec.options.clean_descriptors:
        yield from _other_texts()
    yield from _gaps(spec.options)
    yield from _table(spec)
    yield ENCRYPTED_ATTRIBUTES_SEQUENCE, EXACT, _encrypted_rule(spec.existing_encrypted)
    yield *_OVERLAYS, Rule("X", "R22: overlay group")
    yield _MAC_PARAMETERS_SEQUENCE, EXACT, Rule("X", "R24: MAC Parameters Sequence")
    for group in _FOREIGN_GROUPS:
        yield group, _GROUP, Rule("X", "group does not belong into a Data Set (R19)")


def _encrypted_rule(existing: str) -> Rule:
    action = {"refuse": "refuse", "remove": "X", "keep": "members"}[existing]
    return Rule(action, "R37: Encrypted Attributes Sequence")


# ---- Table E.1-1 -------------------------------------------------------------------------------------------------


def _table(spec: Spec) -> Iterator[Assignment]:
    columns = spec.options.columns
    names = _option_names()
    found: dict[int, Rule] = {}
    for tag, mask, basic, row in _tables.confidentiality():
        profile = _basic_rule(tag, basic)
        action = combined(basic, row, columns)
        said = [column for column in columns if row.get(column) == action]
        rule = _option_rule(tag, action, said, names, profile) if said else profile
        if tag in spec.pseudonyms and profile.action != "X":
            rule = Rule("pseudonym", f"pseudonym, and else {profile.reason}", profile.action)
        if spec.reversible and tag == _SOP_INSTANCE_UID and rule.action == "K":
            rule = rule._replace(action="retain")  # other Re-identifiers insist on finding it among the originals
        found[tag] = rule
        yield tag, mask, rule
    if spec.options.clean_structured_content:
        others = {tag: rule for tag, _mask, rule in _other_texts()} if spec.options.clean_descriptors else {}
        yield from _contents(others | found, names["clean_struct"])


def _basic_rule(tag: int, action: str) -> Rule:
    """By column Basic Prof."""
    if tag in _X_UNLESS_TYPE_1:
        return Rule(X_UNLESS_TYPE_1, "Table E.1-1: X, but D where Type 1")
    action = "U" if tag in _U_INSTEAD else action
    return Rule(action, f"Table E.1-1: {action}")


def _option_names() -> dict[str, str]:
    """The Options by their columns, as PS3.16 CID 7050 names them."""
    return {column: meaning.removesuffix(" Option") for _code, meaning, column in _tables.codes()}


def _option_rule(tag: int, action: str, said: list[str], names: Mapping[str, str], profile: Rule) -> Rule:
    """By the columns of Options, `said` being those that have this action."""
    reason = f"Table E.1-1, {names[said[0]]}: {action}"
    if action == "K":
        return Rule("K", reason)
    return _cleaning(tag, said[0], reason, profile)


def _cleaning(tag: int, column: str, reason: str, profile: Rule) -> Rule:
    """Action C: what it comes to, by VR; the Profile's where nothing can be cleaned (binary, signed, drawn)."""
    vr = _tables.dictionary_vr(tag) or ""
    if tag in ITEM_SEQUENCES:
        return Rule("content items", reason)
    if vr == "SQ":
        return Rule("K", reason)
    if vr in _DATE_VRS or tag == _FRAME_ORIGIN_TIMESTAMP:
        return Rule("shift", reason, profile.action)
    if vr in _TIME_VRS and column == "rtn_modif_dates":
        return Rule("K", f"{reason}, times of day are kept") if vr == "SH" else Rule("shift", reason, profile.action)
    if vr in _TEXT_VRS:
        return Rule("clean", reason, profile.action)
    if vr == "AE":
        return Rule("ae title", reason, profile.action)
    if tag == _REASON_FOR_MODIFICATION:
        return Rule("defined term", reason, profile.action, (b"COERCE", b"CORRECT"))
    return profile


def _contents(rules: Mapping[int, Rule], name: str) -> Iterator[Assignment]:
    """Content Items (E.3.4): their Sequences, and their Values, which are as before wherever else they stand."""
    reason = f"Table E.3.4-1, {name}"
    for tag in ITEM_SEQUENCES:
        if tag not in rules:
            yield tag, EXACT, Rule("content items", reason)
    for tag in VALUE_TAGS:
        yield tag, EXACT, Rule("content value", reason, detail=rules.get(tag, KEEP))
    for tag in ORDINARY_TAGS:
        yield tag, EXACT, Rule("content ordinary", reason, detail=rules.get(tag, KEEP))
    yield REFERENCED_ITEM, EXACT, Rule("content reference", reason)


# ---- what the table does not list --------------------------------------------------------------------------------


def _gaps(options: Options) -> Iterator[Assignment]:
    """UIDs, dates, names and URLs that Table E.1-1 does not name (R13, R26)."""
    for tag, role in _tables.gaps():
        action = _gap_action(role, options)
        yield tag, EXACT, Rule(action, f"not in Table E.1-1: {role}", "X" if action == "shift" else "")
    for tag in _LOCATORS:
        yield tag, EXACT, Rule("X", "not in Table E.1-1: where an object is to be had names it")


def _gap_action(role: str, options: Options) -> str:
    if role == "structural":
        return "K"
    if role in ("temporal", "person-name"):
        if role == "temporal" and options.retain_full_dates:
            return "K"
        return "shift" if role == "temporal" and options.modify_dates else "X"
    if role == "organization-or-equipment":
        return "K" if options.retain_device_identity or options.retain_institution_identity else "U"
    return "K" if options.retain_uids else "U"


def _other_texts() -> Iterator[Assignment]:
    """With Clean Descriptors every other text that is kept is searched for what identifies (E.3.5: any text VR may be
    treated); a Code Meaning is prose, and treated as such."""
    texts = sum(1 << _tables.vr_index(vr) for vr in _TEXT_VRS)
    rule = Rule("clean identity", "Clean Descriptors: not in Table E.1-1", "X/Z/D")
    rows = sorted(_tables.attributes(), key=lambda row: row[1])  # repeating ones first: exact ones may be of other VRs
    repeating = [(tag, mask) for tag, mask, vrs in rows if mask != EXACT and not vrs & ~texts]
    for tag, mask, vrs in rows:
        if not vrs & ~texts and tag != _CODING_SCHEME_DESIGNATOR:
            yield tag, mask, rule
        elif any(tag & wide == of for of, wide in repeating):
            yield tag, mask, KEEP
    yield _CODE_MEANING, EXACT, Rule("clean", "Clean Descriptors: Code Meaning", "D")


# ---- what the Resolver has to know -------------------------------------------------------------------------------


def flags(spec: Spec, rules: Iterable[Assignment]) -> Iterator[tuple[int, int, str]]:
    """(tag, mask, flag) for a RuleTable."""
    yield from ((tag, mask, "watched") for tag, mask in _WATCHED)
    yield from ((tag, EXACT, "watched") for tag in {*spec.watched, *_PATIENT})
    yield from ((tag, EXACT, "member") for tag in _ENCRYPTED_MEMBERS)
    if spec.options.clean_structured_content:
        yield from ((tag, EXACT, flag) for tag, flag in _NAMING)
    if spec.needs_identity:
        yield from _identifying(rules)


def _identifying(rules: Iterable[Assignment]) -> Iterator[tuple[int, int, str]]:
    """Values that are searched for in texts: of what Table E.1-1 takes away, without the descriptors themselves."""
    kept = {(tag, mask) for tag, mask, rule in rules if _may_keep(rule)}
    for tag, mask, _basic, row in _tables.confidentiality():
        vr = _tables.dictionary_vr(tag) or ""
        prose = "clean_desc" in row or "rtn_pat_chars" in row or tag in _NOT_IDENTIFYING
        if prose or (tag, mask) in kept:
            continue
        if vr in _DATE_VRS:
            yield tag, mask, "identifying date"
        elif vr in _IDENTIFYING_VRS:
            yield tag, mask, "identifying"
    yield from ((tag, EXACT, "identifying") for tag, role in _tables.gaps() if role == "person-name")


def _may_keep(rule: Rule) -> bool:
    """Does the user, or an Option, want what is there?"""
    if rule.action == "choice":
        choices, otherwise = rule.detail
        return any(_may_keep(one) for one in (otherwise, *(one for _conditions, one in choices)))
    return rule.action in ("K", "retain")


def anchors(spec: Spec) -> list[tuple[int, Rule]]:
    """What the De-identifier sets at top level (R16, R17, R42)."""
    found = [
        (0x00120062, Rule("identity removed", "R16: Patient Identity Removed")),
        (0x00120063, Rule("method text", "R17: De-identification Method")),
        (0x00120064, Rule("method codes", "R17: De-identification Method Code Sequence")),
        (0x00280303, Rule("dates", "R42: Longitudinal Temporal Information Modified")),
    ]
    if spec.reversible:
        found.append(
            (ENCRYPTED_ATTRIBUTES_SEQUENCE, Rule("encrypted attributes", "R31: Encrypted Attributes Sequence"))
        )
    return found
