"""Done when 1: of the single-cell changes to Table E.1-1 and to the Types of the IODs at least 95 % are seen.

Each change is one that another reading of the tables would make: another action, an Option with or without its K or C,
another Type. It is tried on objects that have every attribute, and seen if what dcmveil makes of them with the changed
table is not what the reference expects. The figure is printed (`-s`, or `-rP`).
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.reference import tables
from tests.tables.mutations import OPTION_OF, Cell, Outcome, batches, disagreements, probes, tried, write_tables

SEED = 1
ENOUGH = 0.95
PROFILE_COLUMNS = [("confidentiality", column) for column in ("basic", *OPTION_OF)]
TYPE_COLUMNS = [("module_types", "type"), ("nested_types", "type")]
FEW_CLASSES = 3
OTHERS = ("rtn_dev_id", "rtn_modif_dates", "clean_desc")


def check(outcomes: list[Outcome], what: str) -> None:
    """Prints the figure, and asserts that it is enough."""
    total = Outcome(*([cell for outcome in outcomes for cell in outcome[part]] for part in range(3)))
    print(f"{what}: {total}")
    assert total.caught, "nothing has been tried"
    assert len(total.caught) >= ENOUGH * (len(total.caught) + len(total.missed)), total.missed


@pytest.mark.parametrize("column", ["basic", *(pytest.param(name, marks=pytest.mark.ci) for name in OTHERS)])
def test_changes_of_a_column_are_seen(column: str) -> None:
    """R3-R11, R50-R56: another action, or another K or C of an Option."""
    (batch,) = batches("confidentiality", column)
    check([tried(batch, Random(SEED), FEW_CLASSES)], column)


def test_changes_of_types_are_seen() -> None:
    """R9: a part of the cells; the slow test has them all."""
    check([tried(batches("module_types", "type")[0], Random(SEED), FEW_CLASSES)], "module_types")


@pytest.mark.slow
@pytest.mark.parametrize(("table", "column"), [*PROFILE_COLUMNS, *TYPE_COLUMNS])
def test_changes_of_every_cell_are_seen(table: str, column: str) -> None:
    """R3-R12, R45-R58."""
    check([tried(batch, Random(SEED + 1)) for batch in batches(table, column)], f"{table} {column}")


@pytest.mark.ci
def test_nothing_is_seen_without_a_change(tmp_path: Path) -> None:
    """What is seen is seen because of the change: the tables as they are agree on every probe."""
    row = next(iter(tables.profile()))
    same = {Cell("confidentiality", (row,), "basic"): tables.profile()[row]["basic"]}
    write_tables(same, tmp_path)
    columns = [*PROFILE_COLUMNS, *TYPE_COLUMNS]
    telling = {probe for table, column in columns for probe in probes(batches(table, column)[0], 0)}
    assert disagreements(tmp_path, sorted(telling)) == set()


def test_every_row_of_the_table_is_tried() -> None:
    tags = {row["tag"] for row in tables.rows("confidentiality.tsv")}
    (batch,) = batches("confidentiality", "basic")
    assert {cell.place for cell in batch} == {tag for tag in tags if not set(tag) & set("xge")}
    for table in ("module_types", "nested_types"):
        types = [cell for batch in batches(table, "type") for cell in batch]
        assert len(set(types)) == len(types) == sum("x" not in row["tag"] for row in tables.rows(f"{table}.tsv"))
