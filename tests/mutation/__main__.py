"""Print the counts: `python -m tests.mutation prefixes|bytes|linear [SHARE]`; without a share, of all there is."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from tests.hostile.forms import PLAIN_FORMS
from tests.mutation import flips, linear, prefixes


def cut(share: float) -> None:
    for mode in prefixes.MODES:
        before = time.perf_counter()
        counts = prefixes.counted(mode, share)
        said = f"{counts.files} files, {counts.cut} cut, {counts.whole} whole, of them {counts.accepted} accepted"
        wrong = f"{len(counts.wrong)} wrong, {time.perf_counter() - before:.1f} s"
        print(f"{mode:12} {said}, {wrong}", *counts.wrong[:20], sep="\n  ", flush=True)


def changed(share: float) -> None:
    print(f"{len(flips.objects())} objects, {sum(map(len, flips.objects().values()))} bytes")
    for mode in flips.MODES:
        before = time.perf_counter()
        counts = flips.counted(mode, share)
        said = f"{counts.changed} changed, {counts.accepted} accepted, {counts.kept} with a marker where it may stay"
        wrong = f"{len(counts.wrong)} wrong, {counts.slowest:.3f} s at most, {time.perf_counter() - before:.1f} s"
        print(f"{mode:12} {said}, {wrong}", *counts.wrong[:20], sep="\n  ", flush=True)


def timed(share: float) -> None:
    print("the command, at full size: shape, form, mode, size, its time, that of a plain file, ratio")
    for name in (*linear.NAMED, "mixed Items"):
        for form in PLAIN_FORMS:
            print(linear.by_command(name, form), flush=True)
    print("within a process")
    for line in linear.lines(share):
        print(line, flush=True)


COMMANDS: dict[str, Callable[[float], None]] = {"prefixes": cut, "bytes": changed, "linear": timed}


def main(arguments: list[str]) -> None:
    if not arguments or arguments[0] not in COMMANDS:
        sys.exit(__doc__)
    COMMANDS[arguments[0]](float(arguments[1]) if len(arguments) > 1 else 1.0)


main(sys.argv[1:])
