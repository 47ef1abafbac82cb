"""The generator of tables.h: what it writes, and what it says of mistakes in the tables."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def broken(folder: Path, tmp_path: Path) -> Path:
    """A copy of the tables to spoil."""
    for table in folder.glob("*.tsv"):
        shutil.copy(table, tmp_path)
    return tmp_path


def spoil(folder: Path, name: str, old: str, new: str) -> int:
    """Replaces a text that stands once in a table; its line number."""
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


MISTAKES = [
    ("dictionary.tsv", "0010,0020\tPatientID\tLO", "0010,0020\tPatientID\tLL", "unknown VR 'LL'"),
    ("dictionary.tsv", "0010,0020\tPatientID", "0010,002G\tPatientID", "not a tag"),
    ("dictionary.tsv", "0010,0021\tIssuer", "0010,0020\tIssuer", "already in line"),
    ("confidentiality.tsv", "PatientID\tLO\t1\tN\tY\tZ/D", "PatientID\tLO\t1\tN\tY\tZD", "basic 'ZD' is none of"),
    ("vr_gaps.tsv", "SOPClassesSupported\tUI\tstructural", "SOPClassesSupported\tUI\tother", "role 'other'"),
    ("uids.tsv", "1.2.840.10008.1.2.2\t", "1.2.840.10008.01.2.2\t", "is not a UID"),
    ("uids.tsv", "\tEVR BE\t", "\tEVR XE\t", "unknown flag 'XE'"),
    ("module_types.tsv", "acquisition-context\t0040,0555\t2", "acquisition-context\t0040,0555\t4", "type '4'"),
    ("nested_types.tsv", "0008,1111\t0008,1155", "0008,11xx\t0008,1155", "must not hold wildcards"),
    ("dummy_items.tsv", "0034,0001\t0034,0002\tOB", "0034,0001\t0034,0009\tOB", "tag order"),
    ("dummy_items.tsv", "0034,0001\t0034,0002\tOB\t", "0034,0001\t0034,0002\tOB", "3 columns instead of 4"),
    ("codes.tsv", "113100\tDCM", "113101\tDCM", "already in line"),
]


@pytest.mark.parametrize(("name", "old", "new", "mistake"), MISTAKES)
def test_names_file_and_line_of_a_mistake(
    generate: ModuleType, broken: Path, name: str, old: str, new: str, mistake: str
) -> None:
    line = spoil(broken, name, old, new)
    with pytest.raises(generate.TableError, match=re.escape(mistake)) as caught:
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
    (tmp_path / "unit.c").write_text('#include "tables.h"\nint main(void) { return (int)dcmveil_uids_count; }\n')
    compiler = str(sysconfig.get_config_var("CC") or "cc").split()
    flags = ["-fsyntax-only", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
    done = subprocess.run([*compiler, *flags, "unit.c"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "tables.h").stat().st_size < 2_000_000


def test_declarations_agree_with_the_header(generate: ModuleType, folder: Path) -> None:
    declared = (folder.parent / "dcmveil" / "tables.pxd").read_text(encoding="utf-8")
    header = generate.render()
    names = set(re.findall(r"\b(?:dcmveil|DCMVEIL)_\w+", declared))
    assert names == set(re.findall(r"\b(?:dcmveil|DCMVEIL)_\w+", header)) - {"DCMVEIL_TABLES_H"}
    depth = re.search(r"uint32_t path\[(\d+)\]", declared)
    assert depth is not None
    assert int(depth[1]) == generate.DUMMY_DEPTH
