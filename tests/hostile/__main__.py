"""`python -m tests.hostile readers [COUNT [SEED]]`: mutated objects through the De-identifier, and what other readers
find in the outputs. `python -m tests.hostile channels FOLDER`: every leak channel as files, with an index of what has
to become of each.
"""

from __future__ import annotations

import sys

from tests.hostile.differential import campaign


def readers(count: str = "1000", seed: str = "0") -> int:
    """Print the findings and the figures; 1 if there are findings."""
    done = campaign(int(count), int(seed))
    print(*done.findings, done, sep="\n")
    return bool(done.findings)


def main(arguments: list[str]) -> int:
    commands = {"readers": readers}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 2
    return commands[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
