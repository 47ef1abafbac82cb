"""Processes with pipes at both ends, and tasks that are done through them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from dcmveil import Edits, Options, Policy, parse_operation, pipes
from dcmveil.errors import DcmveilError
from dcmveil.tasks import Deidentify, Edit, Task
from tests.hostile.forms import EXPLICIT
from tests.push.objects import MIB, PIXELS, noise
from tests.push.objects import image as with_patient
from tests.reference.files import CHECKOUT
from tests.reversible.support import SECRET, envelope

SAMPLE = CHECKOUT / "tests/data/sample.dcm"
POLICY = Policy(secret=SECRET)
CLEANED = Policy(secret=SECRET, options=Options(clean_descriptors=True), verifies=True)
SEALED = Policy(secret=SECRET, envelope=envelope())
EDITS = Edits([parse_operation("replace", "PatientName=Doe^Jane"), parse_operation("empty", "FFFC,FFFC")])
TASKS: dict[str, Task] = {"-e": Deidentify(POLICY), "cleaned": Deidentify(CLEANED), "--dumb": Edit(EDITS)}
NATIVE = with_patient(EXPLICIT, EXPLICIT.element(PIXELS, "OW", noise(3 * MIB)))


class Done(NamedTuple):
    """What came of a process."""

    status: int
    out: bytes
    err: str


def writes(data: bytes, sizes: Iterator[int], pause: float = 0) -> Callable[[int], None]:
    """Writes to a descriptor, and closes it; who reads may have gone."""

    def write(fd: int) -> None:
        at = 0
        try:
            while at < len(data):
                at += os.write(fd, data[at : at + next(sizes)])
                if pause:
                    time.sleep(pause)
        except BrokenPipeError:
            pass
        finally:
            os.close(fd)

    return write


@contextmanager
def piped(data: bytes, sizes: Iterator[int], pause: float = 0) -> Iterator[int]:
    """The end of a pipe from which all that comes."""
    read, write = os.pipe()
    writer = threading.Thread(target=writes(data, sizes, pause), args=(write,))
    writer.start()
    try:
        yield read
    finally:
        os.close(read)
        writer.join()


def through(task: Task, data: bytes, sizes: Iterator[int], folder: Path) -> bytes | str:
    """The output of `- -` but for the numbers of the descriptors, in this process."""
    target = folder / "piped"
    fd = os.open(target, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with piped(data, sizes) as read:
            report = pipes._push(task, read, fd)
        assert report.bytes_in == len(data)
    except DcmveilError as error:
        return str(error)
    finally:
        os.close(fd)
    return target.read_bytes()


def by_file(task: Task, source: Path, target: Path) -> bytes | str:
    try:
        task.run(str(source), str(target))
    except DcmveilError as error:
        return str(error)
    return target.read_bytes()


def run(
    *arguments: object, data: bytes | None = None, sizes: Iterator[int] | None = None, pause: float = 0, **more: Any
) -> Done:
    """A process, to which data is written as it can be, or by so many bytes at a time."""
    command = [sys.executable, "-m", "dcmveil", *map(str, arguments)]
    options: dict[str, Any] = {"capture_output": True, "timeout": 60, **more}
    if sizes is not None and data is not None:
        with piped(data, sizes, pause) as read:
            done = subprocess.run(command, check=False, stdin=read, **options)
    elif data is not None:
        done = subprocess.run(command, check=False, input=data, **options)
    else:
        done = subprocess.run(command, check=False, **options)
    return Done(done.returncode, done.stdout or b"", (done.stderr or b"").decode())


def fails(done: Done, *parts: str) -> None:
    """In one line, with nothing on standard output."""
    assert (done.status, done.out, done.err.count("\n")) == (1, b"", 1), done
    assert [part for part in parts if part not in done.err] == [], done.err
    assert "VEILME" not in done.err
    assert "internal" not in done.err
