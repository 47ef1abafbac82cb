"""python -m tests.coverage [--html FOLDER] [--missing] [arguments of pytest]: see the head of the package."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.coverage import copied, report

ENGINE_BOUND = 95.0
PYTHON_BOUND = 98.0


def main() -> int:
    """Measure, and print what has been found."""
    parser = argparse.ArgumentParser("python -m tests.coverage", description=__doc__, allow_abbrev=False)
    parser.add_argument("--html", type=Path, metavar="FOLDER", help="pages of src, line by line")
    parser.add_argument("--missing", action="store_true", help="print each branch that was not taken")
    options, arguments = parser.parse_known_args()
    copy = copied.make()
    copied.build(copy)
    copied.run_tests(copy, *arguments)
    lines, good = [], True
    for part, found, bound in (("ext", report.engine, ENGINE_BOUND), ("src", report.python, PYTHON_BOUND)):
        lines += (own := list(found(copy)))
        text, figures = report.table(own, f"{part}, at least {bound} %")
        print(text, end="\n\n")
        good = good and figures.percent >= bound
    if options.missing:
        print(*(missing for line in lines for missing in line.missing), sep="\n")
    if options.html:
        copy.python(
            "-m", "coverage", "html", "--quiet", f"--rcfile={copied.CONFIGURATION}", "-d", options.html.resolve()
        )
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
