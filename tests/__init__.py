"""The tests. Their outside judges, gdcmanon, gdcmdump, dcmdump and openssl, are those of the system: python-gdcm puts
programs of the same names into an environment, where they come first if it is activated, which end with status 0
whatever has happened. Interrupts reach what they start, also where a shell has started them in the background."""

from __future__ import annotations

import os
import signal
import sys
import sysconfig


def _without(folder: str) -> str:
    """The path along which programs are looked for, but for a folder."""
    path = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(entry for entry in path if os.path.realpath(entry) != os.path.realpath(folder))


if sys.prefix != sys.base_prefix:
    os.environ["PATH"] = _without(sysconfig.get_path("scripts"))

if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
