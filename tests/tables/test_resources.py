"""Tables of another edition at run time. What loads some does so in a process of its own, since that is for good."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydicom import Dataset, dcmread
from pydicom.uid import UID

from dcmveil import _tables
from dcmveil.errors import DcmveilError, ResourceError
from dcmveil.resources import check_tables, edition, load_resources
from dcmveil.tables_reader import TABLES
from tests.tables.support import MISTAKES, spoil

ALL = [f"{name}.tsv" for name in TABLES]
LOADED = """
import json, os, sys
from dcmveil import Policy, _tables, deidentify_file
from dcmveil.resources import edition, load_resources
folder, *arguments = sys.argv[1:]
"""
# Whatever the program can ask the tables; in `arguments` are the tags to ask for.
EVERYTHING = """
def everything():
    tags = [int(tag, 16) ^ more for tag in arguments[0].split() for more in (0, 1, 0x20000)]
    attributes = [(_tables.keyword(tag), _tables.dictionary_vrs(tag), _tables.dictionary_vr(tag)) for tag in tags]
    profile = [tag for tag, *_ in _tables.confidentiality()]
    types = [_tables.iod_type(iod, tag) for iod in range(len(_tables.iods())) for tag in profile]
    uids = [(_tables.transfer_syntax_flags(f"1.2.840.10008.1.2.4.{i}"), _tables.iod_of(f"1.2.840.10008.5.1.4.1.1.{i}"))
            for i in range(300)]
    known = [_tables.is_well_known_uid(f"2.16.840.1.113883.6.{i}".encode()) for i in range(1000)]
    lists = [_tables.confidentiality(), _tables.gaps(), _tables.codes(), _tables.nested_types()]
    lists += [_tables.attributes(), _tables.safe_private(), _tables.structured_content()]
    lists += [_tables.module_types(), _tables.iods(), _tables.sop_classes(), list(map(_tables.dummy_item, profile))]
    return attributes, types, uids, known, lists
"""

Site = Callable[..., Path]
Rows = Callable[..., list[dict[str, str]]]


@pytest.fixture
def site(folder: Path, tmp_path: Path) -> Site:
    """Makes a folder with copies of some built-in tables."""

    def make(*names: str) -> Path:
        target = tmp_path / "site"
        target.mkdir()
        for name in names:
            shutil.copy(folder / name, target)
        return target

    return make


@pytest.fixture
def tags(rows: Rows) -> str:
    """All tags of the dictionary, in hexadecimal."""
    return " ".join(row["tag"].replace(",", "").replace("x", "0") for row in rows("dictionary"))


def python(script: str, *arguments: object) -> Any:
    """Runs a script in a process of its own; what it prints last, as JSON."""
    command = [sys.executable, "-c", LOADED + script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refused(folder: Path) -> str:
    """What is said of a folder, with the built-in tables still in force."""
    return python(
        """
from dcmveil.errors import ResourceError
before = _tables.confidentiality(), _tables.dictionary_vr(0x00100020), edition()
try:
    load_resources(folder)
except ResourceError as error:
    assert before == (_tables.confidentiality(), _tables.dictionary_vr(0x00100020), edition())
    Policy()
    print(json.dumps(str(error)))
