"""Which objects are let through: what a De-identifier of headers cannot answer for is refused (PS3.15 E.1.1)."""

from __future__ import annotations

from typing import NamedTuple

from dcmveil.errors import Refused
from dcmveil.questions import Facts

__all__ = ["ENCRYPTED", "Leave", "check_admitted"]

_DIRECTORY_RECORD_SEQUENCE = 0x00041220
_OVERLAY_BIT_POSITION = 0x60000102
_OVERLAY_DATA = 0x60003000
_MEDIA_STORAGE_DIRECTORY = b"1.2.840.10008.1.3.10"

ENCRYPTED = "has an Encrypted Attributes Sequence already; --existing-encrypted remove or keep says what to do with it"


class Leave(NamedTuple):
    """What an object may have that is not let through otherwise."""

    encrypted: bool
    embedded_overlays: bool


def check_admitted(facts: Facts, leave: Leave) -> None:
    """Raises Refused for a DICOMDIR, and for overlay bits that are copied with Pixel Data."""
    _check_directory(facts)
    _check_overlays(facts, leave)


def _check_directory(facts: Facts) -> None:
    """R20: a DICOMDIR has to be made anew from the de-identified files, not edited."""
    has_records = any(tag == _DIRECTORY_RECORD_SEQUENCE for tag, *_rest in facts.watched)
    is_directory = _MEDIA_STORAGE_DIRECTORY in (facts.sop_class, facts.media_sop_class)
    if is_directory or (has_records and facts.sop_class is None):
        raise Refused("dicomdir", "a DICOMDIR: build a new one from the de-identified files instead")


def _check_overlays(facts: Facts, leave: Leave) -> None:
    """Overlay bits in Pixel Data are copied with it: an overlay group that has none of its own data elsewhere."""
    with_data = {
        tag >> 16
        for tag, parent, _item, value in facts.watched
        if tag & 0xFF00FFFF == _OVERLAY_DATA and not parent and value != b""
    }
    for tag, parent, _item, value in facts.watched:
        if tag & 0xFF00FFFF != _OVERLAY_BIT_POSITION or parent or leave.embedded_overlays:
            continue
        if tag >> 16 not in with_data and (value is None or any(value)):
            raise Refused(
                "embedded-overlay",
                "overlay bits may be embedded in Pixel Data (Overlay Bit Position is not 0 and there is no Overlay "
                "Data); --allow-embedded-overlays lets them through",
            )
