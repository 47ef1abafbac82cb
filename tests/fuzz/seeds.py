"""The committed seeds: what runs of the fuzzers have found, minimised, in one archive with a folder for each target.

All of it has grown out of objects that the tests make. `python -m tests.fuzz merge` writes it anew.
"""

from __future__ import annotations

import zipfile
from importlib import import_module
from pathlib import Path

__all__ = ["ARCHIVE", "TARGETS", "pack", "replay", "seeds", "unpack"]

ARCHIVE = Path(__file__).parent / "seeds.zip"
TARGETS = ("plan", "rewrite", "reidentify")


def seeds(target: str) -> list[bytes]:
    """Those of a target, in their order."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        return [archive.read(name) for name in sorted(archive.namelist()) if name.startswith(f"{target}/")]


def unpack(target: str, folder: Path) -> None:
    """Each as a file in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(seeds(target)):
        (folder / f"seed-{number:05}").write_bytes(data)


def pack(found: Path) -> None:
    """Write the archive from a folder with one for each target: the same bytes for the same seeds."""
    everything = {f"{target}/{path.name}": path for target in TARGETS for path in (found / target).iterdir()}
    with zipfile.ZipFile(ARCHIVE, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in sorted(everything.items()):
            archive.writestr(zipfile.ZipInfo(name), path.read_bytes(), zipfile.ZIP_DEFLATED, 9)


def replay(target: str) -> int:
    """Have a target execute its seeds in this Python. Returns how many; an error says which."""
    one = import_module(f"tests.fuzz.{target}").one
    number = 0
    for number, data in enumerate(seeds(target), 1):
        try:
            one(memoryview(data))
        except Exception as error:
            raise AssertionError(f"{target}: seed {number} of {ARCHIVE.name}: {data.hex()}") from error
    return number
