"""Peak resident memory of `dcmveil IN OUT` in a process of its own, as a Markdown table.

    python -m benchmarks.memory [--folder DIR] [--small] [--tool dcmveil|cp|gdcmanon] [--all-options]

Sources are sparse, so 8 GiB cost no disk; a target is real and deleted as soon as it has been measured.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from benchmarks.commands import Command, commands, dcmveil
from dcmveil.arguments import OPTIONS
from tests.synthetic import (
    Chunk,
    encapsulated_image,
    enhanced_ct,
    native_image,
    rt_structure_set,
    small_functional_groups,
    write_stream,
)
from tests.synthetic.rss import peak_rss

MEBIBYTE = 1 << 20
SMALL: dict[str, Callable[[], Iterable[Chunk]]] = {
    "64 MiB native": lambda: native_image(64 * MEBIBYTE),
    "64 MiB encapsulated": lambda: encapsulated_image(64, MEBIBYTE),
    "100,000 Fragments": lambda: encapsulated_image(100_000, 64),
    "multi-frame, 220,000 elements": lambda: enhanced_ct(2000),
    "100,000 Items, defined lengths": small_functional_groups,
    "100,000 Items, undefined lengths": lambda: small_functional_groups(undefined=True),
    "contours": rt_structure_set,
}
HUGE: dict[str, Callable[[], Iterable[Chunk]]] = {
    "8 GiB native": lambda: native_image(8192 * MEBIBYTE),
    "8 GiB encapsulated": lambda: encapsulated_image(8192, MEBIBYTE),
}


def measure(command: Command, chunks: Iterable[Chunk], folder: Path) -> tuple[int, int, int]:
    """Size of the source in bytes, exit status of the command, its peak memory in KiB."""
    source, target = folder / "source.dcm", folder / "target.dcm"
    try:
        size = write_stream(source, chunks)
        status, peak = peak_rss(command(source, target))
    finally:
        source.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
    return size, status, peak


def with_all_options(source: Path, target: Path) -> list[str]:
    chosen = [option for option in OPTIONS if option != "retain_full_dates"]
    return [*dcmveil(source, target), *(f"--{option.replace('_', '-')}" for option in chosen)]


def main() -> None:
    parser = argparse.ArgumentParser(description="peak resident memory of one command over large files")
    parser.add_argument("--folder", help="where temporary files may stand (default: TMPDIR)")
    parser.add_argument("--small", action="store_true", help="leave out the files of 8 GiB")
    parser.add_argument("--tool", default="dcmveil", choices=["cp", "dcmveil", "gdcmanon"])
    parser.add_argument("--all-options", action="store_true", help="dcmveil with all Options but full dates")
    options = parser.parse_args()
    shapes = SMALL if options.small else SMALL | HUGE
    print("| file | size, MiB | exit status | peak RSS, MiB |\n| --- | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        command = commands(Path(name))[options.tool]
        if options.all_options:
            command = with_all_options
        for shape, chunks in shapes.items():
            size, status, peak = measure(command, chunks(), Path(name))
            print(f"| {shape} | {size / MEBIBYTE:.1f} | {status} | {peak / 1024:.1f} |", flush=True)


if __name__ == "__main__":
    main()
