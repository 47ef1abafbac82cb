"""The cases of the benchmark page: folders of small files, one large file, one CT; each gives Runs by tool.

Whatever a tool has written is counted and deleted outside of the time. A tool that fails in a case, or writes less
than it should, is left out of the case and its failure told.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.machine import file_system
from benchmarks.measure import Failed, Run, in_turn, run
from benchmarks.peers import Peer
from tests.data.identity import MARKER
from tests.data.make_sample import PATH as SAMPLE

__all__ = ["Case", "Key", "compare", "texts_left"]

# A tool, and whether this is the run over one file that tells what its start takes.
Key = tuple[str, bool]


class Case(NamedTuple):
    """Runs by tool: over all `files` of `size` bytes together, and (`starts`) over one of them, where that differs."""

    title: str
    files: int
    size: int
    rounds: int
    runs: dict[str, list[Run]]
    starts: dict[str, list[Run]]
    failures: dict[str, str]


def compare(
    title: str, source: Path, tools: Sequence[Peer], folder: Path, rounds: int, *, first: Path | None = None
) -> Case:
    """Time `tools` over `source`, a file or a folder; with `first`, a folder of one file, over that as well.

    Outputs stand under `folder`. A first run of each tool warms up and does not count.
    """
    files = sorted(source.iterdir()) if source.is_dir() else [source]
    actions: dict[Key, Callable[[], Run]] = {}
    failures: dict[str, str] = {}
    for tool in tools:
        wanted = {(tool.name, False): partial(_once, tool, source, folder / "out", len(files))}
        if first:
            wanted[tool.name, True] = partial(_once, tool, first, folder / "out", 1)
        try:
            for action in wanted.values():
                action()
        except Failed as failure:
            failures[tool.name] = str(failure)
        else:
            actions |= wanted
    done = in_turn(actions, rounds)
    runs, starts = ({name: one for (name, start), one in done.items() if start is only} for only in (False, True))
    return Case(title, len(files), sum(path.stat().st_size for path in files), rounds, runs, starts, failures)


def _once(tool: Peer, source: Path, target: Path, files: int) -> Run:
    """One run, after which there is no output any more."""
    try:
        _prepare(tool, source, target)
        taken = run(tool.command(source, target))
        written = _files(target)
        if len(written) != files or not all(path.stat().st_size for path in written):
            raise Failed(f"{len(written)} of {files} files were written")
    finally:
        _remove(target)
    return taken


def _prepare(tool: Peer, source: Path, target: Path) -> None:
    if tool.in_place and source.is_dir():
        shutil.copytree(source, target)
    elif tool.in_place:
        shutil.copyfile(source, target)
    elif tool.needs_folder and source.is_dir():
        target.mkdir()
    if file_system(target.parent) != "tmpfs":
        os.sync()  # so that nobody pays for what was written before


def _files(target: Path) -> list[Path]:
    found: Iterable[Path] = target.rglob("*") if target.is_dir() else [target]
    return [path for path in found if path.is_file()]


def _remove(target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target)
    target.unlink(missing_ok=True)


def texts_left(tools: Sequence[Peer], folder: Path) -> tuple[dict[str, int], int]:
    """How many identifying texts of the tests' sample each tool leaves in its output, and how many there are.

    Tools for folders only do what others of their name do; one that fails is not in the answer.
    """
    left: dict[str, int] = {}
    for tool in tools:
        target = folder / "left"
        try:
            if not tool.folders_only:
                left[tool.name] = _texts_left(tool, target)
        except Failed:
            continue
        finally:
            _remove(target)
    return left, len(_texts(SAMPLE))


def _texts_left(tool: Peer, target: Path) -> int:
    _prepare(tool, SAMPLE, target)
    run(tool.command(SAMPLE, target))
    return len(_texts(SAMPLE) & set().union(*map(_texts, _files(target))))


def _texts(path: Path) -> set[bytes]:
    """The texts by their numbers."""
    return set(re.findall(re.escape(MARKER) + rb"(\d+)", path.read_bytes()))