""",
        folder,
    )


def deidentified(folder: Path, source: Path, target: Path) -> Dataset:
    python(
        "load_resources(folder); deidentify_file(*arguments, Policy(secret=bytes(16))); print(0)",
        folder,
        source,
        target,
    )
    return dcmread(target)


# ---- what is taken ---------------------------------------------------------------------------------------------


def test_all_tables_again_say_the_same(folder: Path, tags: str) -> None:
    """Every look-up in the arrays made at run time finds what it finds in those made at build time."""
    script = "before = everything(); names = load_resources(folder); assert before == everything(); "
    names = python(EVERYTHING + script + "print(json.dumps(names))", folder, tags)
    assert names == [*ALL, "edition.txt"]


@pytest.mark.parametrize("name", ALL)
def test_each_table_can_come_alone(site: Site, tags: str, name: str) -> None:
    """The others stay as they are built in."""
    script = "before = everything(); names = load_resources(folder); assert before == everything(); "
    said = python(EVERYTHING + script + "print(json.dumps([names, edition()]))", site(name), tags)
    assert said == [[name], "(site)"]


def test_another_action_is_obeyed(site: Site, sample_image: Path, tmp_path: Path) -> None:
    """R2"""
    folder = site("confidentiality.tsv")
    spoil(folder, "confidentiality.tsv", "PatientName\tPN\t1\tN\tY\tZ\t", "PatientName\tPN\t1\tN\tY\tX\t")
    spoil(folder, "confidentiality.tsv", "StudyDescription\tLO\t1\tN\tY\tX\t", "StudyDescription\tLO\t1\tN\tY\tK\t")
    done = deidentified(folder, sample_image, tmp_path / "out.dcm")
    assert "PatientName" not in done
    assert done.StudyDescription == dcmread(sample_image).StudyDescription
    assert done.PatientID == "" or "VEILME" not in done.PatientID


def test_a_new_attribute_is_known(site: Site, sample_image: Path, tmp_path: Path) -> None:
    """R26: and is removed without the new table."""
    folder, source = site("dictionary.tsv"), tmp_path / "in.dcm"
    with (folder / "dictionary.tsv").open("a", encoding="utf-8") as table:
        table.write("0018,FFFE\tNewAttribute\tSH\t1\tN\t6\t\tNew Attribute\n")
    image = dcmread(sample_image)
    image.add_new(0x0018FFFE, "SH", "new")
    image.save_as(source)
    assert deidentified(folder, source, tmp_path / "out.dcm")[0x0018FFFE].value == "new"
    python("deidentify_file(*arguments, Policy()); print(0)", "", source, tmp_path / "old.dcm")
    assert 0x0018FFFE not in dcmread(tmp_path / "old.dcm")


@pytest.mark.parametrize(("vm", "most"), [("1-2", 2), ("2-2n", 9), ("999", 9), ("", 9), (None, 9)])
def test_numbers_may_be_as_many_as_the_table_says(
    vm: str | None, most: int, site: Site, sample_image: Path, tmp_path: Path
) -> None:
    """Column vm; any number if it has none, or more than are counted."""
    folder, source = site("dictionary.tsv"), tmp_path / "in.dcm"
    spoil(folder, "dictionary.tsv", "PixelPaddingValue\tUS or SS\t1\t", f"PixelPaddingValue\tUS or SS\t{vm}\t")
    if vm is None:
        spoil(folder, "dictionary.tsv", "tag\tkeyword\tvr\tvm\t", "tag\tkeyword\tvr\tno\t")
    image = dcmread(sample_image)
    for count in (most, most + 1) if most < 9 else (9,):
        image.add_new(0x00280120, "US", [7] * count)
        image.save_as(source)
        assert (0x00280120 in deidentified(folder, source, tmp_path / "out.dcm")) == (count == most)


def test_a_new_transfer_syntax_is_read(site: Site, sample_image: Path, tmp_path: Path) -> None:
    folder, source = site("uids.tsv"), tmp_path / "in.dcm"
    with (folder / "uids.tsv").open("a", encoding="utf-8") as table:
        table.write("1.2.3.4\tTransfer Syntax\tN\tEVR LE\tNewSyntax\tNew Syntax\n")
    image = dcmread(sample_image)
    image.file_meta.TransferSyntaxUID = UID("1.2.3.4")
    image.save_as(source, implicit_vr=False, little_endian=True)
    done = deidentified(folder, source, tmp_path / "out.dcm")
    assert done.file_meta.TransferSyntaxUID == "1.2.3.4"
    assert done.Rows == image.Rows
    said = python(
        "load_resources(folder); print(json.dumps([_tables.is_well_known_uid(b'1.2.3.4'), "
        "_tables.transfer_syntax_flags('1.2.3.4')]))",
        folder,
    )
    assert said == [True, 0]


def test_tables_of_iods_are_joined_with_those_built_in(site: Site) -> None:
    """R9: one new table of three at a time, in one folder after the other."""
    script = """
load_resources(folder)
print(json.dumps([[_tables.iod_type(_tables.iod_of(uid), tag) for tag in (0x00400555, 0x00400556)]
                  for uid in arguments]))
