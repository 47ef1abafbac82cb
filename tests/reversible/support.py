"""De-identifier and Re-identifier (PS3.15 E.1.1, E.1.2) as the tests of this folder call them, and outside tools.

Keys are the throwaway ones of tests/services. The real files come from tests/reference.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from dcmveil import Policy, Report, deidentify_file
from dcmveil.cms import Envelope, Opener
from dcmveil.reidentifying import CHANGED, reidentify_file
from tests.reference.files import BUNDLED
from tests.services.certificates import certificate, rsa_key

SECRET = bytes(range(32))
PASSWORD = b"open sesame 1"
WHO = ("certificate", "password", "both")
UNDECIPHERABLE = "the Encrypted Attributes cannot be decrypted: wrong key or password, or damaged"

__all__ = [
    "CHANGED",
    "PASSWORD",
    "SECRET",
    "UNDECIPHERABLE",
    "WHO",
    "bundled",
    "certificate_of",
    "deidentify",
    "digest",
    "envelope",
    "opener",
    "reidentify",
    "run",
    "tools",
]


@lru_cache
def certificate_of(number: int = 0) -> Any:
    """The certificate of the key of that number, always the same. (To the cache `rsa_key()` is not `rsa_key(0)`.)"""
    return certificate(rsa_key(number), name=f"recipient {number}")


def envelope(who: str = "certificate", **options: Any) -> Envelope:
    """For the holder of key 0, for who knows the password, or for both."""
    certificates = [] if who == "password" else [certificate_of()]
    return Envelope(certificates, None if who == "certificate" else PASSWORD, **options)


def opener(who: str = "certificate") -> Opener:
    """Of one who has key 0, or knows the password."""
    return Opener(password=PASSWORD) if who == "password" else Opener(rsa_key(0))


def deidentify(source: Path, target: Path, sealing: Envelope | None = None, **options: Any) -> Report:
    """With Encrypted Attributes, for the holder of key 0 if nothing else is said."""
    return deidentify_file(source, target, Policy(secret=SECRET, envelope=sealing or envelope(), **options))


def reidentify(source: Path, target: Path, opening: Opener | None = None) -> Report:
    """By the holder of key 0 if nothing else is said."""
    return reidentify_file(source, target, opening or opener())


def bundled(name: str) -> Path:
    """One of the files that come with pydicom."""
    found = list(BUNDLED.rglob(name))
    assert len(found) == 1, name
    return found[0]


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


# Not the programs of the environment of this Python: those of python-gdcm lose the exit status.
_PATH = os.pathsep.join(folder for folder in os.get_exec_path() if Path(folder) != Path(sys.prefix, "bin"))


def tools(*names: str) -> list[str]:
    """The first of them if all are installed, to parametrise a test with: without them there is nothing to test."""
    return [names[0]] if all(shutil.which(name, path=_PATH) for name in names) else []


def run(tool: str, *arguments: str | Path) -> bytes:
    """The output of a tool that has to succeed."""
    command = [shutil.which(tool, path=_PATH) or tool, *map(str, arguments)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert done.returncode == 0, f"{tool}: {done.returncode} {done.stderr[-500:]!r}"
    return done.stdout
