"""The whole campaign, as a table: `python -m tests.faults`, or one part of it.

    files    each call that concerns a file, a pipe or a process, with each of its errors, as interruption, short count
             and kill, in every scene
    memory   each allocation, failing once, from then on, and killed there; with --most N a sample of each scene
    process  a sample of both, in processes of their own instead of forks
    kill     SIGKILL at --times random moments of runs over a folder, then --resume; then SIGTERM

Scenes by name restrict `files`, `memory` and `process`. Exit status 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

from tests.faults.campaign import FILE_KINDS, MEMORY_KINDS, Campaign, Tally, stage
from tests.faults.kills import BAD, MODES, killing, moments
from tests.faults.scenes import SCENES
from tests.faults.shim import Kind

SHOWN = 40  # of what was wrong
MEMORY_SAMPLE = 600  # allocations of a scene that fail; OpenSSL alone makes thousands
OBJECTS_SAMPLE = 150  # with every Python object an allocation of its own
PROCESS_SAMPLE = 12
PARTS = ("files", "memory", "process", "kill")
COLUMNS = ("runs", "faults", "succeeded", "failed", "killed", "missed")
WRONG = ("PARTIAL", "LOST", "FALSE SUCCESS", "LEFT", "NOT RETRIED", "DIED", "HANGS", "NOISE")


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("part", nargs="?", choices=(*PARTS, "all"), default="all")
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help="names as the table has them")
    parser.add_argument("--most", type=int, help="faults of a scene at most")
    parser.add_argument("--times", type=int, default=500, help="SIGKILLs")
    options = parser.parse_args()
    parts = PARTS if options.part == "all" else (options.part,)
    return int(sum(run(part, options) for part in parts) > 0)


def run(part: str, options: argparse.Namespace) -> bool:
    """Returns whether anything was wrong."""
    if part == "kill":
        return _kills(options.times)
    scenes = options.scenes or list(SCENES)
    if part == "files":
        return _campaign("calls", scenes, FILE_KINDS, options.most)
    if part == "process":
        return _campaign("processes", scenes, (*FILE_KINDS, *MEMORY_KINDS), options.most or PROCESS_SAMPLE, forks=False)
    most = options.most
    wrong = _campaign("memory", scenes, MEMORY_KINDS, most or MEMORY_SAMPLE)
    return _campaign("objects", scenes, MEMORY_KINDS, most or OBJECTS_SAMPLE, allocator="malloc") or wrong


def _campaign(
    title: str,
    scenes: list[str],
    kinds: tuple[Kind, ...],
    most: int | None,
    *,
    allocator: str | None = None,
    forks: bool = True,
) -> bool:
    total = Tally()
    print(f"{title:28}", *(f"{name:>13}" for name in (*COLUMNS, *WRONG, "seconds")))
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder), allocator=allocator, forks=forks) as campaign:
        for name in scenes:
            total += _row(campaign, name, kinds, most)
    _put("all", total.counts, 0.0)
    for scene, fault, verdict in total.wrong[:SHOWN]:
        print(f"  {scene}: {fault}: {verdict.word} {verdict.text[-300:]}")
    return bool(total.wrong)


def _row(campaign: Campaign, name: str, kinds: tuple[Kind, ...], most: int | None) -> Tally:
    began = time.monotonic()
    tally = campaign.run(SCENES[name], kinds, most=most)
    _put(name, tally.counts, time.monotonic() - began)
    return tally


def _put(name: str, counts: Counter[str], seconds: float) -> None:
    numbers = [counts[column] for column in (*COLUMNS, *WRONG)]
    print(f"{name:28}", *(f"{number:13}" for number in numbers), f"{seconds:13.1f}", flush=True)


def _kills(times: int) -> bool:
    wrong = False
    for number, wanted, nameless in (
        (signal.SIGKILL, times, True),
        (signal.SIGTERM, 48, True),
        (signal.SIGTERM, 48, False),
    ):
        began, total = time.monotonic(), Counter[str]()
        with tempfile.TemporaryDirectory() as folder, killing(Path(folder), nameless=nameless) as kills:
            for mode, moment in zip(cycle(MODES), moments(number), strict=False):
                if total["signals"] >= wanted:
                    break
                total += kills.kill(mode, number, moment)
        print(f"{number.name}, {'files without a name' if nameless else 'temporary names'}: ", end="")
        print(
            ", ".join(f"{count} {name}" for name, count in sorted(total.items())), f"{time.monotonic() - began:.0f} s"
        )
        wrong |= any(total[name] for name in BAD)
    return wrong


sys.exit(main())
