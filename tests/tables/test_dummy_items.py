"""The dummy Items: there is one wherever it is needed, and each is valid where it stands."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
from pydicom import Dataset
from pydicom.datadict import dictionary_VR
from pydicom.filereader import read_dataset

from dcmveil import _tables
from dcmveil.dummies import DUMMY_UID, dummy_sequence
from dcmveil.encode import Encoding

Rows = Callable[..., list[dict[str, str]]]
CODE = {"CodeValue", "CodingSchemeDesignator", "CodeMeaning"}
# What the macros of PS3.3 require (Type 1, 2, and 1C where the condition holds), by keyword.
REQUIRED = {
    "InstitutionCodeSequence": CODE,
    "OperatorIdentificationSequence": {
        "PersonIdentificationCodeSequence", "InstitutionName", "InstitutionCodeSequence", "ObserverType",
        "PersonName",
    },
    "ReferencedStudySequence": {"StudyInstanceUID"},
    "ReferencedPerformedProcedureStepSequence": {"ReferencedSOPClassUID", "ReferencedSOPInstanceUID"},
    "FlowIdentifierSequence": {"FlowIdentifier", "FlowTransferSyntaxUID", "FlowRTPSamplingRate"},
    "PersonIdentificationCodeSequence": CODE,
    "VerifyingObserverSequence": {
        "VerifyingOrganization", "VerificationDateTime", "VerifyingObserverName",
        "VerifyingObserverIdentificationCodeSequence",
    },
    "ContentSequence": {"RelationshipType", "ValueType", "ConceptNameCodeSequence", "TextValue"},
    "WaveformAnnotationSequence": {"ReferencedWaveformChannels", "UnformattedTextValue"},
    "GraphicAnnotationSequence": {"GraphicLayer", "TextObjectSequence"},
    "TextObjectSequence": {
        "AnchorPointAnnotationUnits", "UnformattedTextValue", "AnchorPoint", "AnchorPointVisibility",
    },
    "ConceptNameCodeSequence": CODE,
    "ConceptCodeSequence": CODE,
}  # fmt: skip


def sequences(rows: Rows) -> list[int]:
    return sorted({int(row["sequence"].replace(",", ""), 16) for row in rows("dummy_items")})


def item(encoding: Encoding, sequence: int) -> Dataset:
    """The dummy Item as pydicom reads it."""
    little = encoding is not Encoding.EXPLICIT_BE
    stream = BytesIO(dummy_sequence(encoding, sequence))
    whole = read_dataset(stream, encoding is Encoding.IMPLICIT_LE, little)
    assert list(whole.keys()) == [sequence]
    assert whole[sequence].VR == "SQ"
    (only,) = whole[sequence].value
    assert isinstance(only, Dataset)
    return only


def check(item: Dataset, keyword: str) -> None:
    """Exactly the required elements, in tag order, each with a VR of the dictionary and, but for SQ, a Value."""
    elements = list(item)
    assert {element.keyword for element in elements} == REQUIRED[keyword]
    assert [element.tag for element in elements] == sorted(element.tag for element in elements)
    for element in elements:
        assert dictionary_VR(element.tag) == element.VR
        if element.VR == "SQ":
            assert len(element.value) <= 1
            for inner in element.value:
                check(inner, element.keyword)
        else:
            assert element.value not in ("", None)


@pytest.mark.parametrize("encoding", Encoding)
def test_items_are_valid_for_their_macros(rows: Rows, encoding: Encoding) -> None:
    """R3 R9"""
    for sequence in sequences(rows):
        check(item(encoding, sequence), _tables.keyword(sequence) or "")


@pytest.mark.parametrize("encoding", Encoding)
def test_numbers_are_in_the_byte_order_of_the_encoding(encoding: Encoding) -> None:
    annotation = item(encoding, 0x0040B020)
    assert list(annotation.ReferencedWaveformChannels) == [1, 0]
    assert list(item(encoding, 0x00700001).TextObjectSequence[0].AnchorPoint) == [1.0, 1.0]
    assert item(encoding, 0x00340001).FlowRTPSamplingRate == 90000


def test_every_sequence_that_can_become_a_dummy_has_one(rows: Rows) -> None:
    """R3 R9: plain D; compound actions with D at a Type 1 place, or in an unknown IOD; X/Z at a Type 1 place."""
    actions = {row["tag"]: row["basic"] for row in rows("confidentiality") if row["vr"] == "SQ"}
    by_type = {"D", "X/D", "Z/D", "X/Z/D", "X/Z"}
    types = [*rows("module_types"), *rows("nested_types")]
    required = {row["tag"] for row in types if row["type"] in ("1", "1C")}
    needed = {
        tag
        for tag, action in actions.items()
        if action == "D" or (action in by_type and tag in required) or action in by_type - {"X/Z"}
    }
    code_of_content_item = 0x0040A168  # R48: of an Item that would go, but is referred to by its number
    assert {int(tag.replace(",", ""), 16) for tag in needed} | {code_of_content_item} == set(sequences(rows))


def test_uids_in_items_are_well_known_or_the_dummy(rows: Rows) -> None:
    """R8 R27"""
    for row in rows("dummy_items"):
        if row["vr"] == "UI":
            assert row["value"].encode() == DUMMY_UID or _tables.is_well_known_uid(row["value"].encode())


def test_a_sequence_without_an_item_is_an_error() -> None:
    assert _tables.dummy_item(0x00400555) is None
    with pytest.raises(LookupError, match=r"\(0040,0555\)"):
        dummy_sequence(Encoding.EXPLICIT_LE, 0x00400555)
