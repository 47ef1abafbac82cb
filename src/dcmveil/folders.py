"""Walking folders: which files there are, and where their outputs go.

Names come sorted, and no listing is held whole: of a folder with a million files only so many names at a time, each
time by reading it once more. Symbolic links are followed to regular files within the input folder and nowhere else;
below the output folder none is. No output falls into the input folder, or a second run would find it there, nor among
those of another folder, nor in the place of another output of the run.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterator
from errno import EINVAL
from typing import NamedTuple

from dcmveil.errors import OutputError, show_path
from dcmveil.trees import Beneath, Tree, is_within

__all__ = ["Found", "Walk"]


class Found(NamedTuple):
    """An input file and its output; `problem` if it is clear beforehand that it cannot be processed.

    `exists`: an output was there already, under exactly this name.
    """

    source: str
    target: str | None
    problem: str | None = None
    exists: bool = False


class Walk:
    """The files of the folder `source`, in the order of their names, with where their outputs go below `target`.

    Names beginning with a dot are left out; folders below only with `recursive`. Special files come with a problem,
    and so does a folder that cannot be used. Folders of the output are made as needed. Raises OutputError if `target`
    is no folder or the same as `source`.
    """

    def __init__(self, source: str, target: str | None, *, recursive: bool) -> None:
        if target is not None:
            _check_folders(source, target)
        self._source = source
        self._target = target
        self._source_top, self._target_top = (os.path.join(top or "", "") for top in (source, target))
        self._recursive = recursive
        self._inputs: Tree | None = None
        self._outputs: Tree | None = None
        self._used: set[tuple[int, int]] = set()  # output folders, by device and inode: however many ways lead there

    def input(self, source: str) -> Beneath:
        """Where an input is that has been found."""
        assert self._inputs is not None
        return Beneath(self._inputs, source[len(self._source_top) :], source)

    def output(self, target: str | None, exists: bool) -> Beneath | None:
        """Where its output is to be: in the place of one that `exists`, or of none."""
        if self._outputs is None or self._target is None or target is None:
            return None
        return Beneath(self._outputs, target[len(self._target_top) :], target, is_new=not exists)

    def __iter__(self) -> Iterator[Found]:
        """Depth first. The stack is a list: folders may be nested deeper than Python calls may be."""
        way = [self._entries("")]
        while way:
            entry = next(way[-1], None)
            if entry is None:
                way.pop()
            elif isinstance(entry, _Folder):
                way.append(self._entries(entry.relative))
            else:
                yield entry

    def _entries(self, folder: str) -> Iterator[Found | _Folder]:
        """What is in a folder; the folder itself, with the problem, if it or that of the output cannot be used."""
        try:
            inputs, made = self._opened_inputs(), None
            for names in inputs.names(folder):
                if made is None:  # what cannot be read needs no output
                    made = self._prepare_output(folder)
                there = self._there(folder, names, made)
                for name, is_file in names.items():
                    relative = f"{folder}/{name}" if folder else name
                    exists = name in there
                    entry = self._found(relative, exists) if is_file else self._look_at(inputs, relative, exists)
                    if entry is not None:
                        yield entry
        except OSError as error:
            found = self._found(folder)
            where = "" if error.filename in (None, found.source, os.curdir) else f"{show_path(error.filename)}: "
            yield found._replace(problem=f"folder cannot be used: {where}{error.strerror}")

    def _opened_inputs(self) -> Tree:
        if self._inputs is None:
            self._inputs = Tree(self._source, avoiding=self._target)
        return self._inputs

    def _prepare_output(self, folder: str) -> bool:
        """Returns whether it has been made, so that nothing can be there."""
        if self._target is None:
            return True
        if self._hits_input(folder):
            raise OSError(EINVAL, "its output would fall into the input folder")
        made = self._make_top() if self._outputs is None else self._outputs.make(folder)
        assert self._outputs is not None
        here = _identity(os.fstat(self._outputs.folder(folder)))
        if here in self._used:
            raise OSError(EINVAL, "its output would fall among that of another folder")
        self._used.add(here)
        return made

    def _make_top(self) -> bool:
        assert self._target is not None
        try:
            os.makedirs(self._target)
            made = True
        except FileExistsError:
            made = False
        self._outputs = Tree(self._target)
        return made

    def _hits_input(self, folder: str) -> bool:
        """Is its output within the input folder, and not only because the whole output folder is?"""
        assert self._inputs is not None
        assert self._target is not None
        target, source = os.path.realpath(self._target), self._inputs.real
        return not is_within(target, source) and is_within(os.path.join(target, folder), source)

    def _there(self, folder: str, names: Container[str], made: bool) -> set[str]:
        """The names whose outputs are there before any of them is written."""
        return set() if made or self._outputs is None else self._outputs.among(folder, names)

    def _look_at(self, inputs: Tree, relative: str, exists: bool) -> Found | _Folder | None:
        """A file, a folder to go into, or None for what is left out."""
        found = self._found(relative, exists)
        try:
            status = inputs.status(relative)
        except OSError as error:
            return found._replace(problem=f"cannot be looked at: {error.strerror}")
        if stat.S_ISDIR(status.st_mode):
            enter = self._recursive and _identity(status) not in self._used
            return _Folder(relative) if enter else None
        if not (stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode)):
            return found._replace(problem="is no regular file: not read")
        return found

    def _found(self, relative: str, exists: bool = False) -> Found:
        if not relative:
            return Found(self._source, self._target)
        target = None if self._target is None else self._target_top + relative
        return Found(self._source_top + relative, target, None, exists)


def _check_folders(source: str, target: str) -> None:
    if os.path.exists(target):
        if not os.path.isdir(target):
            raise OutputError(f"{show_path(target)}: is no folder, but the input is one")
        if os.path.samefile(source, target):
            raise OutputError(f"{show_path(target)}: input and output folder must differ")


class _Folder(NamedTuple):
    """A folder to go into."""

    relative: str


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
