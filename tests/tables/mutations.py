"""Changes of single cells of the tables, of which each has to be seen in what becomes of the probes.

A change is one that matters: with it the reference itself expects something else of some probe. A cell that cannot be
changed so, whatever is written into it, has no effect on any object (the Type of what is always removed; the row of a
group that no Data Set may have). Changes of different rows do not get in each other's way, so that many are tried in
one process: tables are loaded once in a process.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.reference import tables
from tests.reference.files import CHECKOUT
from tests.reference.model import Element
from tests.reference.options import COLUMNS
from tests.reference.parse import read_file
from tests.reference.reference import expected_of
from tests.reference.structured import CONTENT_SEQUENCES
from tests.tables.probes import UNKNOWN_CLASS, Probe, number

CT = "1.2.840.10008.5.1.4.1.1.2"
BASIC_ACTIONS = ("X", "Z", "D", "U", "K", "X/Z", "X/D", "Z/D", "X/Z/D")
DUMMIES = {"D", "X/Z", "X/D", "Z/D", "X/Z/D"}  # actions that may come to a dummy
TYPES = ("1", "2", "3")
OPTION_OF = {column: option for option, column in COLUMNS.items()}
KEYS = {"confidentiality": ("tag",), "module_types": ("module", "tag"), "nested_types": ("parent_sequence", "tag")}


class Cell(NamedTuple):
    """One cell: of confidentiality.tsv by tag, of a table of Types by module or Sequence and tag."""

    table: str
    key: tuple[str, ...]
    column: str

    @property
    def tag(self) -> int:
        return number(self.key[-1])

    @property
    def place(self) -> str:
        """Where it is seen in a probe."""
        return ">".join(self.key) if self.table == "nested_types" else self.key[-1]

    def is_seen_in(self, places: set[str]) -> bool:
        """Whether one of the places is its own; of Content Items also what is in them."""
        inner = self.table == "confidentiality" and self.tag in (*CONTENT_SEQUENCES, 0x00400610)
        return self.place in places or (inner and any(place.startswith(f"{self.place}>") for place in places))


class Outcome(NamedTuple):
    """Of some cells: those whose change was seen, those whose change was not, and those without effect."""

    caught: list[Cell]
    missed: list[Cell]
    without_effect: list[Cell]

    def __str__(self) -> str:
        count = len(self.caught) + len(self.missed)
        rate = len(self.caught) / max(1, count)
        return (
            f"{len(self.caught)} of {count} changes seen ({rate:.1%}), {len(self.without_effect)} cells without effect"
        )


def batches(table: str, column: str) -> list[list[Cell]]:
    """The cells of a column, in parts in which no two are about the same place; rows of patterns are left out."""
    found: list[dict[str, Cell]] = []
    for row in tables.rows(f"{table}.tsv"):
        cell = Cell(table, tuple(row[name] for name in KEYS[table]), column)
        if not set(cell.key[-1]) & set("xge"):
            free = next((batch for batch in found if cell.place not in batch), None)
            if free is None:
                found.append(free := {})
            free[cell.place] = cell
    return [list(batch.values()) for batch in found]


def tried(batch: list[Cell], random: Random, classes: int | None = None) -> Outcome:
    """One change of each cell, all at once; in not more than so many SOP Classes."""
    telling = probes(batch, classes)
    changes = changes_that_matter(batch, telling, random)
    with TemporaryDirectory() as folder:
        write_tables(changes, Path(folder))
        places = disagreements(Path(folder), telling) if changes else set()
    caught = [cell for cell in changes if cell.is_seen_in(places)]
    missed = [cell for cell in changes if not cell.is_seen_in(places)]
    return Outcome(caught, missed, [cell for cell in batch if cell not in changes])


# ---- what is tried ----------------------------------------------------------------------------------------------


def probes(batch: list[Cell], most: int | None = None) -> list[Probe]:
    """The objects and settings in which the cells are at work, in not more than so many SOP Classes for their Types."""
    table, _, column = batch[0]
    if table == "nested_types":
        return [
            Probe(CT, kind, True, options) for kind in (0, 2) for options in ((), *((option,) for option in COLUMNS))
        ]
    if column in OPTION_OF:
        return [Probe(class_, kind, False, (OPTION_OF[column],)) for class_ in (CT, UNKNOWN_CLASS) for kind in (0, 1)]
    classes = classes_with_every_type() if table == "confidentiality" else classes_that_depend_on(batch)
    return [Probe(class_, 0, False, ()) for class_ in (CT, UNKNOWN_CLASS, *classes[:most])]


def sop_classes() -> list[str]:
    return [row["sop_class_uid"] for row in tables.rows("iod_sop.tsv")]


def classes_with_every_type() -> list[str]:
    """SOP Classes among which every attribute has every Type that it has anywhere."""
    wanted = {class_: {*(tables.iod_types(class_) or {}).items()} for class_ in sop_classes()}
    chosen: list[str] = []
    while any(wanted.values()):
        chosen.append(max(wanted, key=lambda class_: len(wanted[class_])))
        seen = wanted[chosen[-1]]
        wanted = {class_: types - seen for class_, types in wanted.items()}
    return chosen


def classes_that_depend_on(batch: list[Cell]) -> list[str]:
    """For each cell a SOP Class in which another Type of the module would be another Type of the attribute."""
    chosen: set[str] = set()
    for value in TYPES:
        before = {class_: tables.iod_types(class_) or {} for class_ in sop_classes()}
        with patched(dict.fromkeys(batch, value)):
            after = {class_: tables.iod_types(class_) or {} for class_ in before}
        for _, (_, tag), _ in batch:
            differing = {class_ for class_, types in before.items() if types.get(tag) != after[class_].get(tag)}
            chosen |= set() if differing & chosen else set(sorted(differing)[:1])
    return sorted(chosen)


def changes_that_matter(batch: list[Cell], telling: list[Probe], random: Random) -> dict[Cell, str]:
    """For each cell a value with which the reference expects something else; none if there is none."""
    left = {cell: random.sample(values, len(values)) for cell in batch if (values := alternatives(cell))}
    found: dict[Cell, str] = {}
    with TemporaryDirectory() as folder:
        paths = {probe: Path(folder) / f"{index}.dcm" for index, probe in enumerate(telling)}
        for probe, path in paths.items():
            probe.write(path)
        before = {probe: expectation(path, probe) for probe, path in paths.items()}
        while left:
            attempt = {cell: values.pop() for cell, values in left.items()}
            with patched(attempt):
                places = {
                    place for probe, path in paths.items() for place in changed(before[probe], expectation(path, probe))
                }
            found |= {cell: value for cell, value in attempt.items() if cell.is_seen_in(places)}
            left = {cell: values for cell, values in left.items() if values and cell not in found}
    return found


def alternatives(cell: Cell) -> list[str]:
    """What else the cell can have, such that the tables still fit together."""
    vrs = tables.dictionary_vrs(cell.tag)
    needs_dummy = vrs == ("SQ",) and tables.printed(cell.tag) not in tables.dummy_items()
    if cell.table != "confidentiality":
        values = [value for value in TYPES if not (needs_dummy and value == "1")]
    elif cell.column == "basic":
        values = [value for value in BASIC_ACTIONS if not (needs_dummy and value in DUMMIES)]
        values = [value for value in values if value != "U" or vrs == ("UI",)]
    else:
        values = ["", "K", *(["C"] if vrs in cleaned_vrs(cell.column) else [])]
    return [value for value in values if value != current(cell)]


@cache
def cleaned_vrs(column: str) -> set[tuple[str, ...]]:
    """The VRs of what is cleaned by an Option."""
    cleaned = (tag for tag, row in tables.profile().items() if row.get(column) == "C")
    return {tables.dictionary_vrs(number(tag)) for tag in cleaned}


def current(cell: Cell) -> str:
    """What the cell has; of a Type whether it is 1, 2 or 3."""
    if cell.table == "confidentiality":
        return tables.profile()[cell.key[0]].get(cell.column, "")
    if cell.table == "nested_types":
        return str(tables.nested_types()[cell.key[0], cell.key[1]])
    return str(tables.module_types()[cell.key[0]][cell.key[1]])


def expectation(path: Path, probe: Probe) -> list[Element]:
    return expected_of(read_file(path), probe.settings).data_set


def changed(before: list[Element], after: list[Element], path: str = "") -> Iterator[str]:
    """The places where two trees differ, down to the elements of Items at top level."""
    one, other = ({element.tag: element for element in elements} for elements in (before, after))
    for tag in one.keys() | other.keys():
        place = path + tables.printed(tag)
        if one.get(tag) == other.get(tag):
            continue
        if not path and tag in one and tag in other and one[tag].items and other[tag].items:
            yield from changed(one[tag].items[0], other[tag].items[0], f"{place}>")
        else:
            yield place


# ---- with the changes -------------------------------------------------------------------------------------------


@contextmanager
def patched(changes: dict[Cell, str]) -> Iterator[None]:
    """The tables of the reference with other values in some cells."""
    former = {cell: put(cell, value) for cell, value in changes.items()}
    tables.iod_types.cache_clear()
    try:
        yield
    finally:
        for cell, value in former.items():
            put(cell, value)
        tables.iod_types.cache_clear()


def put(cell: Cell, value: str) -> str:
    """Write a value into a cell; what was there."""
    former = current(cell)
    if cell.table == "confidentiality":
        tables.profile()[cell.key[0]][cell.column] = value
        tables.basic_actions()[cell.key[0]] = tables.profile()[cell.key[0]]["basic"]
    elif cell.table == "nested_types":
        tables.nested_types()[cell.key[0], cell.key[1]] = int(value)
    else:
        tables.module_types()[cell.key[0]][cell.key[1]] = int(value)
    return former


def write_tables(changes: dict[Cell, str], folder: Path) -> None:
    """The changed tables, in a folder for dcmveil to load."""
    (folder / "edition.txt").write_text((tables.FOLDER / "edition.txt").read_text())
    for table in {cell.table for cell in changes}:
        header, *lines = (tables.FOLDER / f"{table}.tsv").read_text(encoding="utf-8").splitlines()
        names = header.split("\t")
        rows = [dict(zip(names, line.split("\t"), strict=False)) for line in lines]
        values = {(cell.key, cell.column): value for cell, value in changes.items() if cell.table == table}
        for row in rows:
            key = tuple(row[name] for name in KEYS[table])
            row |= {name: values[key, name] for name in names if (key, name) in values}
        text = "\n".join([header, *("\t".join(row.get(name, "") for name in names) for row in rows)])
        (folder / f"{table}.tsv").write_text(text + "\n", encoding="utf-8")


def disagreements(folder: Path, telling: list[Probe]) -> set[str]:
    """Where dcmveil, with the tables of that folder, does not do what the reference expects with its own."""
    command = [sys.executable, "-m", "tests.tables.probes", str(folder), json.dumps(telling)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))
