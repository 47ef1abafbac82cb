"""A folder for everybody, and nothing that gdcmanon's variables say."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that everybody may use; pytest's may not be entered."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GDCM_ROOT_UID", "GDCM_RESOURCES_PATH"):
        monkeypatch.delenv(name, raising=False)
