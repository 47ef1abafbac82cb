"""What is counted as a branch of ext: no condition is left out, none counts twice, and none changes what it does."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tokenize
from collections import Counter
from pathlib import Path

import pytest
from Cython.Compiler.TreeFragment import parse_from_strings

from tests.coverage.branches import Places, counted
from tests.coverage.copied import ROOT, Copy
from tests.coverage.report import Figures, engine

SOURCES = sorted((ROOT / "ext" / "dcmveil").glob("*.p[yx][xd]"))
WORDS = {"if", "elif", "while", "for", "and", "or"}

SETUP = """
from setuptools import Extension, setup
from Cython.Build import cythonize
modules = [Extension("%s", ["ext/dcmveil/%s.pyx"])]
setup(ext_modules=cythonize(modules, include_path=["ext"], compiler_directives={"language_level": 3}))
"""
SHARED = """
cdef inline int sign(int a) noexcept nogil:
    return 1 if a > 0 else -1
"""
MODULE = """
from dcmveil.%s_shared cimport sign

cdef int search(const unsigned char *text, int size, int wanted) noexcept nogil:
    cdef int i
    for i in range(size):                                       # both: found in "xa" only
        if text[i] == wanted and (i & 1 or wanted != 97):       # the first and the second both, the third false
            return i
    return -1

def find(bytes text, int wanted):
    cdef int number = search(text, len(text), wanted)
    return number or None                                       # true

def choose(first, second):
    return first or second                                      # both

def is_between(int low, int a, int high):
    return low <= a and not a > high                            # never asked

def squares(numbers):
    return [sign(number) * number * number for number in numbers if number]     # both, and both

def last(a):
    while True:
        if a is None:                                           # both
            return 1
        a = None
"""
CALLS = """
import os, sys, %s as m
assert (m.find(b'xa', 97), m.find(b'ab', 97)) == (1, -1)
assert (m.choose('', 'b'), m.choose('a', []), m.choose([], {})) == ('b', 'a', {})
assert (m.squares([2, 0]), m.last(1)) == ([4], 1)
os.kill(os.getpid(), 9)
"""
MISSING = {"7: never true", "13: never false", "19: never true", "19: never false"}


def words(path: Path) -> int:
    """How many words of a source make a condition; that of `while True` makes none."""
    found, before = 0, ""
    with path.open(encoding="utf-8") as source:
        for token in tokenize.generate_tokens(source.readline):
            found += token.type == tokenize.NAME and token.string in WORDS
            found -= before == "while" and token.string == "True"
            before = token.string
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_condition_that_is_written_counts_once(path: Path) -> None:
    places = Places()
    pxd = path.suffix == ".pxd"
    tree = parse_from_strings(path.name, path.read_text(encoding="utf-8"), level="module_pxd" if pxd else None)
    counted(tree, path.name, pxd, places)
    assert Counter(place.file for place in places.found)[path.name] == words(path)


def run(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.ci
def test_outcomes_are_noted_and_stay_what_they_were(tmp_path: Path) -> None:
    """Also of an inline function of a .pxd, without the GIL, and in a process that is killed."""
    name = "dcmveil_counted"
    sources = tmp_path / "ext" / "dcmveil"
    sources.mkdir(parents=True)
    (sources / "__init__.pxd").touch()
    (sources / f"{name}_shared.pxd").write_text(SHARED)
    (sources / f"{name}.pyx").write_text(MODULE % name)
    (tmp_path / "setup.py").write_text(SETUP % (name, name))
    copy = Copy(tmp_path, tmp_path / "data", tmp_path)
    copy.data.mkdir()
    run(tmp_path, "-m", "tests.coverage.build", str(copy.data))
    assert [line.figures for line in engine(copy)] == [Figures(0, 0), Figures(0, 20), Figures(0, 2)]
    done = subprocess.run([sys.executable, "-c", CALLS % name], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == -9, done.stderr
    _, module, shared = engine(copy)
    assert {re.sub(r".*pyx:(\d+):\d+", r"\1", way) for way in module.missing} == MISSING
    assert module.figures == Figures(16, 20)
    assert [way.rpartition(" ")[2] for way in shared.missing] == ["false"]
