"""The real files the reference is run on: the shared corpus, if it is beside the checkout, and pydicom's own.

A sample knows which of pydicom, dcmdump and gdcmdump read it: from the corpus's index, else by asking them.
"""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pydicom

CHECKOUT = Path(__file__).resolve().parents[2]
CORPUS = CHECKOUT.parent / "shared" / "corpus"
BUNDLED = Path(pydicom.__file__).resolve().parent / "data"
NOT_DATA = {".py", ".pyc", ".typed"}
# Bundled with pydicom 3.0.2, and not read by dcmdump 3.6.7 or gdcmdump 3.0.21: for where those are not installed.
UNREAD_BY_TOOLS = {
    "DICOMDIR-nooffset",
    "MR_truncated.dcm",
    "README",
    "SC_rgb_jpeg.dcm",
    "meta_missing_tsyntax.dcm",
    "no_meta.dcm",
    "rtplan_truncated.dcm",
}
NO_DICOM = {".txt", ".json", ".md", ".dump", ".icc", ".gz"}


@dataclass(frozen=True)
class Sample:
    """A file, its name for reports, and the readers' verdicts if they are on record."""

    path: Path
    name: str
    verdicts: tuple[str, ...] = ()

    def is_doubtful(self) -> bool:
        """Whether at least one of pydicom, dcmdump and gdcmdump fails on it."""
        if self.verdicts:
            return not all(verdict.startswith("ok") for verdict in self.verdicts)
        return not all(_readable(self.path))


@cache
def samples() -> list[Sample]:
    """Every file, the corpus first."""
    return [*_corpus(), *_bundled()]


def _corpus() -> Iterator[Sample]:
    index = CORPUS / "index.tsv"
    if not index.exists():
        return
    lines = index.read_text(encoding="utf-8").splitlines()
    header = lines[0].split("\t")
    for line in lines[1:]:
        row = dict(zip(header, line.split("\t"), strict=False))
        verdicts = (row["pydicom"], row["dcmdump"], row["gdcmdump"])
        yield Sample(CORPUS / row["file"], row["file"], verdicts)


def _bundled() -> Iterator[Sample]:
    for path in sorted(BUNDLED.rglob("*")):
        if path.is_file() and path.suffix not in NOT_DATA:
            yield Sample(path, f"pydicom/data/{path.relative_to(BUNDLED).as_posix()}")


@cache
def _readable(path: Path) -> tuple[bool, ...]:
    tools = [tool for tool in ("dcmdump", "gdcmdump") if shutil.which(tool)]
    by_record = len(tools) == 2 or not (path.name in UNREAD_BY_TOOLS or path.suffix in NO_DICOM)
    return (_read_by_pydicom(path), by_record, *(_read_by(tool, path) for tool in tools))


def _read_by(tool: str, path: Path) -> bool:
    done = subprocess.run([tool, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return done.returncode == 0


def _read_by_pydicom(path: Path) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return sum(1 for _ in pydicom.dcmread(path, force=True).iterall()) > 0
        except Exception:  # whatever pydicom raises on a file it can not read, it can not read it
            return False
