"""Fixtures that any test may ask for: the corpus of real files, if it is there, and our own sample image.

The corpus lies beside the checkout. Where it is absent pydicom's own files have to do: `real_files` has both.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reference.files import CORPUS, Sample, samples

SAMPLE_IMAGE = Path(__file__).parent / "data" / "sample.dcm"


@pytest.fixture(scope="session")
def corpus() -> Path | None:
    """The folder of the corpus, or None."""
    return CORPUS if (CORPUS / "index.tsv").exists() else None


@pytest.fixture(scope="session")
def real_files() -> list[Sample]:
    """Every real file there is: those of the corpus, and those that come with pydicom."""
    return samples()


@pytest.fixture(scope="session")
def sample_image() -> Path:
    """The CT image of an invented patient that tests/data/make_sample.py makes."""
    return SAMPLE_IMAGE
