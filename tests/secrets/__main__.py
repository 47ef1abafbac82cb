"""How long it takes to find that a blob cannot be decrypted: `python -m tests.secrets oracle [BLOBS [BYTES]]`.

Blobs of each kind of fault take turns, so that whatever else the machine does meets all of them alike. One kind is
measured twice under two names: by how much these differ is noise. Times are of the Re-identifier, from the blob to the
error; the originals that are encrypted have BYTES bytes.
"""

from __future__ import annotations

import gc
import sys
from contextlib import suppress
from random import Random
from statistics import median, quantiles
from time import perf_counter_ns

from dcmveil.cms import Opener
from dcmveil.errors import DecryptionError
from dcmveil.reidentifying import _open
from dcmveil.reversal import pack
from tests.hostile.forms import EXPLICIT
from tests.reversible.keys import EXPLICIT_SYNTAX
from tests.secrets.blobs import KINDS, Blob, blob
from tests.services.certificates import rsa_key

AGAIN = "content, once more"
SEED = 20262


def nanoseconds(opener: Opener, data: bytes) -> int:
    """For one blob, to its error."""
    began = perf_counter_ns()
    with suppress(DecryptionError):
        _open(opener, EXPLICIT_SYNTAX, data)
        raise AssertionError("it can be decrypted")
    return perf_counter_ns() - began


def measured(found: Blob, count: int) -> dict[str, list[int]]:
    """The times of so many blobs of each kind, in an order that is drawn anew for each round."""
    kinds = {**KINDS, AGAIN: KINDS["content"]}
    random, opener = Random(SEED), Opener(rsa_key())
    times: dict[str, list[int]] = {kind: [] for kind in kinds}
    gc.disable()
    for _round in range(count):
        for kind in random.sample(list(kinds), len(kinds)):
            times[kind].append(nanoseconds(opener, kinds[kind](found, random)))
    return times


def report(times: dict[str, list[int]]) -> None:
    """A line for each kind, and by how much they differ."""
    print(f"{'what is wrong':<32}{'blobs':>7}{'median us':>11}{'quartiles us':>18}")
    for kind, found in times.items():
        low, middle, high = (value / 1000 for value in quantiles(found, n=4))
        print(f"{kind:<32}{len(found):>7}{middle:>11.1f}{low:>10.1f}{high:>8.1f}")
    medians = {kind: median(found) / 1000 for kind, found in times.items()}
    apart = max(medians.values()) - min(medians.values())
    noise = abs(medians["content"] - medians[AGAIN])
    print(f"medians are at most {apart:.1f} us apart; those of the same kind {noise:.1f} us")


def main(arguments: list[str]) -> int:
    """The command line."""
    if arguments[:1] != ["oracle"] or len(arguments) > 3 or not all(map(str.isdecimal, arguments[1:])):
        print(__doc__)
        return 1
    count, size = [*map(int, arguments[1:]), *(1000, 1000)[len(arguments) - 1 :]]
    original = EXPLICIT.element(0x00104000, "LT", b"x" * (size - size % 2)) if size < 65536 else b""
    original = original or EXPLICIT.element(0x00204000, "UT", b"x" * (size - size % 2))
    report(measured(blob(pack(original, None, added=[])), count))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
