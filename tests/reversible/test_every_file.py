"""Every real file that -e accepts comes back byte for byte; that is all of them that the Basic Profile lets through."""

from __future__ import annotations

import filecmp
from pathlib import Path

import pytest

from dcmveil import Policy, deidentify_file, reidentify_file
from dcmveil.errors import DcmveilError
from tests.reference.files import Sample, samples
from tests.reversible.keys import SECRET, envelope, opener


def policy(**options: object) -> Policy:
    return Policy(secret=SECRET, allow_embedded_overlays=True, existing_encrypted="remove", **options)  # type: ignore[arg-type]


IRREVERSIBLE, REVERSIBLE = policy(), policy(envelope=envelope())


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_what_goes_in_comes_out_again(sample: Sample, tmp_path: Path) -> None:
    """R39: all Attributes are moved back; and what is no Attribute as well."""
    sealed, restored = tmp_path / "sealed.dcm", tmp_path / "restored.dcm"
    try:
        deidentify_file(sample.path, sealed, IRREVERSIBLE)
    except DcmveilError:
        with pytest.raises(DcmveilError):  # perhaps another one: what goes is read too
            deidentify_file(sample.path, sealed, REVERSIBLE)
        assert not sealed.exists()
        return
    deidentify_file(sample.path, sealed, REVERSIBLE)
    report = reidentify_file(sealed, restored, opener())
    assert report.notice is None
    assert filecmp.cmp(sample.path, restored, shallow=False)


def test_almost_all_of_them_are_accepted() -> None:
    """So that the test above tests something."""
    assert len(samples()) > 200
