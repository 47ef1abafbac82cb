"""Allocations that fail: each one of the engine, in turn, ends in MemoryError, and the next object is as ever."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.engine.starving import LIBRARY
from tests.sink.scripts import child_environment

PIECES = 34  # of work: 9, and 5 objects with 5 policies each


def test_an_allocation_that_fails_is_an_error_and_nothing_else(tmp_path: Path) -> None:
    """No output, no crash, no false success, whichever it is; sealed, restored and edited objects as well."""
    library, folder = tmp_path / "starve.so", tmp_path / "objects"
    folder.mkdir()
    compiler = ["cc", "-shared", "-fPIC", "-O1", "-x", "c", "-", "-o", str(library), "-ldl"]
    subprocess.run(compiler, input=LIBRARY, text=True, check=True)
    done = subprocess.run(
        [sys.executable, "-m", "tests.engine.starving", str(folder)],
        env={**child_environment(), "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    counts = dict(line.split(": ") for line in done.stdout.splitlines())
    assert len(counts) == PIECES
    assert [name for name, count in counts.items() if int(count) == 0] == []
