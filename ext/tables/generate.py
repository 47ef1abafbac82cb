"""Writes tables.h: the facts of the DICOM Standard in this folder as sorted C arrays.

Runs at build time with the standard library only; a new edition of the Standard is a diff of a TSV. Every row
is checked first, and a mistake is reported with the name of the file and the line. What the columns mean is
said in README.md beside this file; what the arrays mean is said in ext/dcmveil/tables.pxd.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

__all__ = ["TableError", "generate", "render"]

FOLDER = Path(__file__).resolve().parent
VR_NAMES = [
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "OB", "OD", "OF", "OL", "OV",
    "OW", "PN", "SH", "SL", "SQ", "SS", "ST", "SV", "TM", "UC", "UI", "UL", "UN", "UR", "US", "UT", "UV",
]  # fmt: skip
LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})  # PS3.5 7.1.2
LONG_FORM, NO_VR = 0x100, 0xFF
ACTIONS = ["", "X", "Z", "D", "U", "K", "C", "X/Z", "X/D", "Z/D", "X/Z/D", "X/Z/U*"]
COLUMNS = [
    "basic", "rtn_safe_priv", "rtn_uids", "rtn_dev_id", "rtn_inst_id", "rtn_pat_chars", "rtn_full_dates",
    "rtn_modif_dates", "clean_desc", "clean_struct", "clean_graph",
]  # fmt: skip
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
TYPES = {"1": 1, "1C": 1, "2": 2, "2C": 2, "3": 3}
DUMMY_DEPTH = 4
EXACT = 0xFFFFFFFF
TAG = re.compile(r"[0-9A-Fx]{4},[0-9A-Fx]{4}")
UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")


class TableError(Exception):
    """A row of a table is wrong. The text names file, line and mistake."""


class Row(dict[str, str]):
    """One line of a TSV, by column name; knows where it stands."""

    where: str

    def wrong(self, mistake: str) -> TableError:
        return TableError(f"{self.where}: {mistake}")

    def choice(self, column: str, allowed: Iterable[str]) -> str:
        value = self[column]
        if value not in allowed:
            raise self.wrong(f"{column} {value!r} is none of {', '.join(map(repr, allowed))}")
        return value

    def tag(self, column: str = "tag") -> tuple[int, int]:
        """Tag and mask; the wildcard nibbles (x) are 0 in both."""
        text = self[column]
        if not TAG.fullmatch(text):
            raise self.wrong(f"{column} {text!r} is not a tag such as 0010,0010 or 60xx,3000")
        digits = text.replace(",", "")
        mask = "".join("0" if digit == "x" else "F" for digit in digits)
        return int(digits.replace("x", "0"), 16), int(mask, 16)

    def exact_tag(self, column: str = "tag") -> int:
        tag, mask = self.tag(column)
        if mask != EXACT:
            raise self.wrong(f"{column} {self[column]!r} must not hold wildcards")
        return tag

    def uid(self, column: str) -> str:
        if not UID.fullmatch(self[column]) or len(self[column]) > 64:
            raise self.wrong(f"{column} {self[column]!r} is not a UID")
        return self[column]

    def vrs(self) -> list[str]:
        alternatives = self["vr"].split(" or ")
        unknown = [vr for vr in alternatives if vr not in VR_NAMES]
        if unknown:
            raise self.wrong(f"unknown VR {unknown[0]!r}")
        return alternatives


class Tables:
    """The TSV files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def rows(self, name: str, *key: str) -> Iterator[Row]:
        """The rows of a file, in its order; no two of them may be equal in all columns of `key`."""
        path = self.folder / f"{name}.tsv"
        header, *lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        names = header.split("\t")
        seen: dict[tuple[str, ...], int] = {}
        for number, line in enumerate(lines, start=2):
            values = line.split("\t")
            row = Row(zip(names, values, strict=False))
            row.where = f"{path.name}:{number}"
            if len(values) != len(names):
                raise row.wrong(f"{len(values)} columns instead of {len(names)}")
            identity = tuple(row[column] for column in key)
            if seen.setdefault(identity, number) != number:
                raise row.wrong(f"{' '.join(identity)} is already in line {seen[identity]}")
            yield row


