"""Parametrises tests that ask for a `sample` over all real files."""

from __future__ import annotations

import pytest

from tests.reference.files import samples


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "sample" in metafunc.fixturenames:
        metafunc.parametrize("sample", samples(), ids=lambda sample: sample.name)
