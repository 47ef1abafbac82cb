"""When the reference refuses a file, and when it does not: encrypted attributes, embedded overlays, directories."""

from __future__ import annotations

import pytest

from .model import Element, RefusalError, Settings
from .trees import SECRET, at, inside, outcome, processed


def test_encrypted_attributes() -> None:
    """R37: refused at any depth that is looked into, removed or kept on request."""
    content = [Element(0x04000510, "UI", b"1.2.840.10008.1.2\0"), Element(0x04000520, "OB", b"\1\2")]
    encrypted = at(0x04000500, "SQ", [*content, Element(0x00280010, "US", b"\1\0")])
    for tree in (encrypted, at(0x00082218, "SQ", [encrypted])):
        with pytest.raises(RefusalError) as caught:
            outcome(tree)
        assert caught.value.reason == "encrypted-attributes"
    assert outcome(encrypted, settings=Settings(SECRET, existing_encrypted="remove")) is None
    kept = outcome(encrypted, settings=Settings(SECRET, existing_encrypted="keep"))
    assert kept == at(0x04000500, "SQ", content)


@pytest.mark.parametrize(
    ("tag", "vr"),
    [
        (0x00081140, "SQ"),
        (0x00401101, "SQ"),
        (0x00080018, "SQ"),
        (0x00100010, "UN"),
        (0x00091001, "SQ"),
        (0x00101234, "SQ"),
        (0x00280010, "SQ"),
        (0x00280010, None),
        (0x00120062, "SQ"),
        (0x00120063, "SQ"),
    ],
)
def test_encrypted_attributes_in_what_goes_do_not_count(tag: int, vr: str | None) -> None:
    """R37: removed, replaced by a dummy or a UID, emptied, private, unknown, of a wrong VR, or written anew."""
    encrypted = at(0x04000500, "SQ" if vr == "SQ" else None, [])
    assert processed([at(tag, vr, [encrypted])], implicit=vr is None)
    twice = [at(0x00120064, "SQ"), at(0x00120064, "SQ", [encrypted])]
    assert processed(twice)
    with pytest.raises(RefusalError):
        processed(twice[::-1])


def test_embedded_overlay() -> None:
    """R22: an overlay in the unused bits of Pixel Data can not be removed by removing attributes."""
    position, data = Element(0x60020102, "US", b"\x0c\0"), Element(0x60023000, "OW", bytes(2))
    with pytest.raises(RefusalError) as caught:
        processed([position])
    assert caught.value.reason == "embedded-overlay"
    assert processed([position], settings=Settings(SECRET, allow_embedded_overlays=True))
    assert processed([position, data])
    assert processed([Element(0x60020102, "US", b"\0\0")])
    assert inside(position) == []
    assert len(processed([at(0x00120064, "SQ", [position])]).data_set[3].items) == 2


@pytest.mark.parametrize("sop_class", ["1.2.840.10008.1.3.10", ""])
def test_directories_are_refused(sop_class: str) -> None:
    """R20."""
    with pytest.raises(RefusalError) as caught:
        processed([at(0x00041220, "SQ")], sop_class)
    assert caught.value.reason == "dicomdir"
