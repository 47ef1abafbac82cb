"""Fixtures of the tests of the tables: the TSV files, and the generator as a module."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def folder() -> Path:
    return CHECKOUT / "ext" / "tables"


@pytest.fixture(scope="session")
def standard() -> Path | None:
    """The folder with the facts as they were collected, None in a clone that stands alone."""
    path = CHECKOUT.parent / "shared" / "standard"
    return path if path.is_dir() else None


@pytest.fixture(scope="session")
def rows(folder: Path) -> Callable[[str], list[dict[str, str]]]:
    """Reads a table in the plainest way, sharing nothing with the generator."""

    def read(name: str, where: Path = folder) -> list[dict[str, str]]:
        lines = (where / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
        names = lines[0].split("\t")
        return [dict(zip(names, line.split("\t"), strict=True)) for line in lines[1:]]

    return read


@pytest.fixture(scope="session")
def generate(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_tables", folder / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
