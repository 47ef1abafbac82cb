"""Ratios of run times, measured in turn: A B A B ..., so that a change of the machine's load meets both.

    python -m benchmarks.compare [--folder DIR] [--rounds N] [--mebibytes N] [COMMAND ...]

COMMAND is compared to `cp` in place of dcmveil; in it `{source}` and `{target}` stand for the files.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.commands import DCMVEIL, Command, commands, cp
from tests.synthetic import ct_image, native_image, write_stream

VERSION = [*DCMVEIL, "-v"]
NOTHING = [sys.executable, "-c", "pass"]


def run(command: list[str], target: Path | None = None) -> float:
    """Seconds that `command` takes; `target` is removed before and after, outside of the time."""
    if target:
        target.unlink(missing_ok=True)
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    elapsed = time.perf_counter() - start
    if target:
        target.unlink()
    return elapsed


def interleave(first: Callable[[], float], second: Callable[[], float], rounds: int) -> str:
    """Median and fastest of both in ms, the median ratio of the pairs, and the ratio of the fastest.

    One warm-up pair goes before. Where a virtual machine gives memory back to its host, whoever needs it next waits
    for it: on such a machine the fastest say more of a program than the medians.
    """
    pairs = [(first(), second()) for _ in range(rounds + 1)][1:]
    columns = list(zip(*pairs, strict=True))
    times = " | ".join(f"{median(column) * 1000:.1f} ({min(column) * 1000:.1f})" for column in columns)
    fastest = min(columns[0]) / min(columns[1])
    return f"{times} | {median(one / other for one, other in pairs):.2f} | {fastest:.2f} |"


def compare_files(folder: Path, source: Path, command: Command, other: Command, rounds: int) -> str:
    target = folder / "target.dcm"
    first, second = (partial(run, tool(source, target), target) for tool in (command, other))
    return interleave(first, second, rounds)


def from_words(words: list[str]) -> Command:
    """A command line with `{source}` and `{target}` as a Command."""
    return lambda source, target: [word.format(source=source, target=target) for word in words]


def report(folder: Path, words: list[str], rounds: int, size: int) -> None:
    tools = commands(folder)
    big, small = folder / "big.dcm", folder / "small.dcm"
    write_stream(big, native_image(size), sparse=False)
    write_stream(small, ct_image(), sparse=False)
    print("| compared | first, ms (fastest) | second, ms (fastest) | ratio | of the fastest |")
    print("| --- | ---: | ---: | ---: | ---: |")
    command = from_words(words) if words else tools["dcmveil"]
    print(f"| {size >> 20} MiB: {words[0] if words else 'dcmveil'} to cp |", end=" ")
    print(compare_files(folder, big, command, cp, rounds), flush=True)
    if "gdcmanon" in tools:
        print("| one CT: dcmveil to gdcmanon |", end=" ")
        print(compare_files(folder, small, tools["dcmveil"], tools["gdcmanon"], rounds * 3), flush=True)
    print("| start: dcmveil -v to python -c pass |", end=" ")
    print(interleave(partial(run, VERSION), partial(run, NOTHING), rounds * 3), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="ratios of run times, measured in turn")
    parser.add_argument("--folder", help="where temporary files may stand (default: TMPDIR)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--mebibytes", type=int, default=1024)
    parser.add_argument("command", nargs="*", help="what to compare to cp, with {source} and {target}")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        report(Path(name), options.command, options.rounds, options.mebibytes << 20)


if __name__ == "__main__":
    main()
