"""`python -m tests.hostile readers [COUNT [SEED]]`: mutated objects through the De-identifier, and what other readers
find in the outputs. `python -m tests.hostile channels FOLDER`: every leak channel as files in a new folder, with an
index of what has to become of each.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from pathlib import Path

from tests.hostile.cases import cases
from tests.hostile.differential import campaign


def readers(count: str = "1000", seed: str = "0") -> int:
    """Print the findings and the figures; 1 if there are findings."""
    done = campaign(int(count), int(seed))
    print(*done.findings, done, sep="\n")
    return bool(done.findings)


def channels(name: str) -> int:
    """Write each case as a file of its own, and `index.tsv`."""
    folder = Path(name)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        print(f"{name}: {error.strerror}", file=sys.stderr)
        return 1
    with (folder / "index.tsv").open("w", encoding="utf-8", newline="") as file:
        index = csv.writer(file, delimiter="\t", lineterminator="\n")
        index.writerow(["file", "case", "expected", "markers"])
        for number, case in enumerate(cases()):
            path = folder / f"{case.channel:02}-{number:04}.dcm"
            path.write_bytes(case.data)
            index.writerow([path.name, case.id, case.expected, b" ".join(case.markers).decode()])
    print(f"{len(cases())} files in {name}")
    return 0


def main(arguments: list[str]) -> int:
    commands: dict[str, Callable[..., int]] = {"readers": readers, "channels": channels}
    if not arguments or arguments[0] not in commands:
        print(__doc__)
        return 2
    return commands[arguments[0]](*arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
