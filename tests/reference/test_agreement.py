"""dcmveil and the reference agree on every real file: the same refusal, or the same elements at every depth.

The reference is written from the rules alone, so this covers R1-R29 and R37 of Annex E at once.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .agreement import BASIC, REMOVING, actual, disagreement, expectation
from .files import Sample
from .model import Settings


@pytest.mark.parametrize(
    "settings",
    [pytest.param(BASIC, id="basic"), pytest.param(REMOVING, id="root-and-remove", marks=pytest.mark.ci)],
)
def test_dcmveil_does_what_the_reference_expects(sample: Sample, settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    outcome = actual(sample.path, target, settings)
    if outcome == "unreadable":
        assert sample.is_doubtful(), "ParseError, but pydicom, dcmdump and gdcmdump all read it"
        assert not target.exists()
    else:
        assert disagreement(expectation(sample.path, settings), outcome, target) == []
