"""Which objects are let through: what a De-identifier of headers cannot answer for is refused (PS3.15 E.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dcmveil.errors import Refused
from dcmveil.questions import Facts

if TYPE_CHECKING:
    from dcmveil.risks import Risk

__all__ = ["ENCRYPTED", "Terms", "check_admitted", "check_risks"]

_DIRECTORY_RECORD_SEQUENCE = 0x00041220
_OVERLAY_BIT_POSITION = 0x60000102
_OVERLAY_DATA = 0x60003000
_MEDIA_STORAGE_DIRECTORY = b"1.2.840.10008.1.3.10"

ENCRYPTED = "has an Encrypted Attributes Sequence already; --existing-encrypted remove or keep says what to do with it"


class Terms(NamedTuple):
    """What an object may have that is not let through otherwise, and what is to be found out about it.

    With `waits` nothing is answered before the end of the input; `records_pairs` is for a map of old and new UIDs and
    Patient IDs.
    """

    encrypted: bool = False
    embedded_overlays: bool = False
    assesses_risks: bool = False
    refuses_risks: bool = False
    records_pairs: bool = False
    waits: bool = False


def check_admitted(facts: Facts, terms: Terms) -> None:
    """Raises Refused for a DICOMDIR, and for overlay bits that are copied with Pixel Data."""
    _check_directory(facts)
    _check_overlays(facts, terms)


def _check_directory(facts: Facts) -> None:
    """R20: a DICOMDIR has to be made anew from the de-identified files, not edited."""
    has_records = any(tag == _DIRECTORY_RECORD_SEQUENCE for tag, *_rest in facts.watched)
    is_directory = _MEDIA_STORAGE_DIRECTORY in (facts.sop_class, facts.media_sop_class)
    if is_directory or (has_records and facts.sop_class is None):
        raise Refused("dicomdir", "a DICOMDIR: build a new one from the de-identified files instead")


def _check_overlays(facts: Facts, terms: Terms) -> None:
    """Overlay bits in Pixel Data are copied with it: an overlay group that has none of its own data elsewhere."""
    with_data = {
        tag >> 16
        for tag, parent, _item, value in facts.watched
        if tag & 0xFF00FFFF == _OVERLAY_DATA and not parent and value != b""
    }
    for tag, parent, _item, value in facts.watched:
        if tag & 0xFF00FFFF != _OVERLAY_BIT_POSITION or parent or terms.embedded_overlays:
            continue
        if tag >> 16 not in with_data and (value is None or any(value)):
            raise Refused(
                "embedded-overlay",
                "overlay bits may be embedded in Pixel Data (Overlay Bit Position is not 0 and there is no Overlay "
                "Data); --allow-embedded-overlays lets them through",
            )


def check_risks(risks: Sequence[Risk]) -> None:
    """Raises Refused for an object that has any."""
    if risks:
        words = ", ".join(risk.word for risk in risks)
        raise Refused("risky", f"headers cannot settle: {words} (--refuse-risky)")
