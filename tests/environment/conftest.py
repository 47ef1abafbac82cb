"""What surrounds the command lines of these tests: nothing that gdcmanon's variables say."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Python package gdcm, which pydicom loads where it is installed, sets one of them."""
    for name in ("GDCM_ROOT_UID", "GDCM_RESOURCES_PATH"):
        monkeypatch.delenv(name, raising=False)