class Header:
    """The text of tables.h as it grows."""

    def __init__(self) -> None:
        self.parts = [
            "/* Written by ext/tables/generate.py from the TSV files beside it: do not edit. */\n"
            "#ifndef DCMVEIL_TABLES_H\n#define DCMVEIL_TABLES_H\n#include <stddef.h>\n#include <stdint.h>\n"
        ]

    def struct(self, name: str, *members: str) -> None:
        self.parts.append(f"typedef struct {{ {' '.join(member + ';' for member in members)} }} {name};\n")

    def enum(self, prefix: str, names: Iterable[str]) -> None:
        members = (f"{prefix}_{re.sub('[^A-Z0-9]', '_', name.upper()) or 'NONE'}" for name in names)
        self.parts.append(f"enum {{ {', '.join(members)} }};\n")

    def array(self, kind: str, name: str, initializers: list[str]) -> None:
        body = ",\n".join(initializers)
        self.parts.append(f"static const {kind} dcmveil_{name}[] = {{\n{body}\n}};\n")
        self.count(name, len(initializers))

    def count(self, name: str, value: int) -> None:
        self.parts.append(f"static const size_t dcmveil_{name}_count = {value};\n")

    def text(self) -> str:
        return "\n".join([*self.parts, "#endif\n"])


