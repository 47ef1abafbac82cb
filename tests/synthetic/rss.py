"""Peak resident memory of a command, measured so that the measuring process does not count.

Linux carries the high-water mark of a process over fork and exec into `ru_maxrss` of its child, so a child of
a large pytest process seems large itself. A fresh, bare interpreter (this file as a script) therefore starts
the command; its own few MiB are the least that can be reported.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

__all__ = ["peak_rss"]


def peak_rss(argv: Sequence[str | os.PathLike[str]]) -> tuple[int, int]:
    """Run `argv`; return its exit status (-N for signal N) and its peak resident set size in KiB.

    Standard output is discarded, standard error is passed on. OSError if the command cannot be started.
    """
    read_end, write_end = os.pipe()
    with open(read_end) as report:
        try:
            wrapper = [
                sys.executable,
                "-I",
                "-S",
                __file__,
                str(write_end),
                *(os.fspath(argument) for argument in argv),
            ]
            status = subprocess.call(wrapper, pass_fds=[write_end], stdout=subprocess.DEVNULL)
        finally:
            os.close(write_end)
        numbers = report.read().split()
    if status or len(numbers) != 2:
        raise OSError(f"{os.fspath(argv[0])}: could not be started")
    return int(numbers[0]), int(numbers[1])


def _wait(argv: list[str]) -> tuple[int, int]:
    pid = os.posix_spawnp(argv[0], argv, os.environ)
    _, status, usage = os.wait4(pid, 0)
    unit = 1024 if sys.platform == "darwin" else 1  # bytes there, KiB elsewhere
    return os.waitstatus_to_exitcode(status), usage.ru_maxrss // unit


if __name__ == "__main__":
    report_fd = int(sys.argv[1])
    os.set_inheritable(report_fd, False)
    try:
        os.write(report_fd, b"%d %d" % _wait(sys.argv[2:]))
    except OSError:
        sys.exit(127)
