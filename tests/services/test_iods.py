"""Compound actions resolved by the Type of an Attribute at its place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil import _tables
from dcmveil.iods import ACTIONS, X_UNLESS_TYPE_1, is_known, resolve

STORAGE = "1.2.840.10008.5.1.4.1.1"
SOP_CLASSES = {
    "CT": f"{STORAGE}.2",
    "MR": f"{STORAGE}.4",
    "US multi-frame": f"{STORAGE}.3.1",
    "Enhanced CT": f"{STORAGE}.2.1",
    "Enhanced MR": f"{STORAGE}.4.1",
    "Secondary Capture": f"{STORAGE}.7",
    "Whole Slide": f"{STORAGE}.77.1.6",
    "RT Structure Set": f"{STORAGE}.481.3",
    "Comprehensive SR": f"{STORAGE}.88.33",
    "Grayscale Presentation State": f"{STORAGE}.11.1",
    "Encapsulated PDF": f"{STORAGE}.104.1",
}
# Tag, action of Table E.1-1, and the result for each of the SOP Classes above.
WORKED = """
0008,0012 X/D    X X X X X X X X X X X
0008,0021 X/D    X X X X X X X X X X X
0008,0022 X/Z    X X X X X X X X X X X
0008,0023 Z/D    Z Z Z D D Z D Z D Z Z
0008,0033 Z/D    Z Z Z D D Z D Z D Z Z
0008,002A X/Z/D  X X D D D X D X X X Z
0008,0080 X/Z/D  X X X X X X X X X X X
0008,1010 X/Z/D  X X X X X X X X X X X
0008,1070 X/Z/D  X X X X X X X Z X X X
0008,1110 X/Z    X X X X X X X X X X X
0008,1111 X/Z/D  X X X D D X D X Z X X
0008,1140 X/Z/U* X X X X X X X X X X X
0008,2112 X/Z/U* X X X X X X X X X X X
0010,0020 Z/D    Z Z Z Z Z Z Z Z Z Z Z
0010,2203 X/Z    Z Z Z Z Z Z Z Z Z Z Z
0018,0010 Z/D    Z Z Z Z Z Z Z Z Z Z Z
0018,1000 X/Z/D  X X X D D X D X X X X
0018,1030 X/D    X X X X X X X X X X X
0040,0555 X/Z    X X X Z Z X Z X X X X
0040,A032 X/D    X X X X X X X X D X X
0070,0084 Z/D    Z Z Z Z Z Z Z Z Z Z Z
2200,0002 X/Z    X X X X X X Z X X X X
2200,0005 X/Z    X X X X X X Z X X X X
300E,0008 X/Z    X X X X X X X Z X X X
0070,0082 X/D!   X X X X X X X X X D X
0070,0083 X/D!   X X X X X X X X X D X
0008,0201 X/D!   X X X X X X X X X X X
"""
# Sequence, Attribute in its Items, action, result in any known IOD.
NESTED = """
5200,9229 0008,1140 X/Z/U* Z
5200,9230 0008,1140 X/Z/U* Z
0008,9124 0008,2112 X/Z/U* Z
0008,1115 0008,1140 X/Z/U* descend
0070,0001 0008,1140 X/Z/U* descend
3006,004D 0008,0080 X/Z/D  Z
0008,0096 0008,0080 X/Z/D  D
0010,1002 0010,0020 Z/D    D
3002,0132 0008,1110 X/Z    D
0008,1111 0008,1110 X/Z    X
0040,A730 0040,A032 X/D    D
"""
UNKNOWN = {"X/Z": "Z", "X/D": "D", "Z/D": "D", "X/Z/D": "D", "X/Z/U*": "descend", X_UNLESS_TYPE_1: "X"}


def number(tag: str) -> int:
    return int(tag.replace(",", ""), 16)


@pytest.mark.parametrize("line", WORKED.strip().splitlines(), ids=lambda line: line[:9])
def test_resolves_by_type_at_top_level(line: str) -> None:
    """R9 R12"""
    tag, action, *results = line.split()
    if action != X_UNLESS_TYPE_1:
        assert (number(tag), action) in {(tag, action) for tag, _, action, _ in _tables.confidentiality()}
    for (name, sop_class), expected in zip(SOP_CLASSES.items(), results, strict=True):
        assert resolve(action, sop_class, 0, number(tag)) == expected, name


@pytest.mark.parametrize("line", NESTED.strip().splitlines(), ids=lambda line: line[:19])
def test_resolves_by_type_in_the_enclosing_sequence(line: str) -> None:
    """R2 R9"""
    parent, tag, action, expected = line.split()
    for sop_class in SOP_CLASSES.values():
        assert resolve(action, sop_class, number(parent), number(tag)) == expected


def test_timezone_offset_stays_where_the_iod_requires_it() -> None:
    """R9: Simplified Adult Echo SR has (0008,0201) as Type 1."""
    assert resolve(X_UNLESS_TYPE_1, f"{STORAGE}.88.72", 0, 0x00080201) == "D"


@pytest.mark.parametrize("sop_class", [None, "", "1.2.840.113619.4.26", "1.2.840.10008.1.1", f"{STORAGE}.2\0x"])
@pytest.mark.parametrize("parent", [0, 0x00081115])
def test_an_unknown_iod_might_require_everything(sop_class: str | None, parent: int) -> None:
    """R26a"""
    assert not is_known(sop_class)
    for action, expected in UNKNOWN.items():
        assert resolve(action, sop_class, parent, 0x00081140) == expected


def test_simple_actions_stand_for_themselves() -> None:
    for action in ("X", "Z", "D", "U", "K"):
        assert resolve(action, SOP_CLASSES["CT"], 0, 0x00100010) == action
        assert resolve(action, None, 0, 0x00100010) == action


def test_other_actions_are_errors() -> None:
    for action in ("", "C", "Z/X"):
        with pytest.raises(KeyError):
            resolve(action, SOP_CLASSES["CT"], 0, 0x00100010)


@given(
    st.sampled_from(sorted(ACTIONS)),
    st.sampled_from([*SOP_CLASSES.values(), None]) | st.text(),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
)
def test_never_keeps_a_value_that_the_table_protects(action: str, sop_class: str | None, parent: int, tag: int) -> None:
    """R1: whatever the place, the result is one of the letters of the action, and only K keeps."""
    result = resolve(action, sop_class, parent, tag)
    assert result in {"X", "Z", "D", "U", "K", "descend"}
    assert (result == "K") == (action == "K")
    assert (result == "descend") <= (action == "X/Z/U*")
