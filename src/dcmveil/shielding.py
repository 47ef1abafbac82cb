"""The process that holds originals and passwords, shielded from others on the same machine.

Nothing here happens unless it is called: a process belongs to whoever started it. The command line shields itself;
who embeds this package calls `shield_process` where that suits.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

from dcmveil import _process

__all__ = ["shield_process", "wipe_arguments"]

_FILLER = b"*"
_MOST = 1 << 22  # bytes of arguments; the kernel allows 6 MiB of them, and of the environment
_START, _STOP = 45, 46  # arg_start and arg_end of proc(5), counted behind the name of the program


def shield_process() -> bool:
    """Keep the memory of this process, and of its forks from now on, out of core dumps and from other processes.

    RLIMIT_CORE becomes 0; on Linux the process becomes non-dumpable, too (PR_SET_DUMPABLE of prctl(2)): no core dump by
    whatever handler, no ptrace, no reading of /proc/PID/mem and /proc/PID/environ by other processes of the same user.
    It cannot be traced or debugged then but by root. Returns whether all of that was possible. Memory may still be
    swapped out.
    """
    dumps, reading = _process.forbid_dumps(), _process.forbid_reading()
    return dumps and reading


def wipe_arguments(secrets: Iterable[str]) -> bool:
    """Overwrite these where they stand among the arguments of this process, as ps(1) shows them (Linux).

    An argument is one of them as a whole, or ends with it if it is an option. Returns whether that was possible.
    """
    values = [os.fsencode(secret) for secret in secrets if secret]
    try:
        before = _read("/proc/self/cmdline")
        fields = _read("/proc/self/stat").rpartition(b")")[2].split()
        start, stop = int(fields[_START]), int(fields[_STOP])
    except (OSError, ValueError, IndexError):
        return False
    if not 0 < stop - start == len(before):
        return False
    return _process.overwrite(start, before, b"\0".join(_without(part, values) for part in before.split(b"\0")))


def _without(argument: bytes, values: Iterable[bytes]) -> bytes:
    for value in values:
        if argument == value or (argument.startswith(b"-") and argument.endswith(value)):
            argument = argument[: len(argument) - len(value)] + _FILLER * len(value)
    return argument


def _read(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(_MOST)
