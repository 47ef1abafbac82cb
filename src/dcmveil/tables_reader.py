"""Tables of facts from the DICOM Standard: what is in them, what is checked, and the arrays that are made of them.

One description for two users: ext/tables/generate.py compiles the tables of ext/tables into the package, and
`dcmveil.resources` puts those of another edition in their place. So this module and `tables_files`, which reads the
files, need the standard library only, and nothing that has yet to be built. A file becomes facts, a list of tuples;
facts become arrays, lists of tuples in the order of the C arrays and with the members of their structs
(ext/dcmveil/tables.pxd). Every mistake is told with file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dcmveil.tables_files import EXACT, VR_NAMES, Fact, Row, Table, TableError, read_edition, read_rows, shown

__all__ = [
    "ACTIONS",
    "CONTENT_OPTIONS",
    "DUMMY_DEPTH",
    "EDITION",
    "EXACT",
    "FLAGS",
    "MAX_PATTERNS",
    "OPTIONS",
    "ROLES",
    "TABLES",
    "VR_NAMES",
    "Fact",
    "Facts",
    "TableError",
    "arrays",
    "read_edition",
    "read_rows",
    "read_table",
]

ACTIONS = ["", "X", "Z", "D", "U", "K", "C", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"]
OPTIONS = [
    "rtn_safe_priv", "rtn_uids", "rtn_dev_id", "rtn_inst_id", "rtn_pat_chars", "rtn_full_dates",
    "rtn_modif_dates", "clean_desc", "clean_struct", "clean_graph",
]  # fmt: skip
CONTENT_OPTIONS = OPTIONS[1:8]  # those that Table E.3.4-1 has a column for
ROLES = [
    "structural", "instance-reference", "instance-scoped", "instance-or-well-known",
    "organization-or-equipment", "ambiguous", "template", "temporal", "person-name",
]  # fmt: skip
# Flags of a Transfer Syntax, bit by bit, and the words of column ts_flags that set them.
FLAGS = ["IMPLICIT", "BIG_ENDIAN", "ENCAPSULATED", "DEFLATED", "REFERENCED_PIXEL", "UNUSABLE"]
FLAG_WORDS = {
    "EVR": 0, "LE": 0, "IVR": 1, "BE": 2, "ENCAPS": 4, "DEFLATED": 8, "REFERENCED_PIXEL": 16,
    "RTV_ONLY": 32, "NOT_A_DATASET_ENCODING": 32, "PAPYRUS": 32,
}  # fmt: skip
TRANSFER_SYNTAX = "Transfer Syntax"
NO_TRANSFER_SYNTAX = -1
# Implicit VR has one byte order only (PS3.5 A.1).
IMPLICIT_BIG_ENDIAN = 1 | 2
# What is detected where the File Meta Information does not say.
DETECTED = {"1.2.840.10008.1.2": 1, "1.2.840.10008.1.2.1": 0, "1.2.840.10008.1.2.2": 2}
# What the De-identifier itself reads and writes at top level.
OWN_ATTRIBUTES = {
    "0008,0016": "UI", "0008,0018": "UI", "0012,0062": "CS", "0012,0063": "LO", "0012,0064": "SQ",
    "0028,0303": "CS", "0400,0500": "SQ",
}  # fmt: skip
# PS3.3 C.17.3, and what the De-identifier can do with a Content Item.
VALUE_TYPES = [
    "CODE", "COMPOSITE", "CONTAINER", "DATE", "DATETIME", "IMAGE", "NUM", "PNAME", "SCOORD", "SCOORD3D", "TABLE",
    "TCOORD", "TEXT", "TIME", "UIDREF", "WAVEFORM",
]  # fmt: skip
CONTENT_ACTIONS = ["X", "D", "X/D", "K"]
TYPES = {"1": 1, "1C": 1, "2": 2, "2C": 2, "3": 3}
UNKNOWN_IOD = -1
DUMMY_DEPTH = 4
# What a Value of a dummy Item can be: text, or numbers from the first to the last.
TEXT_VRS = "AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split()
NUMBER_VRS = {
    "FD": (-1.0e308, 1.0e308), "FL": (-3.0e38, 3.0e38), "OB": (0, 0xFF), "SL": (-1 << 31, (1 << 31) - 1),
    "SS": (-1 << 15, (1 << 15) - 1), "SV": (-1 << 63, (1 << 63) - 1), "UL": (0, (1 << 32) - 1), "US": (0, 0xFFFF),
    "UV": (0, (1 << 64) - 1),
}  # fmt: skip
MAX_VALUE = 1024
MAX_MULTIPLICITY = 0xFF
MAX_PATTERNS = 256  # of the dictionary, as in ext/dcmveil/_policy.pxd
EDITION = "edition.txt"
MULTIPLICITY = re.compile(r"(?:[0-9]{1,3}-)?(?:[0-9]{0,3}n|([0-9]{1,3}))")
MODULES = re.compile(r"([MCU]:[a-z0-9-]+( [MCU]:[a-z0-9-]+)*)?")


# ---- facts -----------------------------------------------------------------------------------------------------


def dictionary_facts(rows: list[Row]) -> Iterator[Fact]:
    """(tag, mask, set of VRs, keyword, first VR, most Values); reserved tags, which have no VR, are left out."""
    patterns = 0
    for row in rows:
        tag, mask = row.tag()
        patterns += mask != EXACT
        if patterns > MAX_PATTERNS:
            raise row.wrong(f"more than {MAX_PATTERNS} tags with wildcards")
        if row["vr"] not in ("", "NONE"):
            vrs = row.vrs()
            yield tag, mask, sum(1 << vr for vr in set(vrs)), row.text("keyword", 64), vrs[0], most_values(row)
    missing = OWN_ATTRIBUTES.items() - {(row["tag"], row["vr"]) for row in rows}
    if missing:
        raise rows[-1].wrong(f"the table ends without {' '.join(min(missing))}, which a De-identifier needs")


def most_values(row: Row) -> int:
    """How many Values there may be by column vm; 0 if any number, or the table has no such column."""
    vm = row.get("vm") or "n"
    found = MULTIPLICITY.fullmatch(vm)
    if not found:
        raise row.wrong(f"vm {shown(vm)} is not a Value Multiplicity such as 1, 1-3 or 2-2n")
    most = int(found[1] or 0)
    return most if most <= MAX_MULTIPLICITY else 0


def confidentiality_facts(rows: list[Row]) -> Iterator[Fact]:
    """(tag, mask, action of the Basic Profile, actions of the Options by number)."""
    for row in rows:
        if row["tag"] == "gggg,eeee":  # private Attributes: a rule and no tag
            continue
        if not row["basic"]:
            raise row.wrong("no action in column basic")
        row.choice("basic", [action for action in ACTIONS if action != "C"])  # cleaning is for Options
        yield *row.tag(), *(ACTIONS.index(row.choice(column, ACTIONS)) for column in ("basic", *OPTIONS))


def gap_facts(rows: list[Row]) -> Iterator[Fact]:
    """(tag, role by number)"""
    return ((row.exact_tag(), ROLES.index(row.choice("role", ROLES))) for row in rows)


def flags_of(row: Row) -> int:
    flags = 0
    for word in row["ts_flags"].split():
        if word not in FLAG_WORDS:
            raise row.wrong(f"unknown flag {shown(word)}")
        flags |= FLAG_WORDS[word]
    if flags & IMPLICIT_BIG_ENDIAN == IMPLICIT_BIG_ENDIAN or flags != DETECTED.get(row["uid"], flags):
        raise row.wrong(f"ts_flags {shown(row['ts_flags'])} cannot be the encoding of this Transfer Syntax")
    return flags


def uid_facts(rows: list[Row]) -> Iterator[Fact]:
    """(UID, flags of the Transfer Syntax)"""
    for row in rows:
        yield row.uid("uid"), flags_of(row) if row["type"] == TRANSFER_SYNTAX else NO_TRANSFER_SYNTAX
    missing = DETECTED.keys() - {row["uid"] for row in rows if row["type"] == TRANSFER_SYNTAX}
    if missing:
        raise rows[-1].wrong(f"the table ends without Transfer Syntax {min(missing)}, which is one that is detected")


def sop_class_facts(rows: list[Row]) -> Iterator[Fact]:
    """(SOP Class UID, IOD)"""
    return ((row.uid("sop_class_uid"), row.text("iod")) for row in rows)


def iod_facts(rows: list[Row]) -> Iterator[Fact]:
    """(IOD, its modules as the file has them)"""
    for row in rows:
        if not MODULES.fullmatch(row["modules(usage:module)"]):
            raise row.wrong("modules must be written as M:name, C:name or U:name, with a space between them")
        yield row.text("iod"), row["modules(usage:module)"]


def module_facts(rows: list[Row]) -> Iterator[Fact]:
    """(module, tag, Type)"""
    return ((row.text("module"), row.tag()[0], TYPES[row.choice("type", TYPES)]) for row in rows)


def nested_facts(rows: list[Row]) -> Iterator[Fact]:
    """(Sequence, tag, Type)"""
    for row in rows:
        yield row.exact_tag("parent_sequence"), row.tag()[0], TYPES[row.choice("type", TYPES)]


def dummy_path(row: Row) -> tuple[int, ...]:
    steps = row["path"].split("/")
    if not row["path"] or len(steps) > DUMMY_DEPTH:
        raise row.wrong(f"path must hold 1 to {DUMMY_DEPTH} tags")
    return tuple(row.exact_tag_of(step, "path") for step in steps)


def dummy_value(row: Row, vr: str) -> str:
    value = row.text("value", MAX_VALUE)
    if vr == "SQ" and value:
        raise row.wrong("an SQ is empty; its Item has rows with a longer path")
    if vr in NUMBER_VRS and not all(is_number(number, *NUMBER_VRS[vr]) for number in value.split("\\")):
        raise row.wrong(f"value {shown(value)} is not one or more numbers that {vr} can hold")
    return value


def is_number(text: str, first: float, last: float) -> bool:
    convert = float if isinstance(first, float) else int
    try:
        return first <= convert(text) <= last
    except ValueError:
        return False


def dummy_facts(rows: list[Row]) -> Iterator[Fact]:
    """(Sequence, number of tags in the path, path, VR by number, value), in the order of encoding"""
    before: tuple[int, tuple[int, ...]] = (0, ())
    for row in rows:
        sequence, path = place = (row.exact_tag("sequence"), dummy_path(row))
        if place <= before:
            raise row.wrong("rows must be in tag order")
        if sequence == before[0] and path[: len(before[1])] == before[1]:
            raise row.wrong("the row above has what encloses this one, and its value")
        before = place
        vr = row.choice("vr", ["SQ", *TEXT_VRS, *NUMBER_VRS])
        yield sequence, len(path), path, VR_NAMES.index(vr), dummy_value(row, vr)


def code_facts(rows: list[Row]) -> Iterator[Fact]:
    """(Code Value, Code Meaning, column of Table E.1-1)"""
    columns = []
    for row in rows:
        row.choice("scheme", ["DCM"])
        columns.append(row.text("option_column"))
        yield row.text("code_value", 16), row.text("code_meaning", 64), columns[-1]
    if columns.count("basic") != 1:
        raise rows[-1].wrong("the table ends without one code for column basic")


def safe_private_facts(rows: list[Row]) -> Iterator[Fact]:
    """(Private Creator, group, low byte of the element, set of VRs: 0 if none is given)"""
    for row in rows:
        group = row.hexadecimal("group", 4)
        if group % 2 == 0 or group < 9 or group == 0xFFFF:  # PS3.5 7.8.1
            raise row.wrong(f"group {row['group']} is not one of private Attributes")
        vrs = sum(1 << vr for vr in set(row.vrs("/"))) if row["vr"] else 0
        yield row.word("private_creator", 64), group, row.hexadecimal("element_low_byte", 2), vrs


def structured_content_facts(rows: list[Row]) -> Iterator[Fact]:
    """(scheme, code, code in the retired scheme SRT, Value Type, action, actions of CONTENT_OPTIONS by number)"""
    for row in rows:
        # A version in brackets is of Coding Scheme Version (0008,0103): "NCDR [2.0b]" is NCDR in a file.
        scheme = row.word("scheme", 32).partition(" [")[0]
        srt = row.word("srt_code", 16) if row["srt_code"] else ""
        if srt and scheme != "SCT":
            raise row.wrong("only a code of scheme SCT has a form in SRT")
        actions = [row.choice("basic", CONTENT_ACTIONS)]
        actions += [row.choice(column, ["", *CONTENT_ACTIONS, "C"]) for column in CONTENT_OPTIONS]
        value_type = row.choice("value_type", VALUE_TYPES)
        yield scheme, row.word("code_value", 64), srt, value_type, *map(ACTIONS.index, actions)


TABLES = {
    "dictionary": Table(("tag", "keyword", "vr"), ("tag",), dictionary_facts),
    "confidentiality": Table(("tag", "basic", *OPTIONS), ("tag",), confidentiality_facts),
    "vr_gaps": Table(("tag", "role"), ("tag",), gap_facts),
    "uids": Table(("uid", "type", "ts_flags"), ("uid",), uid_facts),
    "iod_sop": Table(("sop_class_uid", "iod"), ("sop_class_uid",), sop_class_facts),
    "iod_modules": Table(("iod", "modules(usage:module)"), ("iod",), iod_facts),
    "module_types": Table(("module", "tag", "type"), ("module", "tag"), module_facts),
    "nested_types": Table(("parent_sequence", "tag", "type"), ("parent_sequence", "tag"), nested_facts),
    "dummy_items": Table(("sequence", "path", "vr", "value"), ("sequence", "path"), dummy_facts),
    "codes": Table(("code_value", "scheme", "code_meaning", "option_column"), ("code_value",), code_facts),
    "safe_private": Table(
        ("private_creator", "group", "element_low_byte", "vr"),
        ("private_creator", "group", "element_low_byte"),
        safe_private_facts,
    ),
    "structured_content": Table(
        ("code_value", "scheme", "srt_code", "value_type", "basic", *CONTENT_OPTIONS),
        ("code_value", "scheme", "value_type"),
        structured_content_facts,
    ),
}
Facts = Mapping[str, list[Fact]]


def read_table(folder: Path, name: str) -> list[Fact]:
    """The facts of a table, `name` being one of TABLES. Raises TableError."""
    table = TABLES[name]
    return list(table.facts(list(read_rows(folder / f"{name}.tsv", table))))


# ---- arrays ----------------------------------------------------------------------------------------------------


def exact_first(facts: list[Fact]) -> list[Fact]:
    """Rows (tag, mask, ...): exact tags by tag, behind them patterns by tag."""
    return sorted(facts, key=lambda row: (row[1] != EXACT, row[0]))


def uid_arrays(uids: list[Fact]) -> dict[str, list[Fact]]:
    ordered = sorted(uids)
    syntaxes = [row for row in ordered if row[1] != NO_TRANSFER_SYNTAX]
    return {"uids": [row[:1] for row in ordered], "transfer_syntaxes": syntaxes}


def strictest_types(modules: list[str], by_module: Mapping[str, list[tuple[int, int]]]) -> dict[int, int]:
    """Tag -> 1 or 2, the strictest Type at top level over all modules, whatever their usage; without Type 3."""
    found: dict[int, int] = {}
    for tag, required in (pair for module in modules for pair in by_module.get(module, [])):
        found[tag] = min(required, found.get(tag, 3))
    return {tag: required for tag, required in found.items() if required < 3}


def iod_arrays(sop_classes: list[Fact], iods: list[Fact], types: list[Fact]) -> dict[str, list[Fact]]:
    """The join of the three tables that IODs are described by; what it was made from stays beside it."""
    ordered = sorted(iods)
    number = {name: index for index, (name, _modules) in enumerate(ordered)}
    by_module: dict[str, list[tuple[int, int]]] = {}
    for module, tag, required in types:
        by_module.setdefault(module, []).append((tag, required))
    joined = [
        (number[name], tag, required)
        for name, modules in ordered
        for tag, required in strictest_types([entry[2:] for entry in modules.split()], by_module).items()
    ]
    return {
        "iods": ordered,
        "sop_classes": sorted((uid, number.get(iod, UNKNOWN_IOD), iod) for uid, iod in sop_classes),
        "iod_types": sorted(joined),
        "module_types": sorted(types),
    }


def arrays(facts: Facts) -> dict[str, list[Fact]]:
    """The C arrays for the tables in `facts`, by name. Those that describe IODs come together or not at all."""
    made: dict[str, list[Fact]] = {}
    for name in ("dictionary", "confidentiality"):
        if name in facts:
            made[name] = exact_first(facts[name])
    for name in ("vr_gaps", "nested_types", "safe_private", "structured_content"):
        if name in facts:
            made["gaps" if name == "vr_gaps" else name] = sorted(facts[name])
    for name in ("dummy_items", "codes"):
        if name in facts:
            made[name] = facts[name]
    if "uids" in facts:
        made |= uid_arrays(facts["uids"])
    if "iod_sop" in facts:
        made |= iod_arrays(facts["iod_sop"], facts["iod_modules"], facts["module_types"])
    return made