"""
    ecg, private = "1.2.840.10008.5.1.4.1.1.9.1.1", "1.2.3.4"
    folder = site("module_types.tsv")
    spoil(folder, "module_types.tsv", "acquisition-context\t0040,0556\t3", "acquisition-context\t0040,0556\t1")
    assert python(script, folder, ecg, private) == [[2, 1], [3, 3]]
    (folder / "module_types.tsv").unlink()
    (folder / "iod_sop.tsv").write_text("sop_class_uid\tiod\n1.2.3.4\t12-lead-ecg\n")
    assert python(script, folder, ecg, private) == [[3, 3], [2, 3]]
    (folder / "iod_sop.tsv").unlink()
    (folder / "iod_modules.tsv").write_text("iod\tmodules(usage:module)\n12-lead-ecg\tM:patient\nnew\t\n")
    assert python(script, folder, ecg, private) == [[3, 3], [3, 3]]


def test_line_ends_of_windows_and_a_byte_order_mark_are_no_mistakes(site: Site) -> None:
    folder = site("codes.tsv", "edition.txt")
    for path in folder.iterdir():
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    script = "old = _tables.codes(); load_resources(folder); print(json.dumps([old == _tables.codes(), edition()]))"
    assert python(script, folder) == [True, "2026d"]


def test_a_large_dictionary(site: Site, sample_image: Path, tmp_path: Path) -> None:
    """More Attributes than the built-in hash table of a Policy has slots."""
    folder = site("dictionary.tsv")
    with (folder / "dictionary.tsv").open("a", encoding="utf-8") as table:
        table.writelines(f"7A{g:02X},{e:04X}\tMore\tSH\t1\tN\t6\t\t\n" for g in (0, 2) for e in range(1, 20_000))
    done = deidentified(folder, sample_image, tmp_path / "out.dcm")
    python("deidentify_file(*arguments, Policy(secret=bytes(16))); print(0)", "", sample_image, tmp_path / "old.dcm")
    old = dcmread(tmp_path / "old.dcm")
    del done.DeidentificationMethod, old.DeidentificationMethod
    assert done == old


def test_a_small_dictionary(site: Site, sample_image: Path, tmp_path: Path) -> None:
    """What is no longer in it is removed."""
    folder = site("dictionary.tsv")
    own = ("tag", "0008,0016", "0008,0018", "0012,0062", "0012,0063", "0012,0064", "0028,0303", "0400,0500")
    lines = (folder / "dictionary.tsv").read_text(encoding="utf-8").splitlines(keepends=True)
    (folder / "dictionary.tsv").write_text("".join(line for line in lines if line.startswith(own)), encoding="utf-8")
    done = deidentified(folder, sample_image, tmp_path / "out.dcm")
    assert [f"{element.tag.group:04X},{element.tag.element:04X}" for element in done] == list(own[1:7])


def test_children_have_the_tables_too(site: Site) -> None:
    folder = site("confidentiality.tsv")
    spoil(folder, "confidentiality.tsv", "PatientName\tPN\t1\tN\tY\tZ\t", "PatientName\tPN\t1\tN\tY\tX\t")
    script = """
load_resources(folder)
child = os.fork()
if child == 0:
    os._exit({row[0]: row[2] for row in _tables.confidentiality()}[0x00100010] != "X" or edition() != "(site)")
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert python(script, folder) == 0


# ---- the edition -----------------------------------------------------------------------------------------------


def test_built_in_tables_name_their_edition(folder: Path) -> None:
    assert edition() == (folder / "edition.txt").read_text().strip() == "2026d"


def test_a_folder_names_its_edition(site: Site) -> None:
    folder = site("codes.tsv")
    (folder / "edition.txt").write_text("2023b")
    script = "print(json.dumps([load_resources(folder), edition()]))"
    assert python(script, folder) == [["codes.tsv", "edition.txt"], "2023b"]


@pytest.mark.parametrize("text", ["", "\n", "2023b 2024a", "2023b\n\n", "twenty-six", "2023\0", "20\\23"])
def test_an_edition_is_one_short_word(site: Site, text: str) -> None:
    folder = site("codes.tsv")
    (folder / "edition.txt").write_text(text)
    with pytest.raises(ResourceError, match=r"edition\.txt:1: .* is not a word of 1 to 6 letters and digits"):
        load_resources(str(folder))


