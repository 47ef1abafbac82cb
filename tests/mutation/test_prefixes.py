"""A share of the prefixes of real files, in each mode; all of them: `python -m tests.mutation prefixes`."""

from __future__ import annotations

import pytest

from tests.hostile.forms import EXPLICIT
from tests.mutation.borders import borders
from tests.mutation.prefixes import FILES, MODES, Counts, chosen, counted

PIXELS = EXPLICIT.element(0x7FE00010, "OB", bytes(4000))


def check(counts: Counts, files: int) -> None:
    assert counts.wrong == ()
    assert counts.files == files
    assert counts.cut > 4 * files


def test_the_files_are_of_all_kinds() -> None:
    """As many as there are to be, different ones, with all Transfer Syntaxes that the real files have."""
    files = chosen()
    assert len(files) == FILES
    assert len({file.data for file in files}) == FILES
    assert sum(len(file.borders.cuts(len(file.data), 200)) for file in files) > 50_000
    assert len({file.syntax for file in files}) >= 10


@pytest.mark.parametrize("mode", MODES)
def test_a_few_prefixes(mode: str) -> None:
    check(counted(mode, 0.002), FILES)


@pytest.mark.ci
@pytest.mark.parametrize("mode", MODES)
def test_many_prefixes(mode: str) -> None:
    check(counted(mode, 0.1), FILES)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_every_prefix(mode: str) -> None:
    counts = counted(mode)
    check(counts, FILES)
    assert counts.cut > 50_000


def test_borders_are_where_elements_end() -> None:
    parts = [EXPLICIT.common()[:34], EXPLICIT.common()[34:], PIXELS]
    front = len(EXPLICIT.head())
    found = borders(EXPLICIT.file(b"".join(parts)))
    assert found is not None
    assert found.whole == {front + 34, front + len(EXPLICIT.common())}
    assert found.bulk == ((front + len(EXPLICIT.common()), front + len(EXPLICIT.common()) + len(PIXELS)),)
    cuts = found.cuts(front + len(EXPLICIT.common()) + len(PIXELS), 10)
    assert set(range(front + len(EXPLICIT.common()))) <= set(cuts)
    assert len(cuts) < front + len(EXPLICIT.common()) + 200
    assert borders(EXPLICIT.file(b"".join(parts))[:-1]) is None
