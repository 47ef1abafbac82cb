"""The manner in which each Option is carried out, as the Conformance Statement tells it (PS3.15 E.1.3, E.3)."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from itertools import groupby

from dcmveil import _tables
from dcmveil.layout import paragraphs, points, words
from dcmveil.options import COLUMNS, combined
from dcmveil.outcomes import rows_of

__all__ = ["manner"]


def manner(chosen: Sequence[str]) -> list[str]:
    """Title and blocks of the section: one part for each of the chosen columns of Options."""
    blocks = ["The manner of the Options"]
    for column in chosen:
        blocks += [f"### {COLUMNS[column].replace('_', ' ')}", *_MANNERS[column](chosen)]
    if "clean_struct" not in chosen:
        blocks += paragraphs(
            "Content Sequence (0040,A730), Acquisition Context Sequence (0040,0555), Specimen Preparation Sequence "
            "(0040,0610) and Waveform Annotation Sequence (0040,B020) are replaced or removed as a whole."
        )
    if not {"rtn_full_dates", "rtn_modif_dates"} & set(chosen):
        blocks += paragraphs("Dates and times are removed, emptied or made dummies.")
    return blocks


def _full_dates(chosen: Sequence[str]) -> list[str]:
    return paragraphs("Dates and times are retained as they are.")


def _modified_dates(chosen: Sequence[str]) -> list[str]:
    return [
        points(
            [
                "All dates of a patient are moved into the past by the same number of whole days, from one to the size "
                "of the window (365 unless set otherwise), keyed: HMAC-SHA256 with the secret over the Patient ID. So "
                "it is the same in every object of a patient, in every run and on every machine.",
                "Times of day, time zones, fractions, partial precision and all intervals are retained; so is the "
                "order of events.",
                "The same goes for Timezone Offset From UTC (0008,0201), retained, and for Frame Origin Timestamp "
                "(0034,0007), moved.",
                "A Value that is no possible date gets the action of the Basic Profile, and so does Certified "
                "Timestamp (0400,0310), which is signed.",
            ]
        )
    ]


def _descriptors(chosen: Sequence[str]) -> list[str]:
    return [
        points(
            [
                "From text (LO, SH, ST, LT, UT, UC) is cut: every identifying Value of the same object, in the "
                "object's character set, whatever its case, names in all orders of their components; dates, times, "
                "telephone numbers, addresses of mail and web, long numbers, and names behind titles, by rule; words "
                "that the user lists. Words that the user wants kept stay unless they identify in the object.",
                "If nothing is left of a text, or it cannot be decoded, it gets the action of the Basic Profile.",
                "Code Meaning (0008,0104) is treated likewise. From all other text that is retained, identifying "
                "Values of the object are cut.",
                "Reason For The Attribute Modification (0400,0565) is retained if it is a Defined Term.",
            ]
        )
    ]


def _characteristics(chosen: Sequence[str]) -> list[str]:
    cleaned = [row.name for row in rows_of(chosen) if row.action == "C" and "rtn_pat_chars" in row.columns]
    return [*paragraphs("Retained Values are as they were. Cleaned in the manner of descriptors:"), "\n".join(cleaned)]


def _device(chosen: Sequence[str]) -> list[str]:
    return paragraphs(
        "Retained Values are as they were. Application Entity Titles and Network IDs are replaced by pseudonyms, keyed "
        "with the secret like UIDs."
    )


def _institution(chosen: Sequence[str]) -> list[str]:
    return paragraphs("Retained Values are as they were.")


def _uids(chosen: Sequence[str]) -> list[str]:
    return paragraphs("UIDs are retained as they are, also those that Table E.1-1 does not name.")


def _graphics(chosen: Sequence[str]) -> list[str]:
    return paragraphs(
        "Graphic Annotation Sequence (0070,0001) is retained, its Items by the rules of each Attribute: text is "
        "removed or, with clean descriptors, cleaned. Drawings are not looked at. Curves and overlays are removed."
    )


def _structured(chosen: Sequence[str]) -> list[str]:
    named: dict[str, list[str]] = {}
    for scheme, code, _older, value_type, basic, row in _tables.structured_content():
        named.setdefault(combined(basic, row, chosen), []).append(f"{code.decode()} {scheme.decode()} {value_type}")
    blocks = paragraphs(
        "Content Items of (0040,A730), (0040,0555), (0040,0612) and (0040,B020), at every depth, by Concept Name and "
        "Value Type (Table E.3.4-1); codes of SNOMED also in their SRT and SNM3 forms. Where Items are referred to "
        "by their position, none is removed: its Values become dummies. Items of other concepts: text is cleaned "
        "with clean descriptors, else a dummy; names become dummies, dates and UIDs are treated like those of "
        "other Attributes; codes, numbers and references stay, each Attribute by its own rule."
    )
    for action, items in named.items():
        blocks += [f"{_CONTENT_ACTIONS[action]} ({action}): {len(items)}", words(f"[{item}]" for item in items)]
    return blocks


_CONTENT_ACTIONS = {
    "X": "Item removed",
    "D": "Values made dummies, UIDs replaced",
    "X/D": "Values made dummies, UIDs replaced",
    "K": "Retained",
    "C": "Cleaned: dates modified, text as descriptors are",
}


def _safe_private(chosen: Sequence[str]) -> list[str]:
    blocks = paragraphs(
        "The following private Attributes are retained if Private Creator, group, the low byte of the element and VR "
        "are as listed (UN, or no VR in the list: any but SQ), in any block, with their Private Creator. UIDs in them "
        "are treated like others, Sequences by the rules of what is in them; so are private Sequences that are not "
        "listed, in blocks of the creators below. Private Data Element Characteristics Sequence (0008,0300) adds "
        "blocks and elements that it calls safe, and takes away those that it calls unsafe or identifying, by their "
        "Deidentification Action."
    )
    for creator, rows in groupby(sorted(_tables.safe_private()), key=lambda row: row[0]):
        elements = [f"({group:04X},xx{low:02X}){_vrs(bits)}" for _creator, group, low, bits in rows]
        blocks.append(f"{creator.decode('ascii')}\n{textwrap.indent(words(elements), '  ')}")
    return blocks


def _vrs(bits: int) -> str:
    names = [_tables.vr_name(index) for index in range(bits.bit_length()) if bits >> index & 1]
    return f" {'/'.join(names)}" if names else ""


_MANNERS: dict[str, Callable[[Sequence[str]], list[str]]] = {
    "rtn_safe_priv": _safe_private,
    "rtn_uids": _uids,
    "rtn_dev_id": _device,
    "rtn_inst_id": _institution,
    "rtn_pat_chars": _characteristics,
    "rtn_full_dates": _full_dates,
    "rtn_modif_dates": _modified_dates,
    "clean_desc": _descriptors,
    "clean_struct": _structured,
    "clean_graph": _graphics,
}
