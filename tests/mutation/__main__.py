"""Print the counts: `python -m tests.mutation prefixes|bytes|linear [SHARE]`; without a share, of all there is.

Exit status 1 if anything was wrong; times are there to be read."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from tests.hostile.forms import PLAIN_FORMS
from tests.mutation import flips, linear, prefixes


def cut(share: float) -> bool:
    found = False
    for mode in prefixes.MODES:
        before = time.perf_counter()
        counts = prefixes.counted(mode, share)
        said = f"{counts.files} files, {counts.cut} cut, {counts.whole} whole, of them {counts.accepted} accepted"
        found |= _tell(mode, said, counts.wrong, before)
    return found


def changed(share: float) -> bool:
    print(f"{len(flips.objects())} objects, {sum(map(len, flips.objects().values()))} bytes")
    found = False
    for mode in flips.MODES:
        before = time.perf_counter()
        counts = flips.counted(mode, share)
        said = f"{counts.changed} changed, {counts.accepted} accepted, {counts.kept} with a marker where it may stay"
        found |= _tell(mode, f"{said}, {counts.slowest:.3f} s at most", counts.wrong, before)
    return found


def _tell(mode: str, said: str, wrong: Sequence[object], before: float) -> bool:
    took = time.perf_counter() - before
    print(f"{mode:12} {said}, {len(wrong)} wrong, {took:.1f} s", *wrong[:20], sep="\n  ", flush=True)
    return bool(wrong)


def timed(share: float) -> bool:
    print("the command, at full size: shape, form, mode, size, its time, that of a plain file, ratio")
    for name in (*linear.NAMED, "mixed Items"):
        for form in PLAIN_FORMS:
            print(linear.by_command(name, form), flush=True)
    print("within a process")
    for line in linear.lines(share):
        print(line, flush=True)
    return False


COMMANDS: dict[str, Callable[[float], bool]] = {"prefixes": cut, "bytes": changed, "linear": timed}


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0] not in COMMANDS:
        sys.exit(__doc__)
    return COMMANDS[arguments[0]](float(arguments[1]) if len(arguments) > 1 else 1.0)


sys.exit(main(sys.argv[1:]))
