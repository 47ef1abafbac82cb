"""Of persons planted in texts, Items, private blocks, reports and graphics nothing is left, and other words stay.

`python -m tests.planted` prints both figures.
"""

from __future__ import annotations

import io
from functools import reduce

import pydicom
import pytest

from dcmveil.cleaning import Cleaner
from dcmveil.identity import Identity

from .judge import Figures, judge, texts, words
from .people import TONGUES
from .plant import CLASSES, DESCRIPTORS, SYNTAXES, Planted, planted
from .run import FILES, figures

MOST_LOST = 0.01
IDENTIFYING = (
    "PatientName PatientID AccessionNumber InstitutionName InstitutionAddress PatientTelephoneNumbers PatientBirthDate"
    " StudyDate StudyTime ReferringPhysicianName OperatorsName StudyInstanceUID SeriesInstanceUID SOPInstanceUID"
).split()


@pytest.fixture(scope="module")
def some() -> list[Planted]:
    return [*planted(54, seed=1)]


def test_no_planted_identity_is_left_and_other_words_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    """R1, R49, R50, R47, R48, R52, R55, R56, R59, R62: with all Options on that make sense together."""
    found = figures(FILES)
    with capsys.disabled():
        print(f"\n{FILES} planted files: {found}")
    assert found.left == ()
    assert found.share >= 1 - MOST_LOST, "\n".join(found.lost)


def test_the_cleaner_alone_does_the_same_for_descriptors(some: list[Planted]) -> None:
    """R50: by what the object's own Attributes say, and by rule."""
    assert reduce(Figures.plus, map(_cleaned, some)).left == ()
    assert reduce(Figures.plus, map(_cleaned, some)).share >= 1 - MOST_LOST


def _cleaned(one: Planted) -> Figures:
    """A file of nothing but the descriptors of the top level, cleaned."""
    dataset = pydicom.dcmread(io.BytesIO(one.data))
    elements = [dataset[keyword] for keyword in IDENTIFYING if keyword in dataset]
    identity = Identity.of(
        (element.VR, "\\".join(map(str, element.value)) if element.VM > 1 else str(element.value))
        for element in elements
    )
    cleaner, output = Cleaner(), pydicom.Dataset()
    output.SpecificCharacterSet = dataset.SpecificCharacterSet
    for keyword in DESCRIPTORS.keys() & set(dataset.dir()):
        setattr(output, keyword, cleaner.clean(str(dataset[keyword].value), identity))
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, output, implicit_vr=True, little_endian=True)
    here = {(int(element.tag),) for element in output}
    return judge(one._replace(kept=tuple(kept for kept in one.kept if kept.path in here)), stream.getvalue())


# ---- the key is right --------------------------------------------------------------------------------------------


def test_every_identity_of_the_key_is_in_its_file(some: list[Planted]) -> None:
    """What is said to be gone was there, to be seen by a reader in every character set."""
    for one in some:
        found = judge(one, one.data)
        assert found.planted == len(found.left) > 15, one.name


def test_every_word_of_the_key_is_in_its_file(some: list[Planted]) -> None:
    for one in some:
        found = judge(one, one.data)
        assert found.words == found.kept > 30, found.lost


def test_what_is_to_stay_identifies_nobody(some: list[Planted]) -> None:
    for one in some:
        identifying = {word.casefold() for identity in one.identities for word in words(identity) if len(word) > 2}
        for kept in one.kept:
            assert identifying.isdisjoint(word.casefold() for word in words(" ".join(kept.parts)))


def test_the_judge_sees_what_is_left_in_texts_and_in_bytes() -> None:
    one = next(planted(1))._replace(identities=frozenset({"Wexlington", "1.2.3"}), kept=())
    dataset = pydicom.Dataset()
    dataset.StudyDescription = "of WEXLINGTON"
    dataset.add_new(0x00090010, "LO", "ACME")
    dataset.add_new(0x00091001, "OB", b"x1.2.3x\0")
    stream = io.BytesIO()
    pydicom.dcmwrite(stream, dataset, implicit_vr=False, little_endian=True)
    assert len(judge(one, stream.getvalue()).left) == 2


def test_the_set_has_all_tongues_syntaxes_and_kinds(some: list[Planted]) -> None:
    seen = {name for one in some for name in one.name.partition(": ")[2].split(", ")}
    assert len(seen) == len(TONGUES) + len(SYNTAXES) + len(CLASSES)
    assert any(text for one in some[:1] for _path, text in texts(pydicom.dcmread(io.BytesIO(one.data))))


def test_the_same_seed_makes_the_same_set() -> None:
    assert [*planted(9, seed=4)] == [*planted(9, seed=4)]
    assert [*planted(9, seed=4)] != [*planted(9, seed=5)]
