"""The generator of tables.h: what it writes, and what it says of mistakes in the tables."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest

from tests.tables.support import MISTAKES, spoil


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    """A copy of the tables to spoil."""
    for table in [*folder.glob("*.tsv"), folder / "edition.txt"]:
        shutil.copy(table, tmp_path)
    return tmp_path


@pytest.mark.parametrize(("name", "old", "new", "mistake"), MISTAKES)
def test_names_file_and_line_of_a_mistake(
    generate: ModuleType, broken: Path, name: str, old: str, new: str, mistake: str
) -> None:
    line = spoil(broken, name, old, new)
    with pytest.raises(generate.reader.TableError, match=re.escape(mistake)) as caught:
        generate.render(broken)
    reported = str(caught.value).split(": ")[0]
    # A row in the wrong order, or a second one, is noticed at the later of the two.
    assert reported in (f"{name}:{line}", f"{name}:{line + 1}")


def test_writes_only_when_the_text_changes(generate: ModuleType, tmp_path: Path) -> None:
    target = tmp_path / "new" / "tables.h"
    generate.generate(target)
    first = target.stat().st_mtime_ns
    generate.generate(target)
    assert target.stat().st_mtime_ns == first
    target.write_text("old")
    generate.generate(target)
    assert target.read_text(encoding="utf-8") == generate.render()


def test_header_compiles_without_warnings(generate: ModuleType, tmp_path: Path) -> None:
    generate.generate(tmp_path / "tables.h")
    (tmp_path / "unit.c").write_text(
        '#include "tables.h"\nint main(void) { return (int)dcmveil_builtin.uids_count; }\n'
    )
    compiler = str(sysconfig.get_config_var("CC") or "cc").split()
    flags = ["-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    done = subprocess.run([*compiler, *flags, "unit.c"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tables.h").stat().st_size < 2_000_000


def test_declarations_agree_with_the_header(generate: ModuleType, folder: Path) -> None:
    declared = (folder.parent / "dcmveil" / "tables.pxd").read_text(encoding="utf-8")
    header = generate.render()
    names = set(re.findall(r"\b(?:dcmveil|DCMVEIL)_\w+", declared))
    written = set(re.findall(r"\b(?:dcmveil|DCMVEIL)_\w+", header)) - {"DCMVEIL_TABLES_H"}
    assert names == {name for name in written if not name.startswith("dcmveil_builtin_")}
    (members,) = re.findall(r"typedef struct { ([^}]*) } dcmveil_tables;", header)
    (lines,) = re.findall(r"ctypedef struct dcmveil_tables:\n((?: {8}.*\n)+)", declared)
    assert members.rstrip(";").split("; ") == [line.partition("#")[0].strip() for line in lines.splitlines()]
    depth = re.search(r"uint32_t path\[(\d+)\]", declared)
    assert depth is not None
    assert int(depth[1]) == generate.reader.DUMMY_DEPTH


def test_limits_are_those_of_the_program(generate: ModuleType, folder: Path) -> None:
    declared = (folder.parent / "dcmveil" / "_policy.pxd").read_text(encoding="utf-8")
    assert f"MAX_PATTERNS = {generate.reader.MAX_PATTERNS}\n" in declared
    loader = (folder.parent / "dcmveil" / "_loader.pyx").read_text(encoding="utf-8")
    assert f"DUMMY_DEPTH = {generate.reader.DUMMY_DEPTH} " in loader
