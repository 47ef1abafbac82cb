"""The benchmark page as Markdown, and its plots. Holds no figure of its own: all come from a `Page`."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from benchmarks.cases import Case
from benchmarks.commands import DCMVEIL
from benchmarks.inputs import MEBIBYTE
from benchmarks.measure import Run, Spread, ratios
from benchmarks.peers import EXPECTED, Peer, versions
from benchmarks.plots import Panel, draw

__all__ = ["Page", "write_page"]

REFERENCES = ("dcmveil -e", "dcmveil -e -c")
COMMAND = "python -m benchmarks.page"


class Page(NamedTuple):
    """Everything that a page tells. `systems` are the file systems of small and of large files, `load` that of the
    machine before and after, `floor` the least peak memory in KiB that can be told."""

    began: datetime
    machine: str
    revision: str
    systems: tuple[str, str]
    tools: Sequence[Peer]
    left: tuple[dict[str, int], int]
    folders: Sequence[Case]
    scaling: Case
    large: Sequence[Case]
    single: Case
    floor: int
    load: tuple[str, str]


def write_page(page: Page, output: Path, *, quick: bool) -> None:
    """Write PAGE.md and plots/*.svg below `output`, where the folder plots is."""
    _draw_all(page, output / "plots")
    text = "\n".join(_lines(page, quick))
    (output / "PAGE.md").write_text(text + "\n", encoding="utf-8")


def _draw_all(page: Page, folder: Path) -> None:
    colors = {tool.name: tool.color for tool in page.tools}
    speed = [Panel(_named(case), "files per second", _speeds(case)) for case in page.folders]
    draw(folder / "folders.svg", "Small files on tmpfs: files per second, more is better", speed, colors)
    times = [Panel(_named(case), "seconds", _spreads(case, 1)) for case in page.large]
    draw(folder / "large-time.svg", "One large file: wall time, less is better", times, colors)
    memory = [Panel(_named(case), "peak resident memory, MiB", _peaks(case)) for case in page.large]
    draw(folder / "large-memory.svg", "One large file: peak memory, less is better", memory, colors)
    single = [Panel(_named(page.single), "milliseconds", _spreads(page.single, 1e3))]
    draw(folder / "single.svg", "One CT, whole process: wall time, less is better", single, colors)


def _lines(page: Page, quick: bool) -> Iterator[str]:
    yield from _head(page, quick)
    yield from _who(page)
    yield "## Small files: folders on tmpfs, one process\n"
    yield "![Files per second by tool; the figures are in the tables below](plots/folders.svg)\n"
    for case in page.folders:
        yield from _folder_table(case)
    yield "### More files: one process and two\n"
    yield from _folder_table(page.scaling)
    yield "## One large file on a disk\n"
    yield "![Wall time by tool; the figures are in the tables below](plots/large-time.svg)\n"
    yield "![Peak memory by tool; the figures are in the tables below](plots/large-memory.svg)\n"
    for case in page.large:
        yield from _file_table(case, 1, "s")
    yield "## One small file, whole process\n"
    yield "![Wall time by tool; the figures are in the table below](plots/single.svg)\n"
    yield from _file_table(page.single, 1e3, "ms")
    yield from _commands(page.tools)


def _head(page: Page, quick: bool) -> Iterator[str]:
    yield "# Benchmarks: dcmveil, its peers and `cp`\n"
    if quick:
        yield "**A quick run with few rounds and small files: it shows that the page can be made, and nothing else.**\n"
    yield f"Written by `{COMMAND}{' --quick' if quick else ''}`, {page.began:%Y-%m-%d %H:%M} UTC."
    yield f"{page.machine}; small files on {page.systems[0]}, large ones on {page.systems[1]}, page cache warm."
    yield f"Sources at {page.revision}. Load of the machine before the run {page.load[0]}, at its end {page.load[1]}.\n"
    yield "Tools run in turn, each round beginning with another one; output is deleted and the disk left to settle"
    yield "between runs, outside of the time. Times are those of whole processes, start included: the median of the"
    yield "rounds, and the least and the most of them. A ratio is the median of the ratios within the rounds: above 1"
    yield "the tool takes longer than dcmveil does. Processor time is that of all threads and processes of a tool, peak"
    yield "the most resident memory that one of its processes had in any round, of which less than"
    yield f"{page.floor / 1024:.0f} MiB cannot be told.\n"


def _who(page: Page) -> Iterator[str]:
    counts, texts = page.left
    yield "## Who takes part\n"
    yield "No two do the same work. What each leaves of the identifying texts in `tests/data/sample.dcm` was counted"
    yield "in this run.\n"
    rows = [[f"`{tool.name}`", tool.does, _left(counts.get(tool.name), tool)] for tool in page.tools]
    yield from _table(["tool", "what it does", f"of {texts} texts are left"], rows, texts=2)
    missing = sorted(EXPECTED - {tool.name for tool in page.tools})
    if missing:
        yield f"Not on this machine: {', '.join(missing)}.\n"
    yield from _table(["", "version"], [[name, version] for name, version in versions().items()], texts=2)


def _left(count: int | None, tool: Peer) -> str:
    if tool.folders_only:
        return "as with one process"
    return "failed" if count is None else str(count)


def _folder_table(case: Case) -> Iterator[str]:
    yield f"### {_named(case)}\n"
    yield f"{case.rounds} rounds, {_mebibytes(case.size)} MiB. The last column: what each file after the first takes.\n"
    head = ["tool", "files per second", *_time_heads("s"), "a further file, us"]
    rows = []
    for name in case.runs:
        speed = f"{_speeds(case)[name].middle:,.0f}"
        cells = _time_cells(case, name, "{:.3f}")
        rows.append([f"`{name}`", speed, *cells, f"{_further(case, name):,.0f}"])
    yield from _table(head, rows)
    yield from _failures(case)


def _file_table(case: Case, unit: float, called: str) -> Iterator[str]:
    yield f"### {_named(case)}\n"
    yield f"{case.rounds} rounds.\n"
    pattern = "{:.3f}" if unit == 1 else "{:.1f}"
    rows = [[f"`{name}`", *_time_cells(case, name, pattern, unit)] for name in case.runs]
    yield from _table(["tool", *_time_heads(called)], rows)
    yield from _failures(case)


def _commands(tools: Sequence[Peer]) -> Iterator[str]:
    yield "## Commands\n"
    yield "IN and OUT are files or folders, CERT is a certificate for an RSA key of 2,048 bits. dcmodify edits in"
    yield "place: OUT is a copy made before. The Attributes that are emptied are those of gdcmanon's list that the"
    yield "images have, UIDs apart.\n"
    yield "```sh"
    yield from (_shown(tool.command(Path("IN"), Path("OUT"))) for tool in tools)
    yield "```"


def _shown(argv: Sequence[str]) -> str:
    """A command line as one would type it."""
    places = {sys.executable: "python", DCMVEIL[0]: "dcmveil"}
    words = [places.get(word, word) for word in argv]
    root = f"{Path(__file__).parents[1]}{os.sep}"
    return shlex.join("CERT" if word.endswith("certificate.pem") else word.removeprefix(root) for word in words)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], texts: int = 1) -> Iterator[str]:
    """A Markdown table whose columns after the first `texts` are numbers."""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join(['---'] * texts + ['---:'] * (len(head) - texts))} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


def _failures(case: Case) -> Iterator[str]:
    for name, said in case.failures.items():
        yield f"`{name}` failed: {' '.join(said.split())}\n"


def _named(case: Case) -> str:
    """What a case is called, with how much there is of it."""
    return f"{case.title}, {case.files:,} files" if case.starts else f"{case.title}, {_mebibytes(case.size)} MiB"


def _mebibytes(size: int) -> str:
    mebibytes = size / MEBIBYTE
    return f"{mebibytes:,.0f}" if mebibytes >= 10 else f"{mebibytes:.1f}"


def _walls(runs: Iterable[Run], unit: float = 1) -> list[float]:
    return [run.seconds * unit for run in runs]


def _spreads(case: Case, unit: float) -> dict[str, Spread]:
    return {name: Spread.of(_walls(runs, unit)) for name, runs in case.runs.items()}


def _speeds(case: Case) -> dict[str, Spread]:
    return {name: Spread.of(case.files / run.seconds for run in runs) for name, runs in case.runs.items()}


def _peaks(case: Case) -> dict[str, Spread]:
    return {name: Spread.of(run.peak / 1024 for run in runs) for name, runs in case.runs.items()}


def _further(case: Case, name: str) -> float:
    """Microseconds for each file after the first, start excluded."""
    pairs = zip(_walls(case.runs[name]), _walls(case.starts[name]), strict=True)
    return Spread.of((whole - start) / (case.files - 1) * 1e6 for whole, start in pairs).middle


def _spread(figures: Iterable[float], pattern: str) -> str:
    middle, least, most = map(pattern.format, Spread.of(figures))
    return f"{middle} ({least} to {most})"


def _time_heads(unit: str) -> list[str]:
    ratio_heads = [f"to `{name}`" for name in REFERENCES]
    return [f"wall time, {unit}", f"processor, {unit}", *ratio_heads, "peak, MiB"]


def _time_cells(case: Case, name: str, pattern: str, unit: float = 1) -> list[str]:
    """Wall time, processor time, ratios, peak memory."""
    runs = case.runs[name]
    processor = pattern.format(Spread.of(run.processor * unit for run in runs).middle)
    peak = f"{max(run.peak for run in runs) / 1024:,.1f}"
    return [_spread(_walls(runs, unit), pattern), processor, *_ratio_cells(case, name), peak]


def _ratio_cells(case: Case, name: str) -> list[str]:
    """The time of a tool as a multiple of that of each reference, which itself is in no need of one."""
    cells = []
    for reference in REFERENCES:
        if reference == name or reference not in case.runs:
            cells.append("")
            continue
        spread = ratios(_walls(case.runs[name]), _walls(case.runs[reference]))
        cells.append("{:.2f} ({:.2f} to {:.2f})".format(*spread))
    return cells
