"""Every case has a test with its number that says what happens, and CASES.md says the same."""

from __future__ import annotations

from tests.environment.cases import CASES, TABLE, table, told_of


def test_each_case_has_a_test() -> None:
    found = told_of()
    assert found.keys() == CASES.keys()
    assert [test.place for tests in found.values() for test in tests if not test.happens] == []


def test_the_table_is_what_is_there() -> None:
    assert TABLE.read_text(encoding="utf-8") == table(), "python -m tests.environment.cases writes it anew"
