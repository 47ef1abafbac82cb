"""Command lines, run one after the other in a process of their own, with what each of them cost.

As a script it reads lists of arguments in JSON, line by line, and writes what came of each: exit status, what was said,
seconds of processor time, peak resident memory. Linux can be told to forget the peak so far; elsewhere it is that of
all command lines up to then.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

__all__ = ["Outcome", "run_all"]


class Outcome(NamedTuple):
    """What came of one command line; `peak` in KiB."""

    status: int
    out: str
    err: str
    seconds: float
    peak: int


def run_all(lines: Iterable[list[str]]) -> list[Outcome]:
    """Run all of them. One that ends the process ends the test that asks for it, too."""
    asked = [json.dumps(line) for line in lines]
    command = [sys.executable, "-m", "tests.mutation.runner"]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, input="\n".join(asked), capture_output=True, text=True, check=False, cwd=root)
    found = [Outcome(*json.loads(line)) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (done.returncode, asked[len(found)][:300], done.stderr[-2000:])
    return found


# ---- in the process ------------------------------------------------------------------------------------------------


def main() -> None:
    from dcmveil import cli

    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        arguments = json.loads(line)
        forget_peak()
        before = time.process_time()
        with kept(1) as out, kept(2) as err:
            status = cli.run(arguments)
            sys.stdout.flush()
            sys.stderr.flush()
        found = Outcome(status, said(out), said(err), time.process_time() - before, peak())
        print(json.dumps(found), file=answers, flush=True)


@contextmanager
def kept(fd: int) -> Iterator[int]:
    """What is written to a descriptor goes to a file, which is open until it has been read."""
    saved, file = os.dup(fd), tempfile.TemporaryFile()  # noqa: SIM115
    os.dup2(file.fileno(), fd)
    try:
        yield os.dup(file.fileno())
    finally:
        os.dup2(saved, fd)
        os.close(saved)
        file.close()


def said(fd: int) -> str:
    with os.fdopen(fd, "rb") as file:
        file.seek(0)
        return file.read(1 << 20).decode(errors="replace")


def forget_peak() -> None:
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main()
