"""Writes tables.h: the facts of the DICOM Standard in this folder as sorted C arrays.

Runs at build time with the standard library only; a new edition of the Standard is a diff of a TSV. What the files
are, and what is checked, is said in src/dcmveil/tables_reader.py, which reads them here and in the program; what the
columns mean in README.md beside this file; what the arrays mean in ext/dcmveil/tables.pxd.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["generate", "reader", "render"]

FOLDER = Path(__file__).resolve().parent


def load_reader() -> ModuleType:
    """dcmveil.tables_reader from its source: it needs nothing of the package that has yet to be built."""
    source = str(FOLDER.parents[1] / "src")
    sys.path.insert(0, source)
    try:
        return importlib.import_module("dcmveil.tables_reader")
    finally:
        sys.path.remove(source)


reader = load_reader()

LONG_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"})  # PS3.5 7.1.2
LONG_FORM, NO_VR = 0x100, 0xFF

# The kind of row of each array, and its members in the order of the reader's tuples.
TAG = "uint32_t tag"
TEXT = "const char *"
STRUCTS = {
    "dictionary": ("attribute", [TAG, "uint32_t mask", "uint64_t vrs", TEXT + "keyword", "uint8_t vr", "uint8_t most"]),
    "confidentiality": (
        "profile_row",
        [TAG, "uint32_t mask", *(f"uint8_t {column}" for column in ("basic", *reader.OPTIONS))],
    ),
    "gaps": ("gap", [TAG, "uint8_t role"]),
    "uids": ("uid", [TEXT + "uid"]),
    "transfer_syntaxes": ("transfer_syntax", [TEXT + "uid", "uint32_t flags"]),
    "iods": ("iod", [TEXT + "name", TEXT + "modules"]),
    "sop_classes": ("sop_class", [TEXT + "uid", "int32_t iod", TEXT + "name"]),
    "iod_types": ("iod_type", ["int32_t iod", TAG, "uint8_t type"]),
    "module_types": ("module_type", [TEXT + "module", TAG, "uint8_t type"]),
    "nested_types": ("nested_type", ["uint32_t parent", TAG, "uint8_t type"]),
    "dummy_items": (
        "dummy_element",
        ["uint32_t sequence", "uint8_t depth", f"uint32_t path[{reader.DUMMY_DEPTH}]", "uint8_t vr", TEXT + "value"],
    ),
    "codes": ("code", [TEXT + "value", TEXT + "meaning", TEXT + "column"]),
    "safe_private": ("safe_attribute", [TEXT + "creator", "uint16_t group", "uint8_t low_byte", "uint64_t vrs"]),
    "structured_content": (
        "content_row",
        [
            *(TEXT + member for member in ("scheme", "code", "srt_code", "value_type")),
            *(f"uint8_t {column}" for column in ("basic", *reader.CONTENT_OPTIONS)),
        ],
    ),
}
WITH_MASKS = ("dictionary", "confidentiality")


class Header:
    """The text of tables.h as it grows."""

    def __init__(self) -> None:
        self.parts = [
            "/* Written by ext/tables/generate.py from the TSV files beside it: do not edit. */\n"
            "#ifndef DCMVEIL_TABLES_H\n#define DCMVEIL_TABLES_H\n#include <stddef.h>\n#include <stdint.h>\n"
        ]

    def struct(self, name: str, members: Iterable[str]) -> None:
        self.parts.append(f"typedef struct {{ {' '.join(member + ';' for member in members)} }} dcmveil_{name};\n")

    def enum(self, prefix: str, names: Iterable[str]) -> None:
        members = (f"{prefix}_{re.sub('[^A-Z0-9]', '_', name.upper()) or 'NONE'}" for name in names)
        self.parts.append(f"enum {{ {', '.join(members)} }};\n")

    def array(self, kind: str, name: str, rows: Iterable[Any]) -> None:
        body = ",\n".join(map(initializer, rows))
        self.parts.append(f"static const {kind} dcmveil_{name}[] = {{\n{body}\n}};\n")

    def names(self, name: str, names: list[str]) -> None:
        self.array("char *const", name, names)
        self.parts.append(f"static const size_t dcmveil_{name}_count = {len(names)};\n")

    def text(self) -> str:
        return "\n".join([*self.parts, "#endif\n"])


def initializer(value: Any) -> str:
    """A value of the reader's tuples in C."""
    if isinstance(value, tuple):
        return f"{{{', '.join(map(initializer, value))}}}"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return f"0x{value:X}u" if value > 0xFFFF else str(value)


def vr_codes() -> list[int]:
    """By five bits of each letter: number of the VR, and a bit for the long form, which letters that name none have."""
    codes = [NO_VR | LONG_FORM] * 1024
    for index, (first, second) in enumerate(reader.VR_NAMES):
        long = LONG_FORM if first + second in LONG_VRS else 0
        codes[(ord(first) & 31) << 5 | ord(second) & 31] = index | long
    return codes


def emit_names(header: Header) -> None:
    """What the numbers in the arrays stand for; the same in all editions."""
    header.names("vr_names", reader.VR_NAMES)
    header.array("uint16_t", "vr_codes", vr_codes())
    header.enum("DCMVEIL_ACTION", reader.ACTIONS)
    header.names("action_names", reader.ACTIONS)
    header.names("option_names", reader.OPTIONS)
    header.names("content_option_names", reader.CONTENT_OPTIONS)
    header.enum("DCMVEIL_ROLE", reader.ROLES)
    header.names("role_names", reader.ROLES)
    flags = (f"DCMVEIL_{name} = {1 << bit}" for bit, name in enumerate(reader.FLAGS))
    header.parts.append(f"enum {{ {', '.join(flags)} }};\n")


def emit_arrays(header: Header, arrays: dict[str, list[Any]], edition: str) -> None:
    """The arrays, and `dcmveil_builtin`, which has a pointer to each and their sizes."""
    members, values = [TEXT + "edition"], [initializer(edition)]
    for name, (kind, row_members) in STRUCTS.items():
        header.struct(kind, row_members)
        header.array(f"dcmveil_{kind}", f"builtin_{name}", arrays[name])
        members += [f"const dcmveil_{kind} *{name}", f"size_t {name}_count"]
        values += [f"dcmveil_builtin_{name}", str(len(arrays[name]))]
        if name in WITH_MASKS:
            members.append(f"size_t {name}_exact_count")
            values.append(str(sum(mask == reader.EXACT for _tag, mask, *_rest in arrays[name])))
    header.struct("tables", members)
    header.parts.append(f"static const dcmveil_tables dcmveil_builtin = {{ {', '.join(values)} }};\n")


def render(folder: Path = FOLDER) -> str:
    """The text of tables.h from the files of a folder, which has all of them.

    Raises TableError where a row is wrong.
    """
    header = Header()
    facts = {name: reader.read_table(folder, name) for name in reader.TABLES}
    emit_names(header)
    emit_arrays(header, reader.arrays(facts), reader.read_edition(folder / reader.EDITION))
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
