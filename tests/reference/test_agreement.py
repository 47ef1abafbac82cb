"""dcmveil and the reference agree on every real file: the same refusal, or the same elements at every depth.

The reference is written from the rules alone, so this covers R1-R29 and R37 of Annex E at once.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file
from dcmveil.errors import ParseError, Refused

from .compare import file_differences
from .files import Sample
from .model import Expected, RefusalError, Settings, UnreadableError
from .reference import expected_of_file

SECRET = b"one fixed secret for every file"
BASIC = Settings(SECRET)
LENIENT = Settings(SECRET, "1.2.826.0.1.3680043.10.99999", existing_encrypted="remove", allow_embedded_overlays=True)


@pytest.mark.parametrize("settings", [BASIC, LENIENT], ids=["basic", "root-and-remove"])
def test_dcmveil_does_what_the_reference_expects(sample: Sample, settings: Settings, tmp_path: Path) -> None:
    target = tmp_path / "out.dcm"
    expected = expectation(sample, settings)
    outcome = actual(sample, target, settings)
    assert (outcome is None) == target.exists()
    if outcome == "unreadable":
        assert sample.is_doubtful(), "ParseError, but pydicom, dcmdump and gdcmdump all read it"
    elif isinstance(expected, Expected):
        assert outcome is None, f"{outcome}, but the reference expects an output"
        assert file_differences(expected, target) == []
    else:
        assert outcome == expected


def expectation(sample: Sample, settings: Settings) -> Expected | str:
    """What must be in the output, or the reason why there is none, or `unreadable`."""
    try:
        return expected_of_file(sample.path, settings)
    except RefusalError as refusal:
        return refusal.reason
    except UnreadableError:
        return "unreadable"


def actual(sample: Sample, target: Path, settings: Settings) -> str | None:
    """None if dcmveil wrote an output, else its reason or `unreadable`."""
    try:
        deidentify_file(sample.path, target, Policy(**asdict(settings)))
    except Refused as refused:
        return str(refused.reason)
    except ParseError:
        return "unreadable"
    return None
