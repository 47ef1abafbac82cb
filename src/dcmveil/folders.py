"""Walking folders: which files there are, and where their outputs go.

No symbolic link is followed, and no output falls into the input folder, or a second run would find it there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from errno import EINVAL
from pathlib import Path
from typing import NamedTuple

from dcmveil.errors import OutputError, show_path

__all__ = ["Found", "walk"]


class Found(NamedTuple):
    """An input file and its output; `problem` if it is clear beforehand that it cannot be processed."""

    source: str
    target: str | None
    problem: str | None = None


class _Place(NamedTuple):
    source: Path
    target: Path | None
    problem: str | None = None


def walk(source: str, target: str | None, *, recursive: bool) -> Iterator[Found]:
    """The files of the folder `source`, in the order of their names, with where their outputs go below `target`.

    Names beginning with a dot are left out; folders below only with `recursive`. Symbolic links and special
    files come with a problem, and so does a folder that cannot be used. Folders of the output are made as needed.
    Raises OutputError if `target` is no folder or the same as `source`.
    """
    into = None if target is None else Path(target)
    if into is not None:
        _check_folders(Path(source), into)
    for place in _walk(Path(source), into, recursive):
        yield Found(str(place.source), None if place.target is None else str(place.target), place.problem)


def _check_folders(source: Path, target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise OutputError(f"{show_path(target)}: is no folder, but the input is one")
    if target.resolve() == source.resolve():
        raise OutputError(f"{show_path(target)}: input and output folder must differ")


def _walk(source: Path, target: Path | None, recursive: bool) -> Iterator[_Place]:
    """Depth first. The stack is a list: folders may be nested deeper than Python calls may be."""
    bounds = source.resolve(), None if target is None else target.resolve()
    waiting = [(_Place(source, target), True)]
    while waiting:
        place, is_folder = waiting.pop()
        if not is_folder:
            yield place
            continue
        try:
            waiting += reversed(_entries(place, *bounds, recursive=recursive))
        except OSError as error:
            where = "" if error.filename in (None, str(place.source)) else f"{show_path(error.filename)}: "
            yield place._replace(problem=f"folder cannot be used: {where}{error.strerror}")


def _entries(folder: _Place, root: Path, avoid: Path | None, *, recursive: bool) -> list[tuple[_Place, bool]]:
    """What is in a folder, by name, and whether it is a folder to go into: not the one of the output, if that is here.

    Raises OSError if the folder cannot be read or the one for the output not be made."""
    entries = sorted(os.scandir(folder.source), key=lambda entry: entry.name)
    if folder.target is not None and avoid is not None:
        if _hits_input(folder.target.resolve(), root, avoid):
            raise OSError(EINVAL, "its output would fall into the input folder")
        folder.target.mkdir(parents=True, exist_ok=True)
    found = []
    for entry in entries:
        path = folder.source / entry.name
        is_folder = entry.is_dir(follow_symlinks=False)
        if entry.name.startswith(".") or (is_folder and not (recursive and path.resolve() != avoid)):
            continue
        ordinary = is_folder or entry.is_file(follow_symlinks=False)
        problem = None if ordinary else "is a symbolic link or special file: not followed"
        target = None if folder.target is None else folder.target / entry.name
        found.append((_Place(path, target, problem), is_folder))
    return found


def _hits_input(place: Path, root: Path, target: Path) -> bool:
    """Is `place` within the input folder, and not only because the whole output folder is?"""
    return place.is_relative_to(root) and not (target.is_relative_to(root) and place.is_relative_to(target))
