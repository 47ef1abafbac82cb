"""Print both figures: `python -m tests.planted [FILES [SEED]]`, and with -v what is left or lost."""

from __future__ import annotations

import sys

from .run import figures


def main(arguments: list[str]) -> None:
    numbers = [int(argument) for argument in arguments if argument != "-v"]
    found = figures(*numbers)
    if "-v" in arguments:
        print(*found.left, *found.lost, sep="\n")
    print(found)


main(sys.argv[1:])
