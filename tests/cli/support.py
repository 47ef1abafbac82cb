"""Running command lines: in this process where that will do, else in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from dcmveil import cli
from tests.hostile.forms import EXPLICIT, Form

__all__ = ["BAD", "MARK", "Said", "image", "invoke", "listing", "one_line", "process"]

MARK = b"VEILME0001"
BAD = b"VEILME0001, which is not DICOM"

# Root may do anything, so that the process has to become somebody else: with all loaded that it could not load then.
AS_NOBODY = """
import contextlib, hmac, io, json, os, sys
from dcmveil import _tables, cli, folders
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
    return Said(status, out, err)


def process(
    *arguments: object, unprivileged: bool = False, setup: Callable[[], None] | None = None, **more: Any
) -> Said:
    """Run a command line in a process of its own; `setup` runs in it first. It hangs for 20 seconds at most."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL, **more}
    program = ["-c", AS_NOBODY] if unprivileged and os.geteuid() == 0 else ["-m", "dcmveil"]
    command = [sys.executable, *program, *map(str, arguments)]
    done = subprocess.run(command, check=False, timeout=20, preexec_fn=setup, **pipes)
    return Said(done.returncode, *((text or b"").decode(errors="replace") for text in (done.stdout, done.stderr)))


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
