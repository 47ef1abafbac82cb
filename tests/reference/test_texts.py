"""How the reference judges a text that has been cleaned (S3, S6): identity must be out of it, and no more."""

from __future__ import annotations

import pytest

from .model import NOBODY, Cleaned, Element, Identity
from .texts import fault, names_in
from .trees import EMPTYING, at, processed

DOE = Identity(frozenset({"doe", "jane", "4711-8"}), frozenset({"doe", "jane", "4711", "8", "clinic"}))
TAG = 0x00081030


def verdict(original: bytes, text: bytes | None, identity: Identity = DOE, by_rule: bool = True) -> str | None:
    result = None if text is None else Element(TAG, "LO", text)
    return fault(Cleaned(original, b"", by_rule, []), result, identity)


@pytest.mark.parametrize(
    ("original", "text"),
    [
        (b"Knee of Doe", b"Knee of "),
        (b"JANE DOE, knee", b", knee"),
        (b"Knee of Doe", None),
        (b"4711-8: knee", b": knee"),
        (b"knee 2020-01-01", b"knee"),
        (b"knee, Dr. Miller", b"knee,"),
        (b"knee doer", b"knee doer"),
        (b"Clinic knee", b"knee"),
    ],
)
def test_what_is_right(original: bytes, text: bytes | None) -> None:
    assert verdict(original, text) is None


@pytest.mark.parametrize(
    ("original", "text", "wrong"),
    [
        (b"Knee of Doe", b"Knee of Doe", "still identifies"),
        (b"Knee of DOE", b"Knee (DOE)", "still identifies"),
        (b"ID 4711-8", b"4711-8", "still identifies"),
        (b"Knee of Doe", b"Doe's Knee", "has words that were not there"),
        (b"Knee of Doe", b"Hip", "has words that were not there"),
        (b"4711-8: knee", b"47: knee", "has words that were not there"),
        (b"Doe ", b"", "nothing is left, and that not as by the Basic Profile"),
        (b"Knee of patient", b"Knee", "changed, though nothing in it identifies"),
        (b"Knee of patient", None, "changed, though nothing in it identifies"),
        (b"Knee ", b"Knee", "changed, though nothing in it identifies"),
    ],
)
def test_what_is_wrong(original: bytes, text: bytes | None, wrong: str) -> None:
    assert verdict(original, text) == wrong


def test_rules_are_for_descriptors() -> None:
    """Names only: dates, numbers and titles stay."""
    assert verdict(b"Dr. M, 2020", b"M", by_rule=True) is None
    assert verdict(b"Dr. M, 2020", b"M", NOBODY, by_rule=False) == "changed, though nothing in it identifies"
    assert verdict(b"Dr. M, 2020", b"Dr. M", DOE, by_rule=False) is None  # a date of the object, perhaps
    assert verdict(b"Dr. Doe, 2020", b"Dr. , 2020", by_rule=False) is None


def test_a_text_may_be_treated_as_by_the_profile() -> None:
    """If nothing is left of it: but not one that nothing had to be taken from."""
    dummy = Element(TAG, "LO", b"REMOVED ")
    assert fault(Cleaned(b"Doe ", b"", True, [dummy]), dummy, DOE) is None
    assert fault(Cleaned(b"Doe ", b"", True, [dummy]), None, DOE) is not None
    assert fault(Cleaned(b"Knee", b"", True, [dummy]), dummy, DOE) is not None


def test_names_and_ids_are_collected_at_every_depth() -> None:
    """In the character set of their Item, names of 3 letters and IDs of 4 characters at least."""
    nested = [Element(0x00080005, "CS", b"ISO_IR 192"), Element(0x00101001, "PN", "Zoë^Li=X^Ann Mae".encode())]
    tree = [Element(0x00080050, "SH", b"A 123 "), Element(0x00100010, "PN", b"Doe^J "), at(0x00081115, "SQ", nested)]
    assert names_in([*tree, Element(0x00100020, "LO", b"123 ")]) == {"a 123", "doe", "zoë"}
    assert names_in([Element(0x00100010, "PN", b"Anonymous^Test")]) == set()


def test_words_of_what_is_removed_or_replaced_may_go_from_texts() -> None:
    """Of what is kept, and of the texts themselves, they may not."""
    tree = [Element(0x00080070, "LO", b"Maker "), Element(0x00080080, "LO", b"My Clinic "), Element(TAG, "LO", b"Knee")]
    found = processed([*tree, Element(0x00100010, "PN", b"Doe^Jane")], settings=EMPTYING).identity
    assert found == Identity(frozenset({"doe", "jane"}), frozenset({"my", "clinic", "doe", "jane", "knee"}))