def quoted(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise TableError(f"{text!r} does not fit a C string")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def bit_set(vrs: list[str]) -> str:
    return f"0x{sum(1 << VR_NAMES.index(vr) for vr in vrs):X}u"


def exact_first(rows: list[tuple[int, int, str]]) -> list[str]:
    """Initializers of rows (tag, mask, initializer): exact tags by tag, behind them patterns by tag."""
    ordered = sorted(rows, key=lambda row: (row[1] != EXACT, row[0]))
    return [initializer for _, _, initializer in ordered]


def vr_codes() -> list[str]:
    """By five bits of each letter: number of the VR, and a bit for the long form, which letters that name none have."""
    codes = [NO_VR | LONG_FORM] * 1024
    for index, (first, second) in enumerate(VR_NAMES):
        long = LONG_FORM if first + second in LONG_VRS else 0
        codes[(ord(first) & 31) << 5 | ord(second) & 31] = index | long
    return [f"0x{code:03X}" for code in codes]


def emit_vr_names(header: Header, tables: Tables) -> None:
    header.array("char *const", "vr_names", [quoted(name) for name in VR_NAMES])
    header.array("uint16_t", "vr_codes", vr_codes())


def emit_dictionary(header: Header, tables: Tables) -> None:
    rows = []
    for row in tables.rows("dictionary", "tag"):
        if row["vr"] in ("", "NONE"):
            continue
        (tag, mask), vrs = row.tag(), row.vrs()
        first, keyword = VR_NAMES.index(vrs[0]), quoted(row["keyword"])
        rows.append((tag, mask, f"{{0x{tag:08X}u, 0x{mask:08X}u, {bit_set(vrs)}, {keyword}, {first}}}"))
    members = ["uint32_t tag", "uint32_t mask", "uint64_t vrs", "const char *keyword", "uint8_t vr"]
    header.struct("dcmveil_attribute", *members)
    header.array("dcmveil_attribute", "dictionary", exact_first(rows))
    header.count("dictionary_exact", sum(mask == EXACT for _, mask, _ in rows))


def profile_rows(tables: Tables) -> Iterator[Row]:
    """Table E.1-1 without its row for private Attributes, which is a rule and no tag."""
    return (row for row in tables.rows("confidentiality", "tag") if row["tag"] != "gggg,eeee")


def emit_confidentiality(header: Header, tables: Tables) -> None:
    rows = []
    for row in profile_rows(tables):
        tag, mask = row.tag()
        actions = ", ".join(str(ACTIONS.index(row.choice(column, ACTIONS))) for column in COLUMNS)
        if not row["basic"]:
            raise row.wrong("no action in column basic")
        rows.append((tag, mask, f"{{0x{tag:08X}u, 0x{mask:08X}u, {actions}}}"))
    header.enum("DCMVEIL_ACTION", ACTIONS)
    header.array("char *const", "action_names", [quoted(name) for name in ACTIONS])
    header.array("char *const", "option_names", [quoted(name) for name in COLUMNS[1:]])
    members = [f"uint8_t {column}" for column in COLUMNS]
    header.struct("dcmveil_profile_row", "uint32_t tag", "uint32_t mask", *members)
    header.array("dcmveil_profile_row", "confidentiality", exact_first(rows))
    header.count("confidentiality_exact", sum(mask == EXACT for _, mask, _ in rows))


def emit_gaps(header: Header, tables: Tables) -> None:
    rows = sorted((row.exact_tag(), ROLES.index(row.choice("role", ROLES))) for row in tables.rows("vr_gaps", "tag"))
    header.enum("DCMVEIL_ROLE", ROLES)
    header.array("char *const", "role_names", [quoted(name) for name in ROLES])
    header.struct("dcmveil_gap", "uint32_t tag", "uint8_t role")
    header.array("dcmveil_gap", "gaps", [f"{{0x{tag:08X}u, {role}}}" for tag, role in rows])


def flags_of(row: Row) -> int:
    flags = 0
    for word in row["ts_flags"].split():
        if word not in FLAG_WORDS:
            raise row.wrong(f"unknown flag {word!r}")
        flags |= FLAG_WORDS[word]
    return flags


def emit_uids(header: Header, tables: Tables) -> None:
    rows = sorted((row.uid("uid"), row) for row in tables.rows("uids", "uid"))
    syntaxes = [f"{{{quoted(uid)}, {flags_of(row)}u}}" for uid, row in rows if row["type"] == "Transfer Syntax"]
    header.array("char *const", "uids", [quoted(uid) for uid, _ in rows])
    members = (f"DCMVEIL_{name} = {1 << bit}" for bit, name in enumerate(FLAGS))
    header.parts.append(f"enum {{ {', '.join(members)} }};\n")
    header.struct("dcmveil_transfer_syntax", "const char *uid", "uint32_t flags")
    header.array("dcmveil_transfer_syntax", "transfer_syntaxes", syntaxes)


def modules_by_iod(tables: Tables) -> dict[str, list[str]]:
    """IOD -> its modules, whatever their usage (M, C, U)."""
    column = "modules(usage:module)"
    rows = tables.rows("iod_modules", "iod")
    return {row["iod"]: [entry[2:] for entry in row[column].split()] for row in rows}


def strictest_types(tables: Tables, modules: dict[str, list[str]]) -> dict[tuple[str, int], int]:
    """(IOD, tag) -> 1 or 2, the strictest Type at top level over all modules of the IOD, without Type 3."""
    by_module: dict[str, list[tuple[int, int]]] = {}
    for row in tables.rows("module_types", "module", "tag"):
        required = TYPES[row.choice("type", TYPES)]
        by_module.setdefault(row["module"], []).append((row.tag()[0], required))
    found: dict[tuple[str, int], int] = {}
    for iod, names in modules.items():
        for tag, required in (pair for name in names for pair in by_module.get(name, [])):
            found[iod, tag] = min(required, found.get((iod, tag), 3))
    return {place: required for place, required in found.items() if required < 3}


def emit_iods(header: Header, tables: Tables) -> None:
    modules = modules_by_iod(tables)
    names = sorted(modules)
    number = {name: index for index, name in enumerate(names)}
    rows = tables.rows("iod_sop", "sop_class_uid")
    classes = sorted((row.uid("sop_class_uid"), number.get(row["iod"], -1)) for row in rows)
    types = sorted((number[iod], tag, kind) for (iod, tag), kind in strictest_types(tables, modules).items())
    header.array("char *const", "iods", [quoted(name) for name in names])
    header.struct("dcmveil_sop_class", "const char *uid", "int32_t iod")
    header.array("dcmveil_sop_class", "sop_classes", [f"{{{quoted(uid)}, {iod}}}" for uid, iod in classes])
    header.struct("dcmveil_iod_type", "int32_t iod", "uint32_t tag", "uint8_t type")
    initializers = [f"{{{iod}, 0x{tag:08X}u, {kind}}}" for iod, tag, kind in types]
    header.array("dcmveil_iod_type", "iod_types", initializers)


def emit_nested_types(header: Header, tables: Tables) -> None:
    rows = sorted(
        (row.exact_tag("parent_sequence"), row.tag()[0], TYPES[row.choice("type", TYPES)])
        for row in tables.rows("nested_types", "parent_sequence", "tag")
    )
    header.struct("dcmveil_nested_type", "uint32_t parent", "uint32_t tag", "uint8_t type")
    initializers = [f"{{0x{parent:08X}u, 0x{tag:08X}u, {kind}}}" for parent, tag, kind in rows]
    header.array("dcmveil_nested_type", "nested_types", initializers)


def dummy_path(row: Row) -> tuple[int, ...]:
    if not row["path"] or row["path"].count("/") >= DUMMY_DEPTH:
        raise row.wrong(f"path must hold 1 to {DUMMY_DEPTH} tags")
    steps = []
    for step in row["path"].split("/"):
        part = Row(path=step)
        part.where = row.where
        steps.append(part.exact_tag("path"))
    return tuple(steps)


def emit_dummy_items(header: Header, tables: Tables) -> None:
    initializers = []
    before: tuple[int, tuple[int, ...]] = (0, ())
    for row in tables.rows("dummy_items", "sequence", "path"):
        sequence, path = place = (row.exact_tag("sequence"), dummy_path(row))
        if place <= before:
            raise row.wrong("rows must be in tag order")
        before = place
        tags = ", ".join(f"0x{tag:08X}u" for tag in path)
        vr, value = VR_NAMES.index(row.choice("vr", VR_NAMES)), quoted(row["value"])
        initializers.append(f"{{0x{sequence:08X}u, {len(path)}, {{{tags}}}, {vr}, {value}}}")
    path_member = f"uint32_t path[{DUMMY_DEPTH}]"
    members = ["uint32_t sequence", "uint8_t depth", path_member, "uint8_t vr", "const char *value"]
    header.struct("dcmveil_dummy_element", *members)
    header.array("dcmveil_dummy_element", "dummy_items", initializers)


def emit_codes(header: Header, tables: Tables) -> None:
    rows = [
        f"{{{quoted(row['code_value'])}, {quoted(row['code_meaning'])}, {quoted(row['option_column'])}}}"
        for row in tables.rows("codes", "code_value")
    ]
    header.struct("dcmveil_code", "const char *value", "const char *meaning", "const char *column")
    header.array("dcmveil_code", "codes", rows)


EMITTERS = (
    emit_vr_names,
    emit_dictionary,
    emit_confidentiality,
    emit_gaps,
    emit_uids,
    emit_iods,
    emit_nested_types,
    emit_dummy_items,
    emit_codes,
)


def render(folder: Path = FOLDER) -> str:
    """The text of tables.h from the TSV files of a folder.

    Raises TableError where a row is wrong.
    """
    header, tables = Header(), Tables(folder)
    for emit in EMITTERS:
        emit(header, tables)
    return header.text()


def generate(target: Path) -> None:
    """Writes tables.h to `target`, and leaves the file (and its time) alone if it is already right."""
    text = render()
    if target.exists() and target.read_text(encoding="utf-8") == text:
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: generate.py TARGET")
    generate(Path(sys.argv[1]))
