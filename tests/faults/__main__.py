"""The whole campaign, as a table: `python -m tests.faults`, or one part of it.

    files    each call that concerns a file, a pipe or a process, with each of its errors, as interruption, short count
             and kill, in every scene
    memory   allocations, failing once and from then on: see `allocations`; with --every each one by its number
    objects  the same with each Python object an allocation of its own, failing once and for a while, each place once
    process  a sample of all, in processes of their own instead of forks, so that Python starts without memory as well
    kill     SIGKILL at --times random moments of runs over a folder, then --resume; then SIGTERM

Scenes by name restrict all but `kill`; --share 1/2 is every second one of them, 2/2 the others. Exit status 1 if
anything was wrong.
"""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

from tests.faults.allocations import Allocations
from tests.faults.campaign import FILE_KINDS, MEMORY_KINDS, Tally, stage
from tests.faults.kills import BAD, MODES, killing, moments
from tests.faults.scenes import SCENES, Scene
from tests.faults.shim import How

SHOWN = 40  # of what was wrong
PROCESS_SAMPLE = 24
PARTS = ("files", "memory", "objects", "process", "kill")
PLACES = ("allocations", "places", "wanted", "unmet")
COLUMNS = ("runs", "faults", "succeeded", "failed", "killed", "missed")
WRONG = ("PARTIAL", "LOST", "FALSE SUCCESS", "LEFT", "NOT RETRIED", "DIED", "HANGS", "NOISE")


def main() -> int:
    """Run what is asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__.partition("\n")[0])
    parser.add_argument("part", nargs="?", choices=(*PARTS, "all"), default="all")
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help="names as the table has them")
    parser.add_argument("--most", type=int, help="faults of a scene at most")
    parser.add_argument("--every", action="store_true", help="each allocation by its number")
    parser.add_argument("--share", default="1/1", metavar="K/N", help="every Nth scene, from the Kth on")
    parser.add_argument("--times", type=int, default=500, help="SIGKILLs")
    options = parser.parse_args()
    parts = PARTS if options.part == "all" else (options.part,)
    return int(sum(run(part, options) for part in parts) > 0)


def run(part: str, options: argparse.Namespace) -> bool:
    """Returns whether anything was wrong."""
    if part == "kill":
        return _kills(options.times)
    first, _slash, step = options.share.partition("/")
    scenes = (options.scenes or list(SCENES))[int(first) - 1 :: int(step)]
    with tempfile.TemporaryDirectory() as folder:
        return _SCENES_OF[part](scenes, Path(folder), options)


def _files(scenes: list[str], folder: Path, options: argparse.Namespace) -> bool:
    with stage(folder) as campaign:
        return _table("calls", scenes, lambda scene: campaign.run(scene, FILE_KINDS, most=options.most))


def _memory(scenes: list[str], folder: Path, options: argparse.Namespace) -> bool:
    with stage(folder) as campaign:
        return _table("memory", scenes, Allocations(campaign, every=options.every, most=options.most).run, PLACES)


def _objects(scenes: list[str], folder: Path, options: argparse.Namespace) -> bool:
    """With no memory for any object from then on CPython 3.11 jumps to a handler of exceptions for ever, since it
    cannot have the number of the line that it comes from: so it is there again after a while."""
    with stage(folder, allocator="malloc") as campaign:
        allocations = Allocations(campaign, every=options.every, lasting=How.FOR_A_WHILE, once=True, most=options.most)
        return _table("objects", scenes, allocations.run, PLACES)


def _process(scenes: list[str], folder: Path, options: argparse.Namespace) -> bool:
    kinds, most = (*FILE_KINDS, *MEMORY_KINDS), options.most or PROCESS_SAMPLE
    with stage(folder, forks=False) as campaign:
        return _table("processes", scenes, lambda scene: campaign.run(scene, kinds, most=most))


_SCENES_OF = {"files": _files, "memory": _memory, "objects": _objects, "process": _process}


def _table(title: str, scenes: list[str], run: Callable[[Scene], Tally], more: tuple[str, ...] = ()) -> bool:
    total, columns = Tally(), (*more, *COLUMNS, *WRONG)
    print(f"{title:34}", *(f"{name:>13}" for name in (*columns, "seconds")))
    for name in scenes:
        began = time.monotonic()
        tally = run(SCENES[name])
        _put(name, columns, tally.counts, time.monotonic() - began)
        total += tally
    _put("all", columns, total.counts, 0.0)
    for scene, fault, verdict in total.wrong[:SHOWN]:
        print(f"  {scene}: {fault}: {verdict.word} {verdict.text[-300:]}")
    return bool(total.wrong)


def _put(name: str, columns: tuple[str, ...], counts: Counter[str], seconds: float) -> None:
    numbers = [counts[column] for column in columns]
    print(f"{name:34}", *(f"{number:13}" for number in numbers), f"{seconds:13.1f}", flush=True)


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
