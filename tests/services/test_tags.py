"""Tags and paths as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dcmveil.tags import format_path, format_tag, parse_tag


def test_formats_tags_and_paths() -> None:
    assert format_tag(0x0010001D) == "(0010,001D)"
    assert format_path((), 0x7FE00010) == "(7FE0,0010)"
    path = format_path(((0x52009230, 3), (0x00209111, 1)), 0x00189074)
    assert path == "(5200,9230)[3]>(0020,9111)[1]>(0018,9074)"


@given(st.integers(0, 0xFFFFFFFF))
def test_parses_what_it_formats(tag: int) -> None:
    text = format_tag(tag)
    assert {parse_tag(text), parse_tag(text[1:-1]), parse_tag(text.lower()), parse_tag(f"{tag:08x}")} == {tag}


@pytest.mark.parametrize(
    "text",
    ["", "(0020,000D", "0020,000D)", "0020,000", "0020,000D0", "0020 000D", "PatientID", "0x20000D", "002O,000D"],
)
def test_refuses_what_is_no_tag_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match="eight hexadecimal digits") as caught:
        parse_tag(text)
    assert not text or text not in str(caught.value)
