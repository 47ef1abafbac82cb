"""Who takes part in the benchmark page: what each tool is called, does, and looks like in the plots.

No two of them do the same work, which is why each says what it does. dcmodify and the modes called --dumb edit the
Attributes that are named to them and know no profile; `cp` changes nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

from benchmarks.commands import DCMVEIL

__all__ = ["EDITED", "EXPECTED", "Peer", "make_certificate", "peers", "versions"]

PYTHON = sys.executable
# Those of gdcmanon's 48 Attributes that a CT Image of the tests has, UIDs apart, at top level.
EDITED = (
    "0008,0050", "0008,0080", "0008,0081", "0008,0090", "0008,1010", "0008,1030", "0008,103e", "0008,1040",
    "0008,1050", "0008,1070", "0010,0010", "0010,0020", "0010,0030", "0010,0040", "0010,1010", "0010,2180",
    "0010,21b0", "0010,4000", "0018,1000", "0018,1030", "0020,0010", "0020,4000",
)  # fmt: skip


class Peer(NamedTuple):
    """A tool in one of its modes. `command` takes two files, or two folders; `color` is #RRGGBB.

    One that edits in place is given a copy as its target, made before the time is taken.
    """

    name: str
    does: str
    color: str
    command: Callable[[Path, Path], list[str]]
    in_place: bool = False
    needs_folder: bool = False  # the output folder has to be there
    folders_only: bool = False
    package: str = ""  # the distribution that it comes with, "" for a program of the system


def make_certificate(folder: Path) -> Path:
    """A certificate for an RSA key of 2,048 bits, by openssl."""
    certificate = folder / "certificate.pem"
    key = ["-newkey", "rsa:2048", "-nodes", "-keyout", os.fspath(folder / "key.pem")]
    request = ["openssl", "req", "-x509", *key, "-subj", "/CN=benchmark", "-days", "2"]
    subprocess.run([*request, "-out", certificate], check=True, capture_output=True)
    return certificate


def peers(certificate: Path) -> list[Peer]:
    """Those that this machine has, dcmveil first."""
    return [peer for peer in _all(os.fspath(certificate)) if _is_here(peer)]


def _all(certificate: str) -> list[Peer]:
    return [*_ours(certificate), *_theirs(certificate), *_editors(), *_copiers()]


def _ours(certificate: str) -> list[Peer]:
    encrypted = ["-e", "-c", certificate]
    return [
        Peer("dcmveil -e", "PS3.15 2026d, irreversible", "#0072b2", _words(*DCMVEIL, "-e")),
        Peer("dcmveil -e -c", "the same, originals encrypted", "#56b4e9", _words(*DCMVEIL, *encrypted)),
        Peer(
            "dcmveil -e --jobs 2",
            "as -e, two processes",
            "#003f66",
            _words(*DCMVEIL, "-e", "--jobs", "2"),
            folders_only=True,
        ),
        Peer(
            "dcmveil -e -c --jobs 2",
            "as -e -c, two processes",
            "#3a86b4",
            _words(*DCMVEIL, *encrypted, "--jobs", "2"),
            folders_only=True,
        ),
    ]


def _theirs(certificate: str) -> list[Peer]:
    loop = [PYTHON, os.fspath(Path(__file__).with_name("gdcm_loop.py")), certificate]
    profile = "48 Attributes of PS3.15-2008, originals encrypted"
    return [
        Peer("gdcmanon -e -c", profile, "#d55e00", _gdcmanon("-e", "-c", certificate)),
        Peer("python-gdcm", f"{profile}; a loop in one process", "#e69f00", _words(*loop), package="python-gdcm"),
        Peer(
            "dicom-anonymizer",
            "a table of PS3.15, irreversible",
            "#009e73",
            _words(PYTHON, "-m", "dicomanonymizer.anonymizer"),
            needs_folder=True,
            package="dicom-anonymizer",
        ),
        Peer("dicognito", "its own list, irreversible", "#cc79a7", _dicognito, package="dicognito"),
    ]


def _editors() -> list[Peer]:
    cleared = [word for tag in EDITED for word in ("--clear", tag)]
    edits = f"empties {len(EDITED)} Attributes, no profile"
    return [
        Peer("dcmveil --dumb", edits, "#7a6fac", _words(*DCMVEIL, "--dumb", *cleared)),
        Peer("gdcmanon --dumb", edits, "#a04000", _gdcmanon("--dumb", *cleared)),
        Peer("dcmodify", f"{edits}; new UIDs; in place", "#8c7300", _dcmodify, in_place=True),
    ]


def _copiers() -> list[Peer]:
    return [
        Peer("cp", "copies", "#767676", _words("cp", "-r")),
        Peer("cp --reflink=never", "copies, by reading and writing", "#4d4d4d", _words("cp", "-r", "--reflink=never")),
    ]


def _words(*words: str) -> Callable[[Path, Path], list[str]]:
    return lambda source, target: [*words, os.fspath(source), os.fspath(target)]


def _gdcmanon(*words: str) -> Callable[[Path, Path], list[str]]:
    """With an output in every case: without one it writes to the root of the file system."""
    return lambda source, target: ["gdcmanon", *words, "--continue", "-i", os.fspath(source), "-o", os.fspath(target)]


def _dicognito(source: Path, target: Path) -> list[str]:
    """It names its outputs itself. By its module: the program that version 0.19.0 installs ends with a TypeError."""
    return [PYTHON, "-m", "dicognito", "--quiet", os.fspath(source), "-o", os.fspath(target)]


def _dcmodify(_source: Path, target: Path) -> list[str]:
    edits = [word for tag in EDITED for word in ("-ma", f"({tag})=")]
    files = sorted(target.iterdir()) if target.is_dir() else [target]
    return ["dcmodify", "-q", "-nb", "-imt", "-gst", "-gse", "-gin", *edits, *map(os.fspath, files)]


def _is_here(peer: Peer) -> bool:
    if peer.package:
        return _version_of(peer.package) is not None
    return shutil.which(peer.command(Path("in"), Path("out"))[0]) is not None


def _version_of(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def versions() -> dict[str, str]:
    """Version of every tool and of what it stands on, as each tells it; "not installed" where it is not."""
    packages = ("dcmveil", "cryptography", "python-gdcm", "dicom-anonymizer", "dicognito", "pydicom", "numpy")
    found = {package: _version_of(package) or "not installed" for package in packages}
    for program in (["gdcmanon", "-v"], ["dcmodify", "--version"], ["cp", "--version"], ["openssl", "version"]):
        found[program[0]] = _said(program)
    return {"Python": sys.version.split()[0], **found}


def _said(program: list[str]) -> str:
    if not shutil.which(program[0]):
        return "not installed"
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    number = re.search(r"\d+(\.\d+)+", done.stdout + done.stderr)
    return number[0] if number else "unknown"


# The names of all that there could be.
EXPECTED = frozenset(peer.name for peer in _all(""))
