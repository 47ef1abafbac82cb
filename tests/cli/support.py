"""Running command lines: in this process where that will do, else in one of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dcmveil import cli
from tests.hostile.forms import EXPLICIT, Form

__all__ = ["BAD", "MARK", "TALLY", "Said", "image", "invoke", "listing", "one_line", "process", "tally"]

MARK = b"VEILME0001"

# What is said at the end of the run over a folder. It is left out of what `invoke` and `process` return.
TALLY = re.compile(
    r"^dcmveil: (?P<done>\d+) done, (?P<refused>\d+) refused, (?P<failed>\d+) failed, (?P<there>\d+) already there, "
    r"[\d.]+ (?:bytes|[KMGT]iB) in [\d.]+ s\n\Z",
    re.MULTILINE,
)
BAD = b"VEILME0001, which is not DICOM"

# Root may do anything, so that the process has to become somebody else: with all loaded that it could not load then.
AS_NOBODY = """
import contextlib, hmac, io, json, os, sys
from dcmveil import _tables, batch, cli, credentials, folders, workers
with contextlib.redirect_stderr(io.StringIO()):
    cli.run(["--dry-run", os.devnull])
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
sys.exit(cli.run(sys.argv[1:]))
"""


class Said(NamedTuple):
    """What came of a command line."""

    status: int
    out: str
    err: str


def image(form: Form = EXPLICIT, *more: bytes) -> bytes:
    """A small object with a name, a UID and Rows; `more` elements follow."""
    name = form.element(0x00100010, "PN", MARK) + form.element(0x0020000D, "UI", "2.999.5.5")
    return form.file(form.common() + name + form.element(0x00280010, "US", form.pack("H", 8)) + b"".join(more))


def invoke(capfd: pytest.CaptureFixture[str], *arguments: object) -> Said:
    """Run a command line in this process."""
    status = cli.run([str(argument) for argument in arguments])
    out, err = capfd.readouterr()
    return Said(status, out, TALLY.sub("", err))


def tally(capfd: pytest.CaptureFixture[str], *arguments: object) -> dict[str, int]:
    """Run a command line in this process; the counts of the line at the end of what it says."""
    cli.run([str(argument) for argument in arguments])
    *_lines, last = capfd.readouterr().err.splitlines()
    found = TALLY.fullmatch(last + "\n")
    assert found is not None, last
    return {name: int(count) for name, count in found.groupdict().items()}


def process(
    *arguments: object, unprivileged: bool = False, setup: Callable[[], None] | None = None, **more: Any
) -> Said:
    """Run a command line in a process of its own; `setup` runs in it first. It hangs for 20 seconds at most."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more}
    program = ["-c", AS_NOBODY] if unprivileged and os.geteuid() == 0 else ["-m", "dcmveil"]
    command = [sys.executable, *program, *map(str, arguments)]
    done = subprocess.run(command, check=False, timeout=20, preexec_fn=setup, **pipes)
    out, err = ((text or b"").decode(errors="replace") for text in (done.stdout, done.stderr))
    return Said(done.returncode, out, TALLY.sub("", err))


def one_line(said: Said, *parts: object) -> None:
    """It failed, and said so in one line that has all these parts and no Value."""
    assert said.status == 1, said
    assert said.err.count("\n") == 1, said
    assert said.err.startswith("dcmveil: ")
    assert [part for part in parts if str(part) not in said.err] == [], said
    assert "VEILME" not in said.out + said.err


def listing(folder: Path) -> list[str]:
    """The files and folders below a folder."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
