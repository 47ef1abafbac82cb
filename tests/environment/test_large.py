"""Folders with very many files."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

FILES = 1_000_000
MOST_KIB = 64 << 10


@pytest.mark.slow
def test_case_27_a_million_files_in_one_folder(tmp_path: Path) -> None:
    """In the order of their names, in 64 MiB. None of them is an object, so that the walk is what takes the memory."""
    source = tmp_path / "in"
    source.mkdir()
    for number in range(FILES):
        os.close(os.open(f"{source}/{number * 7919 % FILES:06}.dcm", os.O_CREAT | os.O_WRONLY))
    command = [sys.executable, "-m", "dcmveil", source, tmp_path / "out"]
    last, count = "", 0
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        for line in running.stderr:
            name = line.split(": ")[1]
            if name.startswith(str(source)):
                assert name > last
                last, count = name, count + 1
    assert (running.returncode, count) == (1, FILES)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < MOST_KIB
