"""Options: columns of the tables, what excludes what, and how columns combine."""

from __future__ import annotations

import pytest

from dcmveil import _tables, tables_reader
from dcmveil.options import COLUMNS, Options, combined

ALL = Options(*[True] * 10)


def test_without_options_no_column_is_chosen() -> None:
    assert Options().columns == ()


def test_every_option_has_its_column() -> None:
    assert sorted(COLUMNS.values()) == sorted(Options._fields)
    for column, name in COLUMNS.items():
        assert Options(**{name: True}).columns == (column,)


def test_columns_come_in_the_order_of_the_tables() -> None:
    assert list(ALL.columns) == tables_reader.OPTIONS
    assert Options(clean_graphics=True, retain_uids=True).columns == ("rtn_uids", "clean_graph")


def test_full_and_modified_dates_exclude_each_other() -> None:
    """R53: (0028,0303) can hold one of UNMODIFIED and MODIFIED."""
    with pytest.raises(ValueError, match="dates"):
        Options(retain_full_dates=True, modify_dates=True).check()


@pytest.mark.parametrize("dates", ["retain_full_dates", "modify_dates"])
def test_all_others_go_together(dates: str) -> None:
    other = {"retain_full_dates", "modify_dates"} - {dates}
    ALL._replace(**dict.fromkeys(other, False)).check()


def test_an_option_overrides_the_profile() -> None:
    """R11: the column's action, not the basic one."""
    assert combined("X", {"rtn_uids": "K"}, ["rtn_uids", "clean_desc"]) == "K"


@pytest.mark.parametrize("row", [{}, {"clean_desc": ""}, {"rtn_dev_id": "K"}])
def test_a_column_that_is_blank_or_not_chosen_says_nothing(row: dict[str, str]) -> None:
    assert combined("X/Z", row, ["clean_desc"]) == "X/Z"


@pytest.mark.parametrize("columns", [["rtn_pat_chars", "clean_desc"], ["clean_desc", "rtn_pat_chars"]])
@pytest.mark.parametrize(("more", "less"), [("C", "K"), ("U", "K"), ("X", "C"), ("D", "U")])
def test_where_two_meet_the_more_private_wins(more: str, less: str, columns: list[str]) -> None:
    assert combined("Z", {"rtn_pat_chars": more, "clean_desc": less}, columns) == more
    assert combined("Z", {"rtn_pat_chars": less, "clean_desc": more}, columns) == more


def test_every_action_of_the_tables_has_its_rank() -> None:
    for action in tables_reader.ACTIONS[1:]:
        assert combined("", {"rtn_uids": action}, ["rtn_uids"]) == action


def test_of_the_table_every_row_has_an_action_with_every_option() -> None:
    for _tag, _mask, basic, row in _tables.confidentiality():
        assert combined(basic, row, ALL.columns) in tables_reader.ACTIONS[1:]
        assert combined(basic, row, ()) == basic
