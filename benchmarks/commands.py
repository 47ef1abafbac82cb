"""The command lines that are compared, each from a source file to a target file.

gdcmanon takes part where it is installed. It wants a certificate, which openssl makes; dcmveil without one
de-identifies irreversibly, which is its default.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

__all__ = ["DCMVEIL", "HAVE_GDCMANON", "Command", "commands", "cp", "dcmveil", "gdcmanon"]

Command = Callable[[Path, Path], list[str]]

_SCRIPT = Path(sys.executable).with_name("dcmveil")
DCMVEIL = [os.fspath(_SCRIPT)] if _SCRIPT.exists() else [sys.executable, "-m", "dcmveil"]
HAVE_GDCMANON = all(map(shutil.which, ("gdcmanon", "openssl")))


def cp(source: Path, target: Path) -> list[str]:
    """The baseline: as fast as a file can be copied here."""
    return ["cp", os.fspath(source), os.fspath(target)]


def dcmveil(source: Path, target: Path) -> list[str]:
    return [*DCMVEIL, os.fspath(source), os.fspath(target)]


def gdcmanon(folder: Path) -> Command:
    """gdcmanon with a certificate made in `folder`."""
    certificate = folder / "certificate.pem"
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", os.fspath(folder / "key.pem")]
    request = ["openssl", "req", "-x509", *key, "-subj", "/CN=benchmark", "-days", "2"]
    subprocess.run([*request, "-out", certificate], check=True, capture_output=True)
    encrypt = ["gdcmanon", "-c", os.fspath(certificate), "-e"]
    return lambda source, target: [*encrypt, os.fspath(source), os.fspath(target)]


def commands(folder: Path) -> dict[str, Command]:
    """Every command of this machine by name, `cp` first."""
    found: dict[str, Command] = {"cp": cp, "dcmveil": dcmveil}
    if HAVE_GDCMANON:
        found["gdcmanon"] = gdcmanon(folder)
    return found
