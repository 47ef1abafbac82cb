"""Command lines as processes of their own, to look at from outside while they run or to become another user in."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.support import TALLY, Said

__all__ = ["AS_USER", "as_user", "is_reading", "proc", "running", "until"]

# Root is asked for nothing, so that it has to become somebody else: with all loaded that could not be loaded then, and
# dumpable as a program is that a user starts (credentials(7): changing the user has made it non-dumpable). `argv[1]` is
# run before.
AS_USER = """
import ctypes, hmac, io, json, os, resource, sys
import cryptography.hazmat.asn1, cryptography.x509, multiprocessing.popen_fork
from dcmveil import __main__, _tables, batch, cli, cms, credentials, folders, journal, keys, output, pipes, pseudonyms
from dcmveil import reidentifying, sealing, shielding, streaming, tasks, workers
ran, sys.argv[1:] = sys.argv[1], sys.argv[2:]
sys.stderr, error = io.StringIO(), sys.stderr
cli.run(["--dry-run", os.devnull])
sys.stderr = error
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
exec(ran)
__main__.command()
"""


def as_user(*arguments: object, before: str = "pass") -> Said:
    """Run a command line as nobody in particular."""
    command = [sys.executable, "-c", AS_USER, before, *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=60)
    return Said(done.returncode, done.stdout, TALLY.sub("", done.stderr))


@contextmanager
def running(*command: object, setup: Callable[[], None] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has been given half an object on its standard input, and waits for the rest."""
    pipes: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    pipes["preexec_fn"] = setup
    with subprocess.Popen([sys.executable, *map(str, command)], **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def until(happened: Callable[[], bool]) -> bool:
    """Wait for it, for half a minute at most; whether it has happened."""
    deadline = time.monotonic() + 30
    while not happened():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def proc(process: subprocess.Popen[bytes], name: str) -> Path:
    """What the kernel tells of a process."""
    return Path("/proc", str(process.pid), name)


def is_reading(process: subprocess.Popen[bytes]) -> bool:
    """Has it taken what was written to its standard input? Then it has begun with its work."""
    assert process.stdin is not None
    return _bytes_in(process.stdin.fileno()) == 0


def _bytes_in(fd: int) -> int:
    import fcntl
    import termios

    return int.from_bytes(fcntl.ioctl(fd, termios.FIONREAD, bytes(4)), sys.byteorder)
