"""De-identification Method Code Sequence (0012,0064): a code that is there and goes is no claim of the output (R17)."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pydicom
import pytest

from dcmveil import Options, Policy, parse_rules
from tests.engine.support import SECRET, rewritten
from tests.hostile.forms import EXPLICIT as E

CODES, CODE, SCHEME, MEANING, PATIENT_ID = 0x00120064, 0x00080100, 0x00080102, 0x00080104, 0x00100020
PATH = "DeidentificationMethodCodeSequence[1] > CodeValue"
CLEAN = Options(clean_descriptors=True)
PROFILE, DESCRIPTORS = "113100", "113105"


def former(code_vr: str = "SH", scheme_vr: str = "SH") -> bytes:
    """The Sequence with the code of the Basic Profile."""
    rows = ((CODE, code_vr, PROFILE), (SCHEME, scheme_vr, "DCM"), (MEANING, "LO", "Profile"))
    return E.sequence(CODES, E.item(b"".join(E.element(*row) for row in rows)))


def claimed(content: bytes, policy: Policy) -> list[str]:
    """The codes of scheme DCM that Items of the output have."""
    output = pydicom.dcmread(io.BytesIO(rewritten(E.file(E.common() + content), policy)))
    items = output.DeidentificationMethodCodeSequence
    return [item.CodeValue for item in items if "CodeValue" in item and item.get("CodingSchemeDesignator") == "DCM"]


def policy(options: Options = CLEAN, **rule: object) -> Policy:
    rules: list[Mapping[str, object]] = [rule] if rule else []
    return Policy(secret=SECRET, options=options, rules=parse_rules(rules))


@pytest.mark.parametrize("options", [Options(), CLEAN], ids=["basic", "cleaned"])
def test_a_code_that_stays_is_not_repeated(options: Options) -> None:
    assert claimed(former(), policy(options)).count(PROFILE) == 1


@pytest.mark.parametrize("options", [Options(), CLEAN], ids=["basic", "cleaned"])
@pytest.mark.parametrize("vrs", [("UR", "SH"), ("UN", "SH"), ("SH", "LO")])
def test_a_code_of_another_vr_goes_and_is_added(vrs: tuple[str, str], options: Options) -> None:
    assert claimed(former(*vrs), policy(options)).count(PROFILE) == 1


def test_a_code_that_is_an_id_of_the_patient_is_cut_and_added() -> None:
    assert claimed(E.element(PATIENT_ID, "LO", PROFILE) + former(), policy()) == [PROFILE, DESCRIPTORS]


@pytest.mark.parametrize(
    "rule",
    [
        {"tag": "CodeValue", "action": "remove"},
        {"tag": "CodeValue", "action": "empty"},
        {"tag": "CodeValue", "action": "hash"},
        {"path": PATH, "action": "remove"},
        {"tag": "CodingSchemeDesignator", "action": "remove"},
    ],
    ids=["removed", "emptied", "pseudonym", "at its place", "scheme"],
)
@pytest.mark.parametrize("options", [Options(), CLEAN], ids=["basic", "cleaned"])
def test_a_code_that_a_rule_takes_away_is_added(rule: dict[str, str], options: Options) -> None:
    assert claimed(former(), policy(options, **rule)).count(PROFILE) == 1


def test_a_code_that_a_rule_keeps_is_not_repeated() -> None:
    assert claimed(former(), policy(tag="CodeValue", action="keep")).count(PROFILE) == 1