def test_a_folder_without_tables_changes_nothing(tmp_path: Path) -> None:
    """Such as GDCM's own: --resources-path is understood as gdcmanon understands it."""
    for name in ("Part3.xml", "Part6.xml", "README.md"):
        (tmp_path / name).write_text("<dicom/>")
    assert load_resources(str(tmp_path)) == []
    (tmp_path / "edition.txt").write_text("2023b")
    assert load_resources(str(tmp_path)) == []
    assert edition() == "2026d"


# ---- mistakes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "old", "new", "mistake"), MISTAKES)
def test_names_file_and_line_of_a_mistake(site: Site, name: str, old: str, new: str, mistake: str) -> None:
    folder = site(name)
    line = spoil(folder, name, old, new)
    with pytest.raises(ResourceError) as caught:
        load_resources(str(folder))
    said = str(caught.value)
    # A row in the wrong order, or a second one, is noticed at the later of the two.
    assert said.startswith((f"{folder}/{name}:{line}: ", f"{folder}/{name}:{line + 1}: "))
    assert mistake in said
    assert said.isprintable()


DICTIONARY = b"tag\tkeyword\tvr\n"
UIDS = b"uid\ttype\tts_flags\n"
DUMMIES = b"sequence\tpath\tvr\tvalue\n"
CODES = b"code_value\tscheme\tcode_meaning\toption_column\n"
HOSTILE = [
    ("dictionary.tsv", b"", ":1: the header must have one column 'tag'"),
    ("dictionary.tsv", b"0010,0010\tPatientName\tPN\n", ":1: the header must have one column 'tag'"),
    ("dictionary.tsv", b"tag\tkeyword\n0010,0010\tPatientName\n", ":1: the header must have one column 'vr'"),
    ("dictionary.tsv", b"tag\tvr\tkeyword\tvr\n", ":1: the header must have one column 'vr'"),
    ("dictionary.tsv", b"tag,keyword,vr\n", ":1: the header must have one column 'tag'; columns are separated by tabs"),
    ("dictionary.tsv", DICTIONARY, ":1: there are no rows below the header"),
    ("dictionary.tsv", DICTIONARY + b"\n", ":2: 1 columns instead of 3"),
    ("dictionary.tsv", DICTIONARY + b"0010,0010\tPatientName\tPN\n", ":2: the table ends without 0008,0016 UI"),
    ("dictionary.tsv", DICTIONARY + b"0010,0010\t\xff\tPN\n", ":2: is not UTF-8"),
    ("dictionary.tsv", b"\xff\xfet\0a\0g\0", ":1: is not UTF-8"),
    ("dictionary.tsv", b"\0" * 4096, ":1: the header must have one column 'tag'"),
    ("dictionary.tsv", DICTIONARY + b"\t" * 100_000, ":2: 100001 columns instead of 3"),
    ("uids.tsv", UIDS + b"1.2.3\tSOP Class\t\n", ":2: the table ends without Transfer Syntax 1.2.840.10008.1.2,"),
    ("codes.tsv", CODES + b"A\tDCM\tB\tC\n", ":2: the table ends without one code"),
    (
        "dummy_items.tsv",
        DUMMIES + b"0008,0082\t0008,0082\tSQ\t\n0008,0082\t0008,0082/0008,0100\tSH\tA\n",
        ":3: the row above",
    ),
    ("dummy_items.tsv", DUMMIES + b"0008,0082\t\tSH\tA\n", ":2: path must hold 1 to 4 tags"),
]


@pytest.mark.parametrize(("name", "content", "mistake"), HOSTILE)
def test_hostile_tables_are_errors(tmp_path: Path, name: str, content: bytes, mistake: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ResourceError) as caught:
        load_resources(str(tmp_path))
    assert str(caught.value).startswith(f"{tmp_path}/{name}{mistake}")


def test_too_many_wildcards(site: Site) -> None:
    folder = site("dictionary.tsv")
    with (folder / "dictionary.tsv").open("a", encoding="utf-8") as table:
        table.writelines(f"70xx,{element:04X}\tMore\tSH\t1\tN\t6\t\t\n" for element in range(256))
    with pytest.raises(ResourceError, match=r"dictionary\.tsv:\d+: more than 256 tags with wildcards"):
        load_resources(str(folder))


