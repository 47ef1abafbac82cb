"""What was measured, as a table and as a list of branches that were not taken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.coverage.copied import CONFIGURATION, Copy

__all__ = ["Figures", "Line", "engine", "python", "table"]


class Figures(NamedTuple):
    """Branches of a file, or of several."""

    taken: int
    branches: int

    @property
    def percent(self) -> float:
        """100 where there are none."""
        return 100 * self.taken / self.branches if self.branches else 100.0


class Line(NamedTuple):
    """A file with its figures, and each branch that was not taken in words."""

    name: str
    figures: Figures
    missing: list[str]


def engine(copy: Copy) -> Iterator[Line]:
    """The sources of ext."""
    seen = (copy.data / "seen").read_bytes()
    places = json.loads((copy.data / "places.json").read_text(encoding="utf-8"))
    for path in sorted((copy.tree / "ext" / "dcmveil").glob("*.p*")):
        own = [(number, place) for number, place in enumerate(places) if place[0] == path.name]
        missing = [
            f"ext/dcmveil/{path.name}:{line}:{column + 1}: never {outcome}"
            for number, (_, line, column) in own
            for outcome, taken in zip(("true", "false"), seen[2 * number : 2 * number + 2], strict=True)
            if not taken
        ]
        yield Line(f"ext/dcmveil/{path.name}", Figures(2 * len(own) - len(missing), 2 * len(own)), missing)


def python(copy: Copy) -> Iterator[Line]:
    """The sources of src."""
    report = copy.data / "python.json"
    copy.python("-m", "coverage", "json", "--quiet", f"--rcfile={CONFIGURATION}", "-o", report)
    for name, found in sorted(json.loads(report.read_text(encoding="utf-8"))["files"].items()):
        file = f"src/dcmveil/{Path(name).name}"
        summary = found["summary"]
        missing = [f"{file}:{start}: never to {_way(end)}" for start, end in found["missing_branches"]]
        yield Line(file, Figures(summary["covered_branches"], summary["num_branches"]), missing)


def _way(end: int) -> str:
    return f"line {end}" if end > 0 else "the end"


def table(lines: list[Line], total: str) -> tuple[str, Figures]:
    """One line per file that has branches, and one for all of them."""
    figures = Figures(sum(line.figures.taken for line in lines), sum(line.figures.branches for line in lines))
    rows = [*((line.name, line.figures) for line in lines if line.figures.branches), (total, figures)]
    return "\n".join(f"{name:36} {f.taken:5} of {f.branches:5} {f.percent:6.2f} %" for name, f in rows), figures
