"""The command of the fuzzers: see `tests.fuzz`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.fuzz import building
from tests.fuzz.seeds import TARGETS, pack, replay, unpack

FOUND = building.BUILT / "found"
CRASHES = building.BUILT / "crashes"
# Bytes of an input; MiB of memory, sanitizers and all, and of one block.
MOST_BYTES = {"plan": 500, "rewrite": 700, "reidentify": 4800}
MOST_MEMORY = 64
MOST_AT_ONCE = 8
MOST_SECONDS = 10


def main(arguments: list[str]) -> int:
    """The exit status."""
    options = _options(arguments)
    if options.work == "replay":
        for target in options.targets:
            print(f"{target}: {replay(target)} seeds")
        return 0
    if options.work == "build" or not building.FUZZER.exists():
        build(options.targets)
    if options.work == "run":
        return max(run(target, options.runs, options.seconds, lines=options.lines) for target in options.targets)
    if options.work == "merge":
        for target in options.targets:
            merge(target)
        pack(FOUND)
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("work", choices=["build", "run", "merge", "replay"], nargs="?", default="run")
    parser.add_argument("targets", nargs="*", default=[*TARGETS], metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--runs", type=int, default=-1, help="of each target; without an end if neither is given")
    parser.add_argument("--seconds", type=int, default=0)
    parser.add_argument("--lines", action="store_true", help="count the lines of Python as coverage too: slower")
    options = parser.parse_args(arguments)
    if not set(options.targets) <= set(TARGETS):
        parser.error(f"a TARGET is one of {', '.join(TARGETS)}")
    return options


def build(targets: Iterable[str]) -> None:
    """The fuzzer. Its first run compiles the Python of a target, which takes memory: it is one without a limit."""
    building.build()
    for target in targets:
        with tempfile.TemporaryDirectory() as seeds:
            unpack(target, Path(seeds))
            _fuzzer(target, ["-runs=0", "-rss_limit_mb=0", seeds], lines=False)


def run(target: str, runs: int, seconds: int, *, lines: bool = False, found: Path = FOUND) -> int:
    """Fuzz a target; what is new goes to a folder of its own below `found`. Returns the exit status of the fuzzer."""
    CRASHES.mkdir(parents=True, exist_ok=True)
    (found / target).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as seeds:
        unpack(target, Path(seeds))
        options = [f"-runs={runs}", f"-max_total_time={seconds}", "-entropic=0", "-print_final_stats=1"]
        options.append(f"-artifact_prefix={CRASHES}/{target}-")
        return _fuzzer(target, [*options, str(found / target), seeds], lines=lines)


def merge(target: str) -> None:
    """Of seeds and of what has been found as few as have the same coverage."""
    with tempfile.TemporaryDirectory() as folder:
        seeds, merged = Path(folder, "seeds"), Path(folder, "merged")
        unpack(target, seeds)
        merged.mkdir()
        (FOUND / target).mkdir(parents=True, exist_ok=True)
        _fuzzer(target, ["-merge=1", "-use_counters=0", str(merged), str(seeds), str(FOUND / target)], lines=False)
        for path in (FOUND / target).iterdir():
            path.unlink()
        for path in merged.iterdir():
            path.rename(FOUND / target / path.name)


def _fuzzer(target: str, options: list[str], *, lines: bool) -> int:
    limits = [f"-max_len={MOST_BYTES[target]}", f"-timeout={MOST_SECONDS}"]
    limits += [f"-rss_limit_mb={MOST_MEMORY}", f"-malloc_limit_mb={MOST_AT_ONCE}"]
    command = [str(building.FUZZER), *limits, *options]  # of an option that is there twice the last one counts
    return subprocess.run(command, env=building.environment(target, lines=lines), check=False).returncode


if __name__ == "__main__":
    os.chdir(building.CHECKOUT)
    sys.exit(main(sys.argv[1:]))
