"""A folder for big files that does not outlive the run, and the commands to compare."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.commands import Command, commands


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("benchmark")
    yield path
    shutil.rmtree(path)  # pytest itself would keep the files of three runs


@pytest.fixture(scope="module")
def tools(folder: Path) -> dict[str, Command]:
    return commands(folder)
