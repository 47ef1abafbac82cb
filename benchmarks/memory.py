"""Peak resident memory of whole processes over large files, as a Markdown table.

    python -m benchmarks.memory [--folder DIR] [--small] [--tool dcmveil|cp|gdcmanon] [--all-options]

dcmveil runs with `-e` and `-e -c`, each from file to file and through pipes: `cat IN | dcmveil ... - OUT`, `dcmveil
... IN - | cat >OUT`, and both at once, of which the most counts. What went wrong stands below the table and has no
figure: also an output of a pipe that is not that of the file (with `-c`, where every output is another one: that is
not as long).

Sources are sparse where they are not deflated; two targets are real at a time, and deleted when they have been
compared. The largest takes 13 GiB.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from benchmarks.commands import DCMVEIL, Command, commands
from benchmarks.measure import Failed, Run, run
from benchmarks.peers import make_certificate
from benchmarks.shapes import LARGE, MEBIBYTE, SMALL
from dcmveil.arguments import OPTIONS
from tests.synthetic import Chunk, write_stream

LIMITS = {"-e": 40, "-e -c": 56}  # MiB: what dcmveil promises
TOLERANCE = 1024  # bytes by which what is encrypted may deflate better in one output than in another
SECRET = "a secret of more than 16 bytes"


class Way(NamedTuple):
    """How a source gets in and a target out: through a pipe or by name."""

    reads_pipe: bool
    writes_pipe: bool

    def __str__(self) -> str:
        return f"{'-' if self.reads_pipe else 'IN'} {'-' if self.writes_pipe else 'OUT'}"


FILES = Way(False, False)
PIPES = (Way(True, False), Way(False, True), Way(True, True))


def through(words: Sequence[str], way: Way, source: Path, target: Path) -> Run:
    """Run dcmveil with the options `words`. Failed if it fails."""
    names = ("-" if way.reads_pipe else source, "-" if way.writes_pipe else target)
    with ExitStack() as stack:
        stdin = stdout = None
        if way.reads_pipe:
            stdin = stack.enter_context(subprocess.Popen(["cat", source], stdout=subprocess.PIPE)).stdout
        if way.writes_pipe:
            file = stack.enter_context(open(target, "wb"))
            stdout = stack.enter_context(subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=file)).stdin
        return run([*DCMVEIL, *words, *map(str, names)], stdin, stdout)


def most(peaks: Iterable[Run]) -> str:
    """The largest of some peaks in MiB, "" if there is none."""
    listed = [one.peak / 1024 for one in peaks]
    return f"{max(listed):.1f}" if listed else ""


class Measured:
    """The cells of one row, and what went wrong, by mode and message."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.expected, self.target = (source.with_suffix(suffix) for suffix in (".expected", ".out"))
        self.failures: dict[tuple[str, str], list[Way]] = {}

    def cells(self, mode: str, words: Sequence[str]) -> list[str]:
        """Peak memory by file, and the most of the pipes that wrote what they should."""
        try:
            by_file = self._peak(mode, words, FILES, self.expected)
            by_pipe = [one for way in PIPES for one in self._peak(mode, words, way, self.target)]
        finally:
            self.expected.unlink(missing_ok=True)
        return [most(by_file), most(by_pipe)]

    def notes(self) -> list[str]:
        """What went wrong, a line for each message."""
        return [f"`{mode}`, `{'`, `'.join(map(str, ways))}`: {said}" for (mode, said), ways in self.failures.items()]

    def _peak(self, mode: str, words: Sequence[str], way: Way, target: Path) -> list[Run]:
        """One Run, none if it failed."""
        try:
            found = through(words, way, self.source, target)
            self._check(mode, target)
        except Failed as failure:
            said = str(failure).splitlines()[-1].rpartition(": ")[2]  # without the name of the file
            self.failures.setdefault((mode, said), []).append(way)
            return []
        finally:
            self.target.unlink(missing_ok=True)
        return [found]

    def _check(self, mode: str, target: Path) -> None:
        """Failed if `target` is not what was written from file to file."""
        if not target.is_file() or not target.stat().st_size:
            raise Failed("nothing was written")
        if target == self.expected:
            return
        if not self.expected.exists():
            raise Failed("an output where there is none from file to file")
        if mode == "-e" and not filecmp.cmp(self.expected, target, shallow=False):
            raise Failed("another output than from file to file")
        if abs(self.expected.stat().st_size - target.stat().st_size) > TOLERANCE:
            raise Failed("an output of another length than from file to file")


def modes(folder: Path, *, all_options: bool) -> dict[str, list[str]]:
    """What dcmveil is to do. The same secret for all, so that all outputs of `-e` are the same."""
    secret = folder / "secret"
    secret.write_text(SECRET, encoding="utf-8")
    secret.chmod(0o600)
    words = ["--secret-file", os.fspath(secret)]
    if all_options:
        words += [f"--{option.replace('_', '-')}" for option in OPTIONS if option != "retain_full_dates"]
    return {"-e": ["-e", *words], "-e -c": ["-e", "-c", os.fspath(make_certificate(folder)), *words]}


def report_ours(shapes: dict[str, Iterable[Chunk]], folder: Path, *, all_options: bool) -> None:
    """The table of dcmveil."""
    todo, notes = modes(folder, all_options=all_options), []
    print(f"| peak resident memory, MiB | file | {' | '.join(f'`{mode}` | `{mode}`, pipes' for mode in todo)} |")
    print("| --- | ---: |" + " ---: | ---: |" * len(todo))
    for shape, chunks in shapes.items():
        source = folder / "source.dcm"
        size = write_stream(source, chunks)
        measured = Measured(source)
        cells = [cell for mode, words in todo.items() for cell in measured.cells(mode, words)]
        print(f"| {shape} | {size / MEBIBYTE:.1f} | {' | '.join(cells)} |", flush=True)
        notes += [f"- {shape}, {note}" for note in measured.notes()]
        source.unlink()
    print(f"| to be held | | {' | '.join(f'{LIMITS[mode]} | {LIMITS[mode]}' for mode in todo)} |\n")
    print("\n".join(notes))


def report_theirs(shapes: dict[str, Iterable[Chunk]], folder: Path, command: Command) -> None:
    """The table of another tool, from file to file."""
    print("| file | size, MiB | peak RSS, MiB |\n| --- | ---: | ---: |")
    source, target = folder / "source.dcm", folder / "target.dcm"
    for shape, chunks in shapes.items():
        size = write_stream(source, chunks)
        try:
            said = most([run(command(source, target))])
        except Failed as failure:
            said = " ".join(str(failure).split())
        print(f"| {shape} | {size / MEBIBYTE:.1f} | {said} |", flush=True)
        target.unlink(missing_ok=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="peak resident memory over large files")
    parser.add_argument("--folder", help="where temporary files may stand (default: TMPDIR)")
    parser.add_argument("--small", action="store_true", help="leave out files over 64 MiB")
    parser.add_argument("--tool", default="dcmveil", choices=["cp", "dcmveil", "gdcmanon"])
    parser.add_argument("--all-options", action="store_true", help="dcmveil with all Options but full dates")
    options = parser.parse_args()
    shapes = {name: make() for name, make in (SMALL if options.small else SMALL | LARGE).items()}
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        if options.tool == "dcmveil":
            report_ours(shapes, Path(name), all_options=options.all_options)
        else:
            report_theirs(shapes, Path(name), commands(Path(name))[options.tool])


if __name__ == "__main__":
    main()
