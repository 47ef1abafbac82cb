"""Parsers that disagree: pydicom, dcmdump and gdcmdump see the same in every output, and none of them a marker."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from dcmveil import deidentify_file
from tests.hostile.__main__ import main
from tests.hostile.differential import POLICY, campaign, disagreements, examine
from tests.hostile.forms import BIG, EXPLICIT, IMPLICIT, Form
from tests.hostile.mutants import MARKER, MUTATIONS, Mutant, mutant
from tests.hostile.readers import Tree, dcmdump, flat, gdcmdump, pydicom_tree

SEQUENCE, MODALITY, ROWS, NAME = 0x0040A043, 0x00080060, 0x00280010, 0x00100010
CONTENT = IMPLICIT.item(IMPLICIT.element(MODALITY, "CS", "CT"))


def trees(path: Path) -> dict[str, Tree | None]:
    """What each reader sees."""
    return {"pydicom": pydicom_tree(path), "dcmdump": dcmdump([path])[path][0], "gdcmdump": gdcmdump(path)[0]}


CASES: dict[str, tuple[Form, bytes]] = {
    "9-twice": (EXPLICIT, EXPLICIT.element(MODALITY, "CS", "CT") + EXPLICIT.element(MODALITY, "CS", "ULTRA")),
    "9-twice, others between": (
        EXPLICIT,
        EXPLICIT.element(ROWS, "US", b"\1\0") + EXPLICIT.element(MODALITY, "CS") + EXPLICIT.element(ROWS, "US"),
    ),
    "9-twice in an Item": (
        EXPLICIT,
        EXPLICIT.sequence(
            SEQUENCE, EXPLICIT.item(EXPLICIT.element(NAME, "PN", "A") + EXPLICIT.element(NAME, "PN", "ABC"))
        ),
    ),
    "9-Sequence twice": (EXPLICIT, EXPLICIT.sequence(SEQUENCE, EXPLICIT.item()) + EXPLICIT.sequence(SEQUENCE)),
    "8-Items as UN in Big Endian": (BIG, BIG.sequence(SEQUENCE, CONTENT, vr="UN")),
    "8-open Items as UN in Big Endian": (BIG, BIG.sequence(SEQUENCE, CONTENT, vr="UN", open_end=True)),
}


@pytest.mark.parametrize("name", CASES)
def test_what_readers_see_differently_does_not_come_out(name: str, tmp_path: Path) -> None:
    """The input is one of those, else this would show nothing; of the output all see the same."""
    form, dataset = CASES[name]
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(form.file(form.common() + dataset))
    deidentify_file(source, target, POLICY)
    assert list(disagreements(trees(source))) or None in trees(source).values()
    assert not list(disagreements(trees(target)))
    assert None not in trees(target).values()
    assert not list(examine({target: Mutant(0, form.name, (), b"")}, Counter()))


def test_numbers_have_whole_sizes(tmp_path: Path) -> None:
    """Channel 8: a text is no number, though some readers show it as one and others fail."""
    source, target = tmp_path / "in", tmp_path / "out"
    for form, vr, length in ((EXPLICIT, "US", 7), (EXPLICIT, "FD", 12), (IMPLICIT, "US", 7), (BIG, "UL", 10)):
        tag = {"US": ROWS, "FD": 0x00189073, "UL": 0x00080001}[vr]
        source.write_bytes(form.file(form.common() + form.element(tag, vr, MARKER.ljust(length, b"1"), length=length)))
        deidentify_file(source, target, POLICY)
        assert MARKER not in target.read_bytes()


def test_what_is_right_stays(tmp_path: Path) -> None:
    """An Attribute once in the Data Set and once in each of its Items; out of order; numbers."""
    rows, code = EXPLICIT.element(ROWS, "US", b"\1\0"), EXPLICIT.element(MODALITY, "CS", "CT")
    item = EXPLICIT.item(rows + code)
    dataset = EXPLICIT.sequence(SEQUENCE, item, item) + rows + code + EXPLICIT.element(0x00281101, "US", bytes(6))
    (tmp_path / "in").write_bytes(EXPLICIT.file(EXPLICIT.common() + dataset))
    deidentify_file(tmp_path / "in", tmp_path / "out", POLICY)
    out = (tmp_path / "out").read_bytes()
    assert EXPLICIT.sequence(SEQUENCE, item, item) in out
    assert rows + code + EXPLICIT.element(0x00281101, "US", bytes(6)) in out


def test_the_comparison_sees_what_there_is(tmp_path: Path) -> None:
    """Inputs as they are: in mutants the markers are found, and readers disagree on some."""
    inputs = {}
    harmless = (mutant(number) for number in range(140))  # to GDCM, which some keep at work for minutes
    for number, of in enumerate(of for of in harmless if set(of.mutations) <= {"twice", "private", "odd"}):
        path = tmp_path / f"{number}"
        path.write_bytes(of.data)
        inputs[path] = of
    found = [finding.what for finding in examine(inputs, Counter())]
    assert sum("marker" in what for what in found) > 0.8 * len(inputs)
    assert sum("sees" in what for what in found) > 3


def test_readers_agree_on_an_ordinary_object(sample_image: Path) -> None:
    """The trees are trees: of each reader, and equal."""
    seen = trees(sample_image)
    assert len({tuple(flat(tree)) for tree in seen.values() if tree}) == 1
    assert None not in seen.values()
    assert any(node.items for node in seen["pydicom"] or ())


def test_mutants_are_of_all_kinds() -> None:
    """And the same every time."""
    some = [mutant(number) for number in range(300)]
    assert {name for each in some for name in each.mutations} == set(MUTATIONS)
    assert some == [mutant(number) for number in range(300)]


def test_no_reader_finds_anything() -> None:
    """Channels 7, 8, 9: a few of the mutants."""
    done = campaign(16)
    assert done.findings == []
    assert done.accepted > 4


@pytest.mark.ci
def test_no_reader_finds_anything_in_many() -> None:
    done = campaign(1200, start=16)
    assert done.findings == []
    assert done.accepted > 400


@pytest.mark.slow
def test_no_reader_finds_anything_in_all(capsys: pytest.CaptureFixture[str]) -> None:
    """As `python -m tests.hostile readers 20000 1` does."""
    assert main(["readers", "20000", "1"]) == 0
    assert "20000 files" in capsys.readouterr().out