@pytest.mark.parametrize("name", ["codes.tsv", "edition.txt"])
def test_what_is_no_regular_file_is_an_error(site: Site, name: str) -> None:
    folder = site("vr_gaps.tsv")
    path = folder / name
    os.mkfifo(path)
    with pytest.raises(ResourceError, match=f"{name}:1: is not a regular file"):
        load_resources(str(folder))
    path.unlink()
    path.symlink_to("nowhere")
    with pytest.raises(ResourceError, match=f"{name}:1: No such file or directory"):
        load_resources(str(folder))


def test_a_table_has_a_bounded_size(tmp_path: Path) -> None:
    (tmp_path / "codes.tsv").touch()
    os.truncate(tmp_path / "codes.tsv", (64 << 20) + 1)
    with pytest.raises(ResourceError, match=r"codes\.tsv:1: the file is larger than 64 MiB"):
        load_resources(str(tmp_path))


@pytest.mark.parametrize(("name", "mistake"), [("missing", "No such file or directory"), ("file", "Not a directory")])
def test_a_folder_that_is_none(tmp_path: Path, name: str, mistake: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(DcmveilError) as caught:
        load_resources(str(tmp_path / name))
    assert str(caught.value) == f"{tmp_path / name}: {mistake}"


def test_one_mistake_leaves_all_built_in(site: Site) -> None:
    folder = site("confidentiality.tsv", "codes.tsv")
    spoil(folder, "confidentiality.tsv", "PatientName\tPN\t1\tN\tY\tZ\t", "PatientName\tPN\t1\tN\tY\tX\t")
    spoil(folder, "codes.tsv", "113100\tDCM", "113101\tDCM")
    assert "codes.tsv:3: " in refused(folder)


def test_built_in_tables_agree(folder: Path) -> None:
    check_tables(folder, list(TABLES))


def test_tables_must_agree_with_those_built_in(site: Site) -> None:
    """R3: a dummy where none can be made, and a UID where none can be."""
    folder = site("confidentiality.tsv")
    profile = folder / "confidentiality.tsv"
    before = profile.read_text(encoding="utf-8")
    line = spoil(folder, profile.name, "0040,0555\tAcquisitionContextSequence\tSQ\t1\tN\tY\tX/Z",
                 "0040,0555\tAcquisitionContextSequence\tSQ\t1\tN\tY\tD")  # fmt: skip
    assert refused(folder) == f"{profile}:{line}: (0040,0555) needs a dummy Item in dummy_items.tsv"
    profile.write_text(before, encoding="utf-8")
    line = spoil(folder, profile.name, "PatientName\tPN\t1\tN\tY\tZ\t", "PatientName\tPN\t1\tN\tY\tU\t")
    assert refused(folder) == f"{profile}:{line}: (0010,0010) has action U, but its VR is not UI"


def test_dummy_items_must_be_there(site: Site) -> None:
    folder = site("dummy_items.tsv")
    items = folder / "dummy_items.tsv"
    lines = items.read_text(encoding="utf-8").splitlines(keepends=True)
    left = [line for line in lines if not line.startswith("0070,0001")]
    items.write_text("".join(left), encoding="utf-8")
    assert refused(folder) == f"{items}:{len(left)}: (0070,0001) needs a dummy Item in dummy_items.tsv"


def test_types_can_ask_for_a_dummy_item(site: Site) -> None:
    """R9: X/Z comes to D where an Attribute has become Type 1."""
    folder = site("module_types.tsv")
    types = folder / "module_types.tsv"
    rows = [row[0] for row in _tables.confidentiality() if row[2] == "X/Z" and _tables.dictionary_vr(row[0]) == "SQ"]
    tag = next(tag for tag in rows if _tables.dummy_item(tag) is None)
    with types.open("a", encoding="utf-8") as table:
        table.write(f"new-module\t{tag >> 16:04X},{tag & 0xFFFF:04X}\t1C\n")
    assert "needs a dummy Item" in refused(folder)


@pytest.mark.parametrize("first", ["Policy()", "load_resources(folder)"])
def test_it_can_be_too_late(site: Site, first: str) -> None:
    """A Policy that has been made would know other Attributes than the rest of the program."""
    script = "\ntry:\n    load_resources(folder)\nexcept RuntimeError as error:\n    print(json.dumps(str(error)))"
    said = python(first + script, site("codes.tsv"))
    assert said == "tables can be loaded once, and before the first Policy is made"
