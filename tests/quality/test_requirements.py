"""Every requirement on the Basic Profile has a test that names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.quality.requirements import ALL, REQUIRED, index, numbers

INDEX = index()


@pytest.mark.parametrize("number", sorted(REQUIRED))
def test_the_requirement_has_a_test(number: int) -> None:
    tests = INDEX.get(number, [])
    assert tests, f"no test names R{number} in its docstring"


def test_only_requirements_that_exist_are_named() -> None:
    assert INDEX.keys() <= ALL


@pytest.mark.parametrize(
    ("docstring", "named"),
    [(None, set()), ("R1, R2: both.", {1, 2}), ("As R26a has it.", {26}), ("R0, R100, CR2, (0008,R1x2)", set())],
)
def test_numbers_are_found_in_a_docstring(docstring: str | None, named: set[int]) -> None:
    assert numbers(docstring) == named


def test_the_index_has_tests_only(tmp_path: Path) -> None:
    text = (
        'def helper():\n    "R1"\nclass TestIt:\n    def test_it(self):\n        """R2: so."""\ndef test_bare(): ...\n'
    )
    (tmp_path / "test_sample.py").write_text(text)
    assert index(tmp_path) == {2: ["test_sample.py::test_it"]}
