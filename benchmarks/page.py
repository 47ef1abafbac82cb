"""The benchmark page: dcmveil, its peers and `cp` side by side. Writes PAGE.md and plots/*.svg.

    python -m benchmarks.page [--quick] [--folder DIR] [--output DIR]

Small files stand on tmpfs (/dev/shm, if it is there), large ones under DIR (default: TMPDIR), which takes 3 GiB. What
a machine does not have is left out and named. `--quick`: few rounds and small files, only to see that it works; its
page goes to .benchmarks/page. Every figure of the page is of the run that wrote it.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.cases import Case, compare, texts_left
from benchmarks.inputs import MEBIBYTE, ct_series, large_file
from benchmarks.machine import file_system, load, machine, revision
from benchmarks.measure import run
from benchmarks.peers import Peer, make_certificate, peers
from benchmarks.writing import Page, write_page

HERE = Path(__file__).parent
QUICK_OUTPUT = HERE.parent / ".benchmarks" / "page"
TMPFS = Path("/dev/shm")
# Those that --jobs is compared with over more files: there the start of a second process counts for less.
SCALING = ("dcmveil -e", "dcmveil -e -c", "dcmveil -e --jobs 2", "dcmveil -e -c --jobs 2", "gdcmanon -e -c", "cp")


class Scale(NamedTuple):
    """How many files of each kind, MiB of the large ones, and rounds of each case."""

    tiny: int
    slices: int
    many: int
    mebibytes: int
    folder_rounds: int
    large_rounds: int
    single_rounds: int


FULL = Scale(500, 300, 4000, 1024, 9, 5, 21)
QUICK = Scale(8, 4, 16, 4, 1, 1, 1)


def folder_case(title: str, tools: list[Peer], folder: Path, rows: int, count: int, rounds: int) -> Case:
    """A folder of `count` files, and one with the first of them."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        source = ct_series(Path(name) / "series", rows, count)
        first = ct_series(Path(name) / "first", rows, 1)
        return compare(title, source, tools, Path(name), rounds, first=first)


def large_case(title: str, tools: list[Peer], folder: Path, scale: Scale, *, encapsulated: bool) -> Case:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        source = large_file(Path(name) / "large.dcm", scale.mebibytes * MEBIBYTE, encapsulated=encapsulated)
        return compare(title, source, tools, Path(name), scale.large_rounds)


def single_case(tools: list[Peer], folder: Path, rounds: int) -> Case:
    with tempfile.TemporaryDirectory(dir=folder) as name:
        source = ct_series(Path(name) / "series", 512, 1) / "00001.dcm"
        return compare("One CT 512x512", source, tools, Path(name), rounds)


def gather(small: Path, large: Path, scale: Scale) -> Page:
    """Run everything."""
    began, load_before = datetime.now(UTC), load()
    tools = peers(make_certificate(small))
    for_files = [tool for tool in tools if not tool.folders_only]
    for_scaling = [tool for tool in tools if tool.name in SCALING]
    return Page(
        began=began,
        machine=machine(),
        revision=revision(),
        systems=(file_system(small), file_system(large)),
        tools=tools,
        left=texts_left(tools, small),
        folders=[
            folder_case("CT 64x64", tools, small, 64, scale.tiny, scale.folder_rounds),
            folder_case("CT 512x512", tools, small, 512, scale.slices, scale.folder_rounds),
        ],
        scaling=folder_case("CT 64x64", for_scaling, small, 64, scale.many, scale.folder_rounds),
        large=[
            large_case("Native", for_files, large, scale, encapsulated=False),
            large_case("Encapsulated", for_files, large, scale, encapsulated=True),
        ],
        single=single_case(for_files, small, scale.single_rounds),
        floor=run(["true"]).peak,
        load=(load_before, load()),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description="dcmveil beside its peers and cp: PAGE.md and plots")
    parser.add_argument("--quick", action="store_true", help="few rounds, small files: only to see that it works")
    parser.add_argument("--folder", help="where large temporary files may stand (default: TMPDIR)")
    parser.add_argument("--output", type=Path, help="where PAGE.md and plots go (default: benchmarks)")
    options = parser.parse_args()
    output = options.output or (QUICK_OUTPUT if options.quick else HERE)
    with ExitStack() as stack:
        places = (TMPFS if TMPFS.is_dir() else options.folder, options.folder)
        small, large = (Path(stack.enter_context(tempfile.TemporaryDirectory(dir=place))) for place in places)
        page = gather(small, large, QUICK if options.quick else FULL)
    shutil.rmtree(output / "plots", ignore_errors=True)
    (output / "plots").mkdir(parents=True)
    write_page(page, output, quick=options.quick)
    print(output / "PAGE.md")


if __name__ == "__main__":
    main()
