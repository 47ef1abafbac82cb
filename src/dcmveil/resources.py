"""Tables of another edition of the Standard, put in the place of the built-in ones (--resources-path).

A folder holds any of the files of ext/tables, as its README.md describes them; a table that is not there stays as it is
built in. All or nothing: a mistake in any of them is a ResourceError, and the built-in ones stay in force. It is done
once in a process, before the first Policy is made; processes that are forked later have the same tables.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from dcmveil import _loader, _tables, tables_reader
from dcmveil.dummies import dummy_sequence
from dcmveil.encode import Encoding
from dcmveil.errors import DcmveilError, ResourceError, show_path
from dcmveil.tables_reader import TABLES, Fact, Facts, TableError
from dcmveil.tags import format_tag

__all__ = ["SITE", "check_tables", "edition", "load_resources"]

# The edition of tables that do not name theirs; De-identification Method (0012,0063) has no room for more letters.
SITE = "(site)"
_IOD_TABLES: dict[str, Callable[[], Sequence[Fact]]] = {
    "iod_sop": _tables.sop_classes,
    "iod_modules": _tables.iods,
    "module_types": _tables.module_types,
}
_TO_DUMMY = frozenset({"D", "X/D", "Z/D", "X/Z/D"})  # of Type 1, or in an IOD that is not known
_TO_DUMMY_IF_TYPE_1 = frozenset({"X/Z"})
# The tables that can be at fault if a Sequence has no dummy Item, those that decide most first.
_BLAMED = ("confidentiality", "dictionary", "nested_types", "module_types")


def edition() -> str:
    """The edition of the Standard that the tables in force are of: "2026d", or what was loaded says."""
    return _tables.edition()


def load_resources(folder: str) -> list[str]:
    """Put the tables of a folder in force. Returns the names of the files that were taken, none if it has no table.

    ResourceError, one line that names file and line, if the folder or a table in it cannot be used. RuntimeError if
    a Policy has been made before, or tables were loaded before.
    """
    try:
        names = os.listdir(folder)
    except OSError as error:
        raise ResourceError(f"{show_path(folder)}: {error.strerror}") from None
    found = [name for name in TABLES if f"{name}.tsv" in names]
    if not found:
        return []
    has_edition = tables_reader.EDITION in names
    try:
        _load(Path(folder), found, has_edition)
    except TableError as error:
        raise ResourceError(os.path.join(show_path(folder), str(error))) from None
    return [f"{name}.tsv" for name in found] + [tables_reader.EDITION] * has_edition


def _load(folder: Path, found: list[str], has_edition: bool) -> None:
    named = tables_reader.read_edition(folder / tables_reader.EDITION) if has_edition else SITE
    facts = {name: tables_reader.read_table(folder, name) for name in found}
    arrays = tables_reader.arrays(_with_all_of_iods(facts))
    _loader.load(arrays, named, partial(check_tables, folder, found))


def _with_all_of_iods(facts: Facts) -> Facts:
    """The tables of IODs are joined, so if one is new the others are needed as well."""
    if facts.keys().isdisjoint(_IOD_TABLES):
        return facts
    builtin = {name: list(read()) for name, read in _IOD_TABLES.items() if name not in facts}
    return {**facts, **builtin}


# ---- what the tables must be together --------------------------------------------------------------------------


def check_tables(folder: Path, found: list[str]) -> None:
    """Do the tables in force agree? TableError, at the place in one of the files `found` in a folder, if not."""
    required = _type_1()
    for tag, _mask, action, _options in _tables.confidentiality():
        vr = _tables.dictionary_vr(tag)
        if action == "U" and vr not in ("UI", None):
            raise TableError(f"{_place(folder, found, tag)}: {format_tag(tag)} has action U, but its VR is not UI")
        to_dummy = action in _TO_DUMMY or (action in _TO_DUMMY_IF_TYPE_1 and tag in required)
        if vr == "SQ" and to_dummy and not _has_dummy(tag):
            raise TableError(f"{_place(folder, found, tag)}: {format_tag(tag)} needs a dummy Item in dummy_items.tsv")


def _type_1() -> set[int]:
    """Attributes that some IOD needs with a Value."""
    rows = [*_tables.nested_types(), *_tables.module_types()]
    return {tag for _where, tag, required in rows if required == 1}


def _has_dummy(sequence: int) -> bool:
    try:
        return all(dummy_sequence(encoding, sequence) for encoding in Encoding)
    except (LookupError, DcmveilError):
        return False


def _place(folder: Path, found: list[str], tag: int) -> str:
    """Where in the files that were found it is said what is wrong about a tag."""
    for name in (name for name in _BLAMED if name in found):
        for row in tables_reader.read_rows(folder / f"{name}.tsv", TABLES[name]):
            if row["tag"] != "gggg,eeee" and row.tag()[0] == tag:
                return row.where
    last = "dummy_items" if "dummy_items" in found else found[0]
    *_rows, row = tables_reader.read_rows(folder / f"{last}.tsv", TABLES[last])
    return row.where
