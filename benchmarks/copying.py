"""How bulk is copied: one native object with every `--copy`, beside `cp --reflink=never`, and on XFS where blocks are
shared (root mounts an image of its own for that).

    python -m benchmarks.copying [--mib 1024] [--rounds 11] [--folder DIR]

Whole processes, taken in turn, page cache warm. Prints Markdown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks.commands import DCMVEIL
from benchmarks.inputs import MEBIBYTE, large_file
from benchmarks.measure import Run, Spread, in_turn, ratios, run

METHODS = ("auto", "splice", "readwrite")


def anew(argv: list[str], target: Path) -> Run:
    """A run whose output is not there before, nor afterwards."""
    target.unlink(missing_ok=True)
    done = run(argv)
    target.unlink()
    return done


def actions(source: Path, target: Path, methods: tuple[str, ...]) -> dict[str, Callable[[], Run]]:
    commands = {f"--copy {method}": [*DCMVEIL, "--copy", method, str(source), str(target)] for method in methods}
    commands = {"cp --reflink=never": ["cp", "--reflink=never", str(source), str(target)], **commands}
    return {name: partial(anew, argv, target) for name, argv in commands.items()}


def report(title: str, found: dict[str, list[Run]]) -> None:
    base = [one.seconds for one in found["cp --reflink=never"]]
    print(f"\n| {title} | median, ms | least, ms | ratio to cp, median (least to most) |\n| --- | ---: | ---: | ---: |")
    for name, runs in found.items():
        seconds = [one.seconds for one in runs]
        spread, ratio = Spread.of(seconds), ratios(seconds, base)
        numbers = f"{1000 * spread.middle:.0f} | {1000 * spread.least:.0f}"
        print(f"| {name} | {numbers} | {ratio.middle:.2f} ({ratio.least:.2f} to {ratio.most:.2f}) |", flush=True)


@contextmanager
def xfs(folder: Path, size: int) -> Iterator[Path]:
    """An XFS whose files can share blocks, in an image in `folder`."""
    image, mounted = folder / "image", folder / "xfs"
    with image.open("wb") as file:
        file.truncate(size)
    mounted.mkdir()
    subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mounted], check=True)
    try:
        yield mounted
    finally:
        subprocess.run(["umount", mounted], check=True)
        image.unlink()


def measure(folder: Path, mib: int, rounds: int, methods: tuple[str, ...], title: str) -> None:
    source = large_file(folder / "source.dcm", mib * MEBIBYTE, encapsulated=False)
    taken = actions(source, folder / "target.dcm", methods)
    for action in taken.values():
        action()
    report(f"{title}, {mib} MiB", in_turn(taken, rounds))
    source.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mib", type=int, default=1024)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        measure(folder, options.mib, options.rounds, METHODS, "native, same file system")
        if os.geteuid() == 0:
            with xfs(folder, (3 * options.mib + 512) * MEBIBYTE) as mounted:
                for mib in (options.mib // 16, options.mib):
                    measure(mounted, mib, options.rounds, ("auto",), "native, XFS with reflink")


if __name__ == "__main__":
    main()
